// Every allocator that takes memory from a parent, with a parent that fails at its Nth request, for N = 1, 2, 3 …
// until none fails: each failure is a clean error, nothing is lost, and afterwards everything works.
#include <cstring>
#include <string>
#include <vector>

#include "alloc/dynamic_array.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/os/locked_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

// A run long enough to grow every table a few times. Returns how many requests failed.
int Exercise(Allocator* allocator) {
    int failed = 0;
    std::vector<unsigned char*> blocks;
    for (std::size_t i = 0; i < 200; ++i) {
        const auto block = allocator->Allocate(allocator, 1 + i % 40, 8);
        if (!block) {
            CHECK(block.error() == MemoryError::InsufficientMemory);
            ++failed;
            continue;
        }
        blocks.push_back(static_cast<unsigned char*>(*block));
        blocks.back()[0] = static_cast<unsigned char>(i);
        if (i % 5 == 4 && allocator->options->Resize != nullptr) {
            const unsigned char first = blocks.back()[0];
            const auto resized = allocator->options->Resize(allocator, blocks.back(), 100, 8);
            if (!resized) ++failed;
            else blocks.back() = static_cast<unsigned char*>(*resized);
            CHECK(blocks.back()[0] == first);
        }
        if (i % 3 != 2) continue;
        unsigned char* const victim = blocks[blocks.size() / 2];
        blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 2));
        CHECK(allocator->Free(allocator, victim));
    }
    for (unsigned char* block : blocks) CHECK(allocator->Free(allocator, block));
    return failed;
}

template <class Make>
void UntilNoneFails(Make withParent) {
    bool failed = true;
    std::size_t n = 0;
    while (failed && n < 2000) {
        CountingParent parent;
        parent.failAt = ++n;
        withParent(parent);
        failed = parent.requests >= n;
        INFO("failing at request " << n);
        REQUIRE(parent.out.empty());
        REQUIRE(parent.badFrees == 0);
    }
    CHECK(n > 10);
    CHECK_FALSE(failed);
}

}  // namespace

TEST_CASE("A default allocator survives its parent's every failure", "[alloc]") {
    UntilNoneFails([](CountingParent& parent) {
        DefaultAllocator<Profile::Release> allocator({.parent = &parent, .writer = nullptr});
        const int failed = Exercise(&allocator);
        CHECK(failed <= 1);  // not even that where only the memory of past frees could not grow
        CHECK(allocator.LiveCount() == 0);
    });
    UntilNoneFails([](CountingParent& parent) {
        DefaultAllocator<Profile::Distribution> allocator({.parent = &parent});
        CHECK(Exercise(&allocator) <= 1);
    });
}

TEST_CASE("A residue allocator survives its parent's every failure", "[alloc]") {
    UntilNoneFails([](CountingParent& parent) {
        ResidueAllocator allocator({.parent = &parent, .writer = nullptr});
        CHECK(Exercise(&allocator) <= 1);
    });
}

TEST_CASE("A locked allocator passes its inner one's failures on", "[alloc]") {
    UntilNoneFails([](CountingParent& parent) {
        DefaultAllocator<Profile::Debug> inner({.parent = &parent, .writer = nullptr});
        LockedAllocator allocator(&inner);
        CHECK(Exercise(&allocator) <= 1);
    });
}

TEST_CASE("A dynamic array is as it was after a push that failed", "[alloc]") {
    for (std::size_t n = 1; n < 10; ++n) {
        CountingParent parent;
        parent.failAt = n;
        auto array = CreateDynamicArray<std::string>(&parent);
        std::size_t pushed = 0;
        for (int i = 0; i < 300; ++i) {
            const std::size_t before = array.size;
            if (PushToDynamicArray(&array, std::to_string(i), "a text that is long enough for the heap")) pushed += 2;
            else CHECK(array.size == before);
        }
        CHECK(array.size == pushed);
        CHECK(pushed >= 598);
        while (array.size > 0) REQUIRE(PopDynamicArray(&array));
        REQUIRE(DestroyDynamicArray(&array));
        CHECK(parent.out.empty());
    }
}
