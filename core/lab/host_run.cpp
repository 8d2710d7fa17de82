#include "lab/host_run.hpp"

#include <signal.h>

#include <algorithm>
#include <cstring>

#include "lab/shared_memory.hpp"

namespace residue::lab {
namespace {

constexpr std::uint64_t kOwnMemory = std::uint64_t{256} << 20;  // of the host, beside heap, trace and report

// As laid out: what follows is aligned.
std::uint64_t LookBytes(const Look& look) {
    return (look.bytes + 15) / 16 * 16;
}

Order OrderFor(const Built& built, const LabTrace& trace, const RunOptions& options, std::uint64_t alignment,
               std::uint64_t sharedBytes, const Watch& watch, const Look& look) {
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
    order.lookAt = look.at;
    order.lookFrom = look.from;
    order.lookBytes = look.bytes;
    return order;
}

// How many records of a pass are there to be believed.
std::size_t RecordsOf(const Report& report, unsigned pass, std::size_t ops) {
    if (report.phase < Phase::Running) return 0;
    if (report.passesDone > pass) return ops;
    const bool underWay = static_cast<unsigned>(report.pass) == pass;
    return underWay ? static_cast<std::size_t>(std::min<std::uint64_t>(report.recorded, ops)) : 0;
}

// What was seen at the moment that was looked at; the numbers may be anything.
void CollectLook(const SharedMemory& memory, const Look& look, std::uint64_t from, HostRun& run) {
    const std::uint64_t bytes = std::min(run.report.lookedBytes, look.bytes);
    const auto* const copied = memory.Data() + from;
    run.bytes.assign(copied, copied + bytes);
    const auto* const steps = reinterpret_cast<const Step*>(copied + LookBytes(look));
    run.steps.assign(steps, steps + std::min(run.report.steps, kMostSteps));
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

}  // namespace

Outcome<HostRun> RunHost(const Built& built, const LabTrace& trace, const RunOptions& options, const Watch& watch,
                         const Look& look) {
    const std::uint64_t alignment = options.alignment ? *options.alignment : built.course.alignment;
    auto host = FindHost();
    if (!host) return Fail(host.error());
    const std::uint64_t orderBytes = kOrderBytes + trace.ops.size() * sizeof(Op);
    const std::uint64_t recordsEnd = kReportBytes + kRecordedPasses * trace.ops.size() * sizeof(Record);
    const bool looks = look.at != kNoLook;
    const std::uint64_t reportBytes = recordsEnd + (looks ? LookBytes(look) + kMostSteps * sizeof(Step) : 0);
    auto orderMemory = SharedMemory::Make("residue-lab-order", orderBytes);
    if (!orderMemory) return Fail(orderMemory.error());
    auto reportMemory = SharedMemory::Make("residue-lab-report", reportBytes);
    if (!reportMemory) return Fail(reportMemory.error());
    const Order order = OrderFor(built, trace, options, alignment, orderBytes + reportBytes, watch, look);
    std::memcpy(orderMemory->Data(), &order, sizeof(order));
    std::memcpy(orderMemory->Data() + kOrderBytes, trace.ops.data(), trace.ops.size() * sizeof(Op));
    if (auto isSealed = orderMemory->Seal(); !isSealed) return Fail(isSealed.error());

    ChildOptions child;
    child.command = {*host, "run", built.library};
    child.environment = {"LC_ALL=C.UTF-8"};
    PassOnWithout(child.environment);
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
    if (looks) CollectLook(*reportMemory, look, recordsEnd, run);
    if (run.report.phase < Phase::Loading) {
        const std::string text(run.report.text, strnlen(run.report.text, kTextBytes));
        const std::string what = text.empty() ? run.end.output.substr(0, run.end.output.find('\n')) : "cannot " + text;
        return Fail(Failure{"residue-lab-host", what.empty() ? "did not start" : what,
                            kWhatConfines});
    }
    return run;
}

}  // namespace residue::lab
