// Call traces by unwinding tables: a walk of 16 frames whose places are known already, beside a cached unw_backtrace of
// libunwind, glibc's backtrace() and a walk by frame pointers, over the same stack.
#include <execinfo.h>

#include <limits>

#include "bench/call_depth.hpp"
#include "bench/harness.hpp"
#include "capture/detail/table_capture.hpp"
#include "capture/unwind.hpp"
#include "events/stack_walk.hpp"

using namespace residue;

namespace {

constexpr unsigned kDepth = 16;
constexpr std::uint64_t kStretch = 512;
constexpr auto kNothing = std::numeric_limits<double>::quiet_NaN();

events::StackBounds Stack() {
    static const events::StackBounds stack = events::OwnStack();
    return stack;
}

template <class Step>
double EachAtDepth(std::uint64_t count, Step step) {
    double each = 0;
    const auto body = [&] { each = bench::MedianNanosecondsEach(count, kStretch, step, [] {}); };
    bench::AtDepth(kDepth, body);
    return each;
}

double Tables(std::uint64_t count) {
    const events::StackBounds stack = Stack();
    return EachAtDepth(count, [=](std::uint64_t) {
        std::uintptr_t frames[kDepth];
        bench::Use(capture::WalkTables(capture::Here(), stack, frames, kDepth).count);
    });
}

double Remembered(std::uint64_t count) {
    const events::StackBounds stack = Stack();
    static capture::WalkMemo memo;
    return EachAtDepth(count, [=](std::uint64_t) {
        std::uintptr_t frames[kDepth];
        bench::Use(capture::WalkTables(capture::Here(), stack, frames, kDepth, memo).count);
    });
}

// And its id: what an event needs.
double Captured(std::uint64_t count) {
    static events::TraceTable table(1 << 16);
    static capture::detail::TableCapture traces;
    traces.SetUp(&table, kDepth, Stack());
    return EachAtDepth(count, [](std::uint64_t) {
        bool complete = false;
        bench::Use(traces.Capture(capture::Here(), complete));
    });
}

// Two places in turn, one of them a call deeper: only the frames outside both are those of the last walk.
[[gnu::noinline]] void WalkRemembering(capture::WalkMemo& memo, const events::StackBounds& stack) {
    std::uintptr_t frames[kDepth];
    bench::Use(capture::WalkTables(capture::Here(), stack, frames, kDepth, memo).count);
}
[[gnu::noinline]] void WalkDeeper(capture::WalkMemo& memo, const events::StackBounds& stack) {
    WalkRemembering(memo, stack);
    asm volatile("" ::: "memory");
}
double InTurn(std::uint64_t count) {
    const events::StackBounds stack = Stack();
    static capture::WalkMemo memo;
    return EachAtDepth(count, [=](std::uint64_t i) {
        if (i % 2 == 0) WalkRemembering(memo, stack);
        else WalkDeeper(memo, stack);
    });
}

double FirstTime(std::uint64_t count) {
    const events::StackBounds stack = Stack();
    return EachAtDepth(count, [=](std::uint64_t) {
        std::uintptr_t frames[kDepth];
        capture::ForgetRules();
        bench::Use(capture::WalkTables(capture::Here(), stack, frames, kDepth).count);
    });
}

double FramePointers(std::uint64_t count) {
    const events::StackBounds stack = Stack();
    return EachAtDepth(count, [=](std::uint64_t) {
        std::uintptr_t frames[kDepth];
        bench::Use(events::WalkFrames(__builtin_frame_address(0), stack, frames, kDepth, 0));
    });
}

double UnwBacktrace(std::uint64_t count) {
    const bench::Unwind unwind = bench::CachedUnwind();
    if (unwind == nullptr) return kNothing;
    return EachAtDepth(count, [=](std::uint64_t) {
        void* frames[kDepth];
        bench::Use(unwind(frames, kDepth));
    });
}

double Backtrace(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t) {
        void* frames[kDepth];
        bench::Use(backtrace(frames, kDepth));
    });
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "unwind");
    const std::string unit = "ns";
    suite.Add("tables, 16 frames", unit, Tables, 400'000);
    suite.Add("tables, the same stack", unit, Remembered, 400'000);
    suite.Add("tables, the same stack, its id", unit, Captured, 400'000);
    suite.Add("tables, two stacks in turn", unit, InTurn, 400'000);
    suite.Add("tables, 16 frames, nothing known", unit, FirstTime, 2'000);
    suite.Add("frame pointers, 16 frames", unit, FramePointers, 400'000);
    suite.Add("unw_backtrace, cached", unit, UnwBacktrace, 100'000);
    suite.Add("backtrace", unit, Backtrace, 20'000);
    suite.Ratio("the same stack / unw_backtrace", "tables, the same stack", "unw_backtrace, cached",
                bench::AtMost(0.25));
    suite.Ratio("the same stack / backtrace", "tables, the same stack", "backtrace", bench::AtMost(0.025));
    suite.Ratio("its id / unw_backtrace", "tables, the same stack, its id", "unw_backtrace, cached",
                bench::AtMost(0.25));
    suite.Ratio("two stacks in turn / unw_backtrace", "tables, two stacks in turn", "unw_backtrace, cached");
    suite.Ratio("without a memo / unw_backtrace", "tables, 16 frames", "unw_backtrace, cached");
    suite.Ratio("the same stack / frame pointers", "tables, the same stack", "frame pointers, 16 frames");
    return suite.Run();
}
