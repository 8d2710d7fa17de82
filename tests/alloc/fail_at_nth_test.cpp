// Everything that takes memory from an Allocator, over a parent that fails at its Nth request, for N = 1, 2, 3 … until
// none fails: each failure is a clean error, nothing is lost, what was there is as it was, and afterwards everything
// works. (What takes it from the C++ heap: tests/memory.)
#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "alloc/dynamic_array.hpp"
#include "alloc/failing_allocator.hpp"
#include "alloc/std/pmr.hpp"
#include "alloc/std/std_allocator.hpp"
#include "alloc/support/on_parent.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

// A run long enough to grow every table a few times, and to need several regions. Returns how many requests failed.
int Exercise(Allocator* allocator) {
    struct Held {
        unsigned char* at;
        std::size_t bytes;
    };
    int failed = 0;
    std::vector<Held> blocks;
    const auto check = [](const Held& held) {
        const auto fill = static_cast<unsigned char>(held.bytes);
        if (std::any_of(held.at, held.at + held.bytes, [&](auto byte) { return byte != fill; })) FAIL("written to");
    };
    // Fragmentation: the rests of several regions are enough together.
    const auto cleanly = [](MemoryError error) {
        return error == MemoryError::InsufficientMemory || error == MemoryError::Fragmentation;
    };
    const auto soundly = [&] {
        if (allocator->options == nullptr || allocator->options->Inspect == nullptr) return;
        const Walk walk = WalkOf(*allocator);
        for (const std::string& broken : walk.broken) FAIL("invariant: " << broken);
        REQUIRE(walk.blocks.size() == blocks.size());
    };
    for (std::size_t i = 0; i < 200; ++i) {
        const std::size_t bytes = 1 + i % 40;
        const auto block = allocator->Allocate(allocator, bytes, 8);
        if (block) {
            std::memset(*block, static_cast<int>(bytes), bytes);
            blocks.push_back({static_cast<unsigned char*>(*block), bytes});
        } else {
            CHECK(cleanly(block.error()));
            ++failed;
            soundly();
            if (blocks.empty()) continue;
        }
        if (i % 5 == 4 && allocator->options->Resize != nullptr) {
            Held& last = blocks.back();
            const auto resized = allocator->options->Resize(allocator, last.at, 60, 8);
            if (!resized) {
                CHECK(cleanly(resized.error()));
                ++failed;
                check(last);
                soundly();
            } else {
                last.at = static_cast<unsigned char*>(*resized);
                check(last);
                std::memset(last.at, 60, 60);
                last.bytes = 60;
            }
        }
        if (i % 3 != 2) continue;
        const auto victim = blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 2);
        check(*victim);
        CHECK(allocator->Free(allocator, victim->at));
        blocks.erase(victim);
    }
    for (const Held& held : blocks) check(held);
    for (const Held& held : blocks) CHECK(allocator->Free(allocator, held.at));
    return failed;
}

// run(parent) with its 1st, 2nd, 3rd … request failing, until a run makes fewer. Returns that number.
template <class Run>
std::size_t UntilNoneFails(Run run) {
    bool failed = true;
    std::size_t n = 0;
    while (failed && n < 2000) {
        CountingParent parent;
        parent.failAt = ++n;
        INFO("failing at request " << n);
        run(parent);
        failed = parent.requests >= n;
        REQUIRE(parent.out.empty());
        REQUIRE(parent.badFrees == 0);
    }
    CHECK_FALSE(failed);
    return n;
}

}  // namespace

TEST_CASE("Every allocator on a parent survives each failure of its parent", "[alloc]") {
    for (const LayerKind& kind : OnParent()) {
        INFO(kind.name);
        const bool inOneBuffer = kind.atLeast == kLayerBufferBytes;
        const std::size_t runs = UntilNoneFails([&](CountingParent& parent) {
            const auto layer = kind.Make(&parent);
            if (inOneBuffer && parent.out.empty()) {
                CHECK(layer->Get()->Allocate(layer->Get(), 8, 8).error() == MemoryError::BufferTooLarge);
                return;  // it never gets a buffer
            }
            // At most the request that needed it; not even that where only the memory of past frees could not grow.
            const int first = Exercise(layer->Get());
            CHECK(first + Exercise(layer->Get()) <= 1);
        });
        CHECK(runs >= (inOneBuffer ? 2 : 5));
    }
}

TEST_CASE("Every allocator on a parent survives a parent that fails from its Nth request on", "[alloc]") {
    for (const LayerKind& kind : OnParent()) {
        if (kind.atLeast == kLayerBufferBytes) continue;
        INFO(kind.name);
        bool failed = true;
        for (std::uint64_t n = 1; failed; ++n) {
            INFO("failing from request " << n << " on");
            CountingParent system;
            {
                FailingAllocator parent(&system, n, Failing::FromThenOn);
                const auto layer = kind.Make(&parent);
                (void)Exercise(layer->Get());
                layer->Destroy();
                failed = parent.Failures() != 0;
            }
            REQUIRE(system.out.empty());
            REQUIRE(system.badFrees == 0);
        }
    }
}

TEST_CASE("A dynamic array is as it was after each failure, in pushing, popping, removing and clearing", "[alloc]") {
    const std::size_t runs = UntilNoneFails([](CountingParent& parent) {
        const auto text = [](int i) { return "a text that is long enough for the heap, " + std::to_string(i); };
        auto array = CreateDynamicArray<std::string>(&parent);
        std::vector<std::string> same;
        const auto equal = [&] {
            REQUIRE(array.size == same.size());
            REQUIRE(array.capacity >= array.size);
            for (std::size_t i = 0; i < same.size(); ++i) REQUIRE(array.buffer[i] == same[i]);
        };
        int failed = 0;
        for (int i = 0; i < 40; ++i) {
            if (PushToDynamicArray(&array, text(i), text(-i))) same.insert(same.end(), {text(i), text(-i)});
            else ++failed;
            equal();
        }
        CHECK(failed <= 1);
        while (array.size > 30) {  // shrinking may fail: then the larger buffer stays
            const auto popped = PopDynamicArray(&array);
            REQUIRE(popped);
            CHECK(*popped == same.back());
            same.pop_back();
            equal();
        }
        while (array.size > 3) {
            REQUIRE(DynamicArrayRemoveAt(&array, array.size / 2));
            same.erase(same.begin() + static_cast<std::ptrdiff_t>(same.size() / 2));
            equal();
        }
        const auto changed = SetDynamicArrayCapacity(&array, 50);
        CHECK(array.capacity == (changed ? 50 : array.capacity));
        equal();
        ClearDynamicArray(&array);
        REQUIRE(DestroyDynamicArray(&array));
    });
    CHECK(runs >= 8);
}

TEST_CASE("Standard containers get bad_alloc for each failure, keep what they had, and lose nothing", "[alloc]") {
    const std::size_t runs = UntilNoneFails([](CountingParent& parent) {
        std::vector<int, StdAllocator<int>> numbers{StdAllocator<int>(&parent)};
        using Entry = std::pair<const int, std::string>;
        std::map<int, std::string, std::less<>, StdAllocator<Entry>> byNumber{StdAllocator<Entry>(&parent)};
        std::size_t failed = 0;
        for (int i = 0; i < 40; ++i) {
            const std::size_t before = numbers.size();
            try {
                numbers.push_back(i);
                byNumber.emplace(i, "the text of it");
            } catch (const std::bad_alloc&) {
                ++failed;
                CHECK(numbers.size() + byNumber.size() >= 2 * before);
            }
        }
        CHECK(failed <= 1);
        CHECK(numbers.size() + byNumber.size() >= 78);
    });
    CHECK(runs >= 40);
}

TEST_CASE("std::pmr containers get bad_alloc for each failure, keep what they had, and lose nothing", "[alloc]") {
    const std::size_t runs = UntilNoneFails([](CountingParent& parent) {
        AllocatorResource resource(&parent);
        std::pmr::list<std::pmr::string> words(&resource);
        std::pmr::vector<std::pmr::string> array(&resource);
        std::size_t failed = 0;
        for (int i = 0; i < 20; ++i) {
            const std::size_t before = words.size() + array.size();
            try {
                words.emplace_back("a word that is too long for the string itself");
                array.emplace_back("a word that is too long for the string itself");
            } catch (const std::bad_alloc&) {
                ++failed;
                CHECK(words.size() + array.size() - before <= 1);
            }
        }
        CHECK(failed <= 1);
        CHECK(words.size() + array.size() >= 38);
        for (const auto& word : array) CHECK(word == words.front());
    });
    CHECK(runs >= 60);
}

TEST_CASE("An allocator on a std::pmr resource turns each bad_alloc into an error", "[alloc]") {
    const std::size_t runs = UntilNoneFails([](CountingParent& parent) {
        AllocatorResource resource(&parent);
        ResourceAllocator allocator = CreateResourceAllocator(&resource);
        TrackingAllocator tracked = CreateTrackingAllocator(&allocator, QuietOn(&allocator));
        CHECK(Exercise(&tracked) <= 1);
        CHECK(DestroyTrackingAllocator(&tracked) == 0);
    });
    CHECK(runs >= 100);
}
