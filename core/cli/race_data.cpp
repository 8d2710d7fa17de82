#include "cli/race_data.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace residue::cli {
namespace {

using lab::RaceLane;
using lab::RaceResult;

// A lane that placed less than was asked for has no heap to be proud of.
bool IsOfPart(const RaceLane& lane, RaceOrder order) {
    return lane.failures > 0 && (order == RaceOrder::Utilisation || order == RaceOrder::Heap);
}

// What is better is smaller.
std::optional<double> RankOf(const RaceResult& race, const RaceLane& lane, RaceOrder order) {
    const auto negated = [](const std::optional<double>& value) { return value ? std::optional(-*value) : value; };
    switch (order) {
        case RaceOrder::Utilisation: return negated(lane.utilisation.value);
        case RaceOrder::Heap:
            if (lane.heapPeak.value) return static_cast<double>(*lane.heapPeak.value);
            if (lane.pageBytes) return static_cast<double>(*lane.pageBytes);
            return std::nullopt;
        case RaceOrder::Fragmentation: return lane.externalFragmentation.value;
        case RaceOrder::Search: return lane.searchLength.value;
        case RaceOrder::Failures: return static_cast<double>(lane.failures);
        case RaceOrder::Throughput: return negated(ThroughputOf(race, lane));
        case RaceOrder::Given:
        case RaceOrder::Name: break;
    }
    return 0;
}

// Takes the values that are known.
class Mean {
public:
    void Add(const std::optional<double>& value) {
        if (!value) return;
        sum_ += *value;
        ++count_;
    }
    std::optional<double> Value() const {
        return count_ > 0 ? std::optional(sum_ / static_cast<double>(count_)) : std::nullopt;
    }

private:
    double sum_ = 0;
    std::size_t count_ = 0;
};

RaceMean MeanOf(const std::vector<RaceResult>& races, std::size_t index) {
    RaceMean mean;
    Mean utilisation, fragmentation, search;
    double operations = 0, seconds = 0;
    for (const RaceResult& race : races) {
        const RaceLane& lane = race.lanes[index];
        mean.name = lane.name;
        mean.failures += lane.failures;
        if (lane.state != RaceLane::State::Ran) continue;
        ++mean.traces;
        utilisation.Add(lane.utilisation.value);
        fragmentation.Add(lane.externalFragmentation.value);
        search.Add(lane.searchLength.value);
        mean.isOfPages = mean.isOfPages || lane.pageBytes.has_value();
        if (lane.seconds <= 0) continue;
        operations += static_cast<double>(race.operations);
        seconds += lane.seconds;
    }
    mean.utilisation = utilisation.Value();
    mean.externalFragmentation = fragmentation.Value();
    mean.searchLength = search.Value();
    if (seconds > 0) mean.throughput = operations / seconds;
    return mean;
}

}  // namespace

std::optional<RaceOrder> RaceOrderOf(const std::string& name) {
    static constexpr std::pair<const char*, RaceOrder> kOrders[] = {
        {"given", RaceOrder::Given},
        {"name", RaceOrder::Name},
        {"utilisation", RaceOrder::Utilisation},
        {"heap", RaceOrder::Heap},
        {"fragmentation", RaceOrder::Fragmentation},
        {"search", RaceOrder::Search},
        {"failures", RaceOrder::Failures},
        {"throughput", RaceOrder::Throughput},
    };
    for (const auto& entry : kOrders) {
        if (name == entry.first) return entry.second;
    }
    return std::nullopt;
}

std::vector<RaceMean> MeansOf(const std::vector<RaceResult>& races) {
    std::vector<RaceMean> means;
    for (std::size_t i = 0; i < races[0].lanes.size(); ++i) means.push_back(MeanOf(races, i));
    return means;
}

std::optional<double> ThroughputOf(const RaceResult& race, const RaceLane& lane) {
    if (lane.seconds <= 0) return std::nullopt;
    return static_cast<double>(race.operations) / lane.seconds;
}

std::vector<std::size_t> RankLanes(const RaceResult& race, RaceOrder order) {
    std::vector<std::size_t> ranked(race.lanes.size());
    std::iota(ranked.begin(), ranked.end(), std::size_t{0});
    if (order == RaceOrder::Given) return ranked;
    const auto key = [&](std::size_t index) {
        const RaceLane& lane = race.lanes[index];
        const auto rank = lane.state == RaceLane::State::Ran ? RankOf(race, lane, order) : std::optional<double>();
        return std::tuple(lane.isBound, lane.state != RaceLane::State::Ran, IsOfPart(lane, order), !rank,
                          rank.value_or(0), order == RaceOrder::Name ? lane.name : std::string());
    };
    std::stable_sort(ranked.begin(), ranked.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return ranked;
}

}  // namespace residue::cli
