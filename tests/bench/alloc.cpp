// What an allocation and a free cost on the default allocator, with its tracker and without, beside malloc and free.
// "hot": the block just got is given back. "replace": a random one of 10,000 live blocks is replaced.
#include <cstdlib>
#include <random>
#include <vector>

#include "alloc/os/default_allocator.hpp"
#include "alloc/os/locked_allocator.hpp"
#include "alloc/os/system_allocator.hpp"
#include "bench/harness.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

constexpr std::size_t kLive = 10'000;

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

template <class Memory>
double Hot(Memory memory, std::uint64_t pairs) {
    return bench::NanosecondsEach(pairs, [&] {
        for (std::uint64_t i = 0; i < pairs; ++i) {
            void* const block = memory.Take(16 + i % 64);
            bench::Use(block);
            memory.Give(block);
        }
    });
}

template <class Memory>
double Replace(Memory memory, std::uint64_t pairs) {
    std::minstd_rand random(1);
    std::vector<void*> live(kLive);
    for (void*& block : live) block = memory.Take(16 + random() % 256);
    const double each = bench::NanosecondsEach(pairs, [&] {
        for (std::uint64_t i = 0; i < pairs; ++i) {
            void*& block = live[random() % kLive];
            memory.Give(block);
            block = memory.Take(16 + random() % 256);
        }
    });
    for (void* block : live) memory.Give(block);
    return each;
}

template <Profile profile>
double OnDefault(bool hot, std::uint64_t pairs) {
    DefaultAllocatorSettings settings;
    settings.writer = nullptr;
    DefaultAllocator<profile> allocator(settings);
    return hot ? Hot(Through{&allocator}, pairs) : Replace(Through{&allocator}, pairs);
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "alloc");
    constexpr std::uint64_t kPairs = 200'000;
    for (const bool hot : {true, false}) {
        const std::string shape = hot ? "hot, " : "replace, ";
        suite.Add(shape + "malloc", "ns/pair",
                  [=](std::uint64_t n) { return hot ? Hot(Malloc{}, n) : Replace(Malloc{}, n); }, kPairs);
        suite.Add(shape + "system", "ns/pair", [=](std::uint64_t n) {
            SystemAllocator system = CreateSystemAllocator();
            return hot ? Hot(Through{&system}, n) : Replace(Through{&system}, n);
        }, kPairs);
        suite.Add(shape + "locked system", "ns/pair", [=](std::uint64_t n) {
            LockedAllocator locked(InternalAllocator());
            return hot ? Hot(Through{&locked}, n) : Replace(Through{&locked}, n);
        }, kPairs);
        suite.Add(shape + "default, distribution", "ns/pair",
                  [=](std::uint64_t n) { return OnDefault<Profile::Distribution>(hot, n); }, kPairs);
        suite.Add(shape + "default, tracked", "ns/pair",
                  [=](std::uint64_t n) { return OnDefault<Profile::Release>(hot, n); }, kPairs);
        suite.Ratio(shape + "without tracker / malloc", shape + "default, distribution", shape + "malloc");
        suite.Ratio(shape + "with tracker / malloc", shape + "default, tracked", shape + "malloc");
    }
    return suite.Run();
}
