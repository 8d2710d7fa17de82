// A race as people read it: one table a trace, what stands out below it, and the means of several.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.hpp"
#include "cli/race_data.hpp"
#include "export/text.hpp"

namespace residue::cli {
namespace {

using analysis::FormatBytesExact;
using analysis::FormatCount;
using lab::RaceLane;
using lab::RaceResult;

constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kMostPairs = 8;

std::string Named(const std::string& name) {
    return exports::TerminalText(name);
}

// Columns that both tables have. What is not known is "-"; what is by pages begins with "~".
struct Cells {
    std::string utilisation, peak, end, fragmentation, search, failures, rate;
};

std::string RowOf(const std::string& name, const Cells& cells) {
    return fmt::format("{:<{}} {:>11} {:>14} {:>14} {:>9} {:>8} {:>8} {:>9}\n", name, kNameWidth, cells.utilisation,
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

std::string LaneRow(const RaceResult& race, const RaceLane& lane) {
    const std::string name = Named(lane.name);
    if (lane.state == RaceLane::State::Invalid) {
        return fmt::format("{:<{}}  invalid: {}\n", name, kNameWidth, Named(lane.reason));
    }
    if (lane.state == RaceLane::State::NotRun) {
        return fmt::format("{:<{}}  {}\n", name, kNameWidth, Named(lane.reason));
    }
    const bool isOfPages = lane.pageBytes.has_value();
    return RowOf(name, {Percent(lane.utilisation.value, isOfPages),
                        isOfPages ? "~" + FormatCount(*lane.pageBytes) : Count(lane.heapPeak.value),
                        Count(lane.heapEnd.value), Fraction(lane.externalFragmentation.value),
                        Search(lane.searchLength.value), lane.isBound ? "-" : FormatCount(lane.failures),
                        Rate(ThroughputOf(race, lane))});
}

std::string PlaceText(const RaceLane& lane, std::uint64_t offset) {
    if (offset == lab::kNowhere) return Named(lane.name) + " nowhere";
    const bool isBelow = offset > lab::kNowhere / 2;  // it wraps around
    return fmt::format("{} at {}{}", Named(lane.name), isBelow ? "-" : "+", FormatCount(isBelow ? 0 - offset : offset));
}

std::string DivergenceText(const RaceResult& race) {
    if (!race.divergence) return race.pairs.empty() ? "" : "first divergence: none, all lanes place alike\n";
    const std::uint64_t operation = race.divergence->operation;
    std::string places;
    for (std::size_t i = 0; i < race.lanes.size(); ++i) {
        const auto& offset = race.divergence->offsets[i];
        if (offset) places += (places.empty() ? "" : ", ") + PlaceText(race.lanes[i], *offset);
    }
    return fmt::format("first divergence: operation {}, {}: {} (bytes from each lane's first payload)\n",
                       FormatCount(operation), race.divergedAt, places);
}

std::string AlikeText(const RaceResult& race) {
    if (!race.divergence) return "";
    std::string pairs;
    std::size_t count = 0;
    for (const lab::RacePair& pair : race.pairs) {
        if (pair.operation != 0) continue;
        if (++count > kMostPairs) continue;
        pairs += fmt::format("{}{} and {}", pairs.empty() ? "" : ", ", Named(race.lanes[pair.first].name),
                             Named(race.lanes[pair.second].name));
    }
    if (count > kMostPairs) pairs += fmt::format(" and {} pairs more", count - kMostPairs);
    return pairs.empty() ? "" : "placed alike throughout: " + pairs + "\n";
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
    return text + fmt::format("perfect compaction counts payloads alone; each rounded up to 8 bytes, it has {}\n",
                              FormatBytesExact(race.alignedBound));
}

std::string TableText(const RaceResult& race, RaceOrder order) {
    std::string text = fmt::format("{}: {} operations, {} alive at most\n", Named(race.name),
                                   FormatCount(race.operations), FormatBytesExact(race.lanes.back().peakLive));
    text += RowOf("lane", {"utilisation", "heap, peak", "heap, end", "ext.frag.", "search", "failed", "Kops/s"});
    for (const std::size_t index : RankLanes(race, order)) text += LaneRow(race, race.lanes[index]);
    return text + DivergenceText(race) + AlikeText(race) + FailureText(race) + GapText(race) + NotesText(race);
}

std::string MeansText(const std::vector<RaceResult>& races) {
    std::string text = fmt::format("mean of {} traces\n", races.size());
    text += RowOf("lane", {"utilisation", "", "traces", "ext.frag.", "search", "failed", "Kops/s"});
    for (const RaceMean& mean : MeansOf(races)) {
        const bool isBound = mean.name == races[0].lanes.back().name;
        text += RowOf(Named(mean.name), {Percent(mean.utilisation, mean.isOfPages), "", FormatCount(mean.traces),
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
