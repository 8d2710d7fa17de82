// Heaps within heaps, by hand and against a search through every block.
#include "model/nesting.hpp"

#include <algorithm>
#include <random>

#include "model/stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using model::HeapModel;
using model::Nest;
using test::Stream;

namespace {

constexpr std::uint64_t kEverywhere = ~std::uint64_t{0};
constexpr AllocatorId kDefault{1}, kArena{2}, kFixed{3};

HeapModel AtEnd(const Stream& stream) {
    HeapModel heap;
    heap.Advance(stream.View(), stream.View().Rows(), kEverywhere);
    return heap;
}

// A fixed buffer in an arena in a default allocator, each with a block of its own beside; the arena has two regions.
struct ThreeLevels : Stream {
    ThreeLevels() {
        Stream& stream = *this;
        stream.Created(1, 0, 0, 0, 0, "default");
        stream.Allocated(1, 1016, 400, {8, 0, 0, 0}).Created(2, 1016, 400, 0, 1, "arena");   // #1
        stream.Allocated(2, 1020, 100, {4, 0, 0, 0}).Created(3, 1020, 100, 20, 2, "fixed");  // #2
        stream.Allocated(3, 1030, 10).Allocated(3, 1060, 20);                                // #3 #4
        stream.Allocated(2, 1200, 50);                                                       // #5
        stream.Allocated(1, 2000, 64);                                                       // #6
        stream.Allocated(1, 3000, 100).Grown(2, 3000, 100).Allocated(2, 3010, 30);           // #7 #8
    }
};

std::vector<std::uint32_t> Ids(const std::vector<Nest>& nests) {
    std::vector<std::uint32_t> ids;
    for (const Nest& nest : nests) ids.push_back(nest.block.id.value);
    return ids;
}

}  // namespace

TEST_CASE("a nest says whose heap lies in whose block, and where") {
    const ThreeLevels stream;
    const HeapModel heap = AtEnd(stream);
    const auto inDefault = NestsIn(heap, kDefault, 0, kEverywhere, 100);
    REQUIRE(Ids(inDefault) == std::vector<std::uint32_t>{1, 7});
    CHECK(inDefault[0].child == kArena);
    CHECK(inDefault[0].owner == kDefault);
    CHECK(inDefault[0].begin == 1016);
    CHECK(inDefault[0].end == 1416);
    CHECK(inDefault[1].begin == 3000);
    const auto inArena = NestsIn(heap, kArena, 0, kEverywhere, 100);
    REQUIRE(Ids(inArena) == std::vector<std::uint32_t>{2});
    CHECK(inArena[0].usableEnd == 1100);
    CHECK(inArena[0].end == 1120);
    CHECK(NestsIn(heap, kFixed, 0, kEverywhere, 100).empty());
    CHECK(Ids(NestsIn(heap, kDefault, 1400, 3000, 100)) == std::vector<std::uint32_t>{1});
    CHECK(Ids(NestsIn(heap, kDefault, 1500, kEverywhere, 100)) == std::vector<std::uint32_t>{7});
    CHECK(Ids(NestsIn(heap, kDefault, 0, kEverywhere, 1)) == std::vector<std::uint32_t>{1});
    CHECK(NestsIn(heap, kDefault, 0, kEverywhere, 0).empty());
    // The block's header is the owner's alone.
    CHECK_FALSE(NestAt(heap, kDefault, 1010));
    CHECK(NestAt(heap, kDefault, 1016));
}

TEST_CASE("from a byte down to the innermost heap, and up to the block that holds it") {
    const ThreeLevels stream;
    const HeapModel heap = AtEnd(stream);
    const auto down = NestsDownTo(heap, kDefault, 1065);
    REQUIRE(Ids(down) == std::vector<std::uint32_t>{1, 2});
    CHECK(down.back().child == kFixed);
    CHECK(heap.BlockAt(kFixed, 1065)->id == BlockId{4});
    CHECK(NestsDownTo(heap, kDefault, 1210).size() == 1);
    CHECK(NestsDownTo(heap, kDefault, 2000).empty());
    CHECK(NestsDownTo(heap, kArena, 1065).size() == 1);

    CHECK(NestAround(heap, kFixed, 1065)->block.id == BlockId{2});
    CHECK(NestAround(heap, kArena, 3010)->block.id == BlockId{7});
    CHECK_FALSE(NestAround(heap, kArena, 2000));
    CHECK_FALSE(NestAround(heap, kDefault, 1065));
    CHECK(IsWithin(heap, kFixed, kDefault));
    CHECK_FALSE(IsWithin(heap, kDefault, kFixed));
    CHECK(RootOf(heap, kFixed) == kDefault);
    CHECK(RootOf(heap, kDefault) == kDefault);
}

TEST_CASE("bytes in use by somebody: a block that is a heap counts by what lies in it") {
    const ThreeLevels stream;
    const HeapModel heap = AtEnd(stream);
    std::size_t nests = 100;
    // Header of #1; of the arena: header of #2, bookkeeping, #3, #4, #5, then #6, and #8 in the second region.
    CHECK(NestedBytes(heap, kDefault, 0, kEverywhere, nests) == 8 + 4 + 20 + 10 + 20 + 50 + 64 + 30);
    CHECK(nests == 97);
    nests = 100;
    CHECK(NestedBytes(heap, kDefault, 1035, 1062, nests) == 5 + 2);
    nests = 1;  // the second level, and the second region, count as whole blocks
    CHECK(NestedBytes(heap, kDefault, 0, kEverywhere, nests) == 8 + 104 + 50 + 64 + 100);
    CHECK(nests == 0);
}

TEST_CASE("blocks are read like a page, into nested heaps and out again") {
    const ThreeLevels stream;
    const HeapModel heap = AtEnd(stream);
    const std::vector<std::pair<std::uint32_t, AllocatorId>> page{{1, kDefault}, {2, kArena},   {3, kFixed},
                                                                  {4, kFixed},   {5, kArena},   {6, kDefault},
                                                                  {7, kDefault}, {8, kArena}};
    for (std::size_t i = 0; i < page.size(); ++i) {
        const auto& [id, owner] = page[i];
        std::optional<model::Block> block;
        heap.VisitBlocks(owner, 0, kEverywhere, [&, wanted = id](const model::Block& each) {
            if (each.id.value == wanted) block = each;
            return true;
        });
        REQUIRE(block);
        const auto next = NextNested(heap, kDefault, owner, *block);
        const auto previous = PreviousNested(heap, kDefault, owner, *block);
        INFO(id);
        REQUIRE(next.has_value() == (i + 1 < page.size()));
        if (next) CHECK(next->id.value == page[i + 1].first);
        REQUIRE(previous.has_value() == (i > 0));
        if (previous) CHECK(previous->id.value == page[i - 1].first);
    }
    // With only the arena shown its page has the blocks of the arena and what lies in them.
    CHECK_FALSE(PreviousNested(heap, kArena, kArena, *heap.BlockAt(kArena, 1020)));
    CHECK(NextNested(heap, kArena, kArena, *heap.BlockAt(kArena, 1210))->id == BlockId{8});
}

TEST_CASE("two children in one block each have their part, until the last one ends") {
    Stream stream;
    stream.Created(1, 0, 1000).Allocated(1, 100, 400);
    stream.Created(2, 100, 200, 0, 1, "left").Created(3, 300, 150, 0, 1, "right").Allocated(3, 310, 7);
    HeapModel heap = AtEnd(stream);
    auto nests = NestsIn(heap, kDefault, 0, 1000, 100);
    REQUIRE(nests.size() == 2);
    CHECK(nests[0].child == kArena);
    CHECK(nests[1].child == kFixed);
    CHECK(nests[1].begin == 300);
    CHECK(NestAround(heap, kFixed, 310)->block.id == BlockId{1});

    const Row before = heap.Applied();
    stream.Destroyed(2);
    heap.Advance(stream.View(), stream.View().Rows(), kEverywhere);
    CHECK(NestsIn(heap, kDefault, 0, 1000, 100).size() == 1);
    CHECK(heap.Find(kDefault)->totals.regionBlocks == 1);  // it still is a child's
    CHECK(heap.Sum().payload == 7);
    stream.Destroyed(3);
    heap.Advance(stream.View(), stream.View().Rows(), kEverywhere);
    CHECK(NestsIn(heap, kDefault, 0, 1000, 100).empty());
    CHECK(heap.Find(kDefault)->totals.regionBlocks == 0);
    heap.Advance(stream.View(), before, kEverywhere);
    CHECK(NestsIn(heap, kDefault, 0, 1000, 100).size() == 2);
    CHECK(heap.Find(kDefault)->totals.regionBlocks == 1);
}

TEST_CASE("a log that makes no sense has nests that do not overlap, and an end") {
    Stream stream;
    // Regions over each other; parents that name each other.
    stream.Created(1, 0, 1000, 0, 2).Allocated(1, 100, 400);
    stream.Created(2, 100, 300, 50, 1).Allocated(2, 100, 200);
    stream.Created(3, 350, 140, 0, 1).Grown(1, 100, 200);
    const HeapModel heap = AtEnd(stream);
    std::uint64_t reached = 0;
    for (const Nest& nest : NestsIn(heap, kDefault, 0, 1000, 100)) {
        CHECK(nest.begin >= reached);
        CHECK(nest.end > nest.begin);
        CHECK((nest.usableEnd >= nest.begin && nest.usableEnd <= nest.end));
        reached = nest.end;
    }
    CHECK(reached == 490);
    CHECK(NestsDownTo(heap, kDefault, 150).size() <= static_cast<std::size_t>(model::kDeepestNest));
    std::size_t nests = 1000;
    CHECK(NestedBytes(heap, kDefault, 0, 1000, nests) <= 1000);
    (void)RootOf(heap, kDefault);
    CHECK(IsWithin(heap, kArena, kDefault));
}

TEST_CASE("nests are found among many blocks, as a search through every block finds them") {
    std::mt19937_64 random(5);
    Stream stream;
    stream.Created(1, 0, 1 << 20, 0, 0, "parent").Created(2, 0, 0, 0, 1, "child");
    std::vector<std::uint64_t> live;
    for (std::uint64_t at = 0; at + 200 < (1 << 20); at += 200) {
        stream.Allocated(1, at + 8, 150, {8, 0, 0, 0});
        if (random() % 7 == 0) stream.Grown(2, at + 8, 150), live.push_back(at + 8);
    }
    for (std::size_t i = 0; i < live.size(); i += 3) {
        stream.Shrunk(2, live[i], 150).Freed(1, live[i]);
    }
    HeapModel heap = AtEnd(stream);
    const auto check = [&] {
        for (int round = 0; round < 50; ++round) {
            const std::uint64_t begin = random() % (1 << 20), end = begin + random() % 20000;
            std::vector<std::uint32_t> wanted;
            heap.VisitBlocks(kDefault, begin, end, [&](const model::Block& block) {
                const bool nests = block.region && block.end > begin && block.address < end;
                if (nests && block.address + block.size > begin) wanted.push_back(block.id.value);
                return true;
            });
            REQUIRE(Ids(NestsIn(heap, kDefault, begin, end, 100000)) == wanted);
        }
    };
    check();
    // Backwards, half of the way, and over a copy.
    heap.Advance(stream.View(), Row{stream.View().Rows().value / 2}, kEverywhere);
    check();
    const HeapModel copy = heap;
    heap.Advance(stream.View(), stream.View().Rows(), kEverywhere);
    CHECK(heap == AtEnd(stream));
    heap = copy;
    check();
}
