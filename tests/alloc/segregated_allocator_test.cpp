// Segregated fit: its classes, the order in which it searches them, and what it tells of both. What it has in common
// with TLSF is in tagged_blocks_test.cpp.
#include "alloc/support/tagged.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("segregated fit's classes are exact up to 248 bytes, then two a doubling, without gap or overlap") {
    using Classes = SegregatedClasses;
    CHECK(Classes::BinOf(16) == 2);
    CHECK(Classes::BinOf(24) == 3);
    CHECK(Classes::BinOf(248) == 31);
    CHECK(Classes::BinOf(256) == 32);
    CHECK(Classes::BinOf(376) == 32);
    CHECK(Classes::BinOf(384) == 33);
    CHECK(Classes::BinOf(504) == 33);
    CHECK(Classes::BinOf(512) == 34);
    CHECK(Classes::BinOf(760) == 34);
    CHECK(Classes::BinOf(768) == 35);
    CHECK(Classes::BinOf((12 << 20) - 8) == 62);
    CHECK(Classes::BinOf(12 << 20) == 63);
    CHECK(Classes::BinOf(std::uint64_t{16} << 30) == 63);
    CHECK(Classes::BinOf(~std::uint64_t{0}) == 63);
    for (std::uint32_t bin = 0; bin < 64; ++bin) {
        CHECK(Classes::BinOf(Classes::LeastOf(bin)) == bin);
        if (bin > 0) CHECK(Classes::BinOf(Classes::LeastOf(bin) - 8) == bin - 1);
    }
}

TEST_CASE("segregated fit looks at its own class from the front, then at the next ones") {
    TaggedHeap<ObservedSegregatedAllocator> f;
    // The list of 256 to 376 bytes, from its front: 264, 368, 272.
    const auto holes = f.MakeHoles({272, 368, 264, 400, 520});
    DecisionRecorder recorder;
    f.heap.observer.sink = &recorder;
    CHECK(f.Take(300) == holes[1]);  // 308 gross: 264 is too small, the second does
    CHECK(recorder.Letters() == "sTRSI");
    CHECK(recorder.all[0].bytes == 264);
    CHECK(recorder.all[1].bytes == 368);
    CHECK(recorder.all[3].bytes == 312);
    CHECK(recorder.all[3].otherBytes == 56);
    CHECK(f.heap.Probes() == 2);
    recorder.all.clear();
    CHECK(f.Take(340) == holes[3]);  // none of the own class is left that does; 400 of the next always does
    CHECK(recorder.Letters() == "ssTRSI");
    recorder.all.clear();
    CHECK(f.Take(512) == holes[4]);  // 520: exactly
    CHECK(recorder.Letters() == "TR");
    recorder.all.clear();
    CHECK(f.Refused(512) == MemoryError::Fragmentation);
    CHECK(recorder.Letters().empty());  // every list from its own on is empty
}

TEST_CASE("segregated fit is best fit among small sizes") {
    TaggedHeap<SegregatedAllocator> f;
    const auto holes = f.MakeHoles({64, 248, 40, 96, 56, 128});
    CHECK(f.Take(41) == holes[4]);
    CHECK(f.heap.Probes() == 1);
    CHECK(f.Take(41) == holes[0]);
    CHECK(f.Take(41) == holes[3]);
}

TEST_CASE("segregated fit tells what a free and an alignment decide") {
    TaggedHeap<ObservedSegregatedAllocator> f;
    std::byte* const a = f.Take(24);
    std::byte* const b = f.Take(24);
    std::byte* const c = f.Take(24);
    f.Take(24);
    DecisionRecorder recorder;
    f.heap.observer.sink = &recorder;
    f.Give(a);
    CHECK(recorder.Letters() == "I");
    f.Give(c);
    recorder.all.clear();
    f.Give(b);
    CHECK(recorder.Letters() == "CRCRI");
    CHECK(recorder.all[0].address == reinterpret_cast<std::uintptr_t>(f.buffer));
    CHECK(recorder.all[0].other == recorder.all[0].address + 32);
    CHECK(recorder.all[2].bytes == 64);
    CHECK(recorder.all[4].bytes == 96);
    recorder.all.clear();
    CHECK(f.Offset(f.Take(40, 32)) == 32);  // 48 from 24 on: a gap below, a remainder above
    CHECK(recorder.Letters() == "TRSISI");
    recorder.all.clear();
    (void)f.Take(16, 1024);  // the two small holes do not do, once aligned
    CHECK(recorder.Letters() == "aaTRSISI");
    recorder.all.clear();
    (void)f.Resize(f.buffer + 32, 60, 8);
    CHECK(recorder.Letters() == "TCR");
    recorder.all.clear();
    (void)f.Resize(f.buffer + 32, 8, 8);
    CHECK(recorder.Letters() == "SI");
    CHECK(sizeof(SegregatedAllocator) < sizeof(ObservedSegregatedAllocator));
}

TEST_CASE("segregated fit's walk tells 64 bins, empty ones too, each followed by its holes") {
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
    TaggedHeap<SegregatedAllocator> f;
    const auto holes = f.MakeHoles({256, 40, 376, 40});
    f.heap.options->Inspect(&f.heap, told);
    CHECK(told.structure.shape == FreeShape::Bins);
    CHECK(told.structure.bins == 64);
    CHECK(told.structure.columns == 1);
    REQUIRE(told.bins.size() == 64);
    CHECK((told.bins[5].least == 40 && told.bins[5].most == 40));
    CHECK((told.bins[32].least == 256 && told.bins[32].most == 376));
    CHECK((told.bins[63].least == 12 << 20 && told.bins[63].most == ~std::size_t{0}));
    REQUIRE(told.nodes.size() == 4);
    const auto at = [&](std::size_t i) { return reinterpret_cast<std::byte*>(told.nodes[i].address) + 8; };
    CHECK((at(0) == holes[3] && at(1) == holes[1] && at(2) == holes[2] && at(3) == holes[0]));
    CHECK(told.nodes[2].bytes == 376);
    CHECK(f.heap.Bins().columns[0] == ((std::uint64_t{1} << 5) | (std::uint64_t{1} << 32)));
    CHECK(f.heap.Bins().Last() == 32);
}
