// A student's allocator in a race: run as `residue lab` runs it, its placements and heap ends as the host reported
// them.
#include <fmt/format.h>

#include "lab/race_lanes.hpp"

namespace residue::lab {
namespace {

void TakeRecords(const LabTrace& trace, const std::vector<Record>& records, RaceLane& lane) {
    lane.steps.resize(trace.ops.size());
    std::optional<std::uint64_t> base;
    std::uint64_t highest = kHeapBase;
    for (std::size_t i = 0; i < std::min(records.size(), trace.ops.size()); ++i) {
        highest = std::max(highest, records[i].heapEnd);  // mem_reset_brk in the middle does not lower it
        lane.steps[i].heap = highest - kHeapBase;
        if (!Asks(trace.ops[i]) || records[i].address == 0) continue;
        if (!base) base = records[i].address;
        lane.steps[i].offset = records[i].address - *base;
    }
    lane.heapEnd.value = lane.heapPeak.value = highest - kHeapBase;
}

void TakeProblem(const Problem& problem, const LabTrace& trace, RaceLane& lane) {
    lane.state = RaceLane::State::Invalid;
    lane.reason = problem.message;
    if (problem.op) lane.reason = fmt::format("operation {}: {}", *problem.op + 1, problem.message);
    lane.failures = 1;
    if (!problem.op || *problem.op >= trace.ops.size()) return;
    lane.firstFailure = RaceFailure{*problem.op + 1, AskedText(trace.ops[*problem.op]) + ": " + problem.message};
}

}  // namespace

Outcome<void> RunStudent(const Built& built, const LabTrace& trace, const RaceOptions& options, RaceLane& lane) {
    lane.title = fmt::format("{}, {}", built.source, NameOf(built.course.generation));
    RunOptions student = options.student;
    student.cancelled = options.cancelled;
    if (!options.timing) student.timedRuns = 0;
    auto outcome = RunTrace(built, trace, student);
    if (!outcome) return Fail(outcome.error());
    const char* const kInvalid = "its run is not valid";
    if (outcome->state == TraceOutcome::State::NotRun) {
        lane.reason = outcome->notRun;
        return {};
    }
    lane.searchLength.reason = "it does not tell";
    if (outcome->problem) {
        TakeProblem(*outcome->problem, trace, lane);
        for (std::string* reason : {&lane.heapEnd.reason, &lane.heapPeak.reason, &lane.utilisation.reason,
                                    &lane.externalFragmentation.reason}) {
            *reason = kInvalid;
        }
        return {};
    }
    lane.state = RaceLane::State::Ran;
    lane.peakLive = trace.peakLive;
    lane.seconds = outcome->seconds;
    TakeRecords(trace, outcome->records, lane);
    lane.externalFragmentation.reason = "its headers and holes are not known";
    const std::uint64_t heap = *lane.heapPeak.value;
    if (heap == 0)
        lane.utilisation.reason = "its heap is empty";
    else
        lane.utilisation.value = static_cast<double>(lane.peakLive) / static_cast<double>(heap);
    return {};
}

}  // namespace residue::lab
