// The buddy allocator: where blocks go, what is halved and joined in which order, odd buffers, growth, alignment,
// resizing, errors, and the walk.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "alloc/buddy_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

// 1,024 bytes of heap and 32 of bits, at an offset from an aligned address.
template <class T = BuddyAllocator, std::size_t bytes = 1056, std::size_t skipped = 0>
struct Fixture {
    Fixture() { heap.AttachSink(&sink, "heap"); }
    void* Get(std::size_t size, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, size, alignment);
        REQUIRE(block);
        return *block;
    }
    MemoryError Error(std::size_t size, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, size, alignment);
        REQUIRE_FALSE(block);
        return block.error();
    }
    void Give(void* pointer) { REQUIRE(heap.Free(&heap, pointer)); }
    void* Resize(void* pointer, std::size_t size, std::size_t alignment = 8) {
        const auto block = heap.options->Resize(&heap, pointer, size, alignment);
        REQUIRE(block);
        return *block;
    }
    std::uintptr_t Base() const { return reinterpret_cast<std::uintptr_t>(buffer) + skipped; }
    std::uintptr_t Offset(const void* pointer) const { return reinterpret_cast<std::uintptr_t>(pointer) - Base(); }
    // "0:64 128:512": the free structure in its own order.
    std::string Free() const {
        const Walk walk = WalkOf(heap);
        REQUIRE(walk.broken.empty());
        std::string text;
        for (const FreeNode& node : walk.nodes) {
            if (!text.empty()) text += " ";
            text += std::to_string(node.address - Base()) + ":" + std::to_string(node.bytes);
        }
        return text;
    }

    alignas(4096) std::byte buffer[bytes + skipped] = {};
    events::VectorSink sink;
    T heap = T::Make(HeapMemory::Buffer(buffer + skipped, bytes));
};

struct Recorder final : DecisionSink {
    explicit Recorder(std::uintptr_t heapBase) : base(heapBase) {}
    void On(const Decision& d) override {
        static const char* const kNames[] = {"probe", "split", "coalesce", "insert", "remove"};
        std::string line = kNames[static_cast<std::size_t>(d.kind)];
        if (d.kind == DecisionKind::Probe && d.verdict == ProbeVerdict::TooSmallAligned) line += " refused";
        line += " " + std::to_string(d.address - base) + ":" + std::to_string(d.bytes);
        if (d.otherBytes != 0) line += " " + std::to_string(d.other - base) + ":" + std::to_string(d.otherBytes);
        all.push_back(line);
    }
    std::vector<std::string> Taken() { return std::exchange(all, {}); }

    std::uintptr_t base;
    std::vector<std::string> all;
};

using Lines = std::vector<std::string>;

}  // namespace

// ---- halving and joining -------------------------------------------------------------------------------------------

TEST_CASE("a block of a buddy heap is halved down to the smallest power of two that holds the request") {
    Fixture f;
    CHECK(f.Free() == "0:1024");
    CHECK(f.Offset(f.Get(20)) == 0);
    CHECK(f.Free() == "32:32 64:64 128:128 256:256 512:512");
    CHECK(f.Offset(f.Get(1)) == 32);
    CHECK(f.Offset(f.Get(128)) == 128);
    CHECK(f.Free() == "48:16 64:64 256:256 512:512");
    const Walk walk = WalkOf(f.heap);
    REQUIRE(walk.blocks.size() == 3);
    CHECK(walk.blocks[0].size == 20);
    CHECK(walk.blocks[0].rounding == 12);
    CHECK(walk.blocks[1].rounding == 15);
    CHECK(walk.blocks[2].rounding == 0);
    for (const LiveBlock& block : walk.blocks) CHECK(block.header + block.padding + block.slack == 0);
    REQUIRE(walk.holes.size() == 2);
    CHECK(walk.holes[0].bytes == 16 + 64);  // side by side, no buddies: one hole, two nodes
    CHECK(walk.holes[1].bytes == 256 + 512);
    CHECK(walk.HeapBytes() == 1056);
    CHECK(walk.Bookkeeping() == 32);
}

TEST_CASE("each step of halving and joining is told in its order") {
    Fixture<ObservedBuddyAllocator> f;
    Recorder recorder(f.Base());
    f.heap.observer.sink = &recorder;
    void* const first = f.Get(100);
    CHECK(recorder.Taken() == Lines{"probe 0:1024", "remove 0:1024", "split 0:512 512:512", "insert 512:512",
                                    "split 0:256 256:256", "insert 256:256", "split 0:128 128:128", "insert 128:128"});
    CHECK(f.heap.Probes() == 4);  // the lists of 128, 256 and 512 are empty
    void* const second = f.Get(128);
    CHECK(recorder.Taken() == Lines{"probe 128:128", "remove 128:128"});
    CHECK(f.heap.Probes() == 1);
    f.Give(first);
    CHECK(recorder.Taken() == Lines{"insert 0:128"});
    f.Give(second);
    CHECK(recorder.Taken() == Lines{"coalesce 0:128 128:128", "remove 0:128", "coalesce 0:256 256:256",
                                    "remove 256:256", "coalesce 0:512 512:512", "remove 512:512", "insert 0:1024"});
}

TEST_CASE("of free blocks of one size a buddy heap takes the one freed last") {
    Fixture f;
    void* blocks[8];
    for (void*& block : blocks) block = f.Get(128);
    for (const int i : {2, 6, 4, 0}) f.Give(blocks[i]);
    CHECK(f.Free() == "0:128 512:128 768:128 256:128");
    CHECK(f.Error(129) == MemoryError::Fragmentation);
    CHECK(f.Offset(f.Get(128)) == 0);
    f.Give(blocks[5]);  // its buddy is in the middle of nothing, the head of the list
    CHECK(f.Free() == "768:128 256:128 512:256");
    f.Give(blocks[3]);  // its buddy is the last of the list
    CHECK(f.Free() == "768:128 256:256 512:256");
}

TEST_CASE("neighbours that are no buddies are not joined") {
    Fixture f;
    void* blocks[8];
    for (void*& block : blocks) block = f.Get(128);
    f.Give(blocks[1]);
    f.Give(blocks[2]);
    CHECK(f.Free() == "256:128 128:128");
    CHECK(f.Error(200) == MemoryError::Fragmentation);
    const auto& failed = f.sink.Events().back();
    CHECK(failed.FreeBytes() == 256);
    CHECK(failed.LargestHole() == 256);  // and still of no use
    CHECK(f.Error(300) == MemoryError::InsufficientMemory);
    CHECK(f.Error(1025) == MemoryError::BufferTooLarge);
}

// ---- heaps of any size ---------------------------------------------------------------------------------------------

TEST_CASE("a buddy heap that is no power of two is cut into the largest blocks that fit") {
    Fixture<BuddyAllocator, 4096> f;
    CHECK(f.Free() == "3840:128 3584:256 3072:512 2048:1024 0:2048");  // 3,968 and its bits
    CHECK(f.Error(2049) == MemoryError::BufferTooLarge);
    CHECK(f.Offset(f.Get(2048)) == 0);
    CHECK(f.Error(2048) == MemoryError::InsufficientMemory);  // 1,920 are free
    void* const last = f.Get(128);
    CHECK(f.Offset(last) == 3840);
    f.Give(last);
    CHECK(f.Free() == "3840:128 3584:256 3072:512 2048:1024");  // whose buddy would begin beyond the end
}

TEST_CASE("buddy heaps of every size can be filled to the last byte and are whole again after") {
    alignas(16) std::byte buffer[700];
    for (std::size_t bytes = 0; bytes < sizeof buffer - 2; ++bytes) {
        std::memset(buffer, 0xFF, sizeof buffer);
        BuddyAllocator heap = CreateBuddyAllocator(HeapMemory::Buffer(buffer + bytes % 3, bytes));
        const Walk before = WalkOf(heap);
        REQUIRE(before.broken.empty());
        std::vector<void*> blocks;
        while (const auto block = heap.Allocate(&heap, 16, 1)) blocks.push_back(*block);
        REQUIRE(blocks.size() * 16 == before.FreeBytes());
        REQUIRE(heap.FreeBytes() == 0);
        for (void* block : blocks) REQUIRE(heap.Free(&heap, block));
        const Walk after = WalkOf(heap);
        REQUIRE(after.broken.empty());
        REQUIRE(after.nodes.size() == before.nodes.size());
    }
}

TEST_CASE("two equal runs of buddy heaps leave equal bytes in two buffers") {
    Fixture<BuddyAllocator, 4096> first;
    Fixture<BuddyAllocator, 4096> second;
    const auto run = [](auto& f) {
        std::mt19937 random(7);
        std::vector<void*> blocks;
        for (int i = 0; i < 300; ++i) {
            if (random() % 2 == 0 && !blocks.empty()) {
                const std::size_t at = random() % blocks.size();
                f.Give(blocks[at]);
                blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(at));
            } else if (const auto block = f.heap.Allocate(&f.heap, 1 + random() % 200, 8u << random() % 5)) {
                blocks.push_back(*block);
            }
        }
    };
    run(first);
    run(second);
    CHECK(std::memcmp(first.buffer, second.buffer, sizeof first.buffer) == 0);
    CHECK(first.Free() == second.Free());
}

// ---- growing -------------------------------------------------------------------------------------------------------

TEST_CASE("the end of a growing buddy heap goes up by just what a whole block misses") {
    alignas(4096) static std::byte range[8192];
    std::memset(range, 0, sizeof range);
    const auto base = reinterpret_cast<std::uintptr_t>(range);
    BuddyAllocator heap = CreateBuddyAllocator(HeapMemory::Growing(range, sizeof range));
    const auto get = [&](std::size_t bytes, std::size_t alignment = 8) {
        const auto block = heap.Allocate(&heap, bytes, alignment);
        REQUIRE(block);
        REQUIRE(WalkOf(heap).broken.empty());
        return reinterpret_cast<std::uintptr_t>(*block) - base;
    };
    const auto free = [&](std::uintptr_t offset) { REQUIRE(heap.Free(&heap, range + offset)); };
    CHECK(WalkOf(heap).HeapBytes() == 0);
    CHECK(get(16) == 0);
    CHECK(WalkOf(heap).HeapBytes() == 16);
    CHECK(get(64) == 64);  // 16 to 64 are skipped, and free
    CHECK(WalkOf(heap).HeapBytes() == 128);
    CHECK(WalkOf(heap).FreeBytes() == 48);
    CHECK(get(32) == 32);
    CHECK(get(100) == 128);
    free(128);
    CHECK(get(256) == 256);  // 128 to 256 are free, but a block of 256 cannot begin there
    free(256);
    CHECK(WalkOf(heap).HeapBytes() == 512);
    CHECK(get(512) == 512);
    free(512);
    CHECK(get(1024) == 1024);
    free(1024);
    CHECK(get(2048) == 2048);
    free(2048);
    CHECK(WalkOf(heap).HeapBytes() == 4096);
    REQUIRE(heap.options->Reset(&heap));
    CHECK(WalkOf(heap).HeapBytes() == 4096);  // its high water
    CHECK(get(16) == 0);
    CHECK(heap.Allocate(&heap, 4096, 8).error() == MemoryError::InsufficientMemory);  // 4,080 are free
    free(0);
    CHECK(get(4096) == 0);
    CHECK(heap.Allocate(&heap, 8192, 8).error() == MemoryError::BufferTooLarge);
    CHECK(get(16) == 4096);
    CHECK(get(16, 1024) == 5120);  // no more than the part of the block that is needed
    CHECK(WalkOf(heap).HeapBytes() == 5136);
}

TEST_CASE("what is free at the end of a growing buddy heap becomes part of the block that is missing") {
    alignas(4096) static std::byte range[8192];
    std::memset(range, 0, sizeof range);
    BuddyAllocator heap = CreateBuddyAllocator(HeapMemory::Growing(range, sizeof range));
    void* const first = *heap.Allocate(&heap, 128, 8);
    REQUIRE(heap.Free(&heap, first));
    CHECK(*heap.Allocate(&heap, 1000, 8) == first);
    CHECK(WalkOf(heap).HeapBytes() == 1024);
    void* const tail = *heap.Allocate(&heap, 200, 8);
    REQUIRE(heap.Free(&heap, tail));
    CHECK(*heap.Allocate(&heap, 512, 8) == tail);
    CHECK(WalkOf(heap).HeapBytes() == 1024 + 512);
    void* const grown = *heap.options->Resize(&heap, tail, 1000, 8);  // in place, into what is not there yet
    CHECK(grown == tail);
    CHECK(WalkOf(heap).HeapBytes() == 2048);
    CHECK(WalkOf(heap).broken.empty());
}

TEST_CASE("a buddy heap on a parent takes regions as it needs them, survives each failing, and gives them back") {
    for (std::size_t n = 1; n <= 6; ++n) {
        CountingParent parent;
        parent.failAt = n;
        BuddyAllocator heap = CreateBuddyAllocator(HeapMemory::From(&parent, 1024));
        std::vector<void*> blocks;
        for (std::size_t i = 0; i < 40; ++i) {
            const auto block = heap.Allocate(&heap, i % 10 == 9 ? 2000 : 40, i % 4 == 0 ? 256 : 8);
            if (block) blocks.push_back(*block);
            else CHECK(block.error() != MemoryError::BufferTooLarge);
            REQUIRE(WalkOf(heap).broken.empty());
        }
        CHECK(blocks.size() == 39);
        for (void* block : blocks) CHECK(heap.Free(&heap, block));
        REQUIRE(WalkOf(heap).broken.empty());
        REQUIRE(heap.options->Reset(&heap));
        CHECK(parent.out.size() == 1);
        CHECK(WalkOf(heap).broken.empty());
        DestroyBuddyAllocator(&heap);
        CHECK(parent.out.empty());
        CHECK(parent.badFrees == 0);
        CHECK(heap.Allocate(&heap, 8, 8).error() == MemoryError::BufferTooLarge);
    }
}

// ---- alignment -----------------------------------------------------------------------------------------------------

TEST_CASE("on an aligned base every alignment is had without padding, and the block stays as small as its request") {
    Fixture<BuddyAllocator, 8192> f;
    f.Get(16);
    for (std::size_t alignment = 4096; alignment > 0; alignment /= 2) {
        CHECK(f.Offset(f.Get(16, alignment)) % alignment == 0);
    }
    CHECK(f.Offset(f.Get(16, 4096)) == 0);  // the first was at 4,096, in the smaller block
    const Walk walk = WalkOf(f.heap);
    REQUIRE(walk.broken.empty());
    for (const LiveBlock& block : walk.blocks) CHECK(block.padding + block.rounding == 0);
    CHECK(f.Error(16, 4096) == MemoryError::Fragmentation);  // there is no third
    CHECK(f.Error(16, std::size_t{1} << 40) == MemoryError::BufferTooLarge);
}

TEST_CASE("a free block smaller than the alignment is taken where it lies right, and refused where not") {
    Fixture<ObservedBuddyAllocator> f;
    void* blocks[64];
    for (void*& block : blocks) block = f.Get(16);
    f.Give(blocks[16]);  // at 256
    f.Give(blocks[3]);
    Recorder recorder(f.Base());
    f.heap.observer.sink = &recorder;
    CHECK(f.Get(16, 256) == blocks[16]);
    CHECK(recorder.Taken() == Lines{"probe refused 48:16", "probe 256:16", "remove 256:16"});
    CHECK(f.heap.Probes() == 2);
    CHECK(f.Error(16, 256) == MemoryError::Fragmentation);
}

TEST_CASE("on a base that is not aligned the payload begins inside its block, and the padding is told") {
    Fixture<BuddyAllocator, 1056, 16> f;  // the base is 16 beyond a multiple of 4,096
    void* const block = f.Get(64, 64);
    CHECK(f.Offset(block) == 48);
    Walk walk = WalkOf(f.heap);
    REQUIRE(walk.broken.empty());
    REQUIRE(walk.blocks.size() == 1);
    CHECK(walk.blocks[0].padding == 48);
    CHECK(walk.blocks[0].size == 64);
    CHECK(walk.blocks[0].rounding == 16);
    CHECK(f.sink.Events().back().padding == 48);
    CHECK(f.Free() == "128:128 256:256 512:512");
    std::memset(block, 0xFF, 64);
    void* const next = f.Get(16, 64);  // needs no padding: the last 16 bytes of a block of 64
    CHECK(f.Offset(next) == 128 + 48);
    f.Give(next);
    CHECK(f.Resize(block, 16) == block);  // what is before it goes too
    CHECK(f.Free() == "32:16 0:32 64:64 128:128 256:256 512:512");
    CHECK(f.Resize(block, 8, 128) != block);
    CHECK(f.heap.Free(&f.heap, block).error() == MemoryError::DoubleFree);
    REQUIRE(f.heap.options->Reset(&f.heap));
    void* const again = f.Get(500, 512);
    CHECK(f.Offset(again) == 496);
    CHECK(f.Error(16, 1024) == MemoryError::InsufficientMemory);  // from 1,008 on there are 16 bytes, were they free
    f.Give(again);
    CHECK(f.Free() == "0:1024");
    CHECK(f.Offset(f.Get(16, 1024)) == 1008);
    CHECK(f.Error(32, 1024) == MemoryError::BufferTooLarge);
}

// ---- resizing ------------------------------------------------------------------------------------------------------

TEST_CASE("a block of a buddy heap shrinks by giving upper halves back, and grows by taking them") {
    Fixture<ObservedBuddyAllocator> f;
    void* const block = f.Get(500);
    std::memset(block, 7, 500);
    Recorder recorder(f.Base());
    f.heap.observer.sink = &recorder;
    CHECK(f.Resize(block, 100) == block);
    CHECK(recorder.Taken() == Lines{"split 0:256 256:256", "insert 256:256", "split 0:128 128:128", "insert 128:128"});
    CHECK(f.Resize(block, 120) == block);
    CHECK(recorder.Taken().empty());
    CHECK(f.Resize(block, 1024) == block);
    CHECK(recorder.Taken() == Lines{"coalesce 0:128 128:128", "remove 128:128", "coalesce 0:256 256:256",
                                    "remove 256:256", "coalesce 0:512 512:512", "remove 512:512"});
    CHECK(f.heap.Probes() == 3);
    CHECK(f.Free().empty());
    CHECK(static_cast<unsigned char*>(block)[99] == 7);
    CHECK(WalkOf(f.heap).blocks[0].size == 1024);
    CHECK(f.heap.options->Resize(&f.heap, block, 1025, 8).error() == MemoryError::BufferTooLarge);
    CHECK(f.Resize(block, 0) == block);
    CHECK(f.Free() == "16:16 32:32 64:64 128:128 256:256 512:512");
}

TEST_CASE("a block of a buddy heap moves where its upper half is taken, or where it is an upper half itself") {
    Fixture f;
    void* const lower = f.Get(64);
    void* const upper = f.Get(64);
    std::memset(upper, 3, 64);
    void* const moved = f.Resize(upper, 65);
    CHECK(f.Offset(moved) == 128);
    CHECK(static_cast<unsigned char*>(moved)[63] == 3);
    CHECK(f.Free() == "64:64 256:256 512:512");
    CHECK(f.heap.Free(&f.heap, upper).error() == MemoryError::DoubleFree);
    void* const wall = f.Get(64);
    CHECK(wall == upper);
    void* const again = f.Resize(lower, 100);
    CHECK(f.Offset(again) == 256);
    CHECK(f.Free() == "0:64 384:128 512:512");
    CHECK(f.heap.options->Resize(&f.heap, again, 600, 8).error() == MemoryError::InsufficientMemory);
    CHECK(f.Free() == "0:64 384:128 512:512");
    CHECK(f.Resize(again, 100, 512) != again);
    const auto& ends = f.sink.Events().back();
    CHECK(ends.kind == events::EventKind::ResizeEnds);
    CHECK(ends.OldAddress() == reinterpret_cast<std::uintptr_t>(again));
}

// ---- all of it, at random ------------------------------------------------------------------------------------------

namespace {

template <class Heap>
void RunAtRandom(Heap& heap, std::uint32_t seed, bool ofParent) {
    INFO("seed " << seed);
    events::VectorSink sink;
    FromEvents told;
    heap.AttachSink(&sink, "heap");
    struct Held {
        unsigned char* at;
        std::size_t bytes;
        unsigned char fill;
    };
    std::vector<Held> live;
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const auto hold = [&](void* block, std::size_t bytes, std::size_t alignment) {
        REQUIRE(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
        const auto fill = static_cast<unsigned char>(random());
        std::memset(block, fill, bytes);
        live.push_back({static_cast<unsigned char*>(block), bytes, fill});
    };
    const auto pick = [&] {
        std::swap(live[below(live.size())], live.back());
        const Held held = live.back();
        for (std::size_t i = 0; i < held.bytes; ++i) REQUIRE(held.at[i] == held.fill);
        return held;
    };
    for (int step = 0; step < 1500; ++step) {
        const std::size_t dice = below(100);
        const std::size_t bytes = 1 + below(below(4) == 0 ? 900 : 70);
        const std::size_t alignment = std::size_t{1} << (below(3) != 0 ? 3 : below(12));
        if (dice < 50 || live.empty()) {
            if (const auto block = heap.Allocate(&heap, bytes, alignment)) hold(*block, bytes, alignment);
        } else if (dice < 80) {
            REQUIRE(heap.Free(&heap, pick().at));
            live.pop_back();
        } else if (dice < 99) {
            const Held held = pick();
            if (const auto block = heap.options->Resize(&heap, held.at, bytes, alignment)) {
                live.pop_back();
                const auto* const kept = static_cast<unsigned char*>(*block);
                for (std::size_t i = 0; i < std::min(bytes, held.bytes); ++i) REQUIRE(kept[i] == held.fill);
                hold(*block, bytes, alignment);
            }
        } else {
            REQUIRE(heap.options->Reset(&heap));
            live.clear();
        }
        const Walk walk = WalkOf(heap);
        for (const std::string& broken : walk.broken) FAIL(broken);
        REQUIRE(walk.FreeBytes() == heap.FreeBytes());
        std::size_t all = walk.FreeBytes() + walk.LiveBytes();
        for (const Region& region : walk.regions) all += region.bookkeeping;
        REQUIRE(walk.HeapBytes() == all);
        told.Apply(sink.Events());
        for (const std::string& illegal : told.illegal) FAIL(illegal);
        if (!ofParent) REQUIRE(told.Equals(walk));
    }
    heap.AttachSink(nullptr, "");
}

}  // namespace

TEST_CASE("buddy heaps at any base, of any kind, keep their books through random requests", "[property]") {
    alignas(4096) static std::byte range[1 << 16];
    for (const std::size_t skipped : {0u, 16u, 48u, 2048u, 5u}) {
        INFO("base + " << skipped);
        BuddyAllocator fixed = CreateBuddyAllocator(HeapMemory::Buffer(range + skipped, 9000));
        RunAtRandom(fixed, static_cast<std::uint32_t>(skipped), false);
        std::memset(range, 0, sizeof range);
        BuddyAllocator growing = CreateBuddyAllocator(HeapMemory::Growing(range + skipped, 20'000));
        RunAtRandom(growing, static_cast<std::uint32_t>(skipped) + 1, false);
        CountingParent parent;
        BuddyAllocator heap = CreateBuddyAllocator(HeapMemory::From(&parent, 2000 + skipped * 16));
        RunAtRandom(heap, static_cast<std::uint32_t>(skipped) + 2, true);
        DestroyBuddyAllocator(&heap);
        CHECK(parent.out.empty());
    }
}

// ---- bad frees and broken bytes ------------------------------------------------------------------------------------

TEST_CASE("a buddy heap tells a double free from a pointer that it never gave out") {
    Fixture f;
    void* const block = f.Get(200);
    auto* const bytes = static_cast<std::byte*>(block);
    for (const int inside : {1, 8, 16, 24, 128}) {
        CHECK(f.heap.Free(&f.heap, bytes + inside).error() == MemoryError::InvalidPointer);
        CHECK(f.sink.Events().back().argument == reinterpret_cast<std::uintptr_t>(block));
    }
    CHECK(f.heap.Free(&f.heap, nullptr).error() == MemoryError::InvalidPointer);
    void* const other = f.Get(16);
    f.Give(other);
    f.Give(block);
    CHECK(f.heap.Free(&f.heap, block).error() == MemoryError::DoubleFree);
    CHECK(f.heap.Free(&f.heap, other).error() == MemoryError::DoubleFree);  // inside the joined block
    CHECK_FALSE(f.heap.options->Owns(&f.heap, block));
    CHECK(f.Get(1024) == block);
    CHECK(f.heap.options->Owns(&f.heap, block));
    CHECK(f.heap.Free(&f.heap, other).error() == MemoryError::DoubleFree);
}

namespace {

// Live: 0 to 40 of 64, 128 to 256. Free: 64:64 256:256 512:512.
std::vector<std::string> BrokenAfter(std::size_t at, std::uint64_t value) {
    Fixture f;
    f.Get(40);
    void* const mid = f.Get(64);
    f.Get(128);
    f.Give(mid);
    REQUIRE(f.Free() == "64:64 256:256 512:512");
    std::memcpy(f.buffer + at, &value, sizeof value);
    return WalkOf(f.heap).broken;
}

bool Has(const std::vector<std::string>& broken, const char* text) {
    return std::find(broken.begin(), broken.end(), text) != broken.end();
}

}  // namespace

TEST_CASE("a buddy heap's walk sees what was written over, and ends") {
    constexpr std::size_t kSpare = 1024, kLive = 1040;  // a bit for each granule of 8 bytes
    CHECK(BrokenAfter(0, 1).empty());                   // a payload
    CHECK(Has(BrokenAfter(56, 0), "the bytes after a block were written to"));
    CHECK(Has(BrokenAfter(56, 99ull << 56), "the bytes after a block were written to"));
    CHECK(Has(BrokenAfter(64, 8), "a link of a list leads to no block of its size"));
    CHECK(Has(BrokenAfter(64, 1 << 20), "a link of a list leads to no block of its size"));
    CHECK(Has(BrokenAfter(64, 192), "what is in a list is no free block of its size"));
    CHECK(Has(BrokenAfter(64, 1), "a block's first bytes disagree with the live bits"));
    CHECK(Has(BrokenAfter(72, 64), "a link back is wrong"));
    CHECK(Has(BrokenAfter(kSpare, 0), "no block begins where one ends"));
    CHECK(Has(BrokenAfter(kSpare + 8, 0), "a block is not aligned to its size"));
    CHECK(Has(BrokenAfter(kSpare, ~std::uint64_t{0}), "the count of free bytes is wrong"));
    CHECK(Has(BrokenAfter(kLive, 0), "a list does not have every free block of its size"));
    CHECK(Has(BrokenAfter(kLive, 3), "a live bit where no payload can begin"));
    CHECK(Has(BrokenAfter(kLive + 8, 4), "a block's first bytes disagree with the live bits"));
}

TEST_CASE("a buddy heap's walk ends in lists that run in circles, and finds buddies that are not joined") {
    Fixture f;
    void* blocks[8];
    for (void*& block : blocks) block = f.Get(128);
    for (const int i : {0, 2, 4}) f.Give(blocks[i]);
    const std::uint64_t forward = 256, back = ~std::uint64_t{256} + 1;
    std::memcpy(f.buffer + 0, &forward, sizeof forward);  // the list's last: on to the one before it
    CHECK(Has(WalkOf(f.heap).broken, "a list has too many blocks, or runs in a circle"));
    const std::uint64_t none = 0;
    std::memcpy(f.buffer + 256, &none, sizeof none);
    CHECK(Has(WalkOf(f.heap).broken, "a list does not have every free block of its size"));
    std::memcpy(f.buffer + 256, &back, sizeof back);
    std::memcpy(f.buffer + 0, &none, sizeof none);
    CHECK(WalkOf(f.heap).broken.empty());
    std::uint64_t live = 0;
    std::memcpy(&live, f.buffer + 1040, sizeof live);
    live &= ~(std::uint64_t{1} << 16);  // of the block at 128
    std::memcpy(f.buffer + 1040, &live, sizeof live);
    std::memset(f.buffer + 128, 0, 16);
    CHECK(Has(WalkOf(f.heap).broken, "two free buddies are not joined"));
}

TEST_CASE("no byte of a buddy heap can be written over so that its walk does not end") {
    std::mt19937 random(11);
    for (int round = 0; round < 3000; ++round) {
        Fixture<BuddyAllocator, 1056, 16> f;
        void* blocks[6];
        for (void*& block : blocks) block = f.Get(1 + random() % 100, 8u << random() % 3);
        f.Give(blocks[1]);
        f.Give(blocks[4]);
        for (int i = 0; i < 4; ++i) f.buffer[16 + random() % 1056] = static_cast<std::byte>(random());
        for (int i = 0; i < 8; ++i) f.buffer[16 + 1024 + random() % 32] = static_cast<std::byte>(random());
        const Walk walk = WalkOf(f.heap);
        CHECK(walk.nodes.size() <= 64);
        CHECK(walk.HeapBytes() == 1056);
    }
}
