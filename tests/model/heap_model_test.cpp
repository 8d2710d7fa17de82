#include "model/heap_model.hpp"

#include <algorithm>

#include "model/block_order.hpp"
#include "model/brute_force.hpp"
#include "support/catch.hpp"

using namespace residue;
using model::Block;
using model::HeapModel;
using model::Hole;
using test::Stream;

namespace {

constexpr std::uint64_t kEverywhere = ~std::uint64_t{0};

HeapModel At(const Stream& stream, std::uint64_t rows) {
    HeapModel heap;
    heap.Advance(stream.View(), Row{rows}, rows);
    return heap;
}
HeapModel AtEnd(const Stream& stream) { return At(stream, stream.View().Rows().value); }

std::vector<Hole> HolesOf(const HeapModel& heap, std::uint16_t id, std::uint64_t begin = 0,
                          std::uint64_t end = kEverywhere) {
    std::vector<Hole> holes;
    heap.VisitHoles(AllocatorId{id}, begin, end, [&](const Hole& hole) {
        holes.push_back(hole);
        return true;
    });
    return holes;
}
std::vector<Block> BlocksOf(const HeapModel& heap, std::uint16_t id, std::uint64_t begin = 0,
                            std::uint64_t end = kEverywhere) {
    std::vector<Block> blocks;
    heap.VisitBlocks(AllocatorId{id}, begin, end, [&](const Block& block) {
        blocks.push_back(block);
        return true;
    });
    return blocks;
}
const model::Totals& TotalsOf(const HeapModel& heap, std::uint16_t id) { return heap.Find(AllocatorId{id})->totals; }

// An empty heap, of each form.
std::vector<HeapModel> BothForms(const log::LogView& log) {
    std::vector<HeapModel> forms(1);
    forms.emplace_back(model::BlockOrder::Build(log));
    return forms;
}

void Fill(Stream& stream, std::uint32_t seed, int steps) {
    test::RandomStream random(seed);
    random.Begin(stream);
    for (int i = 0; i < steps; ++i) random.Step(stream);
}

}  // namespace

TEST_CASE("a block takes its parts out of the hole it is placed in") {
    Stream stream;
    stream.Created(1, 1000, 100, 10).Allocated(1, 1008, 20, {8, 0, 4, 0});
    const HeapModel heap = AtEnd(stream);
    const model::Totals& t = TotalsOf(heap, 1);
    CHECK(t.payload == 20);
    CHECK(t.SetAside() == 32);
    CHECK(t.heap == 100);
    CHECK(t.bookkeeping == 10);
    CHECK(t.free == 58);
    CHECK(t.holes == 1);
    CHECK(t.heap == t.SetAside() + t.free + t.bookkeeping);
    const Hole hole = *heap.LargestHole(AllocatorId{1});
    CHECK(hole.begin == 1032);
    CHECK(hole.end == 1090);
}

TEST_CASE("freeing between two holes makes them one") {
    Stream stream;
    stream.Created(1, 0x1000, 100).Allocated(1, 0x1000 + 10, 10).Allocated(1, 0x1000 + 50, 10).Freed(1, 0x1000 + 10);
    CHECK(HolesOf(At(stream, 3), 1).size() == 3);
    const auto holes = HolesOf(AtEnd(stream), 1);
    REQUIRE(holes.size() == 2);
    CHECK(holes[0].Bytes() == 50);
    CHECK(holes[1].Bytes() == 40);
}

TEST_CASE("a heap is unknown until it is told of a region") {
    Stream stream;
    stream.Created(1, 0, 0).Allocated(1, 64, 8).Grown(1, 64, 32).Grown(1, 96, 32);
    CHECK_FALSE(TotalsOf(At(stream, 2), 1).heapKnown);
    const HeapModel heap = AtEnd(stream);
    CHECK(TotalsOf(heap, 1).heapKnown);
    REQUIRE(heap.Regions(AllocatorId{1}).size() == 1);  // neighbours become one
    CHECK(TotalsOf(heap, 1).free == 56);
    HeapModel back = heap;
    while (back.Applied().value > 0) back.Unapply(stream.View());
    CHECK(back == HeapModel());
}

TEST_CASE("bookkeeping keeps regions apart") {
    Stream stream;
    stream.Created(1, 100, 50, 10).Grown(1, 150, 50);
    const HeapModel heap = AtEnd(stream);
    REQUIRE(heap.Regions(AllocatorId{1}).size() == 2);
    CHECK(TotalsOf(heap, 1).holes == 2);
    CHECK(TotalsOf(heap, 1).heap == 100);
    CHECK(heap.Span(AllocatorId{1}) == std::pair<std::uint64_t, std::uint64_t>{100, 200});
}

TEST_CASE("a request that is a child's region is left out of the sum") {
    Stream stream;
    stream.Created(1, 1000, 1000).Allocated(1, 1016, 200, {16}).Created(2, 1016, 200, 0, 1).Allocated(2, 1016, 50);
    const HeapModel heap = AtEnd(stream);
    CHECK(heap.Sum().payload == 50);
    CHECK(heap.Sum().blocks == 1);
    CHECK(heap.Sum().heap == 1000);
    CHECK(TotalsOf(heap, 1).payload == 200);
    CHECK(BlocksOf(heap, 1)[0].region);

    SECTION("and is an ordinary block again when the child is destroyed") {
        stream.Destroyed(2);
        HeapModel after = AtEnd(stream);
        CHECK(after.Sum().payload == 200);
        CHECK(after.Sum().blocks == 1);
        after.Unapply(stream.View());
        CHECK(after == heap);
    }
    SECTION("also after it was freed and that was undone") {
        stream.Freed(1, 1016);
        HeapModel after = AtEnd(stream);
        after.Unapply(stream.View());
        CHECK(after == heap);
        CHECK(after.Sum().payload == 50);
    }
}

TEST_CASE("a block outside of all regions counts and changes no hole") {
    Stream stream;
    stream.Created(1, 1000, 100).Allocated(1, 5000, 40).Allocated(1, 990, 20);
    const HeapModel heap = AtEnd(stream);
    CHECK(TotalsOf(heap, 1).payload == 60);
    CHECK(TotalsOf(heap, 1).free == 90);  // the second one reaches in by 10 bytes
    CHECK(BlocksOf(heap, 1).size() == 2);
}

TEST_CASE("a block of no bytes is found and parts no hole") {
    Stream stream;
    stream.Created(1, 1000, 100).Allocated(1, 1010, 0).Allocated(1, 1034, 16, {4});
    const HeapModel heap = AtEnd(stream);
    REQUIRE(BlocksOf(heap, 1).size() == 2);
    CHECK(TotalsOf(heap, 1).holes == 2);
    CHECK(heap.IsLive(BlockId{1}));
    CHECK(heap.BlockAt(AllocatorId{1}, 1035)->id == BlockId{2});
    CHECK(heap.BlockAt(AllocatorId{1}, 1010)->id == BlockId{1});
    CHECK(heap.NextBlock(AllocatorId{1}, 1000)->id == BlockId{1});
    CHECK(heap.PreviousBlock(AllocatorId{1}, 2000)->id == BlockId{2});
    CHECK_FALSE(heap.PreviousBlock(AllocatorId{1}, 1010));
}

TEST_CASE("rows that cannot be have no effect and can be undone") {
    log::EventLog log;  // by hand: the appender would not let them through
    log::LoggedEvent e;
    e.event.kind = events::EventKind::Freed;
    e.event.allocator = AllocatorId{1};
    e.block = BlockId{7};
    log.Append(e);
    const BlockId block = log.AddBlock();
    e.event.kind = events::EventKind::Allocated;
    e.event.address = ~std::uint64_t{0} - 4;  // wraps around
    e.event.size = 100;
    e.block = block;
    log.Append(e);
    e.event.address = 4;  // a header before the address space
    e.event.header = 8;
    e.block = log.AddBlock();
    log.Append(e);
    e.event.header = 0;
    e.block = log.AddBlock();
    log.Append(e);
    log.Append(e);  // the same block once more
    e.block = BlockId{4'000'000'000u};
    log.Append(e);
    for (HeapModel& heap : BothForms(log.View())) {
        CHECK(heap.Advance(log.View(), log.View().Rows(), 100));
        CHECK(heap.Sum().blocks == 1);
        CHECK(heap.Advance(log.View(), Row{0}, 100));
        CHECK(heap == HeapModel());
    }
}

TEST_CASE("blocks over live blocks change no hole and leave no trace") {
    log::EventLog log;
    log::LoggedEvent e;
    e.event.allocator = AllocatorId{1};
    e.event.kind = events::EventKind::AllocatorCreated;
    e.event.address = 1000;
    e.event.size = 100;
    log.Append(e);
    e.event.kind = events::EventKind::Allocated;
    BlockId blocks[2];
    for (int i = 0; i < 2; ++i) {
        e.event.address = 1010 + static_cast<std::uint64_t>(i);
        e.event.size = 20;
        e.block = blocks[i] = log.AddBlock();
        log.Append(e);
    }
    e.event.kind = events::EventKind::Freed;
    for (int i = 0; i < 2; ++i) {
        e.event.address = 1010 + static_cast<std::uint64_t>(i);
        e.block = blocks[i];
        log.Append(e);
    }
    std::vector<HeapModel> moments(1);
    while (moments.back().Applied() < log.View().Rows()) {
        moments.push_back(moments.back());
        moments.back().Apply(log.View());
    }
    CHECK(TotalsOf(moments[3], 1).free == 80);
    CHECK(TotalsOf(moments[3], 1).payload == 40);
    CHECK(TotalsOf(moments[5], 1).free == 100);
    HeapModel heap = moments.back();
    while (heap.Applied().value > 0) {
        heap.Unapply(log.View());
        REQUIRE(heap == moments[heap.Applied().value]);
    }
}

TEST_CASE("what stays dead is neither live nor free until a bulk free over it") {
    Stream stream;
    stream.Created(1, 1000, 100).Allocated(1, 1000, 20).Allocated(1, 1020, 30).FreedStaysDead(1, 1000);
    const log::LogView log = stream.View();
    HeapModel heap = AtEnd(stream);
    const model::Totals& t = TotalsOf(heap, 1);
    CHECK(t.dead == 20);
    CHECK(t.payload == 30);
    CHECK(t.blocks == 1);
    CHECK(t.free == 50);
    CHECK(t.heap == t.SetAside() + t.free + t.dead + t.bookkeeping);
    CHECK_FALSE(heap.BlockAt(AllocatorId{1}, 1005));
    CHECK_FALSE(heap.HoleAt(AllocatorId{1}, 1005));
    CHECK(BlocksOf(heap, 1).size() == 1);
    CHECK(heap.NextBlock(AllocatorId{1}, 0)->address == 1020);
    CHECK_FALSE(heap.PreviousBlock(AllocatorId{1}, 1020));
    std::vector<Block> dead;
    heap.VisitDead(AllocatorId{1}, 0, kEverywhere, [&](const Block& block) {
        dead.push_back(block);
        return true;
    });
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].end == 1020);

    const HeapModel before = heap;
    stream.BulkFreed(1, 1000, 100);
    heap.Apply(stream.View());
    CHECK(TotalsOf(heap, 1).dead == 0);
    CHECK(TotalsOf(heap, 1).free == 100);
    heap.Unapply(stream.View());
    CHECK(heap == before);
    heap.Unapply(stream.View());
    CHECK(TotalsOf(heap, 1).dead == 0);
    CHECK(heap.BlockAt(AllocatorId{1}, 1005)->size == 20);
}

TEST_CASE("every total equals a byte map worked out from the log", "[property]") {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        Stream stream;
        Fill(stream, seed, 300);
        const log::LogView log = stream.View();
        for (HeapModel& heap : BothForms(log)) for (test::Regions regions; heap.Applied() < log.Rows();) {
            regions.Read(log, heap.Applied());
            heap.Apply(log);
            for (const auto& state : heap.Allocators()) {
                const test::Worked worked = test::WorkOut(log, heap.Applied(), state.id, regions);
                const model::Totals& t = state.totals;
                CAPTURE(seed, heap.Applied().value, state.id.value);
                REQUIRE(t.payload == worked.totals.payload);
                REQUIRE(t.header == worked.totals.header);
                REQUIRE(t.padding == worked.totals.padding);
                REQUIRE(t.rounding == worked.totals.rounding);
                REQUIRE(t.slack == worked.totals.slack);
                REQUIRE(t.blocks == worked.totals.blocks);
                REQUIRE(t.heapKnown == worked.totals.heapKnown);
                REQUIRE(t.heap == worked.totals.heap);
                REQUIRE(t.bookkeeping == worked.totals.bookkeeping);
                REQUIRE(t.free == worked.totals.free);
                REQUIRE(t.dead == worked.totals.dead);
                REQUIRE(t.holes == worked.totals.holes);
                REQUIRE(t.largestHole == worked.totals.largestHole);
                REQUIRE(t.sumOfSquares == worked.totals.sumOfSquares);
            }
        }
    }
}

TEST_CASE("every query by address equals a byte map worked out from the log", "[property]") {
    for (std::uint32_t seed = 11; seed <= 13; ++seed) {
        Stream stream;
        Fill(stream, seed, 200);
        const log::LogView log = stream.View();
        test::RandomStream random(seed);
        for (HeapModel& heap : BothForms(log)) for (test::Regions regions; heap.Applied() < log.Rows();) {
            regions.Read(log, heap.Applied());
            heap.Apply(log);
            for (const auto& state : heap.Allocators()) {
                const test::Worked worked = test::WorkOut(log, heap.Applied(), state.id, regions);
                const std::uint64_t begin = random.Below(test::kMemory), end = begin + random.Below(600);
                CAPTURE(seed, heap.Applied().value, state.id.value, begin, end);
                std::uint64_t touching = 0, occupied = 0;
                std::vector<std::uint64_t> cells(7), expected(7);
                for (const auto& e : worked.blocks) {
                    const bool none = e.SetAside() == 0;
                    if (none ? e.Begin() >= begin && e.Begin() < end : e.Begin() < end && e.End() > begin) ++touching;
                    for (std::uint64_t a = e.Begin(); a < e.End(); ++a) {
                        if (a >= begin && a < end) ++occupied;
                        if (a >= begin && (a - begin) / 100 < 7) ++expected[(a - begin) / 100];
                    }
                }
                for (const auto& e : regions.DeadOf(state.id)) {
                    for (std::uint64_t a = e.Begin(); a < e.End(); ++a) {
                        if (a >= begin && a < end) ++occupied;
                        if (a >= begin && (a - begin) / 100 < 7) ++expected[(a - begin) / 100];
                    }
                }
                const auto blocks = BlocksOf(heap, state.id.value, begin, end);
                REQUIRE(blocks.size() == touching);
                std::size_t next = 0;
                heap.VisitExtents(state.id, begin, end, [&](const model::BlockExtent& extent) {
                    REQUIRE(next < blocks.size());
                    REQUIRE(extent.id == blocks[next].id);
                    REQUIRE(extent.begin == blocks[next].begin);
                    REQUIRE(extent.end == blocks[next].end);
                    ++next;
                    return true;
                });
                REQUIRE(next == touching);
                REQUIRE(heap.OccupiedBytes(state.id, begin, end) == occupied);
                heap.AddOccupancy(state.id, begin, 100, cells);
                REQUIRE(cells == expected);
                // Cells of any width, none too, and what has the most bytes in each.
                std::vector<std::uint64_t> edges{begin};
                while (edges.size() < 9) edges.push_back(edges.back() + random.Below(3) * random.Below(60));
                std::vector<model::CellContent> contents(edges.size() - 1);
                heap.FillCells(state.id, edges, 1000, contents);
                for (std::size_t i = 0; i < contents.size(); ++i) {
                    CAPTURE(edges[i], edges[i + 1], contents[i].sample.value);
                    REQUIRE(contents[i].occupied == heap.OccupiedBytes(state.id, edges[i], edges[i + 1]));
                    std::uint64_t most = 0, ofSample = 0;
                    heap.VisitExtents(state.id, edges[i], edges[i + 1], [&](const model::BlockExtent& block) {
                        const std::uint64_t from = std::max(block.begin, edges[i]),
                                            to = std::min(block.end, edges[i + 1]);
                        most = std::max(most, to > from ? to - from : 0);
                        if (block.id == contents[i].sample) ofSample = to - from;
                        return true;
                    });
                    REQUIRE(contents[i].sampleBytes == most);
                    REQUIRE(ofSample == most);
                }
                std::vector<Hole> holes;
                std::copy_if(worked.holes.begin(), worked.holes.end(), std::back_inserter(holes),
                             [&](const Hole& h) { return h.begin < end && h.end > begin; });
                const auto same = [](const Hole& a, const Hole& b) { return a.begin == b.begin && a.end == b.end; };
                const auto told = HolesOf(heap, state.id.value, begin, end);
                REQUIRE(std::equal(holes.begin(), holes.end(), told.begin(), told.end(), same));
                const auto smaller = [](const Hole& a, const Hole& b) { return a.Bytes() < b.Bytes(); };
                const auto largest = std::max_element(worked.holes.begin(), worked.holes.end(), smaller);
                const auto toldLargest = heap.LargestHole(state.id);
                REQUIRE(toldLargest.has_value() == (largest != worked.holes.end()));
                if (toldLargest) REQUIRE(same(*toldLargest, *largest));
                const auto at = heap.HoleAt(state.id, begin);
                const auto around = std::find_if(worked.holes.begin(), worked.holes.end(),
                                                 [&](const Hole& h) { return h.begin <= begin && h.end > begin; });
                REQUIRE(at.has_value() == (around != worked.holes.end()));
                if (at) REQUIRE(same(*at, *around));
            }
        }
    }
}

TEST_CASE("backward over the whole log passes through the same heaps as forward", "[property]") {
    for (std::uint32_t seed = 21; seed <= 23; ++seed) {
        Stream stream;
        Fill(stream, seed, 500);
        const log::LogView log = stream.View();
        std::vector<HeapModel> moments(1);  // copies share what did not change
        while (moments.back().Applied() < log.Rows()) {
            moments.push_back(moments.back());
            moments.back().Apply(log);
        }
        for (HeapModel& heap : BothForms(log)) {
            REQUIRE(heap.Advance(log, log.Rows(), kEverywhere));
            while (heap.Applied().value > 0) {
                heap.Unapply(log);
                CAPTURE(seed, heap.Applied().value);
                REQUIRE(heap == moments[heap.Applied().value]);
            }
            // And forward again after having been backward, many rows at once.
            test::RandomStream anywhere(seed);
            for (int i = 0; i < 100; ++i) {
                const std::uint64_t row = anywhere.Below(log.Rows().value + 1);
                REQUIRE(heap.Advance(log, Row{row}, kEverywhere));
                REQUIRE(heap == moments[row]);
            }
        }
    }
}

// The property tests' streams have something odd in nearly every heap; here nothing is, and the short way is taken.
TEST_CASE("an ordinary log passes through the same heaps, in both forms", "[property]") {
    for (std::uint32_t seed = 41; seed <= 43; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        std::vector<std::pair<std::uint16_t, std::uint64_t>> blocks;
        stream.Created(1, 0x1000, 0x4000, 64).Created(2, 0, 0);
        for (int i = 0; i < 1500; ++i) {
            // Rows that a leap over many cannot take the short way.
            if (i % 400 == 399) stream.Grown(2, 0x1000 + 8 * static_cast<std::uint64_t>(i), 1024);
            if (i % 150 == 100) stream.Of(events::EventKind::Marker, 0, "here");
            if (i % 700 == 699) stream.Resized(3, 0x100, 0x100, 32);
            if (blocks.empty() || random.Below(5) < 3) {
                const auto id = static_cast<std::uint16_t>(1 + random.Below(3));
                const std::uint64_t address = 0x1000 + 64 * random.Below(0x100) + 16;
                if (std::find(blocks.begin(), blocks.end(), std::pair{id, address}) != blocks.end()) continue;
                stream.Allocated(id, address, 1 + random.Below(40), {static_cast<std::uint16_t>(8 * random.Below(2))});
                blocks.emplace_back(id, address);
            } else {
                const std::size_t which = random.Below(blocks.size());
                stream.Freed(blocks[which].first, blocks[which].second);
                blocks[which] = blocks.back();
                blocks.pop_back();
            }
        }
        const log::LogView log = stream.View();
        std::vector<HeapModel> moments(1);
        while (moments.back().Applied() < log.Rows()) {
            moments.push_back(moments.back());
            moments.back().Apply(log);
        }
        HeapModel heap(model::BlockOrder::Build(log));
        for (int i = 0; i < 300; ++i) {
            const std::uint64_t row = random.Below(log.Rows().value + 1);
            CAPTURE(seed, i, heap.Applied().value, row);
            REQUIRE(heap.Advance(log, Row{row}, kEverywhere));
            REQUIRE(heap == moments[row]);
        }
        REQUIRE(heap.Advance(log, log.Rows(), kEverywhere));  // from now on it is known that no blocks overlap
        for (int i = 0; i < 300; ++i) {
            const std::uint64_t row = random.Below(log.Rows().value + 1);
            REQUIRE(heap.Advance(log, Row{row}, kEverywhere));
            REQUIRE(heap == moments[row]);
        }
    }
}

TEST_CASE("overlapping and cut regions are undone exactly", "[property]") {
    for (std::uint32_t seed = 31; seed <= 33; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        for (int i = 0; i < 300; ++i) {
            const auto id = static_cast<std::uint16_t>(1 + random.Below(2));
            const std::uint64_t address = 100 + random.Below(1000), size = random.Below(300);
            switch (random.Below(6)) {
                case 0: stream.Created(id, address, size, random.Below(40)); break;
                case 1: case 2: stream.Grown(id, address, size); break;
                case 3: stream.Shrunk(id, address, size); break;
                case 4: if (random.Below(6) == 0) stream.Destroyed(id); break;
                default: stream.Allocated(id, address, random.Below(40), random.SomeParts()); break;
            }
        }
        const log::LogView log = stream.View();
        std::vector<HeapModel> moments(1);
        while (moments.back().Applied() < log.Rows()) {
            moments.push_back(moments.back());
            moments.back().Apply(log);
            for (const auto& state : moments.back().Allocators()) {
                std::uint64_t free = 0, count = 0;
                for (const Hole& hole : HolesOf(moments.back(), state.id.value)) free += hole.Bytes(), ++count;
                REQUIRE(state.totals.free == free);
                REQUIRE(state.totals.holes == count);
            }
        }
        for (HeapModel& heap : BothForms(log)) {
            REQUIRE(heap.Advance(log, log.Rows(), kEverywhere));
            while (heap.Applied().value > 0) {
                heap.Unapply(log);
                REQUIRE(heap == moments[heap.Applied().value]);
            }
        }
    }
}

TEST_CASE("a copy is not changed by what happens to the original") {
    Stream stream;
    stream.Created(1, 0x1000, 0x100000);
    for (std::uint64_t i = 0; i < 5000; ++i) stream.Allocated(1, 0x1000 + 64 * i, 32);
    for (std::uint64_t i = 0; i < 5000; i += 3) stream.Freed(1, 0x1000 + 64 * i);
    const HeapModel early = At(stream, 5001);
    HeapModel late = early;
    late.Advance(stream.View(), stream.View().Rows(), 100000);
    CHECK(early == At(stream, 5001));
    CHECK(late == AtEnd(stream));
    CHECK_FALSE(late == early);
}
