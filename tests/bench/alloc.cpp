// What an allocation and a free cost on the default allocator, with its tracker and without, beside malloc and free.
// "hot": the block just got is given back. "replace": a random one of 10,000 live blocks is replaced. "16 deep": hot,
// at the bottom of 16 calls, so that the tracker has call traces to take; what it costs there, over the same allocator
// without it, beside one cached unw_backtrace.
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "alloc/os/default_allocator.hpp"
#include "alloc/os/locked_allocator.hpp"
#include "alloc/os/system_allocator.hpp"
#include "bench/call_depth.hpp"
#include "bench/harness.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

constexpr std::size_t kLive = 10'000;
constexpr unsigned kDepth = 16;

struct Malloc {
    void* Take(std::size_t bytes) { return std::malloc(bytes); }
    void Give(void* block) { std::free(block); }
};

struct Through {
    Allocator* allocator;
    void* Take(std::size_t bytes) {
        const auto block = allocator->Allocate(allocator, bytes, 8);
        return block ? *block : nullptr;
    }
    void Give(void* block) { (void)allocator->Free(allocator, block); }
};

template <class Step>
double Each(std::uint64_t count, Step step) {
    return bench::MedianNanosecondsEach(count, 512, step, [] {});
}

template <class Memory>
double Hot(Memory memory, std::uint64_t pairs) {
    return Each(pairs, [&](std::uint64_t i) {
        void* const block = memory.Take(16 + i % 64);
        bench::Use(block);
        memory.Give(block);
    });
}

template <class Memory>
double Replace(Memory memory, std::uint64_t pairs) {
    std::minstd_rand random(1);
    std::vector<void*> live(kLive);
    for (void*& block : live) block = memory.Take(16 + random() % 256);
    const double each = Each(pairs, [&](std::uint64_t) {
        void*& block = live[random() % kLive];
        memory.Give(block);
        block = memory.Take(16 + random() % 256);
    });
    for (void* block : live) memory.Give(block);
    return each;
}

enum class Shape { Hot, Replace, Deep };

template <class Memory>
double Pairs(Shape shape, Memory memory, std::uint64_t pairs) {
    if (shape == Shape::Replace) return Replace(memory, pairs);
    double each = 0;
    const auto body = [&] { each = Hot(memory, pairs); };
    bench::AtDepth(shape == Shape::Deep ? kDepth : 0, body);
    return each;
}

template <Profile profile>
double OnDefault(Shape shape, std::uint64_t pairs) {
    DefaultAllocatorSettings settings;
    settings.writer = nullptr;
    DefaultAllocator<profile> allocator(settings);
    return Pairs(shape, Through{&allocator}, pairs);
}

double UnwBacktrace(std::uint64_t count) {
    const bench::Unwind unwind = bench::CachedUnwind();
    if (unwind == nullptr) return std::numeric_limits<double>::quiet_NaN();
    double each = 0;
    const auto body = [&] {
        each = Each(count, [&](std::uint64_t) {
            void* frames[kDepth];
            bench::Use(unwind(frames, kDepth));
        });
    };
    bench::AtDepth(kDepth, body);
    return each;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "alloc");
    constexpr std::uint64_t kPairs = 200'000;
    constexpr std::pair<const char*, Shape> kShapes[] = {
        {"hot, ", Shape::Hot}, {"replace, ", Shape::Replace}, {"16 deep, ", Shape::Deep}};
    for (const auto& [name, of] : kShapes) {
        const std::string prefix = name;
        const Shape shape = of;
        const char* const unit = "ns/pair";
        suite.Add(prefix + "malloc", unit, [=](std::uint64_t n) { return Pairs(shape, Malloc{}, n); }, kPairs);
        suite.Add(prefix + "system", unit, [=](std::uint64_t n) {
            SystemAllocator system = CreateSystemAllocator();
            return Pairs(shape, Through{&system}, n);
        }, kPairs);
        suite.Add(prefix + "locked system", unit, [=](std::uint64_t n) {
            LockedAllocator locked(InternalAllocator());
            return Pairs(shape, Through{&locked}, n);
        }, kPairs);
        suite.Add(prefix + "default, distribution", unit,
                  [=](std::uint64_t n) { return OnDefault<Profile::Distribution>(shape, n); }, kPairs);
        suite.Add(prefix + "default, tracked", unit,
                  [=](std::uint64_t n) { return OnDefault<Profile::Release>(shape, n); }, kPairs);
        suite.Add(prefix + "default, debug", unit,
                  [=](std::uint64_t n) { return OnDefault<Profile::Debug>(shape, n); }, kPairs);
        suite.Ratio(prefix + "without tracker / malloc", prefix + "default, distribution", prefix + "malloc");
        suite.Ratio(prefix + "with tracker / malloc", prefix + "default, tracked", prefix + "malloc");
        suite.Ratio(prefix + "debug / malloc", prefix + "default, debug", prefix + "malloc");
    }
    suite.Add("16 deep, unw_backtrace, cached", "ns", UnwBacktrace, kPairs / 4);
    for (const std::string profile : {"tracked", "debug"}) {
        suite.Derived("16 deep, tracker's part of a pair / unw_backtrace, " + profile, [=](const auto& figureOf) {
            return (figureOf(("16 deep, default, " + profile).c_str()) - figureOf("16 deep, default, distribution")) /
                   figureOf("16 deep, unw_backtrace, cached");
        });
    }
    return suite.Run();
}
