// The pool: slots, their list's order, sizes that stand in their rests, and the walk.
#include <cstring>
#include <vector>

#include "alloc/pool_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

struct Fixture {
    explicit Fixture(std::size_t slot) : heap(CreatePoolAllocator(HeapMemory::Buffer(buffer), slot)) {}
    void* Get(std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE(block);
        return *block;
    }
    std::size_t Slot(const void* pointer) const {
        return static_cast<std::size_t>(static_cast<const std::byte*>(pointer) - buffer) / heap.SlotBytes();
    }

    alignas(4096) std::byte buffer[4096] = {};
    PoolAllocator heap;
};

}  // namespace

TEST_CASE("a pool takes the slot that was freed last, else the first that was never used") {
    Fixture f(48);
    std::vector<void*> slots;
    for (int i = 0; i < 4; ++i) slots.push_back(f.Get(48));
    for (std::size_t i = 0; i < 4; ++i) CHECK(f.Slot(slots[i]) == i);
    REQUIRE(f.heap.Free(&f.heap, slots[2]));
    REQUIRE(f.heap.Free(&f.heap, slots[0]));
    const Walk walk = WalkOf(f.heap);
    REQUIRE(walk.broken.empty());
    REQUIRE(walk.nodes.size() == 3);  // two in the list, in its own order, and what was never used
    CHECK(walk.nodes[0].address == reinterpret_cast<std::uintptr_t>(slots[0]));
    CHECK(walk.nodes[1].address == reinterpret_cast<std::uintptr_t>(slots[2]));
    CHECK(f.Get(8) == slots[0]);
    CHECK(f.Get(8) == slots[2]);
    CHECK(f.Slot(f.Get(8)) == 4);
    CHECK(f.heap.Probes() == 1);
}

TEST_CASE("a pool knows what was asked for in each slot") {
    Fixture f(320);
    const std::size_t sizes[] = {1, 8, 300, 311, 312, 313, 319, 320, 60};
    for (const std::size_t bytes : sizes) std::memset(f.Get(bytes), 0xFF, bytes);
    const Walk walk = WalkOf(f.heap);
    REQUIRE(walk.broken.empty());
    REQUIRE(walk.blocks.size() == std::size(sizes));
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
        CHECK(walk.blocks[i].size == sizes[i]);
        CHECK(walk.blocks[i].rounding == 320 - sizes[i]);
    }
}

TEST_CASE("larger than a slot, or more aligned, is too large for a pool; nothing is ever fragmented") {
    Fixture f(48);
    CHECK(f.heap.Allocate(&f.heap, 49, 8).error() == MemoryError::BufferTooLarge);
    CHECK(f.heap.Allocate(&f.heap, 48, 32).error() == MemoryError::BufferTooLarge);
    std::vector<void*> slots;
    while (const auto slot = f.heap.Allocate(&f.heap, 48, 16)) slots.push_back(*slot);
    CHECK(slots.size() == 82);  // 4,096 bytes without their bits, in slots of 48
    CHECK(f.heap.Allocate(&f.heap, 1, 1).error() == MemoryError::InsufficientMemory);
    REQUIRE(f.heap.Free(&f.heap, slots[40]));
    CHECK(f.heap.Free(&f.heap, slots[40]).error() == MemoryError::DoubleFree);
    CHECK(f.heap.Free(&f.heap, static_cast<std::byte*>(slots[41]) + 8).error() == MemoryError::InvalidPointer);
    CHECK(f.Get(48) == slots[40]);
}

TEST_CASE("nothing is live in a new pool, whatever was in its buffer") {
    alignas(64) static std::byte buffer[9000];
    for (std::size_t bytes = 0; bytes < sizeof buffer; bytes += 7) {
        std::memset(buffer, 0xFF, sizeof buffer);
        PoolAllocator heap = CreatePoolAllocator(HeapMemory::Buffer(buffer, bytes), 48);
        const Walk walk = WalkOf(heap);
        REQUIRE(walk.blocks.empty());
        REQUIRE(walk.broken.empty());
    }
}

TEST_CASE("a block of a pool is resized in its slot or not at all") {
    Fixture f(64);
    void* const slot = f.Get(10);
    std::memset(slot, 5, 10);
    CHECK(*f.heap.options->Resize(&f.heap, slot, 64, 64) == slot);
    CHECK(WalkOf(f.heap).blocks[0].size == 64);
    CHECK(f.heap.options->Resize(&f.heap, slot, 65, 8).error() == MemoryError::BufferTooLarge);
    CHECK(*f.heap.options->Resize(&f.heap, slot, 3, 8) == slot);
    CHECK(WalkOf(f.heap).blocks[0].size == 3);
    CHECK(static_cast<unsigned char*>(slot)[2] == 5);
}

TEST_CASE("a pool on a parent takes regions as it needs them, survives each failing, and gives them back") {
    for (std::size_t n = 1; n <= 4; ++n) {
        CountingParent parent;
        parent.failAt = n;
        PoolAllocator heap = CreatePoolAllocator(HeapMemory::From(&parent, 1024), 64);
        std::vector<void*> slots;
        for (int i = 0; i < 40; ++i) {
            const auto slot = heap.Allocate(&heap, 40, 8);
            if (slot) slots.push_back(*slot);
            else CHECK(slot.error() == MemoryError::InsufficientMemory);
            REQUIRE(WalkOf(heap).broken.empty());
        }
        CHECK(slots.size() + (n <= 3 ? 1 : 0) == 40);
        CHECK(parent.out.size() == 3);
        for (void* slot : slots) CHECK(heap.Free(&heap, slot));
        REQUIRE(heap.options->Reset(&heap));
        CHECK(parent.out.size() == 1);
        DestroyPoolAllocator(&heap);
        CHECK(parent.out.empty());
        CHECK(heap.Allocate(&heap, 8, 8).error() == MemoryError::BufferTooLarge);
    }
}

TEST_CASE("a pool's walk sees what was written over, and ends") {
    const auto broken = [](std::size_t slot, std::size_t at, std::uint64_t value) {
        Fixture f(64);
        void* first = f.Get(64);
        void* second = f.Get(40);
        void* third = f.Get(64);
        REQUIRE(f.heap.Free(&f.heap, first));
        REQUIRE(f.heap.Free(&f.heap, third));
        (void)second;
        std::memcpy(f.buffer + slot * 64 + at, &value, sizeof value);
        return WalkOf(f.heap).broken;
    };
    CHECK(broken(1, 0, 1).empty());                         // a payload
    CHECK_FALSE(broken(2, 0, 4).empty());                   // a link to no slot
    CHECK_FALSE(broken(2, 0, 0).empty());                   // a list that ends too soon
    CHECK_FALSE(broken(1, 56, ~std::uint64_t{0}).empty());  // the rest of a live slot
    CHECK_FALSE(broken(1, 56, 0).empty());
}
