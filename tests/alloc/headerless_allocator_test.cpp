// Headerless good fit: what lies where, byte by byte and bit by bit; where blocks go; errors at every address;
// resizing, growth, regions, decisions, and that the walk finds what is broken. That it is right under random traffic
// is shown by tests/conformance.
#include "alloc/headerless_allocator.hpp"

#include <random>
#include <set>

#include "alloc/detail/succeed.hpp"
#include "alloc/registry.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/tagged.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

using Heap = TaggedHeap<HeaderlessAllocator>;
using ObservedHeap = TaggedHeap<ObservedHeaderlessAllocator>;

template <class Word>
Word WordAt(const std::byte* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// The bit of a granule; that of the one below the heap is the first.
constexpr std::uint64_t Bits() { return 0; }
template <class... More>
constexpr std::uint64_t Bits(unsigned granule, More... more) {
    return std::uint64_t{1} << (granule + 1) | Bits(more...);
}

std::vector<std::size_t> HolesOf(const Allocator& heap) {
    std::vector<std::size_t> sizes;
    for (const Hole& hole : WalkOf(heap).holes) sizes.push_back(hole.bytes);
    return sizes;
}

bool IsBroken(const Allocator& heap, const std::string& how) {
    const auto broken = WalkOf(heap).broken;
    return std::find(broken.begin(), broken.end(), how) != broken.end();
}

}  // namespace

TEST_CASE("a small headerless heap is what its header draws, byte by byte and bit by bit", "[alloc]") {
    Heap f(160);  // 16 of bits leave 144: 18 granules
    const std::byte* const edges = f.buffer + 144;
    const std::byte* const given = f.buffer + 152;
    CHECK(WordAt<std::uint64_t>(edges) == Bits(0, 1, 17, 18));
    CHECK(WordAt<std::uint32_t>(f.buffer) == 0xFFFF'FFFF);  // alone in its list
    CHECK(WordAt<std::uint32_t>(f.buffer + 4) == 18);
    CHECK(WordAt<std::uint32_t>(f.buffer + 8) == 0xFFFF'FFFF);
    CHECK(WordAt<std::uint32_t>(f.buffer + 140) == (18 | 0x8000'0000));

    std::byte* const a = f.Take(24);
    std::byte* const b = f.Take(20);
    std::byte* const c = f.Take(80);
    CHECK(f.Offset(a) == 120);  // small ones from the upper end
    CHECK(f.Offset(b) == 96);
    CHECK(f.Offset(c) == 0);
    CHECK(WordAt<std::uint64_t>(edges) == Bits(0, 10, 11, 12, 15, 18));
    CHECK(WordAt<std::uint64_t>(given) == Bits(0, 15));  // a and c are exact
    CHECK(f.buffer[119] == std::byte{4});                // 20 of 24
    CHECK(WordAt<std::uint32_t>(f.buffer + 84) == 2);    // the hole between
    CHECK(WordAt<std::uint32_t>(f.buffer + 92) == (2 | 0x8000'0000));

    f.Give(b);  // joined with the hole below
    CHECK(WordAt<std::uint64_t>(edges) == Bits(0, 10, 11, 14, 15, 18));
    CHECK(WordAt<std::uint64_t>(given) == Bits(0, 12, 15));
    CHECK(WordAt<std::uint32_t>(f.buffer + 84) == 5);
    f.Give(a);
    f.Give(c);
    CHECK(WordAt<std::uint64_t>(edges) == Bits(0, 1, 17, 18));
    CHECK(WordAt<std::uint64_t>(given) == Bits(0, 12, 15));
    CHECK(WalkOf(f.heap).broken.empty());
}

TEST_CASE("up to 512 bytes a block is all payload, a larger one has a header of 8 bytes", "[alloc]") {
    Heap f;
    CHECK(f.Offset(f.Take(512)) == 0);
    CHECK(f.Offset(f.Take(513)) == 520);
    CHECK(WordAt<std::uint32_t>(f.buffer + 512) == 7);  // left of 520
    CHECK(WordAt<std::uint32_t>(f.buffer + 516) == (66 | 0x4000'0000));
    const auto blocks = WalkOf(f.heap).blocks;
    REQUIRE(blocks.size() == 2);
    CHECK((blocks[0].size == 512 && blocks[0].header == 0 && blocks[0].rounding == 0));
    CHECK((blocks[1].size == 513 && blocks[1].header == 8 && blocks[1].rounding == 7));
    CHECK(WalkOf(f.heap).broken.empty());
}

TEST_CASE("the sizes that a small block can have are read back from its edges, wherever it lies", "[alloc]") {
    for (std::size_t shift = 0; shift < 70; ++shift) {
        for (const std::size_t bytes : {1u, 16u, 100u, 488u, 489u, 496u, 504u, 505u, 512u}) {
            Heap f;
            if (shift > 0) f.Take(shift * 8 + 520);  // so that the block begins at any bit of a word
            std::byte* const block = f.Take(bytes);
            std::byte* const above = f.Take(600);
            const Walk walk = WalkOf(f.heap);
            REQUIRE(walk.broken.empty());
            const auto is = [&](const LiveBlock& each) { return each.size == bytes; };
            REQUIRE(std::any_of(walk.blocks.begin(), walk.blocks.end(), is));
            f.Give(above);
            f.Give(block);
            REQUIRE(WalkOf(f.heap).broken.empty());
            REQUIRE(HolesOf(f.heap).size() == 1);
        }
    }
}

TEST_CASE("lists of holes: one a granule, then eight a doubling, without gap or overlap", "[alloc]") {
    using Classes = HeaderlessClasses;
    CHECK(Classes::BinOf(63) == 63);
    CHECK(Classes::BinOf(64) == 64);
    CHECK(Classes::BinOf(71) == 64);
    CHECK(Classes::BinOf(72) == 65);
    CHECK(Classes::BinOf(128) == 72);
    CHECK(Classes::BinOf(EdgeBits::kMostGranules) == 255);
    for (std::uint32_t bin = 0; bin < 256; ++bin) {
        CHECK(Classes::BinOf(Classes::LeastOf(bin)) == bin);
        if (bin > 0) CHECK(Classes::BinOf(Classes::LeastOf(bin) - 1) == bin - 1);
    }
    CHECK(sizeof(ObservedHeaderlessAllocator) <= kAllocatorStorageBytes);
}

TEST_CASE("small objects do not keep the holes of large ones apart", "[alloc]") {
    Heap f;
    std::vector<void*> large;
    for (int i = 0; i < 20; ++i) {
        f.Take(16);
        large.push_back(f.Take(112));
    }
    const std::size_t rest = HolesOf(f.heap).at(0);
    for (void* block : large) f.Give(block);
    CHECK(HolesOf(f.heap) == std::vector<std::size_t>{rest + 20 * 112});
    CHECK(f.Offset(f.Take(128)) == 0);
    CHECK(f.Offset(f.Take(64)) == 3968 - 20 * 16 - 64);  // right below the other small ones
    CHECK(f.Offset(f.Take(65)) == 128);
}

TEST_CASE("every address of a headerless heap tells double frees from foreign pointers", "[alloc]") {
    Heap f;
    std::mt19937 random(5);
    std::set<std::byte*> live, given;
    for (int step = 0; step < 400; ++step) {
        if (live.size() < 12 || (live.size() < 40 && random() % 2 == 0)) {
            const std::size_t bytes = random() % 8 == 0 ? 513 + random() % 200 : 1 + random() % 60;
            const auto block = f.heap.Allocate(&f.heap, bytes, random() % 6 == 0 ? 32 : 8);
            if (!block) continue;
            std::memset(*block, static_cast<int>(random()), bytes);  // whatever lies there, tags are not read from it
            live.insert(static_cast<std::byte*>(*block));
            given.erase(static_cast<std::byte*>(*block));
        } else {
            std::byte* const block = *std::next(live.begin(), static_cast<std::ptrdiff_t>(random() % live.size()));
            f.Give(block);
            live.erase(block);
            given.insert(block);
        }
        if (step % 10 != 0) continue;
        for (std::size_t at = 0; at < sizeof f.buffer; at += 4) {
            std::byte* const pointer = f.buffer + at;
            REQUIRE(f.heap.options->Owns(&f.heap, pointer) == (live.count(pointer) != 0));
            if (live.count(pointer) != 0) continue;
            const auto freed = f.heap.Free(&f.heap, pointer);
            REQUIRE_FALSE(freed);
            REQUIRE(freed.error() == (given.count(pointer) != 0 ? MemoryError::DoubleFree
                                                                 : MemoryError::InvalidPointer));
        }
        REQUIRE(WalkOf(f.heap).broken.empty());
    }
    REQUIRE(f.heap.options->Reset(&f.heap));
    for (std::byte* block : live) CHECK(f.heap.Free(&f.heap, block).error() == MemoryError::DoubleFree);
}

TEST_CASE("headerless fit takes the smallest hole below 512 bytes, and looks at two lists above", "[alloc]") {
    ObservedHeap f;
    std::vector<std::byte*> blocks;
    for (const std::size_t bytes : {96u, 80u, 600u, 88u, 568u, 80u, 576u}) {
        blocks.push_back(f.Take(bytes));
        f.Take(72);
    }
    f.Take(f.heap.FreeBytes() - 8);
    for (std::byte* block : blocks) f.Give(block);
    DecisionRecorder recorder;
    f.heap.observer.sink = &recorder;
    CHECK(f.Take(82) == blocks[3]);
    CHECK(recorder.Letters() == "TR");
    CHECK(WalkOf(f.heap).broken.empty());
    recorder.all.clear();
    CHECK(f.Take(73) == blocks[5]);  // of two equal ones that which was freed last
    CHECK(recorder.Letters() == "TR");
    recorder.all.clear();
    // 600 gross: the list of 576 to 632 bytes has those of 576 and 584, too small, in front of that of 608.
    CHECK(f.Take(592) == blocks[2]);
    CHECK(recorder.Letters() == "ssTR");
    CHECK(f.heap.Probes() == 3);
    recorder.all.clear();
    CHECK(f.Refused(592) == MemoryError::Fragmentation);
    CHECK(f.Refused(f.heap.FreeBytes()) == MemoryError::InsufficientMemory);
    CHECK(f.Refused(4000) == MemoryError::BufferTooLarge);
}

TEST_CASE("the decisions of a headerless heap", "[alloc]") {
    ObservedHeap f;
    DecisionRecorder recorder;
    f.heap.observer.sink = &recorder;
    std::byte* const a = f.Take(72);
    CHECK(recorder.Letters() == "TS");  // what is left is in the same list
    std::byte* const b = f.Take(72);
    std::byte* const c = f.Take(72);
    f.Take(72);
    recorder.all.clear();
    f.Give(a);
    CHECK(recorder.Letters() == "I");
    f.Give(c);
    recorder.all.clear();
    f.Give(b);
    CHECK(recorder.Letters() == "CCRRI");
    CHECK((recorder.all[0].bytes == 72 && recorder.all[0].otherBytes == 72));
    CHECK((recorder.all[1].bytes == 144 && recorder.all[4].bytes == 216));
    recorder.all.clear();
    std::byte* const aligned = f.Take(72, 32);
    CHECK(recorder.Letters() == "TSRI");
    recorder.all.clear();
    (void)f.Resize(aligned, 100);
    CHECK(recorder.Letters() == "TCSRI");
    recorder.all.clear();
    (void)f.Resize(aligned, 16);
    CHECK(recorder.Letters() == "SCRI");
    CHECK(sizeof(HeaderlessAllocator) < sizeof(ObservedHeaderlessAllocator));
}

TEST_CASE("a headerless block keeps its place when it is resized, unless it needs a header", "[alloc]") {
    Heap f;
    std::byte* const block = f.Take(100);
    CHECK(f.Resize(block, 512) == block);
    CHECK(f.Resize(block, 30) == block);
    CHECK(WalkOf(f.heap).blocks.at(0).rounding == 2);
    std::memset(block, 7, 30);
    std::byte* const headed = f.Resize(block, 700);
    CHECK(headed != block);
    for (int i = 0; i < 30; ++i) CHECK(headed[i] == std::byte{7});
    CHECK(f.Resize(headed, 1000) == headed);
    CHECK(f.Resize(headed, 3) == headed);  // it keeps its header
    const Walk walk = WalkOf(f.heap);
    REQUIRE(walk.blocks.size() == 1);
    CHECK((walk.blocks[0].size == 3 && walk.blocks[0].header == 8 && walk.blocks[0].rounding == 13));
    CHECK(f.Resize(headed, 8, 4096) != headed);
}

TEST_CASE("aligned blocks leave a hole or nothing below them", "[alloc]") {
    for (const std::size_t alignment : {16u, 32u, 64u, 256u, 1024u}) {
        for (const std::size_t bytes : {1u, 16u, 60u, 72u, 500u, 600u}) {
            Heap f;
            f.Take(72);
            std::byte* const block = f.Take(bytes, alignment);
            CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
            const Walk walk = WalkOf(f.heap);
            CHECK(walk.broken.empty());
            CHECK(walk.blocks.at(1).padding == 0);
            f.Give(block);
            CHECK(HolesOf(f.heap).size() == 1);
        }
    }
}

TEST_CASE("a growing headerless heap grows by just what is missing", "[alloc]") {
    alignas(8) static std::byte range[1 << 16] = {};
    HeaderlessAllocator heap = CreateHeaderlessAllocator(HeapMemory::Growing(range, sizeof range));
    CHECK(WalkOf(heap).HeapBytes() == 0);
    const auto a = heap.Allocate(&heap, 100, 8);
    CHECK(WalkOf(heap).HeapBytes() == 104);
    const auto b = heap.Allocate(&heap, 20, 8);
    CHECK(WalkOf(heap).HeapBytes() == 128);
    CHECK(*heap.options->Resize(&heap, *b, 48, 8) == *b);
    CHECK(WalkOf(heap).HeapBytes() == 152);
    REQUIRE(heap.Free(&heap, *b));
    CHECK(*heap.Allocate(&heap, 600, 8) == range + 112);
    CHECK(WalkOf(heap).HeapBytes() == 712);
    REQUIRE(heap.Free(&heap, *a));
    CHECK(*heap.Allocate(&heap, 90, 8) == range);
    CHECK(WalkOf(heap).HeapBytes() == 712);
    CHECK(WalkOf(heap).broken.empty());
    DestroyHeaderlessAllocator(&heap);
}

TEST_CASE("probes of a headerless heap do not grow with its holes", "[alloc]") {
    alignas(4096) static std::byte buffer[1 << 20];
    for (const std::size_t count : {10u, 1000u, 4000u}) {
        HeaderlessAllocator heap = CreateHeaderlessAllocator(HeapMemory::Buffer(buffer));
        std::vector<void*> blocks;
        for (std::size_t i = 0; i < count; ++i) {
            blocks.push_back(*heap.Allocate(&heap, 72 + i * 8 % 120, 8));
            REQUIRE(heap.Allocate(&heap, 72, 8));
        }
        for (void* block : blocks) REQUIRE(heap.Free(&heap, block));
        for (const std::size_t bytes : {1u, 30u, 100u, 136u, 1000u, 5000u, 100'000u}) {
            INFO(count << " holes, " << bytes);
            const auto block = heap.Allocate(&heap, bytes, 8);
            REQUIRE(block);
            CHECK(heap.Probes() <= 2);
            REQUIRE(heap.Free(&heap, *block));
        }
        CHECK(WalkOf(heap).broken.empty());
    }
}

TEST_CASE("the walk of a headerless heap finds what was written over", "[alloc]") {
    const auto flip = [](std::byte* word, std::uint64_t bits) {
        const std::uint64_t value = WordAt<std::uint64_t>(word) ^ bits;
        std::memcpy(word, &value, sizeof value);
    };
    Heap f(160);
    std::byte* const a = f.Take(72);
    f.Take(20);
    REQUIRE(WalkOf(f.heap).broken.empty());
    flip(f.buffer + 144, Bits(12));
    CHECK(IsBroken(f.heap, "an edge inside a block or hole"));
    flip(f.buffer + 144, Bits(12, 4));  // a block cut in two
    CHECK(IsBroken(f.heap, "the bytes after a block were written to"));
    flip(f.buffer + 144, Bits(4, 9));
    CHECK_FALSE(WalkOf(f.heap).broken.empty());
    flip(f.buffer + 144, Bits(9, 18));
    CHECK(IsBroken(f.heap, "no block begins where one ends"));
    flip(f.buffer + 144, Bits(18));
    REQUIRE(WalkOf(f.heap).broken.empty());
    f.buffer[143] = std::byte{77};  // 20 of 24, it said
    CHECK(IsBroken(f.heap, "the bytes after a block were written to"));
    f.buffer[143] = std::byte{4};
    a[72 + 4] = std::byte{9};  // the size of the hole above
    CHECK_FALSE(WalkOf(f.heap).broken.empty());
}

TEST_CASE("the walk of a headerless heap tells a matrix of 32 rows and 8 columns", "[alloc]") {
    struct Bins final : Inspector {
        FreeStructure structure;
        std::vector<FreeBin> bins;
        void OnFreeStructure(const FreeStructure& told) override { structure = told; }
        void OnFreeBin(const FreeBin& bin) override { bins.push_back(bin); }
        void OnFreeNode(const FreeNode& node) override {
            CHECK(node.bin == bins.back().bin);
            CHECK((node.bytes >= bins.back().least && node.bytes <= bins.back().most));
        }
    } told;
    Heap f;
    f.Give(f.Take(100));
    f.heap.options->Inspect(&f.heap, told);
    CHECK(told.structure.shape == FreeShape::Matrix);
    CHECK((told.structure.bins == 256 && told.structure.columns == 8));
    REQUIRE(told.bins.size() == 256);
    CHECK((told.bins[5].least == 40 && told.bins[5].most == 40));
    CHECK((told.bins[64].least == 512 && told.bins[64].most == 568));
    CHECK(told.bins[255].most == ~std::size_t{0});
}

TEST_CASE("a pointer as a success is what any Result of it is", "[alloc]") {
    int value = 0;
    const Result<int*> result = Succeed(&value);
    REQUIRE(result.has_value());
    CHECK(*result == &value);
    CHECK(result == Result<int*>(&value));
}
