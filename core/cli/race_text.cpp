// A race as people read it: one table a trace, what stands out below it, and the means of several.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "analysis/format.hpp"
#include "cli/race_data.hpp"
#include "export/text.hpp"

namespace residue::cli {
namespace {

using analysis::FormatBytesExact;
using analysis::FormatCount;
using lab::RaceLane;
using lab::RaceResult;

std::string Named(const std::string& name) {
    return exports::TerminalText(name);
}

// Columns that both tables have. What is not known is "-"; what is by pages begins with "~".
struct Cells {
    std::string utilisation, peak, end, fragmentation, search, failures, rate;
};

std::string RowOf(const std::string& name, std::size_t width, const Cells& cells) {
    return fmt::format("{:<{}} {:>11} {:>14} {:>14} {:>9} {:>8} {:>8} {:>9}\n", name, width, cells.utilisation,
                       cells.peak, cells.end, cells.fragmentation, cells.search, cells.failures, cells.rate);
}

std::string Percent(const std::optional<double>& value, bool isOfPages) {
    return value ? fmt::format("{}{:.2f}%", isOfPages ? "~" : "", *value * 100) : "-";
}
std::string Fraction(const std::optional<double>& value) {
    return value ? analysis::FormatFraction(*value) : "-";
}
std::string Search(const std::optional<double>& value) {
    return value ? fmt::format("{:.2f}", *value) : "-";
}
std::string Rate(const std::optional<double>& throughput) {
    constexpr double kThousand = 1e3;
    return throughput ? FormatCount(static_cast<std::uint64_t>(*throughput / kThousand)) : "-";
}
std::string Count(const std::optional<std::uint64_t>& value) {
    return value ? FormatCount(*value) : "-";
}

std::size_t NameWidth(const RaceResult& race) {
    std::size_t width = 0;
    for (const RaceLane& lane : race.lanes) width = std::max(width, Named(lane.name).size());
    return width;
}

std::string LaneRow(const RaceResult& race, const RaceLane& lane, std::size_t width) {
    const std::string name = Named(lane.name);
    if (lane.state != RaceLane::State::Ran) {
        const char* const state = lane.state == RaceLane::State::Invalid ? "invalid: " : "";
        return fmt::format("{:<{}}  {}{}\n", name, width, state, Named(lane.reason));
    }
    const bool isOfPages = lane.pageBytes.has_value();
    return RowOf(
        name, width,
        {Percent(lane.utilisation.value, isOfPages),
         isOfPages ? "~" + FormatCount(*lane.pageBytes) : Count(lane.heapPeak.value), Count(lane.heapEnd.value),
         Fraction(lane.externalFragmentation.value), Search(lane.searchLength.value),
         lane.isBound ? "-" : FormatCount(lane.failures), Rate(ThroughputOf(race, lane))});
}

std::string PlaceText(std::uint64_t offset) {
    if (offset == lab::kNowhere) return "nowhere";
    const bool isBelow = offset > lab::kNowhere / 2;  // it wraps around
    return fmt::format("{}{}", isBelow ? "-" : "+", FormatCount(isBelow ? 0 - offset : offset));
}

std::string Joined(const std::vector<std::string>& parts, const char* between) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
    return text;
}

// "+128 (first-fit, tlsf), nowhere (pool)".
std::string PlacesText(const RaceResult& race) {
    std::vector<std::pair<std::uint64_t, std::vector<std::string>>> places;
    for (std::size_t i = 0; i < race.lanes.size(); ++i) {
        const auto& offset = race.divergence->offsets[i];
        if (!offset) continue;
        auto place =
            std::find_if(places.begin(), places.end(), [&](const auto& entry) { return entry.first == *offset; });
        if (place == places.end()) place = places.insert(place, {*offset, {}});
        place->second.push_back(Named(race.lanes[i].name));
    }
    std::vector<std::string> parts;
    for (const auto& place : places) {
        parts.push_back(fmt::format("{} ({})", PlaceText(place.first), Joined(place.second, ", ")));
    }
    return Joined(parts, ", ");
}

std::string DivergenceText(const RaceResult& race) {
    if (!race.divergence) return race.pairs.empty() ? "" : "first divergence: none, all lanes place alike\n";
    return fmt::format("first divergence: operation {}, {}: {}; bytes from each lane's first payload\n",
                       FormatCount(race.divergence->operation), race.divergedAt, PlacesText(race));
}

// Those that never part from a lane, told with the first of them: alike are alike among one another, too.
std::string AlikeText(const RaceResult& race) {
    if (!race.divergence) return "";
    std::vector<std::string> groups;
    std::vector<bool> isTold(race.lanes.size());
    for (std::size_t i = 0; i < race.lanes.size(); ++i) {
        std::vector<std::string> names = {Named(race.lanes[i].name)};
        for (const lab::RacePair& pair : race.pairs) {
            if (pair.first != i || pair.operation != 0 || isTold[pair.second]) continue;
            names.push_back(Named(race.lanes[pair.second].name));
            isTold[pair.second] = true;
        }
        if (names.size() > 1) groups.push_back(Joined(names, ", "));
    }
    return groups.empty() ? "" : "placed alike throughout: " + Joined(groups, "; ") + "\n";
}

std::string FailureText(const RaceResult& race) {
    if (!race.failedFirst) return "";
    const RaceLane& lane = race.lanes[*race.failedFirst];
    return fmt::format("first failure: operation {}, {}: {}\n", FormatCount(lane.firstFailure->operation),
                       Named(lane.name), Named(lane.firstFailure->text));
}

std::string GapText(const RaceResult& race) {
    if (!race.widestGap) return "";
    const lab::RaceGap& gap = *race.widestGap;
    const RaceLane &smallest = race.lanes[gap.smallest], &largest = race.lanes[gap.largest];
    return fmt::format("widest gap: operation {}, {}: {} has {}, {} has {}, {} apart\n", FormatCount(gap.operation),
                       race.widestGapAt, Named(smallest.name), FormatBytesExact(gap.smallestHeap), Named(largest.name),
                       FormatBytesExact(gap.largestHeap), FormatBytesExact(gap.largestHeap - gap.smallestHeap));
}

std::string NotesText(const RaceResult& race) {
    std::string text;
    const bool hasPages = std::any_of(race.lanes.begin(), race.lanes.end(),
                                      [](const RaceLane& lane) { return lane.pageBytes.has_value(); });
    if (hasPages) text += "~: the heap is not known; it is measured by the 4 KiB pages that payloads have lain on\n";
    const bool hasFailures = std::any_of(race.lanes.begin(), race.lanes.end(), [](const RaceLane& lane) {
        return lane.state == RaceLane::State::Ran && lane.failures > 0;
    });
    if (hasFailures) text += "the figures of a lane with failed requests are of what it could place\n";
    return text + fmt::format("perfect compaction counts payloads alone; each rounded up to 8 bytes, it has {}\n",
                              FormatBytesExact(race.alignedBound));
}

std::string TableText(const RaceResult& race, RaceOrder order) {
    std::string text = fmt::format("{}: {} operations, {} alive at most\n", Named(race.name),
                                   FormatCount(race.operations), FormatBytesExact(race.lanes.back().peakLive));
    const std::size_t width = NameWidth(race);
    text += RowOf("lane", width, {"utilisation", "heap, peak", "heap, end", "ext.frag.", "search", "failed", "Kops/s"});
    for (const std::size_t index : RankLanes(race, order)) {
        text += LaneRow(race, race.lanes[index], width);
    }
    return text + DivergenceText(race) + AlikeText(race) + FailureText(race) + GapText(race) + NotesText(race);
}

std::string MeansText(const std::vector<RaceResult>& races) {
    std::string text = fmt::format("mean of {} traces\n", races.size());
    const std::size_t width = NameWidth(races[0]);
    text += RowOf("lane", width, {"utilisation", "", "traces", "ext.frag.", "search", "failed", "Kops/s"});
    for (const RaceMean& mean : MeansOf(races)) {
        const bool isBound = mean.name == races[0].lanes.back().name;
        text += RowOf(Named(mean.name), width,
                      {Percent(mean.utilisation, mean.isOfPages), "", FormatCount(mean.traces),
                       Fraction(mean.externalFragmentation), Search(mean.searchLength),
                       isBound ? "-" : FormatCount(mean.failures), Rate(mean.throughput)});
    }
    return text;
}

}  // namespace

std::string RaceText(const std::vector<RaceResult>& races, RaceOrder order) {
    std::string text;
    for (const RaceResult& race : races) text += (text.empty() ? "" : "\n") + TableText(race, order);
    if (races.size() > 1) text += "\n" + MeansText(races);
    return text;
}

}  // namespace residue::cli
