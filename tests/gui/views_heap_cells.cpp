// The dense map's cells against a sum over every block.
#include <algorithm>
#include <random>

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

    void Create(std::uint64_t base, std::uint64_t bytes) {
        events::Event event;
        event.kind = events::EventKind::AllocatorCreated;
        event.allocator = AllocatorId{1};
        event.address = base;
        event.size = bytes;
        appender.Append(event, "test");
    }
    void Allocate(std::uint64_t address, std::uint64_t size) {
        events::Event event;
        event.kind = events::EventKind::Allocated;
        event.allocator = AllocatorId{1};
        event.address = address;
        event.size = size;
        appender.Append(&event, 1);
        blocks.emplace_back(address, address + size);
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
