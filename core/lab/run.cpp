#include "lab/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>

#include "lab/findings.hpp"
#include "lab/host_run.hpp"
#include "symbols/modules.hpp"

namespace residue::lab {
namespace {

std::vector<symbols::Frame> CallsOf(const Report& report, const Built& built) {
    std::error_code error;
    const std::uint64_t bytes = std::filesystem::file_size(built.library, error);
    constexpr std::uint64_t kSlack = std::uint64_t{64} << 20;  // memory that is not in the file
    const std::uint64_t base = report.moduleBase;
    std::vector<symbols::Frame> frames;
    if (error || base == 0 || base > ~std::uint64_t{0} - bytes - kSlack) return frames;
    const auto names = symbols::OfModules();
    names->Add({built.library, base, base + bytes + kSlack, base});
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(report.frames, kMostFrames); ++i) {
        const std::uint64_t address = report.trace[i];
        if (address < base || address - base > bytes + kSlack) continue;
        // Where it stands is no return address.
        symbols::Frame frame = names->Resolve(i == 0 ? address + 1 : address);
        frame.file = std::filesystem::path(frame.file).filename().string();
        frames.push_back(std::move(frame));
    }
    return frames;
}

// Who wrote into the block that was found garbled: the trace once more, looking at that block after every call.
std::string Culprit(const Built& built, const LabTrace& trace, const RunOptions& options, const HostRun& run) {
    RunOptions again = options;
    again.timedRuns = 0;
    const auto watched = RunHost(built, trace, again, {run.report.slot, run.report.op + 1});
    if (!watched || watched->report.finding != Finding::Garbled || watched->report.op >= trace.ops.size()) return "";
    if (watched->report.op == run.report.op && run.report.op + 1 != trace.ops.size()) return "";
    return fmt::format("written by {}, line {}", CallText(trace.ops[watched->report.op]),
                       LabTrace::LineOf(watched->report.op));
}

// The first operation that was wrong, by the addresses that were given out or by what the host saw.
std::optional<Problem> FindProblem(const Built& built, const LabTrace& trace, const RunOptions& options,
                                   std::uint64_t alignment, const HostRun& run) {
    for (unsigned pass = 0; pass < kRecordedPasses; ++pass) {
        const auto fault = Judge(trace, run.records[pass], {alignment, options.heapBytes});
        if (!fault) continue;
        Problem problem;
        problem.op = fault->op;
        problem.message = fault->message;
        problem.pass = NameOf(static_cast<Pass>(pass));
        problem.address = fault->address;
        return problem;
    }
    auto problem = Describe(run.report, run.end, trace, options, alignment);
    if (!problem) return problem;
    problem->calls = CallsOf(run.report, built);
    if (run.report.finding == Finding::Garbled) problem->hint = Culprit(built, trace, options, run);
    return problem;
}

}  // namespace

Outcome<TraceOutcome> RunTrace(const Built& built, const LabTrace& trace, const RunOptions& options) {
    TraceOutcome outcome;
    if (trace.peakLive > options.heapBytes) {
        outcome.notRun = fmt::format("needs {} bytes of heap, {} are allowed", trace.peakLive, options.heapBytes);
        return outcome;
    }
    const std::uint64_t alignment = options.alignment ? *options.alignment : built.course.alignment;
    auto run = RunHost(built, trace, options, {});
    if (!run) return Fail(run.error());
    outcome.problem = FindProblem(built, trace, options, alignment, *run);
    outcome.output = std::move(run->end.output);
    outcome.outputLeftOut = run->end.leftOut;
    outcome.records = std::move(run->records[0]);
    if (outcome.problem) {
        outcome.state = TraceOutcome::State::Invalid;
        return outcome;
    }
    const auto last = static_cast<unsigned>(Pass::Utilisation);
    outcome.state = TraceOutcome::State::Valid;
    outcome.heapBytes = std::max(HighWater(run->records[last]), std::min(run->report.passEnd[last], options.heapBytes));
    const bool isMit = built.course.generation == 'M';
    constexpr std::uint64_t kLeastOfMit = 40 << 10;
    const std::uint64_t least = isMit ? kLeastOfMit : 0;
    const std::uint64_t payload = std::max(trace.peakLive, least), heap = std::max(outcome.heapBytes, least);
    outcome.utilisation = heap == 0 ? 0 : static_cast<double>(payload) / static_cast<double>(heap);
    if (run->report.timedRuns > 0) outcome.seconds = static_cast<double>(run->report.bestNanoseconds) / 1e9;
    return outcome;
}

}  // namespace residue::lab
