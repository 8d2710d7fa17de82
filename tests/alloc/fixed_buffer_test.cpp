// The fixed buffer allocator, sentence by sentence: its header's, and METRICS.md's errors. The design document's are in
// document_test.cpp.
#include "alloc/fixed_buffer_allocator.hpp"

#include <cstring>
#include <vector>

#include "support/catch.hpp"
#include "alloc/support/walk.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

constexpr Placement kAll[] = {Placement::FirstFit, Placement::NextFit, Placement::BestFit, Placement::WorstFit};

struct Fixture {
    explicit Fixture(std::size_t bytes, Placement placement = Placement::FirstFit)
        : memory(bytes / 8), heap(CreateFixedBufferAllocator(memory.data(), bytes, placement)) {}
    std::vector<std::uint64_t> memory;
    FixedBufferAllocator heap;

    char* Take(std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE(block);
        return static_cast<char*>(*block);
    }
    MemoryError Refused(std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE_FALSE(block);
        return block.error();
    }
    void Give(void* pointer) { REQUIRE(heap.Free(&heap, pointer)); }
};

}  // namespace

TEST_CASE("A count whose bytes overflow is BufferTooLarge, and an event", "[alloc]") {
    Fixture f(1024);
    events::VectorSink sink;
    f.heap.AttachSink(&sink, "heap");
    const auto block = Allocate<std::uint64_t>(&f.heap, ~std::size_t{0} / 2);
    REQUIRE_FALSE(block);
    CHECK(block.error() == MemoryError::BufferTooLarge);
    CHECK(sink.Events().back().kind == events::EventKind::AllocateFailed);
    CHECK(sink.Events().back().Error() == MemoryError::BufferTooLarge);
}

TEST_CASE("The five errors of a fixed buffer have METRICS.md's meanings", "[alloc]") {
    for (const Placement placement : kAll) {
        Fixture f(1056, placement);  // 1024 of heap, 32 of bits
        REQUIRE(WalkOf(f.heap).HeapBytes() == 1056);
        REQUIRE(WalkOf(f.heap).Bookkeeping() == 32);
        const std::size_t heap = 1024;
        CHECK(f.Refused(heap - 8 + 1) == MemoryError::BufferTooLarge);  // one byte more than it could ever give
        char* whole = f.Take(heap - 8);
        CHECK(f.Refused(1) == MemoryError::InsufficientMemory);
        f.Give(whole);

        char* a = f.Take(248);
        char* b = f.Take(248);
        char* c = f.Take(248);
        char* d = f.Take(heap - 3 * 256 - 8);
        f.Give(a);
        f.Give(c);
        CHECK(f.Refused(300) == MemoryError::Fragmentation);         // 512 are free, no hole has 308
        CHECK(f.Refused(512 - 8) == MemoryError::Fragmentation);     // needs just the 512
        CHECK(f.Refused(512 - 8 + 1) == MemoryError::InsufficientMemory);
        const auto twice = f.heap.Free(&f.heap, c);
        REQUIRE_FALSE(twice);
        CHECK(twice.error() == MemoryError::DoubleFree);
        for (void* wrong : {static_cast<void*>(b + 8), static_cast<void*>(b + 1), static_cast<void*>(nullptr),
                            static_cast<void*>(&f), static_cast<void*>(f.memory.data() + 130)}) {
            const auto freed = f.heap.Free(&f.heap, wrong);
            REQUIRE_FALSE(freed);
            CHECK(freed.error() == MemoryError::InvalidPointer);
        }
        CHECK(f.Take(248) != nullptr);
        f.Give(d);
        CHECK(WalkOf(f.heap).broken.empty());
    }
}

TEST_CASE("A hole that is large but not once aligned is Fragmentation", "[alloc]") {
    alignas(4096) static std::byte buffer[3 * 4096];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer + 64, 4096);
    // Free are almost 4 KiB, but the only 4096-aligned address in it lies near its end.
    const auto block = heap.Allocate(&heap, 2048, 4096);
    REQUIRE_FALSE(block);
    CHECK(block.error() == MemoryError::BufferTooLarge);  // even an empty buffer could never give that
    FixedBufferAllocator wider = CreateFixedBufferAllocator(buffer + 64, 2 * 4096);
    const auto first = wider.Allocate(&wider, 2048, 4096);
    REQUIRE(first);
    const auto second = wider.Allocate(&wider, 2048, 4096);
    REQUIRE_FALSE(second);
    CHECK(second.error() == MemoryError::Fragmentation);
    CHECK(wider.FreeBytes() > 2048 + 8);
}

TEST_CASE("An address is a double free until it is given out again, whatever lies over it", "[alloc]") {
    Fixture f(4096);
    char* a = f.Take(24);
    char* b = f.Take(24);
    char* c = f.Take(24);
    f.Give(a);
    f.Give(b);
    char* big = f.Take(50);  // covers a's and b's places, begins at a's
    REQUIRE(big == a);
    CHECK(f.heap.Free(&f.heap, b).error() == MemoryError::DoubleFree);
    CHECK(f.heap.options->Owns(&f.heap, a));
    CHECK_FALSE(f.heap.options->Owns(&f.heap, b));
    f.Give(big);
    REQUIRE(f.Take(24) == a);
    REQUIRE(f.Take(24) == b);
    f.Give(b);
    f.Give(c);
}

TEST_CASE("Four policies choose four holes", "[alloc]") {
    // Holes of 64, 96, 48, 128 bytes (gross), in address order, each between live blocks.
    const auto choose = [](Placement placement) {
        Fixture f(1056, placement);
        std::vector<char*> holes;
        for (const std::size_t bytes : {64u, 96u, 48u, 128u}) {
            holes.push_back(f.Take(bytes - 8));
            f.Take(8);
        }
        char* last = f.Take(f.heap.FreeBytes() - 8);
        f.Give(holes[0]);
        if (placement == Placement::NextFit) f.Take(56), f.Give(holes[0]);  // the rover is behind it now: at the end
        for (std::size_t i = 1; i < holes.size(); ++i) f.Give(holes[i]);
        (void)last;
        char* taken = f.Take(40);
        CHECK(WalkOf(f.heap).broken.empty());
        for (std::size_t i = 0; i < holes.size(); ++i) {
            if (taken == holes[i]) return std::make_pair(i, f.heap.Probes());
        }
        return std::make_pair(std::size_t{99}, f.heap.Probes());
    };
    CHECK(choose(Placement::FirstFit) == std::make_pair(std::size_t{0}, std::uint64_t{1}));
    CHECK(choose(Placement::BestFit) == std::make_pair(std::size_t{2}, std::uint64_t{3}));  // exact: it stops there
    CHECK(choose(Placement::WorstFit) == std::make_pair(std::size_t{3}, std::uint64_t{4}));
}

TEST_CASE("Next fit goes on where the last search ended, and around the end", "[alloc]") {
    Fixture f(1056, Placement::NextFit);
    std::vector<char*> blocks;
    for (int i = 0; i < 4; ++i) blocks.push_back(f.Take(24)), f.Take(8);
    f.Take(f.heap.FreeBytes() - 8);
    for (char* block : blocks) f.Give(block);
    CHECK(f.Take(24) == blocks[0]);
    CHECK(f.Take(24) == blocks[1]);
    f.Give(blocks[0]);
    CHECK(f.Take(24) == blocks[2]);  // not the hole that opened behind it
    CHECK(f.Take(24) == blocks[3]);
    CHECK(f.Take(24) == blocks[0]);
}

TEST_CASE("Next fit goes on in the hole that swallowed the one it stood at", "[alloc]") {
    Fixture f(1056, Placement::NextFit);
    char* low = f.Take(24);
    f.Take(8);
    char* a = f.Take(24);
    char* b = f.Take(24);
    char* rest = f.Take(f.heap.FreeBytes() - 8 - 32);
    f.Give(low);
    f.Give(a);
    f.Give(rest);  // joins the last hole, at which the rover stands
    f.Give(b);     // joins both ways: from here on it is a's hole
    CHECK(f.Take(24) == a);
}

TEST_CASE("Best and worst fit take the lowest of equal holes", "[alloc]") {
    for (const Placement placement : {Placement::BestFit, Placement::WorstFit}) {
        Fixture f(1056, placement);
        std::vector<char*> blocks;
        for (int i = 0; i < 3; ++i) blocks.push_back(f.Take(56)), f.Take(8);
        f.Take(f.heap.FreeBytes() - 8);
        for (int i : {2, 0, 1}) f.Give(blocks[static_cast<std::size_t>(i)]);
        CHECK(f.Take(40) == blocks[0]);
    }
}

TEST_CASE("Freed neighbours become one hole, both ways", "[alloc]") {
    for (const auto& order : {std::vector<int>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
        Fixture f(1056);
        char* blocks[3] = {f.Take(100), f.Take(10), f.Take(50)};
        for (const int i : order) {
            f.Give(blocks[i]);
            CHECK(WalkOf(f.heap).broken.empty());
        }
        CHECK(WalkOf(f.heap).holes.size() == 1);
        CHECK(WalkOf(f.heap).nodes.size() == 1);
    }
}

TEST_CASE("A remainder under 16 bytes is slack, an aligned gap is a hole, padding is always 0", "[alloc]") {
    Fixture f(1056);
    char* a = f.Take(40);
    f.Take(8);
    f.Give(a);
    REQUIRE(f.Take(30) == a);  // needs 40 of the hole's 48
    LiveBlock block = WalkOf(f.heap).blocks.front();
    CHECK(block.slack == 8);
    CHECK(block.rounding == 2);
    CHECK(block.size == 30);
    CHECK(block.header == 8);
    char* aligned = f.Take(16, 64);
    CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 64 == 0);
    const Walk walk = WalkOf(f.heap);
    CHECK(walk.broken.empty());
    for (const LiveBlock& each : walk.blocks) CHECK(each.padding == 0);
    for (const Hole& hole : walk.holes) CHECK(hole.bytes >= 16);
}

TEST_CASE("Two equal runs leave equal bytes in two buffers", "[alloc]") {
    const auto run = [](std::vector<std::uint64_t>& memory) {
        FixedBufferAllocator heap = CreateFixedBufferAllocator(memory.data(), memory.size() * 8, Placement::BestFit);
        std::vector<char*> blocks;
        for (std::size_t i = 0; i < 60; ++i) {
            const auto block = Allocate<char>(&heap, 1 + i * 7 % 50);
            REQUIRE(block);
            std::memset(*block, static_cast<int>(i), 1 + i * 7 % 50);
            blocks.push_back(*block);
            if (i % 3 == 2) {
                REQUIRE(Free(&heap, blocks[i / 2]));
                blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i / 2));
                blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(i / 2), blocks.back());
                blocks.pop_back();
                if (i > 40) break;
            }
        }
    };
    std::vector<std::uint64_t> one(1024), two(1024);
    run(one);
    run(two);
    CHECK(one == two);
}

TEST_CASE("Any buffer will do: unaligned, tiny, empty, null", "[alloc]") {
    alignas(16) std::byte bytes[256];
    for (std::size_t offset = 0; offset < 16; ++offset) {
        for (std::size_t size = 0; size + offset <= sizeof bytes; ++size) {
            std::memset(bytes, 0xAB, sizeof bytes);
            FixedBufferAllocator heap = CreateFixedBufferAllocator(bytes + offset, size);
            std::size_t count = 0;
            while (const auto block = heap.Allocate(&heap, 8, 8)) {
                REQUIRE(static_cast<std::byte*>(*block) >= bytes + offset);
                REQUIRE(static_cast<std::byte*>(*block) + 8 <= bytes + offset + size);
                ++count;
            }
            if (size < 16 + 16) CHECK(count == 0);  // one smallest block and two words of bits
            if (count == 0) CHECK(heap.Allocate(&heap, 1, 1).error() == MemoryError::BufferTooLarge);
            CHECK_FALSE(heap.Free(&heap, bytes + offset));
            CHECK(WalkOf(heap).broken.empty());
            for (std::size_t i = 0; i < offset; ++i) REQUIRE(bytes[i] == std::byte{0xAB});
            for (std::size_t i = offset + size; i < sizeof bytes; ++i) REQUIRE(bytes[i] == std::byte{0xAB});
        }
    }
    FixedBufferAllocator none = CreateFixedBufferAllocator(nullptr, 1000);
    CHECK(none.Allocate(&none, 1, 1).error() == MemoryError::BufferTooLarge);
    CHECK(none.Free(&none, bytes).error() == MemoryError::InvalidPointer);
    CHECK(none.options->Reset(&none));
}

TEST_CASE("A block is resized in place where there is room, else moved with its contents", "[alloc]") {
    Fixture f(4096);
    char* a = f.Take(100);
    char* b = f.Take(100);
    char* c = f.Take(16);
    std::memset(a, 'a', 100);
    const auto resize = [&](char* block, std::size_t bytes, std::size_t alignment = 8) {
        const auto result = f.heap.options->Resize(&f.heap, block, bytes, alignment);
        REQUIRE(result);
        CHECK(WalkOf(f.heap).broken.empty());
        return static_cast<char*>(*result);
    };
    CHECK(resize(a, 50) == a);  // leaves a hole
    CHECK(WalkOf(f.heap).holes.size() == 2);
    CHECK(resize(a, 90) == a);  // takes it back
    f.Give(b);
    CHECK(resize(a, 180) == a);  // and the neighbour's room
    CHECK(std::string(a, 50) == std::string(50, 'a'));
    char* moved = resize(a, 500);
    CHECK(moved != a);
    CHECK(std::string(moved, 50) == std::string(50, 'a'));
    CHECK(f.heap.Free(&f.heap, a).error() == MemoryError::DoubleFree);
    char* aligned = resize(moved, 500, 1024);
    CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 1024 == 0);
    const auto tooLarge = f.heap.options->Resize(&f.heap, c, 100'000, 8);
    REQUIRE_FALSE(tooLarge);
    CHECK(tooLarge.error() == MemoryError::BufferTooLarge);
    CHECK(f.heap.options->Owns(&f.heap, c));
    CHECK(f.heap.options->Resize(&f.heap, a, 8, 8).error() == MemoryError::DoubleFree);
    CHECK(f.heap.options->Resize(&f.heap, nullptr, 8, 8).error() == MemoryError::InvalidPointer);
}

TEST_CASE("Reset gives every block back at once", "[alloc]") {
    Fixture f(1056);
    char* a = f.Take(10);
    f.Take(100);
    REQUIRE(f.heap.options->Reset(&f.heap));
    const Walk walk = WalkOf(f.heap);
    CHECK(walk.blocks.empty());
    CHECK(walk.holes.size() == 1);
    CHECK(walk.broken.empty());
    CHECK(f.heap.Free(&f.heap, a).error() == MemoryError::DoubleFree);
}

TEST_CASE("The walk notices what a program wrote where it must not", "[alloc]") {
    Fixture f(1056);
    char* a = f.Take(20);
    f.Take(20);
    char* c = f.Take(20);
    f.Take(20);
    REQUIRE(WalkOf(f.heap).broken.empty());
    a[23] = 99;  // beyond its end
    CHECK(WalkOf(f.heap).broken == std::vector<std::string>{"bytes after a block were written to"});
    a[23] = 4;
    f.Give(c);
    std::memset(c, 0, 8);  // after it was freed: the links
    CHECK_FALSE(WalkOf(f.heap).broken.empty());
}

TEST_CASE("A failed request says what was free, a failed free which block is nearest", "[alloc]") {
    Fixture f(1056);
    events::VectorSink sink;
    char* a = f.Take(48);
    char* b = f.Take(48);
    f.heap.AttachSink(&sink, "heap");
    REQUIRE(sink.Events().size() == 1);
    CHECK(sink.Events()[0].kind == events::EventKind::AllocatorCreated);
    CHECK(sink.Events()[0].size == 1056);
    CHECK(sink.Events()[0].Bookkeeping() == 32);
    CHECK(sink.Text(0) == "heap");
    char* rest = f.Take(f.heap.FreeBytes() - 8 - 32);
    f.Take(8);
    f.Give(a);
    CHECK(f.Refused(49) == MemoryError::Fragmentation);
    CHECK(sink.Events().back().FreeBytes() == f.heap.FreeBytes());
    CHECK(sink.Events().back().LargestHole() == WalkOf(f.heap).LargestHole());
    CHECK(sink.Events().back().size == 49);
    CHECK_FALSE(f.heap.Free(&f.heap, b + 16));
    CHECK(sink.Events().back().kind == events::EventKind::FreeFailed);
    CHECK(sink.Events().back().NearestBlock() == reinterpret_cast<std::uintptr_t>(b));
    CHECK(sink.Events().back().NearestOffset() == 16);
    CHECK_FALSE(f.heap.Free(&f.heap, a));  // below every live block
    CHECK(sink.Events().back().NearestBlock() == reinterpret_cast<std::uintptr_t>(b));
    CHECK(sink.Events().back().NearestOffset() == std::uint64_t{0} - 56);
    CHECK_FALSE(f.heap.options->Resize(&f.heap, rest, 5000, 8));
    CHECK(sink.Events().back().kind == events::EventKind::ResizeEnds);
    CHECK(sink.Events().back().Failed());
    DestroyFixedBufferAllocator(&f.heap);
    DestroyFixedBufferAllocator(&f.heap);
    CHECK(sink.Events().back().kind == events::EventKind::AllocatorDestroyed);
    CHECK(sink.Events()[sink.Events().size() - 2].kind != events::EventKind::AllocatorDestroyed);
}

TEST_CASE("An observed allocator tells every decision of a call, and decides the same", "[alloc]") {
    struct Recorder final : DecisionSink {
        std::vector<Decision> decisions;
        void On(const Decision& decision) override { decisions.push_back(decision); }
    } recorder;
    std::vector<std::uint64_t> memory(132);
    auto heap = ObservedFixedBufferAllocator::Make(memory.data(), 1056, Placement::BestFit, Growth::Fixed);
    const auto small = *heap.Allocate(&heap, 24, 8);
    (void)heap.Allocate(&heap, 24, 8);
    const auto large = *heap.Allocate(&heap, 100, 8);
    (void)heap.Allocate(&heap, 24, 8);
    REQUIRE(heap.Free(&heap, small));
    REQUIRE(heap.Free(&heap, large));
    heap.observer.sink = &recorder;
    const auto block = heap.Allocate(&heap, 60, 8);
    REQUIRE(block);
    CHECK(*block == large);
    const auto& seen = recorder.decisions;
    REQUIRE(seen.size() == 6);
    CHECK((seen[0].kind == DecisionKind::Probe && seen[0].verdict == ProbeVerdict::TooSmall));
    CHECK((seen[1].kind == DecisionKind::Probe && seen[1].verdict == ProbeVerdict::Taken));
    CHECK((seen[2].kind == DecisionKind::Probe && seen[2].verdict == ProbeVerdict::AnotherIsBetter));
    CHECK(seen[3].kind == DecisionKind::Split);
    CHECK(seen[3].bytes == 72);
    CHECK(seen[3].other == seen[3].address + 72);
    CHECK(seen[4].kind == DecisionKind::Remove);
    CHECK(seen[5].kind == DecisionKind::Insert);
    CHECK(heap.Probes() == 3);
    recorder.decisions.clear();
    REQUIRE(heap.Free(&heap, *block));
    REQUIRE(recorder.decisions.size() == 3);
    CHECK(recorder.decisions[0].kind == DecisionKind::Coalesce);
    CHECK(sizeof(FixedBufferAllocator) < sizeof(ObservedFixedBufferAllocator));
}
