#include "lab/host/look.hpp"

#include <cstring>

namespace residue::lab::host {
namespace {

enum class Stepping : std::uint8_t { Off, Beginning, On, Ending };

// Of the signal handler, too.
const Order* order = nullptr;
Report* report = nullptr;
const Heap* heap = nullptr;
unsigned char* bytes = nullptr;
Step* steps = nullptr;
volatile Stepping stepping = Stepping::Off;
std::uint64_t kept = 0, followed = 0;  // the report's may be overwritten by the student's code

}  // namespace

void PrepareLook(const Order& ofRun, Report& ofHost, unsigned char* behindRecords, const Heap& ofStudent) {
    if (ofRun.lookAt == kNoLook) return;
    order = &ofRun;
    report = &ofHost;
    heap = &ofStudent;
    bytes = behindRecords;
    steps = reinterpret_cast<Step*>(behindRecords + (ofRun.lookBytes + 15) / 16 * 16);
}

bool Looks() {
    return order != nullptr;
}

#if defined(__x86_64__)

// A breakpoint's handler sets the trap flag in the registers that it returns to, so the flag is nowhere in our code.
void BeginSteps() {
    stepping = Stepping::Beginning;
    __asm__ volatile("int3" ::: "memory");
}

void EndSteps() {
    if (stepping == Stepping::On) stepping = Stepping::Ending;
    __asm__ volatile("nop" ::: "memory");
}

bool TakeStep(int code, ucontext_t& context, std::uint64_t codeBegin, std::uint64_t codeEnd) {
    constexpr greg_t kTrapFlag = 0x100;
    auto& registers = context.uc_mcontext.gregs;
    if (stepping == Stepping::Off) return false;
    if (stepping == Stepping::Beginning) {
        stepping = Stepping::On;
        registers[REG_EFL] |= kTrapFlag;
        return true;
    }
    if (code != TRAP_TRACE) return false;  // a breakpoint of the student's
    const auto instruction = static_cast<std::uint64_t>(registers[REG_RIP]);
    report->followed = ++followed;
    const bool isStudents = instruction >= codeBegin && instruction < codeEnd;
    if (stepping == Stepping::On && isStudents) {
        steps[kept++] = {instruction, static_cast<std::uint64_t>(registers[REG_RSP])};
        report->steps = kept;
    }
    const bool isFull = kept == kMostSteps || followed == kMostFollowed;
    if (stepping == Stepping::Ending || isFull) {
        stepping = Stepping::Off;
        registers[REG_EFL] &= ~kTrapFlag;
    }
    return true;
}

#else

void BeginSteps() {}
void EndSteps() {}
bool TakeStep(int, ucontext_t&, std::uint64_t, std::uint64_t) {
    return false;
}

#endif

void CopyHeap() {
    if (!Looks() || report->lookedBytes != 0) return;
    const std::uint64_t end = heap->End();
    if (order->lookFrom < heap->Low() || order->lookFrom >= end) return;
    const std::uint64_t most = end - order->lookFrom;
    const std::uint64_t count = order->lookBytes < most ? order->lookBytes : most;
    std::memcpy(bytes, reinterpret_cast<const void*>(order->lookFrom), count);
    report->lookedBytes = count;
}

}  // namespace residue::lab::host
