// The design document, sentence by sentence: each test is named after its sentence (what is left out in it: "…"), in
// the document's order. "Allocation Trackers" is document_tracker_test.cpp, the global allocator program_end_test.cpp,
// the Residue allocator residue_allocator_test.cpp, the profiles distribution_test.cpp; "custom kernel or … bare metal"
// and "comptime if OS.IsSupported()" are seen from outside, in tests/meta/freestanding_test.cpp.
#include <cstring>
#include <list>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "alloc/bump_allocator.hpp"
#include "alloc/dynamic_array.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "alloc/std/pmr.hpp"
#include "alloc/std/std_allocator.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

// The document's kernel: memory of its own, two callbacks, nothing else. It gives out slots upwards and takes the last
// one back.
alignas(16) std::byte kernelMemory[1 << 14];
std::size_t kernelUsed = 0;
std::size_t kernelLive = 0;

Result<void*> CustomAlloc(Allocator*, std::size_t bytes, std::size_t alignment) {
    const std::size_t at = (kernelUsed + alignment - 1) / alignment * alignment;
    if (bytes > sizeof kernelMemory - at) return Fail(MemoryError::InsufficientMemory);
    kernelUsed = at + bytes;
    ++kernelLive;
    return kernelMemory + at;
}

Result<void> CustomFree(Allocator*, void* pointer) {
    if (!(pointer >= kernelMemory && pointer < kernelMemory + kernelUsed)) return Fail(MemoryError::InvalidPointer);
    --kernelLive;
    return {};
}

bool InKernel(const void* pointer) {
    return pointer >= kernelMemory && pointer < kernelMemory + sizeof kernelMemory;
}

void RestartKernel() {
    kernelUsed = 0;
    kernelLive = 0;
}

// One with a state, behind `self`: it gives out one block at a time.
struct OneBlock : Allocator {
    OneBlock() : Allocator{OnAllocate, OnFree} {}
    alignas(std::max_align_t) std::byte memory[64];
    bool taken = false;

private:
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t) {
        auto& me = *static_cast<OneBlock*>(self);
        if (bytes > sizeof me.memory) return Fail(MemoryError::BufferTooLarge);
        if (me.taken) return Fail(MemoryError::InsufficientMemory);
        me.taken = true;
        return me.memory;
    }
    static Result<void> OnFree(Allocator* self, void* pointer) {
        auto& me = *static_cast<OneBlock*>(self);
        if (pointer != me.memory) return Fail(MemoryError::InvalidPointer);
        if (!me.taken) return Fail(MemoryError::DoubleFree);
        me.taken = false;
        return {};
    }
};

}  // namespace

TEST_CASE("MemoryError :: enum InsufficientMemory, Fragmentation, BufferTooLarge, DoubleFree, InvalidPointer") {
    alignas(8) std::byte buffer[256];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer);
    const auto why = [&](std::size_t bytes) {
        const auto block = Allocate<char>(&heap, bytes);
        return block ? "none" : Name(block.error());
    };
    char* blocks[4];
    for (char*& block : blocks) block = *Allocate<char>(&heap, 40);
    CHECK(std::string(why(100)) == "InsufficientMemory");
    CHECK(std::string(why(1000)) == "BufferTooLarge");
    char* const dangling = blocks[0];
    REQUIRE(Free(&heap, blocks[0]));
    REQUIRE(Free(&heap, blocks[2]));
    CHECK(std::string(why(80)) == "Fragmentation");
    CHECK(std::string(Name(UnsafeFree(&heap, dangling).error())) == "DoubleFree");
    CHECK(std::string(Name(UnsafeFree(&heap, blocks[1] + 1).error())) == "InvalidPointer");
}

TEST_CASE("The Allocator struct contains two simple callbacks, Allocate and Free") {
    // Two functions and a pointer to what is optional: a value that can be copied, with no vtable.
    CHECK(sizeof(Allocator) == 3 * sizeof(void*));
    CHECK(std::is_trivially_copyable_v<Allocator>);
    CHECK(std::is_aggregate_v<Allocator>);
    const Allocator custom{CustomAlloc, CustomFree};
    CHECK(custom.options == nullptr);  // nothing more has to be there
}

TEST_CASE("Creating an allocator involves simply implementing both of these functions") {
    RestartKernel();
    Allocator custom{CustomAlloc, CustomFree};
    auto ints = Allocate<std::int32_t>(&custom, 5);
    REQUIRE(ints);
    CHECK(InKernel(*ints));
    std::memset(*ints, 1, 5 * sizeof(std::int32_t));
    std::int32_t* owner = *ints;
    CHECK(Free(&custom, owner));
    CHECK(kernelLive == 0);

    OneBlock one;
    auto first = Allocate<double>(&one, 8);
    REQUIRE(first);
    CHECK(Allocate<double>(&one, 1).error() == MemoryError::InsufficientMemory);
    CHECK(Allocate<double>(&one, 9).error() == MemoryError::BufferTooLarge);
    CHECK(UnsafeFree(&one, *first + 1).error() == MemoryError::InvalidPointer);
    CHECK(Free(&one, *first));
    CHECK(Allocate<double>(&one, 8));
}

TEST_CASE("Allocate(allocator, count): room for that many, aligned for their type, or the allocator's error") {
    alignas(64) std::byte buffer[1024];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer);
    struct alignas(32) Wide {
        char bytes[32];
    };
    REQUIRE(Allocate<char>(&heap, 3));
    const auto wide = Allocate<Wide>(&heap, 4);
    REQUIRE(wide);
    CHECK(reinterpret_cast<std::uintptr_t>(*wide) % 32 == 0);
    CHECK(WalkOf(heap).blocks.back().size == 4 * sizeof(Wide));
    CHECK(Allocate<Wide>(&heap, 100).error() == MemoryError::BufferTooLarge);
    CHECK(Allocate<Wide>(&heap, ~std::size_t{0} / 16).error() == MemoryError::BufferTooLarge);  // × 32 overflows
}

TEST_CASE("Memory.Free … clearing up the ownership after a buffer has been freed, Memory.UnsafeFree does not") {
    alignas(8) std::byte buffer[1024];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer);
    char* owner = *Allocate<char>(&heap, 16);
    char* const dangling = owner;
    REQUIRE(UnsafeFree(&heap, owner));
    CHECK(owner == dangling);  // how one stages a double free
    const auto again = Free(&heap, owner);
    REQUIRE_FALSE(again);
    CHECK(again.error() == MemoryError::DoubleFree);
    CHECK(owner == dangling);  // `try`: what was not freed is still owned
    owner = *Allocate<char>(&heap, 16);
    REQUIRE(Free(&heap, owner));
    CHECK(owner == nullptr);
    const char* constant = *Allocate<char>(&heap, 16);
    REQUIRE(Free(&heap, constant));
    CHECK(constant == nullptr);
}

TEST_CASE("I can simply just pass in my custom allocator to the CreateDynamicArray") {
    RestartKernel();
    Allocator customAllocator{CustomAlloc, CustomFree};
    DynamicArray<std::int32_t> dynamicArray = CreateDynamicArray<std::int32_t>(&customAllocator);
    REQUIRE(PushToDynamicArray(&dynamicArray, 1, 2, 3));
    CHECK(dynamicArray.size == 3);
    CHECK(**DynamicArrayAt(&dynamicArray, 2) == 3);
    CHECK(InKernel(dynamicArray.buffer));
    CHECK(DestroyDynamicArray(&dynamicArray));
    CHECK(kernelLive == 0);
}

TEST_CASE("I can build the entire standard library in such a way that it depends on passing in an allocator") {
    RestartKernel();
    Allocator customAllocator{CustomAlloc, CustomFree};
    {
        std::vector<int, StdAllocator<int>> numbers{StdAllocator<int>(&customAllocator)};
        using Entry = std::pair<const int, double>;
        std::map<int, double, std::less<>, StdAllocator<Entry>> byNumber{StdAllocator<Entry>(&customAllocator)};
        AllocatorResource resource(&customAllocator);
        std::pmr::list<std::pmr::string> words(&resource);
        for (int i = 0; i < 20; ++i) {
            numbers.push_back(i);
            byNumber[i] = i / 2.0;
            words.emplace_back("a word that is too long for the string itself");
        }
        CHECK(InKernel(numbers.data()));
        for (const auto& entry : byNumber) CHECK(InKernel(&entry));
        for (const auto& word : words) CHECK((InKernel(&word) && InKernel(word.data())));
        CHECK(numbers.back() == 19);
        CHECK(byNumber[19] == 9.5);
        CHECK(kernelLive == 1 + 20 + 2 * 20);
    }
    CHECK(kernelLive == 0);  // and all of it came back
}

TEST_CASE("You can use multiple types of allocators at the same time, unlike … where … the context per-scope") {
    RestartKernel();
    alignas(8) std::byte buffer[1024];
    alignas(8) std::byte below[2048];
    alignas(8) std::byte slots[1024];
    FixedBufferAllocator fixed = CreateFixedBufferAllocator(buffer);
    ArenaAllocator arena = CreateArenaAllocator(HeapMemory::Buffer(below));
    PoolAllocator pool = CreatePoolAllocator(HeapMemory::Buffer(slots), 64);
    DefaultAllocator<Profile::Debug> tracked({.writer = nullptr});
    Allocator custom{CustomAlloc, CustomFree};
    Allocator* const all[] = {&fixed, &arena, &pool, &tracked, &custom};

    // In turn, in one scope: each keeps to its own memory, and to its own blocks.
    DynamicArray<int> arrays[5];
    for (std::size_t i = 0; i < 5; ++i) arrays[i] = CreateDynamicArray<int>(all[i]);
    for (int round = 0; round < 16; ++round) {
        for (auto& array : arrays) REQUIRE(PushToDynamicArray(&array, round));
    }
    const auto isIn = [](const void* pointer, const std::byte* memory, std::size_t bytes) {
        return pointer >= memory && pointer < memory + bytes;
    };
    CHECK(isIn(arrays[0].buffer, buffer, sizeof buffer));
    CHECK(isIn(arrays[1].buffer, below, sizeof below));
    CHECK(isIn(arrays[2].buffer, slots, sizeof slots));
    CHECK(tracked.LiveCount() == 1);
    CHECK(InKernel(arrays[4].buffer));
    for (const auto& array : arrays) CHECK(array.buffer[15] == 15);
    CHECK(UnsafeFree(&fixed, arrays[1].buffer).error() == MemoryError::InvalidPointer);  // another's block
    for (auto& array : arrays) CHECK(DestroyDynamicArray(&array));
    CHECK(WalkOf(fixed).blocks.empty());
    CHECK(tracked.LiveCount() == 0);
}

TEST_CASE("A fixed buffer allocator simply allocates memory to a buffer instead of a heap") {
    std::byte buffer[1000] = {};  // A buffer of 1000x zeros
    FixedBufferAllocator allocator = CreateFixedBufferAllocator(buffer);
    auto ints = Allocate<std::int32_t>(&allocator, 5);
    REQUIRE(ints);
    CHECK(reinterpret_cast<std::byte*>(*ints) >= buffer);
    CHECK(reinterpret_cast<std::byte*>(*ints + 5) <= buffer + sizeof buffer);
    std::int32_t* owner = *ints;
    REQUIRE(Free(&allocator, owner));
    CHECK(owner == nullptr);
    // As much as the buffer has, and not a byte beyond it: the books lie inside as well.
    std::size_t blocks = 0;
    while (const auto block = Allocate<std::uint64_t>(&allocator, 2)) {
        CHECK(reinterpret_cast<std::byte*>(*block) >= buffer);
        CHECK(reinterpret_cast<std::byte*>(*block + 2) <= buffer + sizeof buffer);
        std::memset(*block, 0xFF, 16);
        ++blocks;
    }
    CHECK(blocks > 35);
    CHECK(WalkOf(allocator).broken.empty());
    DestroyFixedBufferAllocator(&allocator);
    CHECK(Allocate<std::int32_t>(&allocator, 1).error() == MemoryError::BufferTooLarge);
}
