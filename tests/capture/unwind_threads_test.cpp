// Walks in many threads at once, over one cache.
#include <atomic>
#include <thread>
#include <vector>

#include "capture/taken_walk.hpp"
#include "capture/unwind.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

namespace {

struct Counted {
    events::StackBounds stack = events::OwnStack();
    WalkMemo memo;
    unsigned walks = 0;
    unsigned wrong = 0;

    [[gnu::noinline]] void Compare() {
        const TakenWalk taken = TakenWalk::Take(stack);
        std::uintptr_t plain[WalkMemo::kMost];
        std::uintptr_t remembered[WalkMemo::kMost];
        const Registers here = Here();
        const Walked expected = WalkTables(here, stack, plain, WalkMemo::kMost);
        const Walked walked = WalkTables(here, stack, remembered, WalkMemo::kMost, memo);
        const bool same = walked.count == expected.count && std::equal(plain, plain + expected.count, remembered);
        if (!taken.Equal() || !taken.Complete() || !same || !walked.complete) ++wrong;
        ++walks;
    }
};

// Frames of three kinds, in an order that the number says.
[[gnu::noinline]] unsigned Descend(unsigned number, unsigned depth, Counted& counted);
[[gnu::noinline]] unsigned Narrow(unsigned number, unsigned depth, Counted& counted) {
    const unsigned below = Descend(number / 3, depth - 1, counted);
    asm volatile("" ::: "memory");
    return below + 1;
}
[[gnu::noinline]] unsigned Wide(unsigned number, unsigned depth, Counted& counted) {
    volatile char memory[500];
    memory[depth] = 1;
    const unsigned below = Descend(number / 3, depth - 1, counted);
    asm volatile("" ::: "memory");
    return below + static_cast<unsigned>(memory[depth]);
}
[[gnu::noinline]] unsigned Sized(unsigned number, unsigned depth, Counted& counted) {
    volatile char* const memory = static_cast<volatile char*>(__builtin_alloca(16 + number % 100));
    memory[0] = 1;
    const unsigned below = Descend(number / 3, depth - 1, counted);
    asm volatile("" ::: "memory");
    return below + static_cast<unsigned>(memory[0]);
}
unsigned Descend(unsigned number, unsigned depth, Counted& counted) {
    unsigned result = 0;
    if (depth == 0) counted.Compare();
    else if (number % 3 == 0) result = Narrow(number, depth, counted);
    else if (number % 3 == 1) result = Wide(number, depth, counted);
    else result = Sized(number, depth, counted);
    asm volatile("" ::: "memory");
    return result;
}

}  // namespace

TEST_CASE("Ten threads walk at once, while the rules are forgotten, and all find their own frames", "[threads]") {
    constexpr unsigned kThreads = 10;
    std::atomic<bool> go{false};
    std::atomic<unsigned> atWork{kThreads};
    std::atomic<unsigned> wrong{0};
    std::atomic<unsigned> walks{0};
    std::vector<std::thread> threads;
    for (unsigned index = 0; index < kThreads; ++index) {
        threads.emplace_back([&, index] {
            Counted counted;
            while (!go.load()) std::this_thread::yield();
            for (unsigned i = 0; i < 60; ++i) (void)Descend(i * 7 + index, 1 + i % 9, counted);
            wrong += counted.wrong;
            walks += counted.walks;
            --atWork;
        });
    }
    go = true;
    while (atWork.load() != 0) {
        ForgetRules();
        std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(walks.load() == kThreads * 60);
    CHECK(wrong.load() == 0);
}
