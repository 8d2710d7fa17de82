// The dense map's cells against a sum over every block.
#include <algorithm>
#include <random>

#include "gui/views/changed_ranges.hpp"
#include "gui/views/heap_cells.hpp"
#include "gui/views/heap_pieces.hpp"
#include "log/appender.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;

namespace {

struct Heap {
    log::EventLog log;
    log::Appender appender{log};
    model::HeapModel model;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> blocks;  // live, by hand

    void Create(std::uint64_t base, std::uint64_t bytes, std::uint16_t id = 1, std::uint16_t parent = 0) {
        events::Event event;
        event.kind = events::EventKind::AllocatorCreated;
        event.allocator = AllocatorId{id};
        event.header = parent;
        event.address = base;
        event.size = bytes;
        appender.Append(event, "test");
    }
    // A block that will hold a child's heap is not counted by hand: what lies in it is.
    void Allocate(std::uint64_t address, std::uint64_t size, std::uint16_t id = 1, bool counts = true) {
        events::Event event;
        event.kind = events::EventKind::Allocated;
        event.allocator = AllocatorId{id};
        event.address = address;
        event.size = size;
        appender.Append(&event, 1);
        if (counts) blocks.emplace_back(address, address + size);
    }
    void Settle() { model.Advance(log.View(), log.View().Rows(), ~std::uint64_t{0}); }
    std::uint64_t Occupied(std::uint64_t begin, std::uint64_t end) const {
        std::uint64_t sum = 0;
        for (const auto& [from, to] : blocks) {
            const std::uint64_t low = std::max(from, begin), high = std::min(to, end);
            if (high > low) sum += high - low;
        }
        return sum;
    }
};

}  // namespace

TEST_CASE("a cell's occupied bytes are the sum over all blocks, whether visited or looked up") {
    std::mt19937_64 random(7);
    Heap heap;
    const std::uint64_t base = 0x10000, bytes = 1 << 20;
    heap.Create(base, bytes);
    for (std::uint64_t at = base; at < base + bytes - 5000;) {
        const std::uint64_t size = 1 + random() % (random() % 20 == 0 ? 4000 : 60);
        if (random() % 3 != 0) heap.Allocate(at, size);
        at += size;
    }
    heap.Settle();
    // Rows with few blocks for their cells are visited, rows with many are looked up: both must be tried.
    for (const std::uint64_t rowBytes : {1024u, 8192u, 65536u, 1u << 19}) {
        for (const std::int64_t width : {7, 100, 640}) {
            HeapLayout layout;
            layout.Set({{base, base + bytes}}, {rowBytes, base % rowBytes, width, 10, 10});
            for (const std::int64_t cellWidth : {std::int64_t{1}, std::int64_t{3}}) {
                std::vector<HeapCell> cells;
                const std::uint64_t address = base + random() % bytes;
                ComputeRow(heap.model, AllocatorId{1}, layout, address, cellWidth, cells);
                REQUIRE(cells.size() == static_cast<std::size_t>((width + cellWidth - 1) / cellWidth));
                std::uint64_t at = layout.RowBegin(address);
                for (const HeapCell& cell : cells) {
                    REQUIRE(cell.occupied == heap.Occupied(at, at + cell.bytes));
                    REQUIRE((cell.occupied == 0) == !cell.sample);
                    at += cell.bytes;
                }
                CHECK(at == layout.RowLast(address) + 1);
            }
        }
    }
}

TEST_CASE("cells of nested heaps count the innermost blocks, whether visited or looked up") {
    std::mt19937_64 random(9);
    Heap heap;
    const std::uint64_t base = 0x10000, bytes = 1 << 20;
    heap.Create(base, bytes);
    std::uint16_t next = 2;
    // Fills [begin, end) of an allocator with blocks, some of which are heaps themselves.
    const auto fill = [&](auto& self, std::uint16_t id, std::uint64_t begin, std::uint64_t end, int depth) -> void {
        for (std::uint64_t at = begin; at + 16 < end;) {
            const bool nest = depth < 3 && random() % 9 == 0;
            const std::uint64_t size = std::min(end - at, nest ? 300 + random() % 40000 : 1 + random() % 60);
            if (random() % 3 != 0) {
                heap.Allocate(at, size, id, !nest);
                if (nest) {
                    const std::uint16_t child = next++;
                    heap.Create(at, size, child, id);
                    self(self, child, at, at + size, depth + 1);
                }
            }
            at += size;
        }
    };
    fill(fill, 1, base, base + bytes, 0);
    heap.Settle();
    REQUIRE(next > 50);
    for (const std::uint64_t rowBytes : {1024u, 8192u, 65536u}) {
        for (const std::int64_t width : {100, 640}) {
            HeapLayout layout;
            layout.Set({{base, base + bytes}}, {rowBytes, base % rowBytes, width, 10, 10});
            for (int round = 0; round < 8; ++round) {
                std::vector<HeapCell> cells;
                const std::uint64_t address = base + random() % bytes;
                const CellWork work = ComputeRow(heap.model, AllocatorId{1}, layout, address, 1, cells);
                REQUIRE_FALSE(work.crowded);
                std::uint64_t at = layout.RowBegin(address);
                for (const HeapCell& cell : cells) {
                    REQUIRE(cell.occupied == heap.Occupied(at, at + cell.bytes));
                    REQUIRE((cell.occupied == 0) == !cell.sample);
                    at += cell.bytes;
                }
            }
        }
    }
}

TEST_CASE("a row with more heaps in it than cells looks into as many as cells, and says so") {
    Heap heap;
    heap.Create(0, 1 << 20);
    heap.Create(0, 0, 2, 1);
    for (std::uint64_t i = 0; i < 10000; ++i) {
        heap.Allocate(i * 100, 90, 1, false);
        events::Event grown;
        grown.kind = events::EventKind::RegionGrown;
        grown.allocator = AllocatorId{2};
        grown.address = i * 100;
        grown.size = 90;
        heap.appender.Append(&grown, 1);
    }
    heap.Settle();
    HeapLayout layout;
    layout.Set({{0, 1 << 20}}, {1 << 20, 0, 200, 10, 10});
    std::vector<HeapCell> cells;
    const CellWork work = ComputeRow(heap.model, AllocatorId{1}, layout, 0, 1, cells);
    CHECK(work.crowded);
    CHECK(work.queries <= 20 * 200);
    CHECK(cells[0].occupied == 0);     // looked into: all is free there
    CHECK(cells[150].occupied > 4000);  // not looked into: plain blocks
}

TEST_CASE("a row with a hundred thousand blocks costs as much as its cells") {
    Heap heap;
    heap.Create(0, 1 << 22);
    for (std::uint64_t i = 0; i < 100000; ++i) heap.Allocate(i * 32, 24);
    heap.Settle();
    HeapLayout layout;
    layout.Set({{0, 1 << 22}}, {1 << 22, 0, 200, 10, 10});
    std::vector<HeapCell> cells;
    const CellWork work = ComputeRow(heap.model, AllocatorId{1}, layout, 0, 1, cells);
    CHECK(work.visited <= 4 * 200 + 1);
    CHECK(work.queries <= 2 * 200);
}

TEST_CASE("what a step changed is told: elsewhere two moments are the same", "[property]") {
    std::mt19937_64 random(3);
    Heap heap;
    heap.Create(0x1000, 0x8000);
    std::vector<std::uint64_t> live;
    for (int i = 0; i < 1500; ++i) {
        events::Event event;
        event.allocator = AllocatorId{1};
        if (random() % 2 == 0 || live.empty()) {
            const std::uint64_t address = 0x1000 + random() % 0x200 * 0x40;
            if (std::find(live.begin(), live.end(), address) != live.end()) continue;
            event.kind = events::EventKind::Allocated;
            event.address = address;
            event.size = 1 + random() % 0x40;
            live.push_back(address);
        } else {
            const std::size_t victim = random() % live.size();
            event.kind = events::EventKind::Freed;
            event.address = live[victim];
            live.erase(live.begin() + static_cast<std::ptrdiff_t>(victim));
        }
        heap.appender.Append(&event, 1);
    }
    const log::LogView view = heap.log.View();
    const std::uint64_t rows = view.Rows().value;
    int told = 0;
    for (int i = 0; i < 200; ++i) {
        const Row from{random() % rows}, to{i % 4 == 0 ? random() % rows : std::min(rows, from.value + random() % 20)};
        model::HeapModel before, after;
        before.Advance(view, from, rows);
        after.Advance(view, to, rows);
        std::vector<std::pair<std::uint64_t, std::uint64_t>> changed;
        if (!VisitChanges(view, from, to, [&](auto begin, auto end) { changed.emplace_back(begin, end); })) {
            CHECK(std::max(from, to).value - std::min(from, to).value > 512);
            continue;
        }
        ++told;
        for (std::uint64_t at = 0x1000; at < 0x9000; at += 8) {
            if (before.OccupiedBytes(AllocatorId{1}, at, at + 8) == after.OccupiedBytes(AllocatorId{1}, at, at + 8))
                continue;
            CAPTURE(from.value, to.value, at);
            REQUIRE(std::any_of(changed.begin(), changed.end(),
                                [&](const auto& range) { return range.first < at + 8 && range.second > at; }));
        }
    }
    CHECK(told > 100);
}

TEST_CASE("the pieces of a heap are its regions, else the neighbourhoods of its blocks") {
    Heap known;
    known.Create(0x10000, 0x4000);
    known.Settle();
    const HeapPieces regions = FindPieces(known.model, AllocatorId{1});
    CHECK(regions.known);
    REQUIRE(regions.pieces.size() == 1);
    CHECK(regions.pieces[0] == Piece{0x10000, 0x14000});

    Heap unknown;
    std::mt19937_64 random(11);
    for (const std::uint64_t base : {0x5555'0000'0000u * 1ull, 0x7f00'0000'0000ull, 0x7f10'0000'0000ull}) {
        for (std::uint64_t i = 0; i < 3000; ++i) unknown.Allocate(base + i * 4096 + random() % 64, 1 + random() % 3000);
    }
    unknown.Settle();
    const HeapPieces found = FindPieces(unknown.model, AllocatorId{1});
    CHECK_FALSE(found.known);
    REQUIRE(found.pieces.size() == 3);
    for (const auto& block : unknown.blocks) {
        const bool inside = std::any_of(found.pieces.begin(), found.pieces.end(), [&](const Piece& piece) {
            return block.first >= piece.begin && block.second <= piece.end;
        });
        REQUIRE(inside);
    }
    CHECK(found.pieces[0].end - found.pieces[0].begin <= 3001 * 4096 + 0x20000);

    Heap empty;
    CHECK(FindPieces(empty.model, AllocatorId{1}).pieces.empty());
}
