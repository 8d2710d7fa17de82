// TLSF: its two levels, good fit in one probe, and what is left of the request's own list. What it has in common with
// segregated fit is in tagged_blocks_test.cpp.
#include "alloc/registry.hpp"
#include "alloc/support/tagged.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("TLSF's levels: one size each up to 248 bytes, then sixteen steps a doubling, without gap or overlap") {
    using Classes = TlsfClasses;
    const auto at = [](std::uint32_t row, std::uint32_t column) { return row * 16 + column; };
    CHECK(Classes::BinOf(16) == at(0, 2));
    CHECK(Classes::BinOf(120) == at(0, 15));
    CHECK(Classes::BinOf(128) == at(1, 0));
    CHECK(Classes::BinOf(248) == at(1, 15));
    CHECK(Classes::BinOf(256) == at(2, 0));
    CHECK(Classes::BinOf(264) == at(2, 0));
    CHECK(Classes::BinOf(272) == at(2, 1));
    CHECK(Classes::BinOf(504) == at(2, 15));
    CHECK(Classes::BinOf(512) == at(3, 0));
    CHECK(Classes::BinOf(std::uint64_t{2} << 30) == at(25, 0));
    CHECK(Classes::BinOf((std::uint64_t{4} << 30) - 8) == at(25, 15));
    CHECK(Classes::BinOf(std::uint64_t{4} << 30) == at(25, 15));
    CHECK(Classes::BinOf(~std::uint64_t{0}) == at(25, 15));
    for (std::uint32_t bin = 0; bin < 26 * 16; ++bin) {
        CHECK(Classes::BinOf(Classes::LeastOf(bin)) == bin);
        if (bin > 0) CHECK(Classes::BinOf(Classes::LeastOf(bin) - 8) == bin - 1);
    }
    CHECK(sizeof(ObservedTlsfAllocator) <= kAllocatorStorageBytes);
}

TEST_CASE("TLSF's bits are those of the lists that are not empty") {
    BinTable<TlsfClasses> table;
    CHECK(table.FirstFrom(0) == 416);
    CHECK(table.Last() == 416);
    for (const std::uint32_t bin : {3u, 15u, 16u, 200u, 415u}) table.Set(bin, bin);
    CHECK(table.rows == ((1u << 0) | (1u << 1) | (1u << 12) | (1u << 25)));
    CHECK(table.columns[0] == ((1u << 3) | (1u << 15)));
    CHECK(table.FirstFrom(0) == 3);
    CHECK(table.FirstFrom(4) == 15);
    CHECK(table.FirstFrom(16) == 16);
    CHECK(table.FirstFrom(17) == 200);
    CHECK(table.FirstFrom(201) == 415);
    CHECK(table.FirstFrom(416) == 416);
    CHECK(table.Last() == 415);
    table.Set(415, table.kEmpty);
    table.Set(15, table.kEmpty);
    CHECK(table.rows == ((1u << 0) | (1u << 1) | (1u << 12)));
    CHECK(table.FirstFrom(4) == 16);
    CHECK(table.FirstFrom(201) == 416);
    CHECK(table.Last() == 200);
}

TEST_CASE("TLSF takes the first hole of the first list whose every hole is large enough, unseen") {
    TaggedHeap<ObservedTlsfAllocator> f;
    // 272 and 280 share a list, 288 and 296 do; so do 400 and 408.
    const auto holes = f.MakeHoles({280, 408, 288, 272});
    DecisionRecorder recorder;
    f.heap.observer.sink = &recorder;
    CHECK(f.Take(267) == holes[2]);  // 280 gross: there is a hole of just that, but not every one of its list does
    CHECK(recorder.Letters() == "TR");
    CHECK(WalkOf(f.heap).blocks[2].slack == 8);
    recorder.all.clear();
    CHECK(f.Take(264) == holes[3]);  // 272 gross, the least of its list: it starts there
    CHECK(f.heap.Probes() == 1);
    recorder.all.clear();
    CHECK(f.Take(267) == holes[1]);
    CHECK(recorder.Letters() == "TRSI");
    recorder.all.clear();
    CHECK(f.Take(267) == holes[0]);  // only now, as no larger one is left
    CHECK(recorder.Letters() == "TR");
}

TEST_CASE("TLSF looks at its own list before it fails, so that Fragmentation is the truth") {
    TaggedHeap<ObservedTlsfAllocator> f;
    const auto holes = f.MakeHoles({536, 520, 528, 100});
    DecisionRecorder recorder;
    f.heap.observer.sink = &recorder;
    CHECK(f.Take(525) == holes[0]);  // 536: the last of its list
    CHECK(recorder.Letters() == "ssTR");
    CHECK(f.heap.Probes() == 3);
    recorder.all.clear();
    CHECK(f.Refused(525) == MemoryError::Fragmentation);
    CHECK(recorder.Letters() == "ss");
    CHECK(WalkOf(f.heap).broken.empty());
}

TEST_CASE("TLSF looks at its own list before its heap grows") {
    alignas(8) static std::byte range[1 << 16] = {};
    TlsfAllocator heap = CreateTlsfAllocator(HeapMemory::Growing(range, sizeof range));
    const auto first = heap.Allocate(&heap, 525, 8);
    const auto top = heap.Allocate(&heap, 8, 8);
    REQUIRE((first && top));
    REQUIRE(heap.Free(&heap, *first));
    const std::size_t before = WalkOf(heap).HeapBytes();
    const auto again = heap.Allocate(&heap, 525, 8);
    REQUIRE(again);
    CHECK(*again == *first);
    CHECK(WalkOf(heap).HeapBytes() == before);
    DestroyTlsfAllocator(&heap);
}

TEST_CASE("TLSF probes one hole, however many there are, wherever the bits find one") {
    alignas(4096) static std::byte buffer[1 << 20];
    for (const std::size_t count : {10u, 1000u, 5000u}) {
        TlsfAllocator heap = CreateTlsfAllocator(HeapMemory::Buffer(buffer));
        std::vector<void*> blocks;
        for (std::size_t i = 0; i < count; ++i) {
            blocks.push_back(*heap.Allocate(&heap, 16 + i * 8 % 120, 8));
            REQUIRE(heap.Allocate(&heap, 8, 8));
        }
        for (void* block : blocks) REQUIRE(heap.Free(&heap, block));
        REQUIRE(WalkOf(heap).holes.size() == count + 1);
        for (const std::size_t bytes : {1u, 30u, 100u, 136u, 137u, 1000u, 5000u, 100'000u}) {
            for (const std::size_t alignment : {8u, 16u, 64u, 1024u}) {
                INFO(count << " holes, " << bytes << " aligned to " << alignment);
                const auto block = heap.Allocate(&heap, bytes, alignment);
                REQUIRE(block);
                CHECK(heap.Probes() == 1);
                REQUIRE(heap.Free(&heap, *block));
            }
        }
        CHECK(WalkOf(heap).broken.empty());
    }
}

TEST_CASE("TLSF's walk tells a matrix of 26 rows and 16 columns") {
    struct Bins final : Inspector {
        FreeStructure structure;
        std::vector<FreeBin> bins;
        std::vector<FreeNode> nodes;
        void OnFreeStructure(const FreeStructure& told) override { structure = told; }
        void OnFreeBin(const FreeBin& bin) override { bins.push_back(bin); }
        void OnFreeNode(const FreeNode& node) override {
            nodes.push_back(node);
            CHECK(node.bin == bins.back().bin);
        }
    } told;
    TaggedHeap<TlsfAllocator> f;
    const auto holes = f.MakeHoles({256, 40, 264, 600});
    f.heap.options->Inspect(&f.heap, told);
    CHECK(told.structure.shape == FreeShape::Matrix);
    CHECK(told.structure.bins == 416);
    CHECK(told.structure.columns == 16);
    REQUIRE(told.bins.size() == 416);
    CHECK((told.bins[5].least == 40 && told.bins[5].most == 40));
    CHECK((told.bins[32].least == 256 && told.bins[32].most == 264));
    CHECK((told.bins[47].least == 496 && told.bins[47].most == 504));
    CHECK((told.bins[50].least == 576 && told.bins[50].most == 600));
    CHECK(told.bins[415].most == ~std::size_t{0});
    REQUIRE(told.nodes.size() == 4);
    const auto at = [&](std::size_t i) { return reinterpret_cast<std::byte*>(told.nodes[i].address) + 8; };
    CHECK((at(0) == holes[1] && at(1) == holes[2] && at(2) == holes[0] && at(3) == holes[3]));
    CHECK(f.heap.Bins().rows == 0b1101);
    CHECK(f.heap.Bins().columns[2] == 1);
}
