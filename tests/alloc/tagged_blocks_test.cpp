// What segregated fit and TLSF have in common: blocks, growth, regions, alignment, resizing, errors, and the walk.
#include <sys/mman.h>

#include <map>
#include <random>

#include "alloc/support/parents.hpp"
#include "alloc/support/tagged.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

struct Reservation {
    explicit Reservation(std::size_t size) : bytes(size) {
        base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        REQUIRE(base != MAP_FAILED);
    }
    ~Reservation() { munmap(base, bytes); }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    void* base;
    std::size_t bytes;
};

std::uint32_t WordAt(const std::byte* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

constexpr std::uint32_t kBit31 = 0x8000'0000;

}  // namespace

#define BOTH SegregatedAllocator, TlsfAllocator

TEMPLATE_TEST_CASE("a small heap of tagged blocks is what its header draws, byte by byte", "[alloc]", BOTH) {
    TaggedHeap<TestType> f(160);  // 16 of bits leave 144: 18 granules
    std::byte* const a = f.Take(16);
    std::byte* const b = f.Take(20);
    std::byte* const c = f.Take(8);
    CHECK(f.Offset(a) == 8);
    CHECK(f.Offset(b) == 32);
    CHECK(f.Offset(c) == 64);
    CHECK(WordAt(f.buffer) == (3 | kBit31));
    CHECK(WordAt(f.buffer + 4) == kBit31);        // exact, nothing below
    CHECK(WordAt(f.buffer + 24) == (4 | kBit31));
    CHECK(WordAt(f.buffer + 28) == 3);            // not exact, 3 granules below
    CHECK(f.buffer[55] == std::byte{4});          // 20 of 24
    CHECK(WordAt(f.buffer + 56) == (2 | kBit31));
    CHECK(WordAt(f.buffer + 60) == (4 | kBit31));
    CHECK(WordAt(f.buffer + 72) == 9);            // the hole above them
    CHECK(WordAt(f.buffer + 76) == 2);
    CHECK(WordAt(f.buffer + 80) == 0xFFFF'FFFF);  // alone in its list
    CHECK(WordAt(f.buffer + 84) == 0xFFFF'FFFF);
    f.Give(a);
    f.Give(b);  // joined with a
    CHECK(WordAt(f.buffer) == 7);
    CHECK(WordAt(f.buffer + 60) == (7 | kBit31));
    CHECK(f.heap.FreeBytes() == 128);
    const Walk walk = WalkOf(f.heap);
    CHECK(walk.broken.empty());
    REQUIRE(walk.regions.size() == 1);
    CHECK(walk.regions[0].bytes == 160);
    CHECK(walk.regions[0].bookkeeping == 16);
    REQUIRE(walk.holes.size() == 2);
    CHECK(walk.nodes.size() == 2);
    REQUIRE(walk.blocks.size() == 1);
    CHECK(walk.blocks[0].header == 8);
}

TEMPLATE_TEST_CASE("holes of one size follow each other by the numbers of their granules, the last freed first",
                   "[alloc]", BOTH) {
    TaggedHeap<TestType> f;
    const auto holes = f.MakeHoles({24, 24, 24});
    REQUIRE(f.Offset(holes[1]) == 48);
    CHECK(WordAt(holes[2]) == 5);  // next: 40 / 8
    CHECK(WordAt(holes[2] + 4) == 0xFFFF'FFFF);
    CHECK(WordAt(holes[1]) == 0);
    CHECK(WordAt(holes[1] + 4) == 10);
    CHECK(f.Take(16) == holes[2]);
    CHECK(f.Take(16) == holes[1]);
    CHECK(f.heap.Probes() == 1);
    CHECK(f.Take(9) == holes[0]);
}

TEMPLATE_TEST_CASE("a remainder under 16 bytes is slack, an aligned gap is a hole, padding is always 0", "[alloc]",
                   BOTH) {
    TaggedHeap<TestType> f;
    const auto holes = f.MakeHoles({48});
    REQUIRE(f.Take(30) == holes[0]);  // needs 40
    LiveBlock block = WalkOf(f.heap).blocks.front();
    CHECK(block.slack == 8);
    CHECK(block.rounding == 2);
    CHECK(block.size == 30);
    f.Give(holes[0]);
    REQUIRE(f.Take(24) == holes[0]);  // needs 32, and leaves 16
    CHECK(WalkOf(f.heap).holes.size() == 1);

    TaggedHeap<TestType> g;
    for (const std::size_t alignment : {16u, 32u, 64u, 256u, 1024u}) {
        const std::byte* const aligned = g.Take(10, alignment);
        CHECK(reinterpret_cast<std::uintptr_t>(aligned) % alignment == 0);
    }
    CHECK(g.Offset(g.Take(10, 16)) % 16 == 0);
    const Walk walk = WalkOf(g.heap);
    CHECK(walk.broken.empty());
    CHECK(walk.blocks[0].address == reinterpret_cast<std::uintptr_t>(g.buffer) + 32);  // a gap of 8 would hold no hole
    for (const LiveBlock& each : walk.blocks) CHECK(each.padding == 0);
    for (const Hole& hole : walk.holes) CHECK(hole.bytes >= 16);
}

TEMPLATE_TEST_CASE("freed neighbours become one hole, in every order", "[alloc]", BOTH) {
    for (const auto& order : {std::vector<int>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
        TaggedHeap<TestType> f;
        std::byte* const blocks[3] = {f.Take(100), f.Take(10), f.Take(50)};
        for (const int i : order) {
            f.Give(blocks[i]);
            CHECK(WalkOf(f.heap).broken.empty());
        }
        CHECK(WalkOf(f.heap).holes.size() == 1);
        CHECK(WalkOf(f.heap).nodes.size() == 1);
    }
}

TEMPLATE_TEST_CASE("the errors of tagged blocks have METRICS.md's meanings, and say what was free", "[alloc]", BOTH) {
    TaggedHeap<TestType> f(1056);  // 1,024 of heap
    events::VectorSink sink;
    f.heap.AttachSink(&sink, "heap");
    CHECK(sink.Events()[0].size == 1056);
    CHECK(sink.Events()[0].Bookkeeping() == 32);
    CHECK(f.Refused(1017) == MemoryError::BufferTooLarge);
    CHECK(f.Refused(8, 4096) == MemoryError::BufferTooLarge);
    std::byte* const whole = f.Take(1016);
    CHECK(f.Refused(1) == MemoryError::InsufficientMemory);
    CHECK(sink.Events().back().FreeBytes() == 0);
    CHECK(sink.Events().back().LargestHole() == 0);
    f.Give(whole);
    std::byte* const a = f.Take(248);
    std::byte* const b = f.Take(248);
    std::byte* const c = f.Take(248);
    f.Take(1024 - 3 * 256 - 8);
    f.Give(a);
    f.Give(c);
    CHECK(f.Refused(300) == MemoryError::Fragmentation);
    CHECK(f.Refused(504) == MemoryError::Fragmentation);
    CHECK(f.Refused(505) == MemoryError::InsufficientMemory);
    CHECK(f.Refused(200, 512) == MemoryError::Fragmentation);  // free enough, but not from an aligned address on
    CHECK(sink.Events().back().kind == events::EventKind::AllocateFailed);
    CHECK(sink.Events().back().FreeBytes() == 512);
    CHECK(sink.Events().back().LargestHole() == 256);
    CHECK(f.heap.Free(&f.heap, c).error() == MemoryError::DoubleFree);
    for (void* wrong : {static_cast<void*>(b + 8), static_cast<void*>(b + 1), static_cast<void*>(nullptr),
                        static_cast<void*>(&f.heap), static_cast<void*>(f.buffer + 1024)}) {
        CHECK(f.heap.Free(&f.heap, wrong).error() == MemoryError::InvalidPointer);
    }
    CHECK_FALSE(f.heap.Free(&f.heap, b + 16));
    CHECK(sink.Events().back().NearestBlock() == reinterpret_cast<std::uintptr_t>(b));
    CHECK_FALSE(f.heap.options->Resize(&f.heap, b, 5000, 8));
    CHECK(sink.Events().back().kind == events::EventKind::ResizeEnds);
    CHECK(sink.Events().back().Error() == MemoryError::BufferTooLarge);
    CHECK(f.heap.options->Owns(&f.heap, b));
    CHECK(WalkOf(f.heap).broken.empty());
}

TEMPLATE_TEST_CASE("the largest hole of a failed request is the largest of its list, wherever it stands", "[alloc]",
                   BOTH) {
    for (const auto& gross : {std::vector<std::size_t>{520, 536, 528}, {536, 520, 528}, {520, 528, 536}}) {
        TaggedHeap<TestType> f;
        f.MakeHoles(gross);
        events::VectorSink sink;
        f.heap.AttachSink(&sink, "heap");
        CHECK(f.Refused(600) == MemoryError::Fragmentation);
        CHECK(sink.Events().back().LargestHole() == 536);
    }
}

TEMPLATE_TEST_CASE("what a block is resized to, and where that happens", "[alloc]", BOTH) {
    TaggedHeap<TestType> f;
    std::byte* const a = f.Take(100);
    std::byte* const b = f.Take(100);
    std::byte* const c = f.Take(16);
    std::memset(a, 'a', 100);
    CHECK(f.Resize(a, 50) == a);  // leaves a hole
    CHECK(WalkOf(f.heap).holes.size() == 2);
    CHECK(f.Resize(a, 40) == a);  // the hole grows
    CHECK(WalkOf(f.heap).holes.size() == 2);
    CHECK(WalkOf(f.heap).holes[0].bytes == 64);
    CHECK(f.Resize(a, 97) == a);  // takes it back
    CHECK(WalkOf(f.heap).holes.size() == 1);
    CHECK(f.Resize(a, 90) == a);  // 8 bytes less: slack
    CHECK(WalkOf(f.heap).blocks[0].slack == 8);
    f.Give(b);
    CHECK(f.Resize(a, 180) == a);  // and of the neighbour's room
    CHECK(f.Resize(a, 208) == a);  // all of it
    CHECK(WalkOf(f.heap).holes.size() == 1);
    CHECK(std::string(reinterpret_cast<char*>(a), 40) == std::string(40, 'a'));
    events::VectorSink sink;
    f.heap.AttachSink(&sink, "heap");
    std::byte* const moved = f.Resize(a, 500);
    CHECK(moved != a);
    REQUIRE(sink.Events().size() == 3);
    CHECK(sink.Events()[1].kind == events::EventKind::ResizeBegins);
    CHECK(sink.Events()[2].kind == events::EventKind::ResizeEnds);
    CHECK(sink.Events()[2].OldAddress() == reinterpret_cast<std::uintptr_t>(a));
    CHECK(std::string(reinterpret_cast<char*>(moved), 40) == std::string(40, 'a'));
    CHECK(f.heap.Free(&f.heap, a).error() == MemoryError::DoubleFree);
    CHECK(reinterpret_cast<std::uintptr_t>(f.Resize(moved, 500, 1024)) % 1024 == 0);
    CHECK(f.heap.options->Resize(&f.heap, c, 100'000, 8).error() == MemoryError::BufferTooLarge);
    CHECK(f.heap.options->Resize(&f.heap, a, 8, 8).error() == MemoryError::DoubleFree);
    CHECK(f.heap.options->Resize(&f.heap, nullptr, 8, 8).error() == MemoryError::InvalidPointer);
}

TEMPLATE_TEST_CASE("tagged blocks grow at the heap's end by just what is missing", "[alloc]", BOTH) {
    Reservation range(1 << 16);
    auto heap = TestType::Make(HeapMemory::Growing(range.base, range.bytes));
    events::VectorSink sink;
    heap.AttachSink(&sink, "heap");
    CHECK(sink.Events()[0].size == 0);
    const auto a = heap.Allocate(&heap, 24, 8);
    const auto b = heap.Allocate(&heap, 24, 8);
    REQUIRE((a && b));
    REQUIRE(heap.Free(&heap, *b));
    sink.Clear();
    const auto c = heap.Allocate(&heap, 100, 8);  // 112 gross, 32 are there
    REQUIRE(c);
    CHECK(*c == *b);
    REQUIRE(sink.Events().size() == 2);
    CHECK(sink.Events()[0].kind == events::EventKind::RegionGrown);
    CHECK(sink.Events()[0].size == 80);
    CHECK(sink.Events()[0].address == reinterpret_cast<std::uintptr_t>(range.base) + 64);
    CHECK(WalkOf(heap).HeapBytes() == 32 + 112);
    const auto grown = heap.options->Resize(&heap, *c, 200, 8);
    REQUIRE(grown);
    CHECK(*grown == *c);
    CHECK(WalkOf(heap).HeapBytes() == 32 + 208);
    CHECK(*heap.options->Resize(&heap, *c, 100, 8) == *c);  // a hole of 96 above it
    CHECK(WalkOf(heap).FreeBytes() == 96);
    CHECK(*heap.options->Resize(&heap, *c, 216, 8) == *c);  // the hole, and the heap's end 16 up
    CHECK(WalkOf(heap).HeapBytes() == 32 + 224);
    CHECK(WalkOf(heap).FreeBytes() == 0);
    CHECK(WalkOf(heap).broken.empty());
    CHECK(*heap.options->Resize(&heap, *c, 200, 8) == *c);
    const auto aligned = heap.Allocate(&heap, 8, 64);
    REQUIRE(aligned);
    CHECK(reinterpret_cast<std::uintptr_t>(*aligned) % 64 == 0);
    CHECK(WalkOf(heap).HeapBytes() == 240 + 72 + 16);  // a payload at 320, over a gap of 72
    REQUIRE(heap.Free(&heap, *grown));
    REQUIRE(heap.Free(&heap, *aligned));
    CHECK(WalkOf(heap).HeapBytes() == 320 + 8);  // H is the high water
    CHECK(WalkOf(heap).broken.empty());
    REQUIRE(heap.options->Reset(&heap));
    CHECK(sink.Events().back().kind == events::EventKind::BulkFreed);
    CHECK(sink.Events().back().size == 320 + 8);
    CHECK(WalkOf(heap).FreeBytes() == 320 + 8);
    CHECK(heap.Free(&heap, *a).error() == MemoryError::DoubleFree);
    CHECK(heap.Allocate(&heap, 1 << 16, 8).error() == MemoryError::BufferTooLarge);
    std::size_t count = 0;
    while (heap.Allocate(&heap, 56, 8)) ++count;
    CHECK(count == ((1 << 16) - (1 << 16) / 64 * 2 + 63) / 64);
    CHECK(heap.Allocate(&heap, 56, 8).error() == MemoryError::InsufficientMemory);
}

TEMPLATE_TEST_CASE("tagged blocks in regions of a parent: links lead from one to another", "[alloc]", BOTH) {
    for (std::size_t n = 0; n <= 4; ++n) {
        CountingParent parent;
        parent.failAt = n;
        auto heap = TestType::Make(HeapMemory::From(&parent, 1024));
        CHECK(parent.out.empty());
        std::vector<void*> blocks;
        int failed = 0;
        for (int i = 0; i < 24; ++i) {
            const auto block = heap.Allocate(&heap, i % 3 == 0 ? 200 : 56, 8);
            if (block) blocks.push_back(*block);
            else failed += block.error() != MemoryError::BufferTooLarge;
            REQUIRE(WalkOf(heap).broken.empty());
        }
        CHECK(failed == (n >= 1 ? 1 : 0));
        const std::size_t regions = n == 0 ? 4 : 3;  // the block that failed would have needed a region more
        CHECK(parent.out.size() == regions);
        // Every second one: lists that go through all the regions.
        for (std::size_t i = 0; i < blocks.size(); i += 2) REQUIRE(heap.Free(&heap, blocks[i]));
        REQUIRE(WalkOf(heap).broken.empty());
        for (std::size_t i = 0; i < blocks.size(); i += 2) {
            REQUIRE(heap.Allocate(&heap, 16, 8));
            REQUIRE(WalkOf(heap).broken.empty());
        }
        REQUIRE(heap.Allocate(&heap, 5000, 256));  // larger than a region: one of its own
        CHECK(parent.out.size() == regions + 1);
        CHECK(WalkOf(heap).regions.size() == parent.out.size());
        CHECK(heap.Free(&heap, blocks[1]));
        CHECK(heap.Free(&heap, blocks[1]).error() == MemoryError::DoubleFree);
        CHECK(heap.Allocate(&heap, std::size_t{1} << 40, 8).error() == MemoryError::BufferTooLarge);
        CHECK(heap.Allocate(&heap, 8, std::size_t{1} << 40).error() == MemoryError::BufferTooLarge);
        REQUIRE(heap.options->Reset(&heap));
        CHECK(parent.out.size() == 1);
        CHECK(WalkOf(heap).holes.size() == 1);
        for (int i = 0; i < 10; ++i) REQUIRE(heap.Allocate(&heap, 200, 8));
        CHECK(WalkOf(heap).broken.empty());
        heap.Destroy();
        CHECK(parent.out.empty());
        CHECK(parent.badFrees == 0);
        CHECK(heap.Allocate(&heap, 8, 8).error() == MemoryError::BufferTooLarge);
        heap.Destroy();
    }
}

TEMPLATE_TEST_CASE("a reset gives the numbers of regions that went back to others", "[alloc]", BOTH) {
    // A place for the small region that is kept, and one for each large one in turn.
    struct TwoPlaces : Allocator {
        explicit TwoPlaces(void* base)
            : Allocator{OnAllocate, OnFree, nullptr}, memory(static_cast<std::byte*>(base)) {}
        static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t) {
            auto& me = *static_cast<TwoPlaces*>(self);
            return bytes < 4096 ? me.memory : me.memory + 4096;
        }
        static Result<void> OnFree(Allocator*, void*) { return {}; }
        std::byte* memory;
    };
    constexpr std::size_t kLarge = std::size_t{1} << 30;
    Reservation range(kLarge + (kLarge >> 4));
    TwoPlaces parent(range.base);
    auto heap = TestType::Make(HeapMemory::From(&parent, 1024));
    REQUIRE(heap.Allocate(&heap, 100, 8));
    for (int i = 0; i < 18; ++i) {  // 18 GiB in all, and a heap takes no region more once it has 16
        INFO("round " << i);
        REQUIRE(heap.Allocate(&heap, kLarge, 8));
        REQUIRE(heap.options->Reset(&heap));
    }
    heap.Destroy();
}

TEMPLATE_TEST_CASE("two equal runs on tagged blocks leave equal bytes, wherever their buffers are", "[alloc]", BOTH) {
    const auto run = [](TaggedHeap<TestType>& f) {
        std::mt19937 random(5);
        std::vector<void*> live;
        for (int i = 0; i < 600; ++i) {
            const std::size_t pick = live.empty() ? 0 : random() % live.size();
            if (random() % 5 < 3) {
                const std::size_t bytes = random() % 90;
                const auto block = f.heap.Allocate(&f.heap, bytes, std::size_t{8} << random() % 3);
                if (!block) continue;
                std::memset(*block, static_cast<int>(bytes), bytes);
                live.push_back(*block);
            } else if (!live.empty() && random() % 2 == 0) {
                const auto block = f.heap.options->Resize(&f.heap, live[pick], random() % 200, 8);
                if (block) live[pick] = *block;
            } else if (!live.empty()) {
                f.Give(live[pick]);
                live.erase(live.begin() + static_cast<std::ptrdiff_t>(pick));
            }
        }
        REQUIRE(WalkOf(f.heap).broken.empty());
    };
    TaggedHeap<TestType> one, two;
    run(one);
    run(two);
    CHECK(std::memcmp(one.buffer, two.buffer, sizeof one.buffer) == 0);
    CHECK(std::memcmp(&one.heap.Bins(), &two.heap.Bins(), sizeof one.heap.Bins()) == 0);
}

TEMPLATE_TEST_CASE("a byte copy of a heap of tagged blocks and of its allocator is a checkpoint", "[alloc]", BOTH) {
    TaggedHeap<TestType> f;
    const auto holes = f.MakeHoles({64, 96, 48});
    std::byte memory[sizeof f.buffer];
    alignas(TestType) std::byte state[sizeof(TestType)];
    std::memcpy(memory, f.buffer, sizeof memory);
    std::memcpy(state, static_cast<const void*>(&f.heap), sizeof state);
    std::byte* const first = f.Take(50);
    f.Give(first);
    std::byte* const second = f.Take(20);
    std::memcpy(f.buffer, memory, sizeof memory);
    std::memcpy(static_cast<void*>(&f.heap), state, sizeof state);
    REQUIRE(WalkOf(f.heap).broken.empty());
    CHECK(WalkOf(f.heap).holes.size() == 3);
    CHECK(f.Take(50) == first);
    f.Give(first);
    CHECK(f.Take(20) == second);
}

TEMPLATE_TEST_CASE("any buffer will do for tagged blocks: unaligned, tiny, empty, null", "[alloc]", BOTH) {
    alignas(16) std::byte bytes[200];
    for (std::size_t offset = 0; offset < 10; ++offset) {
        for (std::size_t size = 0; size + offset <= sizeof bytes; ++size) {
            std::memset(bytes, 0xAB, sizeof bytes);
            auto heap = TestType::Make(HeapMemory::Buffer(bytes + offset, size));
            std::size_t count = 0;
            while (const auto block = heap.Allocate(&heap, 8, 8)) {
                REQUIRE(static_cast<std::byte*>(*block) >= bytes + offset);
                REQUIRE(static_cast<std::byte*>(*block) + 8 <= bytes + offset + size);
                ++count;
            }
            if (size < 16 + 16) CHECK(count == 0);  // one smallest block and two words of bits
            if (size >= 7 + 16 + 16 + 8) CHECK(count > 0);
            if (count == 0) CHECK(heap.Allocate(&heap, 1, 1).error() == MemoryError::BufferTooLarge);
            CHECK_FALSE(heap.Free(&heap, bytes + offset));
            CHECK(WalkOf(heap).broken.empty());
            for (std::size_t i = 0; i < offset; ++i) REQUIRE(bytes[i] == std::byte{0xAB});
            for (std::size_t i = offset + size; i < sizeof bytes; ++i) REQUIRE(bytes[i] == std::byte{0xAB});
        }
    }
    auto none = TestType::Make(HeapMemory::Buffer(nullptr, 1000));
    CHECK(none.Allocate(&none, 1, 1).error() == MemoryError::BufferTooLarge);
    CHECK(none.Free(&none, bytes).error() == MemoryError::InvalidPointer);
    CHECK(none.options->Reset(&none));
    auto nothing = TestType::Make(HeapMemory::Growing(nullptr, 1000));
    CHECK(nothing.Allocate(&nothing, 1, 1).error() == MemoryError::BufferTooLarge);
}

// ---- the walk ------------------------------------------------------------------------------------------------------

namespace {

using Messages = std::vector<std::string>;

// A heap with holes of 24 bytes at 40, 80 and 120 (the last one first in its list) between blocks of 16 bytes.
template <class T>
struct Broken {
    Broken() {
        std::vector<std::byte*> holes;
        f.Take(32);
        for (int i = 0; i < 3; ++i) holes.push_back(f.Take(16)), f.Take(8);
        f.Take(f.heap.FreeBytes() - 8);
        for (std::byte* hole : holes) f.Give(hole);
        REQUIRE(f.Offset(holes[0]) == 48);
        REQUIRE(WalkOf(f.heap).broken.empty());
    }
    Messages With(std::size_t at, std::uint32_t word) {
        std::uint32_t before;
        std::memcpy(&before, f.buffer + at, sizeof before);
        std::memcpy(f.buffer + at, &word, sizeof word);
        const Messages messages = WalkOf(f.heap).broken;
        std::memcpy(f.buffer + at, &before, sizeof before);
        REQUIRE(WalkOf(f.heap).broken.empty());
        return messages;
    }
    TaggedHeap<T> f;
};

bool Says(const Messages& messages, const char* what) {
    return std::find(messages.begin(), messages.end(), what) != messages.end();
}

}  // namespace

TEMPLATE_TEST_CASE("the walk of tagged blocks names each thing that can be broken", "[alloc]", BOTH) {
    Broken<TestType> heap;
    CHECK(heap.With(8, 0x1234'5678).empty());                                                 // a payload
    CHECK(Says(heap.With(40, 0), "a block's size is impossible"));
    CHECK(Says(heap.With(40, 1), "a block's size is impossible"));
    CHECK(Says(heap.With(40, 0x7FFF'FFFF), "a block's size is impossible"));
    CHECK(heap.With(68, 4 | kBit31) == Messages{"a header disagrees with the block below it"});
    CHECK(Says(heap.With(64, 2), "the live bit disagrees with the header"));                  // a block that looks free
    CHECK(Says(heap.With(64, 2), "two holes are adjacent"));
    CHECK(Says(heap.With(64, 2), "the count of free bytes is wrong"));
    CHECK(Says(heap.With(64, 2), "the lists do not hold every hole"));
    CHECK(Says(heap.With(40, 3 | kBit31), "a live block is in a list"));
    CHECK(heap.With(4, 0) == Messages{"bytes after a block were written to"});                // no longer exact
    CHECK(Says(heap.With(128, 511), "a link of a list leaves the heap"));                     // the bookkeeping
    CHECK(Says(heap.With(128, 0x1000'0000), "a link of a list leaves the heap"));
    CHECK(heap.With(128, 495) == Messages{"a link of a list leaves the heap"});               // too near its end
    CHECK(heap.With(128, 15) == Messages{"a link back is wrong", "a link back is wrong",
                                         "the lists have too many holes, or one runs in a circle"});
    CHECK(heap.With(92, 0xFFFF'FFFF) == Messages{"a link back is wrong"});
    CHECK(heap.With(128, 0xFFFF'FFFF) == Messages{"the lists do not hold every hole"});
    CHECK(Says(heap.With(48, 15), "the lists have too many holes, or one runs in a circle"));  // the end to the front
    CHECK(Says(heap.With(40, 5), "a hole is in the wrong list"));
    std::uint32_t words[4];  // the last block, of 3,808 bytes, cut in two
    std::byte* const last = heap.f.buffer + 160;
    std::memcpy(words, last, 8);
    REQUIRE(words[0] == (476 | kBit31));
    CHECK(Says(heap.With(160, 474 | kBit31), "a block's size is impossible"));
    words[2] = 2 | kBit31;
    words[3] = 474 | kBit31;
    std::memcpy(last + 474 * 8, words + 2, 8);
    CHECK(Says(heap.With(160, 474 | kBit31), "the last block is another one"));
    std::byte* const bits = heap.f.buffer + 3968;
    bits[0] ^= std::byte{1 << 1};  // "was given back" of the first payload, which is live
    CHECK(WalkOf(heap.f.heap).broken == Messages{"a live block counts as given back"});
    bits[0] ^= std::byte{1 << 1};
    bits[64] ^= std::byte{1 << 6};  // "is live" of a hole's
    CHECK(WalkOf(heap.f.heap).broken == Messages{"the live bit disagrees with the header"});
}

TEMPLATE_TEST_CASE("the walk sees each bit of the table of lists that is wrong, and ends", "[alloc]", BOTH) {
    Broken<TestType> heap;
    using Table = std::decay_t<decltype(heap.f.heap.Bins())>;
    auto* const table = reinterpret_cast<std::byte*>(const_cast<Table*>(&heap.f.heap.Bins()));
    const std::size_t padding = offsetof(Table, columns) - sizeof(std::uint32_t);
    for (std::size_t bit = 0; bit < sizeof(Table) * 8; ++bit) {
        const std::size_t at = bit / 8;
        if (at >= sizeof(std::uint32_t) && at < sizeof(std::uint32_t) + padding) continue;
        table[at] ^= std::byte{1} << (bit % 8);
        INFO("bit " << bit);
        CHECK_FALSE(WalkOf(heap.f.heap).broken.empty());
        table[at] ^= std::byte{1} << (bit % 8);
    }
    CHECK(WalkOf(heap.f.heap).broken.empty());
}

TEMPLATE_TEST_CASE("whatever a program writes over a heap of tagged blocks, the walk ends and stays inside", "[alloc]",
                   BOTH) {
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
        Broken<TestType> heap;
        const std::size_t from = random() % 3900;
        const std::size_t bytes = 1 + random() % (round % 3 == 0 ? 3968 - from : 16);
        for (std::size_t i = 0; i < bytes; ++i) heap.f.buffer[from + i] = static_cast<std::byte>(random());
        const Walk walk = WalkOf(heap.f.heap);
        const auto base = reinterpret_cast<std::uintptr_t>(heap.f.buffer);
        for (const LiveBlock& block : walk.blocks) {
            CHECK(block.address + block.size <= base + 3968);
            CHECK(block.size >= 1);
        }
        CHECK(walk.nodes.size() <= 3);
    }
}
