#include "lab/findings.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace residue::lab {
namespace {

const char* NameOf(Doing doing) {
    switch (doing) {
        case Doing::Nothing: return "the driver";
        case Doing::Init: return "mm_init";
        case Doing::Malloc: return "mm_malloc";
        case Doing::Free: return "mm_free";
        case Doing::Realloc: return "mm_realloc";
        case Doing::Check: return "mm_checkheap";
    }
    return "the student's code";
}

std::string CallName(std::uint64_t number) {
    static constexpr std::pair<long, const char*> kNames[] = {
        {SYS_openat, "openat: files"},
        {SYS_clone, "clone: processes and threads"},
        {SYS_clone3, "clone3: processes and threads"},
        {SYS_execve, "execve: programs"},
        {SYS_kill, "kill: signals"},
        {SYS_tgkill, "tgkill: signals"},
        {SYS_socket, "socket: the network"},
        {SYS_rt_sigaction, "sigaction: signal handlers"},
        {SYS_setitimer, "setitimer: timers"},
        {SYS_clock_nanosleep, "sleep"},
        {SYS_read, "read"},
        {SYS_write, "write to a file other than the output"},
        {SYS_mprotect, "mprotect: memory protection"},
        {SYS_ptrace, "ptrace"},
        {SYS_prctl, "prctl"},
        {SYS_sigaltstack, "sigaltstack"},
        {SYS_unlinkat, "unlinkat: files"},
        {SYS_getppid, "getppid"},
        {SYS_setrlimit, "setrlimit"},
        {SYS_prlimit64, "prlimit"},
        {SYS_tkill, "tkill: signals"},
#ifdef SYS_open
        {SYS_open, "open: files"},
        {SYS_fork, "fork: processes"},
        {SYS_vfork, "vfork: processes"},
        {SYS_alarm, "alarm: timers"},
        {SYS_pause, "pause"},
        {SYS_unlink, "unlink: files"},
#endif
    };
    for (const auto& [known, name] : kNames) {
        if (std::cmp_equal(known, number)) return name;
    }
    return fmt::format("number {}", number);
}

const char* Bytes(std::uint64_t count) {
    return count == 1 ? "byte" : "bytes";
}

// Where an address is, as seen from the heap.
std::string Place(std::uint64_t address, std::uint64_t heapEnd) {
    if (address == 0) return ", which is NULL";
    if (address < 4096) return ", next to NULL";
    if (address >= heapEnd && address - heapEnd < kLargestHeap) {
        const std::uint64_t past = address - heapEnd + 1;
        return fmt::format(", {} {} past the heap's end ({})", past, Bytes(past), Hex(heapEnd));
    }
    if (address < kHeapBase && kHeapBase - address <= kGuardBytes) {
        return fmt::format(", {} bytes before the heap's beginning ({})", kHeapBase - address, Hex(kHeapBase));
    }
    return "";
}

bool IsStackOverflow(const Report& report) {
    constexpr std::uint64_t kNear = std::uint64_t{1} << 20;
    const std::uint64_t lowest = report.stackTop - kStackBytes;
    const auto isNear = [&](std::uint64_t address) {
        return address < lowest + (kNear >> 3) && address + (kNear << 4) > lowest;
    };
    return report.stackTop > kStackBytes && isNear(report.address) && report.stackPointer < lowest + (kNear >> 3);
}

std::string SignalText(const Report& report) {
    if (report.signal == SIGABRT) return "abort() was called";
    if (report.signal == SIGFPE) return fmt::format("Arithmetic error (SIGFPE), a division by zero or the like");
    if (report.signal == SIGILL || report.signal == SIGTRAP) {
        return fmt::format("Illegal instruction at {}", Hex(report.address));
    }
    if (IsStackOverflow(report)) {
        return fmt::format("Stack overflow: more than {} MiB of stack", kStackBytes >> 20);
    }
    const char* const name = report.signal == SIGBUS ? "Bus error" : "Segmentation fault";
    const char* const how = report.isWrite == 1 ? "writes to" : report.isWrite == 0 ? "reads from" : "uses";
    if (report.code == SI_KERNEL) return fmt::format("{}: a wild pointer is used", name);
    if (report.code <= 0) return fmt::format("{}: a signal that was sent", name);
    return fmt::format("{}: {} {}{}", name, how, Hex(report.address), Place(report.address, report.heapEnd));
}

std::string SpanText(std::uint64_t address, std::uint64_t size) {
    return fmt::format("({}:{})", Hex(address), Hex(address + size - 1));
}

std::string FindingText(const Report& report, const Op* op, const RunOptions& options, std::uint64_t alignment) {
    const std::uint64_t size = op != nullptr ? op->size : 0;
    const char* const function = op != nullptr && op->kind == OpKind::Malloc ? "mm_malloc" : "mm_realloc";
    switch (report.finding) {
        case Finding::InitFailed: return "mm_init failed.";
        case Finding::NullReturned: return fmt::format("{} failed.", function);
        case Finding::NotNull: return "mm_realloc with size 0 returned non-NULL";
        case Finding::Misaligned:
            return fmt::format("Payload address ({}) not aligned to {} bytes", Hex(report.address), alignment);
        case Finding::OutsideHeap:
            return fmt::format("Payload {} lies outside heap {}",
                               SpanText(report.address, std::max<std::uint64_t>(size, 1)),
                               SpanText(kHeapBase, report.heapEnd - kHeapBase));
        case Finding::OldDataLost:
            return fmt::format("mm_realloc did not preserve the data from old block ({} {}, the first at offset {})",
                               report.value2, Bytes(report.value2), report.value);
        case Finding::Garbled:
            return fmt::format("block at {} has {} garbled {}, starting at byte {}", Hex(report.address), report.value2,
                               Bytes(report.value2), report.value);
        case Finding::PastHeapEnd:
            return fmt::format("byte {} was written while it was behind the heap's end", Hex(report.address));
        case Finding::CheckFailed: return "mm_checkheap returned false";
        case Finding::Signal: return SignalText(report);
        case Finding::SystemCall:
            return fmt::format("system call that an allocator has no use for ({}): refused", CallName(report.value));
        case Finding::Jumped: return "came back into a call that had returned before (longjmp)";
        case Finding::TooSlow:
            return fmt::format("timeout: not done after {:g} s, in {}",
                               static_cast<double>(options.timeout.count()) / 1000, NameOf(report.doing));
        case Finding::CannotLoad:
        case Finding::Confinement:
        case Finding::None: break;
    }
    return "";
}

// The process is gone and has not said why.
std::string EndText(const ChildEnd& end, const Report& report, const RunOptions& options) {
    const char* const where = NameOf(report.doing);
    if (end.tooSlow) {
        return fmt::format("timeout: not done after {:g} s, in {}", static_cast<double>(options.timeout.count()) / 1000,
                           where);
    }
    if (end.signal == SIGKILL)
        return fmt::format("was killed (SIGKILL) in {}, by itself or for too much processor time", where);
    if (end.signal != 0)
        return fmt::format("was ended by signal {} ({}) in {}", end.signal, strsignal(end.signal), where);
    return fmt::format("the program was ended with exit code {} in {}", end.exitCode, where);
}

}  // namespace

std::string NameOf(Pass pass) {
    switch (pass) {
        case Pass::Zeroed: return "zeroed heap";
        case Pass::Dirty: return "dirty heap";
        case Pass::Utilisation: return "utilisation";
        case Pass::Timed: return "timed";
    }
    return "";
}

std::string CallText(const Op& op) {
    switch (op.kind) {
        case OpKind::Malloc: return fmt::format("mm_malloc({})", op.size);
        case OpKind::Free: return "mm_free(block)";
        case OpKind::FreeNull: return "mm_free(NULL)";
        case OpKind::Realloc: return fmt::format("mm_realloc(block, {})", op.size);
        case OpKind::ReallocNull: return fmt::format("mm_realloc(NULL, {})", op.size);
        case OpKind::ReallocFree: return "mm_realloc(block, 0)";
        case OpKind::Touch:
        case OpKind::Nothing: break;
    }
    return "";
}

std::optional<Problem> Describe(const Report& report, const ChildEnd& end, const LabTrace& trace,
                                const RunOptions& options, std::uint64_t alignment) {
    const bool clean = report.finding == Finding::None && report.phase == Phase::Done && end.exitCode == 0 &&
                       report.passesDone >= kRecordedPasses;
    if (clean) return std::nullopt;
    Problem problem;
    const bool running = report.phase >= Phase::Running;
    const Op* op = nullptr;
    if (running) {
        problem.pass = NameOf(report.pass);
        if (report.doing == Doing::Init) {
            problem.op = 0;
        } else if (report.op < trace.ops.size()) {
            problem.op = report.op;
            op = &trace.ops[report.op];
        }
    }
    switch (report.finding) {
        case Finding::CannotLoad: {
            const std::string text(report.text, strnlen(report.text, kTextBytes));
            problem.message = "the code cannot be loaded: " + text;
            break;
        }
        case Finding::Confinement:
        case Finding::None: problem.message = EndText(end, report, options); break;
        default: problem.message = FindingText(report, op, options, alignment); break;
    }
    if (problem.message.empty()) problem.message = EndText(end, report, options);
    problem.address = report.address;
    if (!running) problem.message += ", before the first operation (a constructor?)";
    return problem;
}

}  // namespace residue::lab
