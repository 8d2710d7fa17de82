// Walks out of signal handlers: what was interrupted may be anywhere in its code.
#if defined(__x86_64__)
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "capture/shapes.hpp"
#include "capture/taken_walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

namespace {

events::StackBounds stack;
TakenWalk taken;
unsigned takenCount = 0;
// What a single-stepped program did: too much to keep.
unsigned steps = 0;
unsigned incomplete = 0;
unsigned different = 0;
TakenWalk firstDifference;

void TakeInHandler(int) {
    taken = TakenWalk::Take(stack);
    ++takenCount;
}

// A handler, for as long as this lives.
class Handler {
public:
    Handler(int signal, void (*handler)(int), int flags = 0) : signal_(signal) {
        struct sigaction action {};
        action.sa_handler = handler;
        action.sa_flags = flags;
        REQUIRE(sigaction(signal, &action, &before_) == 0);
    }
    ~Handler() { sigaction(signal_, &before_, nullptr); }
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;

private:
    int signal_;
    struct sigaction before_ {};
};

[[gnu::noinline]] int Raise(int signal) {
    const int result = raise(signal);
    asm volatile("" ::: "memory");
    return result;
}

// Sets or clears the flag that traps after each instruction. In functions of their own, with tables that are right.
extern "C" void residueTrapOn();
extern "C" void residueTrapOff();
asm(R"(
    .pushsection .text
    .macro residue_trap name, change, mask
    .type \name, @function
\name:
    .cfi_startproc
    pushfq
    .cfi_adjust_cfa_offset 8
    \change \mask, (%rsp)
    popfq
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size \name, . - \name
    .endm
    residue_trap residueTrapOn, orq, $0x100
    residue_trap residueTrapOff, andq, $~0x100
    .popsection
)");

void CompareInHandler(int) {
    const TakenWalk walk = TakenWalk::Take(stack);
    ++steps;
    if (walk.Equal() && walk.Complete()) return;
    // Where it says "cannot", it still found the inner frames.
    if (!walk.Complete() && !walk.Ours().empty() && walk.Begins()) {
        ++incomplete;
        return;
    }
    if (different++ == 0) firstDifference = walk;
}

WalkMemo memo;
constexpr unsigned kMost = WalkMemo::kMost;

bool RemembersRightly(const Registers& here) {
    std::uintptr_t plain[kMost];
    std::uintptr_t remembered[kMost];
    const Walked walked = WalkTables(here, stack, remembered, kMost, memo);
    const Walked expected = WalkTables(here, stack, plain, kMost);
    return walked.count == expected.count && std::equal(plain, plain + expected.count, remembered);
}

void WalkInHandler(int) {
    ++steps;
    if (!RemembersRightly(Here())) ++different;
}

}  // namespace

TEST_CASE("A walk out of a signal handler goes on where the program was interrupted") {
    stack = events::OwnStack();
    takenCount = 0;
    const Handler handler(SIGUSR1, TakeInHandler);
    REQUIRE(Raise(SIGUSR1) == 0);
    const TakenWalk outside = TakenWalk::Take(stack);
    REQUIRE(takenCount == 1);
    INFO(ToText(taken));
    CHECK(taken.Equal());
    CHECK(taken.Complete());
    CHECK(taken.Ours().size() > outside.Ours().size());
}

TEST_CASE("A walk that begins on an alternate stack gives nothing") {
    stack = events::OwnStack();
    takenCount = 0;
    std::vector<char> memory(1 << 17);
    stack_t alternate{};
    alternate.ss_sp = memory.data();
    alternate.ss_size = memory.size();
    stack_t before{};
    REQUIRE(sigaltstack(&alternate, &before) == 0);
    {
        const Handler handler(SIGUSR1, TakeInHandler, SA_ONSTACK);
        CHECK(Raise(SIGUSR1) == 0);
    }
    REQUIRE(sigaltstack(&before, nullptr) == 0);
    REQUIRE(takenCount == 1);
    CHECK(taken.Ours().empty());
    CHECK_FALSE(taken.Complete());
}

// Prologues, epilogues, the stubs between libraries, everything in between.
TEST_CASE("At every single instruction of a program the walk is that of backtrace()") {
    stack = events::OwnStack();
    (void)TakenWalk::Take(stack);  // what backtrace() loads the first time
    steps = incomplete = different = 0;
    const Handler handler(SIGTRAP, CompareInHandler);
    const Probe probe{[](void*) {}, nullptr};
    for (const std::span<const Shape> shapes : {ShapesO1(), ShapesO3()}) {
        for (const Shape& shape : shapes) {
            // A million instructions; and frames for which gcc writes wrong tables: backtrace() dies in their ends.
            if (std::strcmp(shape.name, "exceptions") == 0) continue;
            if (std::strcmp(shape.name, "aligned frames of any size") == 0) continue;
            shape.run(probe);  // binds what it calls: the loader's own frames are not for rules
            residueTrapOn();
            shape.run(probe);
            residueTrapOff();
        }
    }
    INFO(steps << " steps, " << incomplete << " incomplete, first difference:\n" << ToText(firstDifference));
    CHECK(different == 0);
    CHECK(steps > 3000);
    CHECK(incomplete == 0);
}

TEST_CASE("A signal handler may use the memo that it interrupted the use of, at any instruction") {
    stack = events::OwnStack();
    steps = different = 0;
    const Handler handler(SIGTRAP, WalkInHandler);
    unsigned wrong = 0;
    const Probe probe{[](void* data) {
                          if (!RemembersRightly(Here())) ++*static_cast<unsigned*>(data);
                      },
                      &wrong};
    for (const Shape& shape : ShapesO2()) {
        if (std::strcmp(shape.name, "recursion") != 0 && std::strcmp(shape.name, "qsort") != 0) continue;
        shape.run(probe);
        residueTrapOn();
        shape.run(probe);
        residueTrapOff();
    }
    INFO(steps << " steps");
    CHECK(steps > 3000);
    CHECK(different == 0);
    CHECK(wrong == 0);
}

#endif
