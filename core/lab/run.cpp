#include "lab/run.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>

#include "lab/findings.hpp"
#include "lab/process.hpp"
#include "lab/shared_memory.hpp"
#include "symbols/modules.hpp"

namespace residue::lab {
namespace {

constexpr std::uint64_t kOwnMemory = std::uint64_t{256} << 20;  // of the host, beside heap, trace and report

struct HostRun {
    Report report;
    std::vector<Record> records[kRecordedPasses];  // as far as each came
    ChildEnd end;
};

struct Watch {
    std::uint64_t slot = kNoWatch;
    std::uint64_t stopAt = ~std::uint64_t{0};
};

Order OrderFor(const Built& built, const LabTrace& trace, const RunOptions& options, std::uint64_t alignment,
               std::uint64_t sharedBytes, const Watch& watch) {
    Order order{};
    order.version = kLayoutVersion;
    order.api = built.course.api;
    order.ops = trace.ops.size();
    order.slots = trace.slots;
    order.heapBytes = options.heapBytes;
    order.alignment = alignment;
    order.cpuSeconds = static_cast<std::uint64_t>(options.timeout.count()) / 1000 + 2;
    order.memoryBytes = kOwnMemory + sharedBytes + trace.slots * 3 * sizeof(std::uint64_t);
    order.timedRuns = options.timedRuns;
    order.needsLandlock = options.needsLandlock ? 1 : 0;
    order.checkAll = options.checkAll ? 1 : 0;
    order.watchSlot = watch.slot;
    order.stopAt = watch.stopAt;
    return order;
}

// How many records of a pass are there to be believed.
std::size_t RecordsOf(const Report& report, unsigned pass, std::size_t ops) {
    if (report.phase < Phase::Running) return 0;
    if (report.passesDone > pass) return ops;
    const bool underWay = static_cast<unsigned>(report.pass) == pass;
    return underWay ? static_cast<std::size_t>(std::min<std::uint64_t>(report.recorded, ops)) : 0;
}

HostRun Collect(const SharedMemory& memory, ChildEnd end, std::size_t ops) {
    HostRun run{};
    std::memcpy(&run.report, memory.Data(), sizeof(Report));
    run.end = std::move(end);
    const auto* const all = reinterpret_cast<const Record*>(memory.Data() + kReportBytes);
    for (unsigned pass = 0; pass < kRecordedPasses; ++pass) {
        const Record* const first = all + std::size_t{pass} * ops;
        run.records[pass].assign(first, first + RecordsOf(run.report, pass, ops));
    }
    return run;
}

Outcome<HostRun> RunHost(const Built& built, const LabTrace& trace, const RunOptions& options, std::uint64_t alignment,
                         const Watch& watch) {
    auto host = FindHost();
    if (!host) return Fail(host.error());
    const std::uint64_t orderBytes = kOrderBytes + trace.ops.size() * sizeof(Op);
    const std::uint64_t reportBytes = kReportBytes + kRecordedPasses * trace.ops.size() * sizeof(Record);
    auto orderMemory = SharedMemory::Make("residue-lab-order", orderBytes);
    if (!orderMemory) return Fail(orderMemory.error());
    auto reportMemory = SharedMemory::Make("residue-lab-report", reportBytes);
    if (!reportMemory) return Fail(reportMemory.error());
    const Order order = OrderFor(built, trace, options, alignment, orderBytes + reportBytes, watch);
    std::memcpy(orderMemory->Data(), &order, sizeof(order));
    std::memcpy(orderMemory->Data() + kOrderBytes, trace.ops.data(), trace.ops.size() * sizeof(Op));
    if (auto isSealed = orderMemory->Seal(); !isSealed) return Fail(isSealed.error());

    ChildOptions child;
    child.command = {*host, "run", built.library};
    child.environment = {"LC_ALL=C.UTF-8"};
    child.folder = built.staging.Folder("empty");
    child.descriptors = {{orderMemory->Descriptor(), kOrderDescriptor},
                         {reportMemory->Descriptor(), kReportDescriptor}};
    child.deadline = options.timeout;
    child.signalAtDeadline = SIGXCPU;
    child.mostOutput = std::size_t{16} << 10;
    child.cancelled = options.cancelled;
    auto end = RunChild(child);
    if (!end) return Fail(end.error());
    if (end->cancelled) return Fail(Failure{"", "cancelled", ""});
    HostRun run = Collect(*reportMemory, std::move(*end), trace.ops.size());
    if (run.report.phase < Phase::Loading) {
        const std::string text(run.report.text, strnlen(run.report.text, kTextBytes));
        const std::string what = text.empty() ? run.end.output.substr(0, run.end.output.find('\n')) : "cannot " + text;
        return Fail(Failure{"residue-lab-host", what.empty() ? "did not start" : what,
                            "a kernel with Landlock and seccomp, or --no-landlock"});
    }
    return run;
}

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
std::string Culprit(const Built& built, const LabTrace& trace, const RunOptions& options, std::uint64_t alignment,
                    const HostRun& run) {
    RunOptions again = options;
    again.timedRuns = 0;
    const auto watched = RunHost(built, trace, again, alignment, {run.report.slot, run.report.op + 1});
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
    if (run.report.finding == Finding::Garbled) problem->hint = Culprit(built, trace, options, alignment, run);
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
    auto run = RunHost(built, trace, options, alignment, {});
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
