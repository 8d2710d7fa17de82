#include "lab/host/crash.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <initializer_list>

#include "lab/host/look.hpp"

namespace residue::lab::host {
namespace {

constexpr std::size_t kSignalStackBytes = std::size_t{64} << 10;
constexpr std::uint64_t kMostWordsScanned = 512;
constexpr std::uint64_t kNearLimit = std::uint64_t{256} << 10;  // the stack's own beginning is above main's frame

// Of the signal handler, which has no other way to know.
Report* reportOfHost = nullptr;
std::uint64_t stackEnd = 0;
std::uint64_t codeBegin = 0, codeEnd = 0;

struct Registers {
    std::uint64_t instruction, stack, frame, link;
    std::uint32_t isWrite;
};

Registers RegistersOf(const ucontext_t& context) {
#if defined(__x86_64__)
    const auto& all = context.uc_mcontext.gregs;
    constexpr std::uint64_t kWriteBit = 2;  // of a page fault's code
    return {static_cast<std::uint64_t>(all[REG_RIP]), static_cast<std::uint64_t>(all[REG_RSP]),
            static_cast<std::uint64_t>(all[REG_RBP]), 0,
            (static_cast<std::uint64_t>(all[REG_ERR]) & kWriteBit) != 0 ? 1u : 0u};
#else
    const auto& all = context.uc_mcontext;
    return {all.pc, all.sp, all.regs[29], all.regs[30], 2};
#endif
}

bool IsStudents(std::uint64_t address) {
    return address >= codeBegin && address < codeEnd;
}

std::uint64_t WordAt(std::uint64_t address) {
    return *reinterpret_cast<const volatile std::uint64_t*>(address);
}

// Does a call end there? Else an address on the stack is something that lies there, such as a function pointer.
bool FollowsCall(std::uint64_t address) {
    if (!IsStudents(address) || !IsStudents(address - 8)) return false;
#if defined(__x86_64__)
    const auto* const at = reinterpret_cast<const volatile unsigned char*>(address);
    constexpr unsigned char kCall = 0xE8, kIndirect = 0xFF;
    const auto isIndirect = [&](int bytes) { return at[-bytes] == kIndirect && (at[1 - bytes] & 0x38) == 0x10; };
    return at[-5] == kCall || isIndirect(2) || isIndirect(3) || isIndirect(6) || isIndirect(7);
#else
    return true;
#endif
}

void AddFrame(Report& report, std::uint64_t address) {
    if (report.frames < kMostFrames) report.trace[report.frames++] = address;
}

// A small function without a frame of its own: its return address is what the stack pointer points to. It is believed
// where the call before it goes to just before where it stands.
void AddCallerOfLeaf(Report& report, const Registers& registers) {
#if defined(__x86_64__)
    constexpr std::uint64_t kSmall = 1024;  // bytes of such a function
    if (registers.stack % 8 != 0 || registers.stack + 8 > stackEnd) return;
    const std::uint64_t address = WordAt(registers.stack);
    const auto* const call = reinterpret_cast<const unsigned char*>(address - 5);
    if (!FollowsCall(address) || call[0] != 0xE8) return;
    std::int32_t distance = 0;
    std::memcpy(&distance, call + 1, sizeof(distance));
    const std::uint64_t target = address + static_cast<std::uint64_t>(std::int64_t{distance});
    if (registers.instruction - target < kSmall) AddFrame(report, address);
#else
    (void)report, (void)registers;
#endif
}

// In the C library (memcpy of a wild pointer) there are no frame pointers: the call in the student's code is the first
// address into it that lies on the stack, below the student's frame.
void AddCallerWithoutFrame(Report& report, const Registers& registers) {
    if (IsStudents(registers.instruction)) return AddCallerOfLeaf(report, registers);
    if (IsStudents(registers.link)) return AddFrame(report, registers.link);
    std::uint64_t at = (registers.stack + 7) / 8 * 8;
    for (std::uint64_t seen = 0; seen < kMostWordsScanned && at + 8 <= stackEnd; ++seen, at += 8) {
        if (registers.frame >= registers.stack && at > registers.frame) return;
        if (FollowsCall(WordAt(at))) return AddFrame(report, WordAt(at));
    }
}

// By frame pointers, within the part of the stack that is in use; a wild one ends the walk.
void Walk(Report& report, const Registers& registers) {
    report.frames = 0;
    AddFrame(report, registers.instruction);
    const bool onStack = registers.stack < stackEnd && registers.stack + kStackBytes > stackEnd - kStackBytes;
    if (!onStack) return;
    // Of a stack that has overflowed, what is below the frame may not be there.
    if (registers.stack > stackEnd - kStackBytes + kNearLimit) AddCallerWithoutFrame(report, registers);
    std::uint64_t frame = registers.frame;
    std::uint64_t lowest = registers.stack;
    while (report.frames < kMostFrames && frame >= lowest && frame % 8 == 0 && frame + 16 <= stackEnd) {
        const std::uint64_t address = WordAt(frame + 8);
        if (!IsStudents(address)) return;
        AddFrame(report, address);
        lowest = frame + 16;
        frame = WordAt(frame);
    }
}

void Handle(int number, siginfo_t* information, void* context) {
    const bool isStep = number == SIGTRAP && TakeStep(information->si_code, *static_cast<ucontext_t*>(context),
                                                      codeBegin, codeEnd);
    if (isStep) return;
    Report& report = *reportOfHost;
    if (report.finding != Finding::None) ::_exit(0);
    const Registers registers = RegistersOf(*static_cast<const ucontext_t*>(context));
    report.signal = number;
    report.code = information->si_code;
    report.stackPointer = registers.stack;
    report.stackTop = stackEnd;
    Finding finding = Finding::Signal;
    if (number == SIGSYS) {
        finding = Finding::SystemCall;
        report.value = static_cast<std::uint64_t>(static_cast<unsigned>(information->si_syscall));
    } else if (number == SIGXCPU) {
        finding = Finding::TooSlow;
    } else {
        report.address = reinterpret_cast<std::uint64_t>(information->si_addr);
        report.isWrite = registers.isWrite;
    }
    report.finding = finding;
    Walk(report, registers);
    CopyHeap();
    ::_exit(0);
}

}  // namespace

bool CatchCrashes(Report* report, std::uint64_t stackTop) {
    reportOfHost = report;
    stackEnd = stackTop;
    stack_t stack{};
    stack.ss_size = kSignalStackBytes;
    stack.ss_sp = ::mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED || ::sigaltstack(&stack, nullptr) != 0) return false;
    struct sigaction action {};
    action.sa_sigaction = Handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigfillset(&action.sa_mask);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU}) {
        if (::sigaction(number, &action, nullptr) != 0) return false;
    }
    return true;
}

void SetStudentCode(std::uint64_t begin, std::uint64_t end) {
    codeBegin = begin;
    codeEnd = end;
}

void EndWith(Finding finding) {
    if (reportOfHost->finding == Finding::None) reportOfHost->finding = finding;
    CopyHeap();
    ::_exit(0);
}

}  // namespace residue::lab::host
