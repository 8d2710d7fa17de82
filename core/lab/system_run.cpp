#include "lab/system_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "lab/process.hpp"
#include "lab/shared_memory.hpp"

namespace residue::lab {
namespace {

constexpr unsigned kTimedRuns = 20;
constexpr std::uint64_t kReserve = std::uint64_t{16} << 30;  // of address space that such a malloc may take unasked

std::uint64_t HalfOfMemory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long bytes = ::sysconf(_SC_PAGE_SIZE);
    if (pages <= 0 || bytes <= 0) return std::uint64_t{1} << 30;
    return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(bytes) / 2;
}

struct PeerRun {
    Report report;
    std::vector<Record> records;
    ChildEnd end;
};

Outcome<PeerRun> RunPeer(const SystemMalloc& system, const LabTrace& trace, const RaceOptions& options) {
    auto peer = FindBeside("residue-race-peer", "what runs the system's mallocs is not there");
    if (!peer) return Fail(peer.error());
    const std::uint64_t operationBytes = trace.ops.size() * sizeof(Op);
    auto orderMemory = SharedMemory::Make("residue-race-order", kOrderBytes + operationBytes);
    if (!orderMemory) return Fail(orderMemory.error());
    auto reportMemory = SharedMemory::Make("residue-race-report", kReportBytes + trace.ops.size() * sizeof(Record));
    if (!reportMemory) return Fail(reportMemory.error());
    Order order{};
    order.version = kLayoutVersion;
    order.lookAt = kNoLook;
    order.ops = trace.ops.size();
    order.slots = trace.slots;
    order.memoryBytes = kReserve + 4 * trace.peakLive + orderMemory->Bytes() + reportMemory->Bytes();
    order.timedRuns = options.timing ? kTimedRuns : 0;
    std::memcpy(orderMemory->Data(), &order, sizeof(order));
    std::memcpy(orderMemory->Data() + kOrderBytes, trace.ops.data(), operationBytes);
    if (auto isSealed = orderMemory->Seal(); !isSealed) return Fail(isSealed.error());

    ChildOptions child;
    child.command = {*peer, system.library, system.prefix};
    // jemalloc wants more thread-local memory at once than the loader keeps for libraries that come late.
    child.environment = {"LC_ALL=C.UTF-8", "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384"};
    child.folder = "/";
    child.descriptors = {{orderMemory->Descriptor(), kOrderDescriptor},
                         {reportMemory->Descriptor(), kReportDescriptor}};
    child.deadline = options.student.timeout;
    child.cancelled = options.cancelled;
    auto end = RunChild(child);
    if (!end) return Fail(end.error());
    if (end->cancelled) return Fail(Failure{"", "cancelled", ""});
    PeerRun run{};
    std::memcpy(&run.report, reportMemory->Data(), sizeof(Report));
    run.end = std::move(*end);
    const auto* const first = reinterpret_cast<const Record*>(reportMemory->Data() + kReportBytes);
    run.records.assign(first, first + trace.ops.size());
    return run;
}

// Why it did not come to an end; empty: it did.
std::string WhyNot(const PeerRun& run, const RaceOptions& options) {
    const std::string text(run.report.text, strnlen(run.report.text, kTextBytes));
    if (run.report.finding == Finding::CannotLoad) return "not installed: " + text;
    if (run.end.tooSlow) {
        return fmt::format("took longer than {} seconds", static_cast<double>(options.student.timeout.count()) / 1000);
    }
    if (run.end.signal != 0) return fmt::format("was ended by signal {}", run.end.signal);
    if (run.end.exitCode != 0 || run.report.phase != Phase::Done)
        return "did not run" + (text.empty() ? "" : ": " + text);
    return "";
}

}  // namespace

Outcome<SystemRun> RunSystem(const SystemMalloc& system, const LabTrace& trace, const RaceOptions& options) {
    SystemRun told;
    if (trace.peakLive > HalfOfMemory()) {
        told.whyNot = fmt::format("needs {} bytes of heap, more than half of this machine's memory", trace.peakLive);
        return told;
    }
    auto run = RunPeer(system, trace, options);
    if (!run) return Fail(run.error());
    told.whyNot = WhyNot(*run, options);
    if (!told.whyNot.empty()) return told;
    told.records = std::move(run->records);
    if (run->report.timedRuns > 0) told.seconds = static_cast<double>(run->report.bestNanoseconds) / 1e9;
    return told;
}

}  // namespace residue::lab
