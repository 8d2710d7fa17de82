// A malloc of the system in a race: residue-race-peer runs it, in a process of its own whose heap nobody else uses.
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

#include "lab/payload_pages.hpp"
#include "lab/process.hpp"
#include "lab/race_lanes.hpp"
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

Outcome<void> RunSystemMalloc(const SystemMalloc& system, const LabTrace& trace, const RaceOptions& options,
                              RaceLane& lane) {
    lane.title = system.title;
    if (trace.peakLive > HalfOfMemory()) {
        lane.reason = fmt::format("needs {} bytes of heap, more than half of this machine's memory", trace.peakLive);
        return {};
    }
    const auto run = RunPeer(system, trace, options);
    if (!run) return Fail(run.error());
    lane.reason = WhyNot(*run, options);
    if (!lane.reason.empty()) return {};
    lane.state = RaceLane::State::Ran;
    TakeRecords(trace, run->records, lane);
    lane.heapEnd.reason = lane.heapPeak.reason = "it does not tell; the pages of its payloads stand for it";
    lane.externalFragmentation.reason = "its holes are not known";
    lane.searchLength.reason = "it does not tell";
    if (run->report.timedRuns > 0) lane.seconds = static_cast<double>(run->report.bestNanoseconds) / 1e9;
    return {};
}

}  // namespace residue::lab
