#include "lab/race.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/race_lanes.hpp"

namespace residue::lab {
namespace {

constexpr std::uint64_t kAlignment = 8;  // what every lane is asked for
constexpr std::uint64_t kMostLive = std::uint64_t{1} << 60;

// Sums of live payloads after each operation, `sizeOf` each; visit(operation, sum).
template <class SizeOf, class Visit>
void FollowPayload(const LabTrace& trace, SizeOf sizeOf, Visit visit) {
    std::vector<std::uint64_t> sizes(trace.slots);
    std::uint64_t live = 0;
    for (std::size_t i = 0; i < trace.ops.size(); ++i) {
        const Op& op = trace.ops[i];
        std::uint64_t& size = sizes[op.slot];
        switch (op.kind) {
            case OpKind::Malloc:
            case OpKind::ReallocNull:  // a live block of that slot is forgotten: it leaks
                size = sizeOf(op.size);
                live += size;
                break;
            case OpKind::Realloc:
                live -= size;
                size = sizeOf(op.size);
                live += size;
                break;
            case OpKind::Free:
            case OpKind::ReallocFree:
                live -= size;
                size = 0;
                break;
            case OpKind::FreeNull:
            case OpKind::Touch:
            case OpKind::Nothing: break;
        }
        visit(i, live);
    }
}

bool Ran(const RaceLane& lane) {
    return !lane.isBound && lane.state == RaceLane::State::Ran;
}

std::uint64_t FirstDifference(const RaceLane& a, const RaceLane& b) {
    const auto differ = [](const RaceStep& left, const RaceStep& right) { return left.offset != right.offset; };
    for (std::size_t i = 0; i < std::min(a.steps.size(), b.steps.size()); ++i) {
        if (differ(a.steps[i], b.steps[i])) return i + 1;
    }
    return 0;
}

void FindPairs(RaceResult& race) {
    for (std::size_t a = 0; a < race.lanes.size(); ++a) {
        for (std::size_t b = a + 1; b < race.lanes.size(); ++b) {
            if (!Ran(race.lanes[a]) || !Ran(race.lanes[b])) continue;
            race.pairs.push_back({a, b, FirstDifference(race.lanes[a], race.lanes[b])});
        }
    }
}

void FindDivergence(RaceResult& race) {
    std::uint64_t earliest = 0;
    for (const RacePair& pair : race.pairs) {
        if (pair.operation != 0 && (earliest == 0 || pair.operation < earliest)) earliest = pair.operation;
    }
    if (earliest == 0) return;
    RaceDivergence& divergence = race.divergence.emplace();
    divergence.operation = earliest;
    for (const RaceLane& lane : race.lanes) {
        divergence.offsets.push_back(Ran(lane) ? std::optional(lane.steps[earliest - 1].offset) : std::nullopt);
    }
}

void FindFailure(RaceResult& race) {
    for (std::size_t i = 0; i < race.lanes.size(); ++i) {
        const auto& failure = race.lanes[i].firstFailure;
        if (!failure) continue;
        const bool isEarlier =
            !race.failedFirst || failure->operation < race.lanes[*race.failedFirst].firstFailure->operation;
        if (isEarlier) race.failedFirst = i;
    }
}

void FindGap(RaceResult& race) {
    std::vector<std::size_t> lanes;
    for (std::size_t i = 0; i < race.lanes.size(); ++i) {
        const RaceLane& lane = race.lanes[i];
        if (Ran(lane) && lane.heapPeak.value && lane.failures == 0) lanes.push_back(i);
    }
    if (lanes.size() < 2) return;
    RaceGap widest;
    for (std::size_t op = 0; op < race.operations; ++op) {
        const auto less = [&](std::size_t a, std::size_t b) {
            return race.lanes[a].steps[op].heap < race.lanes[b].steps[op].heap;
        };
        const auto smallest = std::min_element(lanes.begin(), lanes.end(), less);
        const auto largest = std::max_element(lanes.begin(), lanes.end(), less);
        const std::uint64_t low = race.lanes[*smallest].steps[op].heap, high = race.lanes[*largest].steps[op].heap;
        const bool isWider = high - low > widest.largestHeap - widest.smallestHeap;
        if (isWider) widest = {op + 1, *smallest, *largest, low, high};
    }
    if (widest.operation != 0) race.widestGap = widest;
}

Outcome<void> RunLane(const Entrant& entrant, const LabTrace& trace, const RaceOptions& options, RaceLane& lane) {
    if (entrant.registered != nullptr) return RunRegistered(*entrant.registered, trace, options, lane);
    if (entrant.system != nullptr) return RunSystemMalloc(*entrant.system, trace, options, lane);
    return RunStudent(*entrant.student, trace, options, lane);
}

}  // namespace

bool Asks(const Op& op) {
    const bool canPlace = op.kind == OpKind::Malloc || op.kind == OpKind::Realloc || op.kind == OpKind::ReallocNull;
    return canPlace && op.size > 0;
}

std::string AskedText(const Op& op) {
    const std::string size = std::to_string(op.size);
    switch (op.kind) {
        case OpKind::Malloc: return "malloc(" + size + ")";
        case OpKind::Realloc: return "realloc(block, " + size + ")";
        case OpKind::ReallocNull: return "realloc(NULL, " + size + ")";
        case OpKind::ReallocFree: return "realloc(block, 0)";
        case OpKind::Free: return "free(block)";
        case OpKind::FreeNull: return "free(NULL)";
        case OpKind::Touch: return "a write of the program's";
        case OpKind::Nothing: break;
    }
    return "nothing";
}

bool IsCancelled(const RaceOptions& options) {
    return options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed);
}

RaceLane PerfectCompaction(const LabTrace& trace) {
    RaceLane lane;
    lane.name = "perfect compaction";
    lane.title = "the largest sum of live payloads so far: no heap can be smaller";
    lane.isBound = true;
    lane.state = RaceLane::State::Ran;
    lane.steps.resize(trace.ops.size());
    FollowPayload(
        trace, [](std::uint64_t size) { return size; },
        [&](std::size_t op, std::uint64_t live) {
            lane.peakLive = std::max(lane.peakLive, live);
            lane.steps[op].heap = lane.peakLive;
        });
    lane.heapEnd.value = lane.heapPeak.value = lane.peakLive;
    if (lane.peakLive > 0)
        lane.utilisation.value = 1;
    else
        lane.utilisation.reason = "nothing was asked for";
    lane.externalFragmentation.value = 0;  // it has no holes
    lane.searchLength.reason = "it is a bound, not an allocator";
    return lane;
}

std::uint64_t AlignedPeak(const LabTrace& trace) {
    std::uint64_t peak = 0;
    const auto rounded = [](std::uint64_t size) { return size + (kAlignment - size % kAlignment) % kAlignment; };
    FollowPayload(trace, rounded, [&](std::size_t, std::uint64_t live) { peak = std::max(peak, live); });
    return peak;
}

void Compare(RaceResult& race) {
    FindPairs(race);
    FindDivergence(race);
    FindFailure(race);
    FindGap(race);
}

Outcome<RaceResult> Race(const std::string& path, std::span<const Entrant> entrants, const RaceOptions& options) {
    const auto trace = ReadLabTrace(path, options.cancelled);
    if (!trace) return Fail(trace.error());
    if (trace->peakLive > kMostLive) {  // sums of it stay below 2^64
        return Fail(Failure{path, fmt::format("needs {} bytes of heap", trace->peakLive),
                            fmt::format("at most {}", kMostLive)});
    }
    RaceResult race;
    race.path = path;
    race.name = trace->name;
    race.operations = trace->ops.size();
    race.warnings = trace->warnings;
    for (const Entrant& entrant : entrants) {
        if (options.progress != nullptr) {
            options.progress->store(static_cast<double>(race.lanes.size()) / static_cast<double>(entrants.size()),
                                    std::memory_order_relaxed);
        }
        if (IsCancelled(options)) return Fail(Failure{"", "cancelled", ""});
        RaceLane& lane = race.lanes.emplace_back();
        lane.name = entrant.name;
        if (const auto ran = RunLane(entrant, *trace, options, lane); !ran) return Fail(ran.error());
    }
    race.lanes.push_back(PerfectCompaction(*trace));
    race.alignedBound = AlignedPeak(*trace);
    Compare(race);
    if (race.divergence) race.divergedAt = AskedText(trace->ops[race.divergence->operation - 1]);
    if (race.widestGap) race.widestGapAt = AskedText(trace->ops[race.widestGap->operation - 1]);
    return race;
}

}  // namespace residue::lab
