#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "events/detail/trace_capture.hpp"
#include "events/lanes.hpp"
#include "events/stack_walk.hpp"
#include "events/trace_table.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::events;

namespace {

using Stack = std::vector<std::uintptr_t>;

Stack FramesOf(const TraceTable& table, TraceId id) {
    Stack frames;
    for (; id; id = table.At(id).parent) frames.push_back(table.At(id).frame);
    return frames;
}

TraceId Put(TraceTable& table, const Stack& stack) {
    return table.Intern(stack.data(), static_cast<unsigned>(stack.size()));
}

}  // namespace

TEST_CASE("equal stacks have one id, and an id gives its stack back") {
    TraceTable table(100);
    const TraceId a = Put(table, {3, 2, 1});
    const TraceId b = Put(table, {4, 2, 1});
    CHECK(a != b);
    CHECK(Put(table, {3, 2, 1}) == a);
    CHECK(FramesOf(table, a) == Stack{3, 2, 1});
    CHECK(FramesOf(table, b) == Stack{4, 2, 1});
    CHECK(table.Count() == 4);  // 1, 2, 3 and 4: the outer part is shared
    CHECK(table.At(a).parent == table.At(b).parent);
    CHECK(table.At(TraceId{0}).frame == 0);
    CHECK(table.At(TraceId{5}).frame == 0);
}

TEST_CASE("an equal innermost frame does not make two stacks equal") {
    TraceTable table(100);
    TraceMemo memo;
    const Stack first{9, 8, 1};
    const Stack second{9, 8, 2};  // the same inner frames below another caller
    const TraceId a = table.Intern(first.data(), 3, memo);
    const TraceId b = table.Intern(second.data(), 3, memo);
    CHECK(a != b);
    CHECK(FramesOf(table, b) == second);
}

TEST_CASE("with a memo and without, random stacks get the same ids") {
    TraceTable table(100'000);
    TraceMemo memo;
    std::mt19937 random(7);
    Stack stack{1, 2, 3};
    for (int i = 0; i < 20'000; ++i) {
        // A walk over a call tree: leave some frames, enter some.
        const std::size_t leave = std::min<std::size_t>(random() % 4, stack.size() - 1);
        stack.erase(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(leave));
        for (unsigned enter = random() % 4; enter > 0 && stack.size() < 20; --enter) {
            stack.insert(stack.begin(), 1 + random() % 9);
        }
        const TraceId id = table.Intern(stack.data(), static_cast<unsigned>(stack.size()), memo);
        REQUIRE(id == Put(table, stack));
        REQUIRE(FramesOf(table, id) == stack);
    }
}

TEST_CASE("many callers of the same functions are told apart, however crowded the hash is") {
    TraceTable table(1 << 20);
    constexpr std::uintptr_t kCallers = 20'000, kCalled = 30;  // more than have room beside their caller
    for (int round = 0; round < 2; ++round) {
        std::uint64_t wrong = 0;
        for (std::uintptr_t caller = 1; caller <= kCallers; ++caller) {
            for (std::uintptr_t called = 1; called <= kCalled; ++called) {
                const TraceId id = Put(table, {called, caller});
                const auto node = table.At(id);
                if (node.frame != called || table.At(node.parent).frame != caller) ++wrong;
            }
        }
        CHECK(wrong == 0);
        CHECK(table.Count() == kCallers * (kCalled + 1));
    }
}

TEST_CASE("a full table gives id 0 for what is new and still knows what it has") {
    TraceTable table(3);
    const TraceId known = Put(table, {3, 2, 1});
    TraceMemo memo;
    const Stack fresh{4, 2, 1};
    CHECK(known);
    CHECK_FALSE(table.Intern(fresh.data(), 3, memo));
    CHECK_FALSE(table.Intern(fresh.data(), 3, memo));
    CHECK(table.Refused() == 2);
    CHECK(Put(table, {3, 2, 1}) == known);
    CHECK(table.Count() == 3);
    TraceTable none(0);
    CHECK_FALSE(Put(none, {1}));
}

TEST_CASE("empty, too deep and zero stacks are no harm") {
    TraceTable table(1000);
    CHECK_FALSE(table.Intern(nullptr, 0));
    Stack deep(200);
    for (std::size_t i = 0; i < deep.size(); ++i) deep[i] = i + 1;
    CHECK(FramesOf(table, Put(table, deep)).size() == kMaxTraceDepth);
    CHECK_FALSE(Put(table, {5, 0, 7}));
}

TEST_CASE("while threads intern the same stacks, a reader finds every node up to the count complete") {
    TraceTable table(200'000);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::thread reader([&] {
        std::uint32_t seen = 0;
        for (bool last = false; !last;) {
            last = done.load();
            for (const std::uint32_t count = table.Count(); seen < count;) {
                const auto node = table.At(TraceId{++seen});
                if (node.frame == 0 || node.parent.value >= seen) ++wrong;
            }
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            TraceMemo memo;
            std::mt19937 random(t);
            for (int i = 0; i < 10'000; ++i) {
                Stack stack(1 + random() % 6);
                for (auto& frame : stack) frame = 1 + random() % 5;
                const TraceId id = table.Intern(stack.data(), static_cast<unsigned>(stack.size()), memo);
                if (id.value > table.Count() || FramesOf(table, id) != stack) ++wrong;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    done = true;
    reader.join();
    CHECK(wrong == 0);
}

TEST_CASE("a garbage frame pointer ends the walk and nothing else") {
    std::uintptr_t stack[64] = {};
    const auto base = reinterpret_cast<std::uintptr_t>(stack);
    const StackBounds bounds{base, base + sizeof stack};
    std::uintptr_t out[32];
    const auto walk = [&](std::uintptr_t from) {
        return WalkFrames(reinterpret_cast<const void*>(from), bounds, out, 32, 0);
    };
    for (const std::uintptr_t garbage :
         {std::uintptr_t{0}, std::uintptr_t{1}, std::uintptr_t{7}, ~std::uintptr_t{0}, ~std::uintptr_t{7}, base - 8,
          base + sizeof stack - 8, base + sizeof stack, base + 1, ~std::uintptr_t{15}, std::uintptr_t{1} << 63}) {
        CHECK(walk(garbage) <= 1);
        stack[0] = garbage;  // as the saved frame pointer of a good frame
        stack[1] = 0x1234;
        CHECK(walk(base) >= 1);
        CHECK(walk(base) <= 2);
    }
    stack[0] = base;  // a frame that is its own caller
    CHECK(walk(base) == 1);
    for (std::size_t i = 0; i + 2 < 64; i += 2) {
        stack[i] = base + (i + 2) * sizeof(std::uintptr_t);
        stack[i + 1] = 100 + i;
    }
    CHECK(walk(base) == 31);  // the last two words end it
    CHECK(out[1] == 102);
    CHECK(WalkFrames(stack, bounds, out, 3, 2) == 3);
    CHECK(out[0] == 104);
    CHECK(WalkFrames(stack, StackBounds{}, out, 3, 0) == 0);
}

TEST_CASE("what a thread's start left in the frame register is no caller") {
    // Three callers in code, then a frame that is none, with another word in it each time.
    std::uintptr_t stack[10] = {};
    const auto base = reinterpret_cast<std::uintptr_t>(stack);
    for (std::size_t i = 0; i < 8; i += 2) {
        stack[i] = base + (i + 2) * sizeof(std::uintptr_t);
        stack[i + 1] = 1000 + i;
    }
    const StackBounds bounds{base, base + sizeof stack, [](std::uintptr_t at) noexcept { return at >= 1000; }};
    TraceTable table(100);
    const auto capture = std::make_unique<residue::events::detail::TraceCapture>();
    capture->SetUp(&table, 8, bounds);
    for (std::uintptr_t garbage = 1; garbage < 50; ++garbage) {
        stack[7] = garbage;
        std::uintptr_t out[8];
        REQUIRE(WalkFrames(stack, bounds, out, 8, 0) == 3);
        REQUIRE(FramesOf(table, capture->Capture(stack, 0)) == Stack{1000, 1002, 1004});
    }
    CHECK(table.Count() == 3);
}

TEST_CASE("this thread's own bounds know code from data") {
    const StackBounds own = OwnStack();
    if (own.isCode == nullptr) return;  // an older C library
    CHECK(own.isCode(reinterpret_cast<std::uintptr_t>(&OwnStack) + 1));
    CHECK_FALSE(own.isCode(own.low));
    CHECK_FALSE(own.isCode(0x695a46));
}

TEST_CASE("random memory as a stack never leads the walk out of it") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 2000; ++round) {
        // On the heap with nothing around it that may be read: AddressSanitizer would see a step outside, if the walk
        // were instrumented; the page fault or a wrong count would be seen in any case.
        const std::size_t words = 2 + random() % 30;
        const std::unique_ptr<std::uintptr_t[]> stack(new std::uintptr_t[words]);
        const auto base = reinterpret_cast<std::uintptr_t>(stack.get());
        for (std::size_t i = 0; i < words; ++i) {
            stack[i] = random() % 3 != 0 ? base + random() % (words * 9) : random();
        }
        std::uintptr_t out[16];
        CHECK(WalkFrames(stack.get(), {base, base + words * 8}, out, 16, 0) <= 16);
    }
}

namespace residue_trace_test {

[[gnu::noinline]] TraceId Inner(Lanes& lanes, unsigned skip) {
    const TraceId id = lanes.Capture(skip);
    asm volatile("" ::: "memory");
    return id;
}
[[gnu::noinline]] TraceId Outer(Lanes& lanes, unsigned skip) {
    const TraceId id = Inner(lanes, skip);
    asm volatile("" ::: "memory");
    return id;
}

}  // namespace residue_trace_test

TEST_CASE("a remembered walk gives what walking gives, whatever word of the stack has changed") {
    using residue::events::detail::TraceCapture;
    TraceTable table(100'000);
    const auto capture = std::make_unique<TraceCapture>();
    constexpr std::size_t kWords = 40;
    std::uintptr_t stack[kWords] = {};
    const auto base = reinterpret_cast<std::uintptr_t>(stack);
    const StackBounds bounds{base, base + sizeof stack};
    capture->SetUp(&table, 8, bounds);
    std::mt19937 random(11);
    for (std::size_t i = 0; i + 2 < kWords; i += 2) {
        stack[i] = base + (i + 2) * sizeof(std::uintptr_t);
        stack[i + 1] = 100 + i;
    }
    for (int round = 0; round < 20'000; ++round) {
        const std::size_t changed = random() % kWords;
        switch (random() % 8) {  // mostly nothing, so that walks are remembered
            case 0: stack[changed] = base + random() % (kWords * 8); break;
            case 1: stack[changed] = 100 + random() % 50; break;
            case 2: stack[changed & ~1u] = base + (changed / 2 * 2 + 2) * 8; break;
            default: break;
        }
        const auto skip = static_cast<unsigned>(random() % 3);
        const std::size_t from = random() % 3 * 2;
        std::uintptr_t frames[8];
        const unsigned count = WalkFrames(stack + from, bounds, frames, 8, skip);
        const TraceId id = capture->Capture(stack + from, skip);
        REQUIRE(FramesOf(table, id) == Stack(frames, frames + count));
    }
    capture->SetUp(nullptr, 8, bounds);
    CHECK_FALSE(capture->Capture(stack, 0));
}

TEST_CASE("a capture starts in its caller, and each skip leaves one frame out") {
    TraceTable table(1000);
    Lanes lanes({.traceDepth = 16, .traces = &table});
    const volatile unsigned calls = 2;
    std::vector<TraceId> ids(calls);  // an array's bound would let the loop be unrolled into calls from two places
    for (unsigned skip = 0; skip < calls; ++skip) ids[skip] = residue_trace_test::Outer(lanes, skip);
    const Stack whole = FramesOf(table, ids[0]);
    REQUIRE(whole.size() >= 3);
    const auto inner = reinterpret_cast<std::uintptr_t>(&residue_trace_test::Inner);
    const auto outer = reinterpret_cast<std::uintptr_t>(&residue_trace_test::Outer);
    CHECK(whole[0] - inner < 512);  // a return address a little behind the function's start
    CHECK(whole[1] - outer < 512);
    CHECK(FramesOf(table, ids[1]) == Stack(whole.begin() + 1, whole.end()));
    Lanes off({});
    CHECK_FALSE(off.Capture(0));
}
