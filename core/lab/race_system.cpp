// A malloc of the system in a race.
#include <algorithm>

#include "lab/payload_pages.hpp"
#include "lab/race_lanes.hpp"
#include "lab/system_run.hpp"

namespace residue::lab {
namespace {

// Placements, failures, the payload that could be placed, and the pages that it lay on.
void TakeRecords(const LabTrace& trace, const std::vector<Record>& records, RaceLane& lane) {
    std::vector<std::uint64_t> sizes(trace.slots);
    std::optional<std::uint64_t> base;
    std::uint64_t live = 0;
    PayloadPages pages;
    lane.steps.resize(trace.ops.size());
    for (std::size_t i = 0; i < trace.ops.size(); ++i) {
        const Op& op = trace.ops[i];
        const bool isFree = op.kind == OpKind::Free || op.kind == OpKind::ReallocFree;
        const bool isPlaced = Asks(op) && records[i].address != 0;
        if (isFree || (isPlaced && op.kind == OpKind::Realloc)) {
            live -= sizes[op.slot];
            sizes[op.slot] = 0;
        }
        if (isPlaced) {
            sizes[op.slot] = op.size;
            live += op.size;
            lane.peakLive = std::max(lane.peakLive, live);
            pages.Add(records[i].address, op.size);
            if (!base) base = records[i].address;
            lane.steps[i].offset = records[i].address - *base;
        } else if (Asks(op)) {
            if (op.kind != OpKind::Realloc) sizes[op.slot] = 0;
            ++lane.failures;
            if (!lane.firstFailure) lane.firstFailure = RaceFailure{i + 1, AskedText(op) + ": NULL"};
        }
    }
    lane.pageBytes = pages.Bytes();
    if (pages.Bytes() == 0)
        lane.utilisation.reason = "nothing was placed";
    else
        lane.utilisation.value = static_cast<double>(lane.peakLive) / static_cast<double>(pages.Bytes());
}

}  // namespace

Outcome<void> RunSystemMalloc(const SystemMalloc& system, const LabTrace& trace, const RaceOptions& options,
                              RaceLane& lane) {
    lane.title = system.title;
    const auto run = RunSystem(system, trace, options);
    if (!run) return Fail(run.error());
    lane.reason = run->whyNot;
    if (!lane.reason.empty()) return {};
    lane.state = RaceLane::State::Ran;
    TakeRecords(trace, run->records, lane);
    lane.heapEnd.reason = lane.heapPeak.reason = "it does not tell; the pages of its payloads stand for it";
    lane.externalFragmentation.reason = "its holes are not known";
    lane.searchLength.reason = "it does not tell";
    lane.seconds = run->seconds;
    return {};
}

}  // namespace residue::lab
