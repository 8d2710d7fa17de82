// Goal 2: what one event costs the thread that emits it. With a call trace of 16 frames, against a cached
// unw_backtrace of libunwind and glibc's backtrace();
// without one, an allocation and a free with their events against malloc and free alone and against the stamps alone.
// Draining is not part of it: in the real thing another core does it. So lanes are emptied between timed stretches.
#include <execinfo.h>

#include <cstdlib>
#include <limits>
#include <memory>

#include "bench/call_depth.hpp"
#include "bench/harness.hpp"
#include "events/lanes.hpp"

using namespace residue;
using namespace residue::events;

namespace {

constexpr unsigned kDepth = 16;
constexpr std::uint64_t kStretch = 512;  // events between two drains; the lane holds twice as many
constexpr auto kNothing = std::numeric_limits<double>::quiet_NaN();

struct Fixture {
    TraceTable table{1 << 16};
    Lanes lanes{{.capacity = 2 * kStretch, .stamps = StampSource::Ticks, .traceDepth = kDepth, .traces = &table}};
    Lanes::Deliver drop = [](const Event*, std::size_t) {};
};
Fixture& Shared() {
    static Fixture fixture;
    return fixture;
}

// step() is one operation; its time alone is counted, and the lane is emptied between stretches.
template <class Step>
double EachAtDepth(std::uint64_t count, Step step) {
    double each = 0;
    const auto drain = [] { Shared().lanes.Drain(Shared().drop); };
    const auto body = [&] {
        drain();
        each = bench::MedianNanosecondsEach(count, kStretch, step, drain);
    };
    bench::AtDepth(kDepth, body);
    return each;
}

[[gnu::noinline]] void EmitTraced(EventSink& lanes, std::uint64_t address) {
    Event event;
    event.kind = EventKind::Allocated;
    event.address = address;
    event.trace = lanes.Capture(0);
    EmitNow(lanes, event);
    asm volatile("" ::: "memory");
}
// Another innermost frame, so that the stack differs from the one before.
[[gnu::noinline]] void EmitTracedElsewhere(EventSink& lanes, std::uint64_t address) {
    EmitTraced(lanes, address);
    asm volatile("" ::: "memory");
}

double OneStack(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t i) { EmitTraced(Shared().lanes, i); });
}
double TwoStacks(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t i) {
        if (i % 2 == 0) EmitTraced(Shared().lanes, i);
        else EmitTracedElsewhere(Shared().lanes, i);
    });
}
double Untraced(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t i) {
        Event event;
        event.address = i;
        EmitNow(Shared().lanes, event);
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

double GlibcBacktrace(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t) {
        void* frames[kDepth];
        bench::Use(backtrace(frames, kDepth));
    });
}

void* Allocate(std::uint64_t i) {
    void* const memory = std::malloc(16 + i % 64 * 8);
    bench::Use(memory);
    return memory;
}

double Pair(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t i) { std::free(Allocate(i)); });
}
double PairWithStamps(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t i) {
        void* const memory = Allocate(i);
        bench::Use(events::detail::FencedTicks());
        bench::Use(events::detail::FencedTicks());
        std::free(memory);
    });
}
double PairWithEvents(std::uint64_t count) {
    return EachAtDepth(count, [](std::uint64_t i) {
        EventSink& sink = Shared().lanes;
        void* const memory = Allocate(i);
        Event event;
        event.kind = EventKind::Allocated;
        event.address = reinterpret_cast<std::uintptr_t>(memory);
        event.size = 16 + i % 64 * 8;
        EmitNow(sink, event);
        Event freed;
        freed.kind = EventKind::Freed;
        freed.address = event.address;
        const std::uint64_t stamp = sink.Begin();
        std::free(memory);
        sink.Emit(&freed, 1, stamp);
    });
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "emit");
    const std::string unit = "ns";
    suite.Add("event, 16 frames, same stack", unit, OneStack, 400'000);
    suite.Add("event, 16 frames, stacks in turn", unit, TwoStacks, 400'000);
    suite.Add("event without a trace", unit, Untraced, 400'000);
    suite.Add("unw_backtrace, cached", unit, UnwBacktrace, 100'000);
    suite.Add("backtrace", unit, GlibcBacktrace, 20'000);
    suite.Add("malloc and free", unit, Pair, 400'000);
    suite.Add("malloc and free, two stamps", unit, PairWithStamps, 400'000);
    suite.Add("malloc and free, two events", unit, PairWithEvents, 400'000);
    suite.Ratio("event with trace / unw_backtrace", "event, 16 frames, same stack", "unw_backtrace, cached",
                bench::AtMost(0.25));
    suite.Ratio("event with trace / backtrace", "event, 16 frames, same stack", "backtrace", bench::AtMost(0.025));
    suite.Ratio("event, stacks in turn / unw_backtrace", "event, 16 frames, stacks in turn", "unw_backtrace, cached");
    suite.Derived(
        "pairs that two events cost beyond their stamps",
        [](const auto& figureOf) {
            return (figureOf("malloc and free, two events") - figureOf("malloc and free, two stamps")) /
                   figureOf("malloc and free");
        },
        bench::AtMost(1.2));
    return suite.Run();
}
