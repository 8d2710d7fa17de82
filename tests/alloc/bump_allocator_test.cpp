// The arena and the stack: where blocks go, what a free gives back and what it does not, marks, and the walk.
#include <cstring>
#include <vector>

#include "alloc/bump_allocator.hpp"
#include "alloc/dynamic_array.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

template <class T>
struct Fixture {
    Fixture() { heap.AttachSink(&sink, "heap"); }
    std::uintptr_t Base() const { return reinterpret_cast<std::uintptr_t>(buffer); }
    void* Get(std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE(block);
        return *block;
    }
    std::uintptr_t Offset(void* pointer) const { return reinterpret_cast<std::uintptr_t>(pointer) - Base(); }
    void Free(void* pointer) { REQUIRE(heap.Free(&heap, pointer)); }
    std::size_t FreeBytes() const { return WalkOf(heap).FreeBytes(); }

    alignas(4096) std::byte buffer[4096] = {};
    events::VectorSink sink;
    T heap = T::Make(HeapMemory::Buffer(buffer));
};

struct Recorder final : DecisionSink {
    std::vector<Decision> all;
    void On(const Decision& decision) override { all.push_back(decision); }
};

}  // namespace

TEST_CASE("blocks of an arena follow each other, with a header of 16 bytes and padding where it is asked for") {
    Fixture<ArenaAllocator> f;
    CHECK(f.Offset(f.Get(24)) == 16);
    CHECK(f.Offset(f.Get(1)) == 56);
    CHECK(f.Offset(f.Get(8, 256)) == 256);
    const Walk walk = WalkOf(f.heap);
    REQUIRE(walk.broken.empty());
    REQUIRE(walk.blocks.size() == 3);
    CHECK(walk.blocks[1].rounding == 7);
    CHECK(walk.blocks[2].padding == 256 - 16 - 64);
    CHECK(walk.nodes.size() == 1);
    CHECK(walk.nodes[0].address == f.Base() + 264);
}

TEST_CASE("what is freed in an arena stays dead until its reset") {
    Fixture<ArenaAllocator> f;
    void* const first = f.Get(24);
    void* const second = f.Get(24);
    const std::size_t before = f.FreeBytes();
    f.Free(second);
    f.Free(first);
    CHECK(f.FreeBytes() == before);
    CHECK(WalkOf(f.heap).dead.size() == 2);
    CHECK(f.heap.Free(&f.heap, first).error() == MemoryError::DoubleFree);
    CHECK(f.Offset(f.Get(24)) == 96);
    const std::size_t rest = f.FreeBytes() - 16;
    CHECK(f.heap.Allocate(&f.heap, rest + 1, 8).error() == MemoryError::InsufficientMemory);  // the dead do not count
    CHECK(f.heap.Allocate(&f.heap, 8192, 8).error() == MemoryError::BufferTooLarge);
    REQUIRE(f.heap.options->Reset(&f.heap));
    CHECK(f.Offset(f.Get(24)) == 16);
    CHECK(WalkOf(f.heap).dead.empty());
}

TEST_CASE("an arena goes back to a mark in one event, dead blocks and younger marks with it") {
    Fixture<ArenaAllocator> f;
    void* const kept = f.Get(24);
    const auto outer = f.heap.Mark();
    REQUIRE(outer);
    f.Free(f.Get(100));
    const auto inner = f.heap.Mark();
    REQUIRE(inner);
    CHECK(f.sink.Events().back().EndsCall());  // so that the moment before it can be gone to
    CHECK(f.heap.MarkAddress(1) == f.Base() + 40);
    CHECK(f.heap.MarkAddress(2) == f.sink.Events().back().address);
    CHECK(f.heap.MarkAddress(3) == 0);
    CHECK(f.heap.MarkAddress(0) == 0);
    (void)f.Get(100);
    CHECK(WalkOf(f.heap).blocks.size() == 2);
    const std::size_t events = f.sink.Events().size();
    REQUIRE(f.heap.Release(*outer));
    REQUIRE(f.sink.Events().size() == events + 1);
    CHECK(f.sink.Events().back().kind == events::EventKind::BulkFreed);
    CHECK(f.sink.Events().back().address == f.Base() + 40);
    CHECK(f.heap.Release(*inner).error() == MemoryError::InvalidPointer);
    CHECK(f.heap.Release(*outer).error() == MemoryError::InvalidPointer);
    CHECK(f.heap.Release({}).error() == MemoryError::InvalidPointer);
    CHECK(f.heap.options->Owns(&f.heap, kept));
    CHECK(f.Offset(f.Get(24)) == 56);
    const auto again = f.heap.Mark();
    REQUIRE(again);
    CHECK(f.heap.Release(*outer).error() == MemoryError::InvalidPointer);  // the same depth, another mark
    CHECK(WalkOf(f.heap).broken.empty());
}

TEST_CASE("marks are as many as there is room for, and the walk tells them") {
    struct Marks final : Inspector {
        std::vector<std::uintptr_t> at;
        void OnMark(const Mark& mark) override { at.push_back(mark.address); }
    } marks;
    Fixture<ArenaAllocator> f;
    for (int i = 0; i < 64; ++i) REQUIRE(f.heap.Mark());
    CHECK(f.heap.Mark().error() == MemoryError::InsufficientMemory);
    REQUIRE(f.heap.options->Reset(&f.heap));
    (void)f.Get(24);
    REQUIRE(f.heap.Mark());
    f.heap.options->Inspect(&f.heap, marks);
    CHECK(marks.at == std::vector<std::uintptr_t>{f.Base() + 40});
}

TEST_CASE("a stack takes the topmost block back, and whatever lies dead below it") {
    Fixture<StackAllocator> f;
    void* const first = f.Get(24);
    void* const second = f.Get(24);
    void* const third = f.Get(24);
    f.Free(second);
    CHECK(WalkOf(f.heap).dead.size() == 1);
    f.Free(third);
    CHECK(WalkOf(f.heap).dead.empty());
    const auto& reclaimed = f.sink.Events().back();
    CHECK(reclaimed.kind == events::EventKind::BulkFreed);
    CHECK_FALSE(reclaimed.EndsCall());
    CHECK(reclaimed.address == f.Base() + 40);
    CHECK(reclaimed.size == 80);
    CHECK(f.Get(24) == second);
    CHECK(f.heap.Mark().error() == MemoryError::InsufficientMemory);
    f.Free(first);
    CHECK(WalkOf(f.heap).dead.size() == 1);
}

TEST_CASE("the topmost block is resized where it is, others move") {
    Fixture<StackAllocator> f;
    void* const first = f.Get(24);
    std::memset(first, 7, 24);
    CHECK(*f.heap.options->Resize(&f.heap, first, 200, 8) == first);
    CHECK(*f.heap.options->Resize(&f.heap, first, 24, 8) == first);
    CHECK(f.Offset(f.Get(8)) == 56);
    const auto moved = f.heap.options->Resize(&f.heap, first, 32, 8);
    REQUIRE(moved);
    CHECK(f.Offset(*moved) == 80);
    CHECK(static_cast<unsigned char*>(*moved)[23] == 7);
    CHECK(WalkOf(f.heap).dead.size() == 1);
    CHECK(f.heap.options->Resize(&f.heap, *moved, 5000, 8).error() == MemoryError::BufferTooLarge);
    CHECK(f.heap.options->Resize(&f.heap, first, 8, 8).error() == MemoryError::DoubleFree);
}

TEST_CASE("an arena on a parent takes regions as it needs them, and gives them back") {
    CountingParent parent;
    {
        ArenaAllocator heap = CreateArenaAllocator(HeapMemory::From(&parent, 1024));
        CHECK(parent.out.empty());
        std::vector<void*> blocks;
        for (int i = 0; i < 10; ++i) blocks.push_back(*heap.Allocate(&heap, 200, 8));
        CHECK(parent.out.size() == 3);
        REQUIRE(heap.Allocate(&heap, 5000, 64));  // larger than a region: one of its own
        CHECK(parent.out.size() == 4);
        CHECK(heap.Free(&heap, blocks[7]));
        CHECK(heap.Free(&heap, blocks[7]).error() == MemoryError::DoubleFree);
        CHECK(WalkOf(heap).broken.empty());
        CHECK(WalkOf(heap).regions.size() == 4);
        CHECK(WalkOf(heap).blocks.size() == 10);
        REQUIRE(heap.options->Reset(&heap));
        CHECK(parent.out.size() == 1);  // one is kept for what comes
        REQUIRE(heap.Allocate(&heap, 200, 8));
        CHECK(parent.out.size() == 1);
        DestroyArenaAllocator(&heap);
        CHECK(heap.Allocate(&heap, 8, 8).error() == MemoryError::BufferTooLarge);
        DestroyArenaAllocator(&heap);
    }
    CHECK(parent.out.empty());
    CHECK(parent.badFrees == 0);
}

TEST_CASE("a parent that fails at its Nth request leaves an arena as it was") {
    for (std::size_t n = 1; n <= 4; ++n) {
        CountingParent parent;
        parent.failAt = n;
        ArenaAllocator heap = CreateArenaAllocator(HeapMemory::From(&parent, 1024));
        int failed = 0;
        for (int i = 0; i < 16; ++i) {
            const auto block = heap.Allocate(&heap, 200, 8);
            if (block) std::memset(*block, 1, 200);
            else failed += block.error() == MemoryError::InsufficientMemory;
            REQUIRE(WalkOf(heap).broken.empty());
        }
        CHECK(failed == 1);
        DestroyArenaAllocator(&heap);
        CHECK(parent.out.empty());
    }
}

TEST_CASE("an arena inside another's block is nested: its region is a block of its parent") {
    Fixture<ArenaAllocator> f;
    ArenaAllocator child = CreateArenaAllocator(HeapMemory::From(&f.heap, 512));
    child.AttachSink(&f.sink, "child", AllocatorId{1});
    const auto block = child.Allocate(&child, 24, 8);
    REQUIRE(block);
    const auto& events = f.sink.Events();
    REQUIRE(events.size() == 5);  // created twice; the parent's block, the child's region, the child's block
    CHECK(events[2].kind == events::EventKind::Allocated);
    CHECK(events[3].kind == events::EventKind::RegionGrown);
    CHECK(events[3].address == events[2].address);
    CHECK(events[3].size == events[2].size);
    CHECK(events[3].Bookkeeping() > 0);
    CHECK(events[4].allocator == AllocatorId{2});
    DestroyArenaAllocator(&child);
}

TEST_CASE("what an arena decides is told: the rests it looked at, and where it cut") {
    alignas(8) std::byte buffer[1024];
    Recorder recorder;
    auto heap = ObservedArenaAllocator::Make(HeapMemory::Buffer(buffer));
    heap.observer.sink = &recorder;
    REQUIRE(heap.Allocate(&heap, 24, 8));
    REQUIRE(recorder.all.size() == 2);
    CHECK(recorder.all[0].kind == DecisionKind::Probe);
    CHECK(recorder.all[0].verdict == ProbeVerdict::Taken);
    CHECK(recorder.all[1].kind == DecisionKind::Split);
    CHECK(recorder.all[1].bytes == 40);
    CHECK(heap.Probes() == 1);
    recorder.all.clear();
    CHECK_FALSE(heap.Allocate(&heap, 2000, 8));
    REQUIRE(recorder.all.size() == 1);
    CHECK(recorder.all[0].verdict == ProbeVerdict::TooSmall);
}

TEST_CASE("an arena's walk sees what was written over, and ends") {
    const auto broken = [](std::size_t at, std::uint64_t value) {
        Fixture<ArenaAllocator> f;
        for (int i = 0; i < 4; ++i) (void)f.Get(24);
        std::memcpy(f.buffer + at, &value, sizeof value);
        return WalkOf(f.heap).broken;
    };
    const std::uint64_t header = std::uint64_t{1} << 63;
    CHECK(broken(24, 0).empty());                     // a payload
    CHECK_FALSE(broken(40, 0).empty());               // a header that looks like padding of no bytes
    CHECK_FALSE(broken(40, 1000).empty());            // padding beyond the top
    CHECK_FALSE(broken(40, header | 1).empty());      // smaller than a header
    CHECK_FALSE(broken(40, header | 4000).empty());   // beyond the top
    CHECK_FALSE(broken(48, 99 << 16).empty());        // the block below is elsewhere
    CHECK_FALSE(broken(40, header | header >> 1 | 5).empty());  // dead, but live
}
