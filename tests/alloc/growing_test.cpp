// The growing heap of `--capacity auto`, and METRICS.md's test vector on it.
#include <sys/mman.h>

#include <cstring>
#include <fstream>
#include <map>
#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "support/catch.hpp"
#include "alloc/support/walk.hpp"

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

}  // namespace

TEST_CASE("short1-bal.rep on a growing first fit heap gives METRICS.md's vector", "[alloc]") {
    struct Call {
        char operation;
        int id;
        std::size_t bytes;
    };
    constexpr Call calls[] = {{'a', 0, 2040}, {'a', 1, 2040}, {'f', 1, 0}, {'a', 2, 48}, {'a', 3, 4072}, {'f', 3, 0},
                              {'a', 4, 4072}, {'f', 0, 0},    {'f', 2, 0}, {'a', 5, 4072}, {'f', 4, 0},  {'f', 5, 0}};
    Reservation range(1 << 20);
    FixedBufferAllocator heap = CreateGrowingAllocator(range.base, range.bytes);
    CHECK(WalkOf(heap).HeapBytes() == 0);
    std::map<int, void*> blocks;
    double sumH = 0, sumP = 0, hAtPeakP = 0, pAtPeakH = 0;
    std::size_t peakP = 0, peakH = 0;
    for (const Call& call : calls) {
        if (call.operation == 'a') {
            const auto block = heap.Allocate(&heap, call.bytes, 8);
            REQUIRE(block);
            blocks[call.id] = *block;
        } else {
            REQUIRE(heap.Free(&heap, blocks[call.id]));
        }
        const Walk walk = WalkOf(heap);
        REQUIRE(walk.broken.empty());
        REQUIRE(walk.HeapBytes() == walk.LiveBytes() + walk.FreeBytes());
        const std::size_t h = walk.HeapBytes();
        const std::size_t p = walk.Payload();
        sumH += static_cast<double>(h), sumP += static_cast<double>(p);
        if (p > peakP) peakP = p, hAtPeakP = static_cast<double>(h);
        if (h > peakH) peakH = h, pAtPeakH = static_cast<double>(p);
    }
    CHECK(peakP == 8144);
    CHECK(peakH == 10264);
    const auto h = static_cast<double>(peakH), p = static_cast<double>(peakP);
    CHECK(p / h == Approx(.793).margin(.0005));
    CHECK(sumH / sumP - 1 == Approx(.688).margin(.0005));
    CHECK(hAtPeakP / p - 1 == Approx(.260).margin(.0005));
    CHECK(h / pAtPeakH - 1 == Approx(.260).margin(.0005));
    CHECK(h / p - 1 == Approx(.260).margin(.0005));
}

TEST_CASE("A growing heap grows by just what is missing, and says so before the allocation", "[alloc]") {
    Reservation range(1 << 16);
    FixedBufferAllocator heap = CreateGrowingAllocator(range.base, range.bytes);
    events::VectorSink sink;
    heap.AttachSink(&sink, "heap");
    CHECK(sink.Events()[0].size == 0);
    CHECK(sink.Events()[0].address == reinterpret_cast<std::uintptr_t>(range.base));
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
    CHECK(sink.Events()[1].kind == events::EventKind::Allocated);
    CHECK(heap.HeapBytes() == 64 + 80);
    CHECK(WalkOf(heap).Bookkeeping() == 0);

    const auto grown = heap.options->Resize(&heap, *c, 200, 8);
    REQUIRE(grown);
    CHECK(*grown == *c);  // the topmost block grows with the heap
    CHECK(heap.HeapBytes() == 32 + 208);
    REQUIRE(heap.Free(&heap, *grown));
    CHECK(heap.HeapBytes() == 32 + 208);  // H is the high water
    CHECK(WalkOf(heap).broken.empty());
}

TEST_CASE("A growing heap ends where its reservation does", "[alloc]") {
    Reservation range(4096);
    FixedBufferAllocator heap = CreateGrowingAllocator(range.base, range.bytes);
    CHECK(heap.Allocate(&heap, 4096, 8).error() == MemoryError::BufferTooLarge);
    std::vector<void*> blocks;
    while (const auto block = heap.Allocate(&heap, 56, 8)) {
        std::memset(*block, 0xFF, 56);
        blocks.push_back(*block);
    }
    CHECK(blocks.size() == (4096 - 128) / 64);
    CHECK(heap.Allocate(&heap, 56, 8).error() == MemoryError::InsufficientMemory);
    const Walk walk = WalkOf(heap);
    CHECK(walk.broken.empty());
    CHECK(walk.blocks.size() == blocks.size());
    void* const topmost = blocks.back();
    CHECK(heap.options->Resize(&heap, topmost, 64, 8).error() == MemoryError::InsufficientMemory);
    for (void* block : blocks) CHECK(heap.Free(&heap, block));
    CHECK(WalkOf(heap).holes.size() == 1);
}
