// Walks out of signal handlers: what was interrupted may be anywhere in its code.
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
std::vector<TakenWalk>* taken = nullptr;
// What a single-stepped program did: too much to keep.
unsigned steps = 0;
unsigned incomplete = 0;
std::string firstDifference;

void TakeInHandler(int) { taken->push_back(TakeWalk(stack)); }

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

#if defined(__x86_64__)

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
    const TakenWalk walk = TakeWalk(stack);
    ++steps;
    if (walk.Equal() && walk.complete) return;
    // Where it says "cannot", it still found the inner frames.
    if (!walk.complete && !walk.ours.empty() && walk.ours.size() <= walk.theirs.size() &&
        std::equal(walk.ours.begin(), walk.ours.end(), walk.theirs.begin())) {
        ++incomplete;
        return;
    }
    if (firstDifference.empty()) firstDifference = ToText(walk);
}

#endif

}  // namespace

TEST_CASE("A walk out of a signal handler goes on where the program was interrupted") {
    stack = events::OwnStack();
    std::vector<TakenWalk> walks;
    taken = &walks;
    const Handler handler(SIGUSR1, TakeInHandler);
    REQUIRE(Raise(SIGUSR1) == 0);
    const TakenWalk outside = TakeWalk(stack);
    REQUIRE(walks.size() == 1);
    INFO(ToText(walks[0]));
    CHECK(walks[0].Equal());
    CHECK(walks[0].complete);
    CHECK(walks[0].ours.size() > outside.ours.size());
}

TEST_CASE("A walk that begins on an alternate stack gives nothing") {
    stack = events::OwnStack();
    std::vector<TakenWalk> walks;
    taken = &walks;
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
    REQUIRE(walks.size() == 1);
    CHECK(walks[0].ours.empty());
    CHECK_FALSE(walks[0].complete);
}

#if defined(__x86_64__)
// Prologues, epilogues, the stubs between libraries, everything in between.
TEST_CASE("At every single instruction of a program the walk is that of backtrace()") {
    stack = events::OwnStack();
    (void)TakeWalk(stack);  // what backtrace() loads the first time
    steps = incomplete = 0;
    firstDifference.clear();
    const Handler handler(SIGTRAP, CompareInHandler);
    const Probe probe{[](void*) {}, nullptr};
    for (const std::span<const Shape> shapes : {ShapesO1(), ShapesO3()}) {
        for (const Shape& shape : shapes) {
            // A million instructions; and gcc 12's tables are wrong within the epilogues: backtrace() itself dies there.
            if (std::strcmp(shape.name, "exceptions") == 0) continue;
            if (std::strcmp(shape.name, "aligned frames of any size") == 0) continue;
            residueTrapOn();
            shape.run(probe);
            residueTrapOff();
        }
    }
    INFO(steps << " steps, " << incomplete << " incomplete, first difference:\n" << firstDifference);
    CHECK(firstDifference.empty());
    CHECK(steps > 3000);
    CHECK(incomplete * 20 < steps);  // all of them in the loader, while it binds a function
}
#endif
