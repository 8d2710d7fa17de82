// The heap at one moment: a fold over the log that steps both ways. Apply(row) and Unapply(row) are exact inverses.
//
// Cost: a step is O(log blocks); memory is about 70 bytes per live block. One thread; every view that needs another
// moment has a model of its own. A copy shares what neither has changed since (model/shared.hpp), so it costs about a
// 4,000th of the blocks; copies may be used by different threads.
//
// Apply is total. Rows that cannot be (a block born twice, the death of a block that is not live, a block that wraps
// around the address space) have no effect; blocks outside of all regions, of no bytes, or over other live blocks count
// in P and B and change no hole. What was freed to stay dead makes room for a block that is born over it all the same.
//
// What is known of an allocator's heap: its regions (from AllocatorCreated, RegionGrown, RegionShrunk). Where none is
// known (a recorded program's malloc), holes, H and all that depends on them are unknown, never 0 (heapKnown). Where
// only payloads are told (log::SourceInfo::payloadsOnly), H is known, and what seems a hole may be a header as well
// (partsTold).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "log/event_log.hpp"

namespace residue::model {

// A live block in the model. Addresses as in the log.
struct Block {
    BlockId id{};
    std::uint64_t begin = 0;    // first byte set aside
    std::uint64_t end = 0;      // one past the last
    std::uint64_t address = 0;  // of the payload
    std::uint64_t size = 0;     // payload, as requested
    TraceId trace{};            // who asked for it
    bool region = false;        // it is the region of a child allocator
};

// The little of it that a map needs.
struct BlockExtent {
    BlockId id{};
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

// A cell of a map.
struct CellContent {
    std::uint64_t occupied = 0;  // bytes set aside, dead ones too
    BlockId sample{};            // of the live blocks looked at, the one with the most bytes here; 0: none
    std::uint64_t sampleBytes = 0;  // of it, here
};

struct Hole {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t Bytes() const { return end - begin; }
};

struct Region {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;          // of what can be given out; bookkeeping lies behind it
    std::uint64_t bookkeeping = 0;
};

// Sums over one allocator, kept up to date by every step. Bytes, except where counted.
struct Totals {
    std::uint64_t payload = 0;     // P
    std::uint64_t header = 0;
    std::uint64_t padding = 0;
    std::uint64_t rounding = 0;
    std::uint64_t slack = 0;
    std::uint64_t blocks = 0;      // live blocks, counted
    bool heapKnown = false;
    bool partsTold = true;         // false: free, holes and the like are of gaps between payloads, headers included
    std::uint64_t heap = 0;        // H now, bookkeeping included
    std::uint64_t bookkeeping = 0;
    std::uint64_t free = 0;        // F
    std::uint64_t dead = 0;        // freed, and not to be had again before a reset: neither in B nor in F
    std::uint64_t holes = 0;       // n, counted
    std::uint64_t largestHole = 0;
    double sumOfSquares = 0;       // of hole sizes (exact: kept as 128 bits, handed out as a double)
    std::uint64_t regionPayload = 0;  // of `payload`: bytes that are a child allocator's region
    std::uint64_t regionBlocks = 0;

    std::uint64_t SetAside() const { return payload + header + padding + rounding + slack; }  // B
};

struct AllocatorState {
    AllocatorId id{};
    AllocatorId parent{};
    std::string name;
    bool alive = false;
    std::uint64_t base = 0;
    std::uint64_t capacity = 0;    // at its creation
    Totals totals;
};

class BlockOrder;  // model/block_order.hpp

class HeapModel {
public:
    HeapModel();
    // For a log that is whole, or up to the row that the order was made at (BlockOrder::Rows): blocks are bits of
    // `order`, so that a step costs no search, and copies cost little. All it tells is the same.
    explicit HeapModel(std::shared_ptr<const BlockOrder> order);
    ~HeapModel();
    HeapModel(const HeapModel&);
    HeapModel& operator=(const HeapModel&);
    HeapModel(HeapModel&&) noexcept;
    HeapModel& operator=(HeapModel&&) noexcept;

    bool IsOrdered() const;                    // made with an order: steps cost some 50 ns
    Row Applied() const;                       // rows applied; the next Apply takes this row
    void Apply(const log::LogView& log);       // Applied() < log.Rows()
    // The same for a caller that has read the row already: `event` is log.At(Applied()).
    void Apply(const log::LogView& log, const log::LoggedEvent& event);
    void Unapply(const log::LogView& log);     // Applied() > 0
    // Steps towards `target` for at most `budget` rows; true when it is there.
    bool Advance(const log::LogView& log, Row target, std::uint64_t budget);

    // Every allocator created so far in the log up to here, in order of id (an id that only ever appears in events has
    // a row too, with an empty name).
    const std::vector<AllocatorState>& Allocators() const;
    const AllocatorState* Find(AllocatorId id) const;
    Totals Sum() const;                        // over all allocators, requests that are a child's region left out

    // Blocks that were freed and whose bytes cannot be had again yet (an arena's), as VisitBlocks.
    void VisitDead(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                   const std::function<bool(const Block&)>& visit) const;
    // Live blocks and holes of one allocator that touch [begin, end), in address order. The visitor returns false to
    // stop.
    void VisitBlocks(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                     const std::function<bool(const Block&)>& visit) const;
    // The same live blocks, for a tenth of the cost where the heap is one of bits (it need not ask the log).
    void VisitExtents(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                      const std::function<bool(const BlockExtent&)>& visit) const;
    void VisitHoles(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                    const std::function<bool(const Hole&)>& visit) const;
    std::optional<Block> BlockAt(AllocatorId allocator, std::uint64_t address) const;  // the block around it
    std::optional<Block> NextBlock(AllocatorId allocator, std::uint64_t address) const;  // first with begin >= address
    // The last with begin < address.
    std::optional<Block> PreviousBlock(AllocatorId allocator, std::uint64_t address) const;
    std::optional<Hole> HoleAt(AllocatorId allocator, std::uint64_t address) const;
    std::optional<Hole> LargestHole(AllocatorId allocator) const;    // the lowest of the largest
    std::vector<Region> Regions(AllocatorId allocator) const;
    // Those that touch [begin, end), their bookkeeping included, in address order.
    void VisitRegions(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                      const std::function<bool(const Region&)>& visit) const;
    // Live blocks of one allocator that touch [begin, end) and are a child's region, in address order, without a look
    // at the blocks between: O(log) each. (Blocks that lie over other live ones are left out.)
    void VisitRegionBlocks(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                           const std::function<bool(const Block&)>& visit) const;
    // Whose region a block is, or holds: in order of id. None where the child is not known (yet). O(log).
    void VisitChildrenIn(BlockId block, const std::function<bool(AllocatorId)>& visit) const;
    // The address range that its regions (or, where unknown, its live blocks) span. Empty: begin == end.
    std::pair<std::uint64_t, std::uint64_t> Span(AllocatorId allocator) const;
    // Bytes set aside in [begin, end), dead ones too, without visiting every block: O(log) + what straddles the ends.
    std::uint64_t OccupiedBytes(AllocatorId allocator, std::uint64_t begin, std::uint64_t end) const;
    // For edges in ascending order: cell i tells of [edges[i], edges[i + 1]). One pass, cheaper than OccupiedBytes for
    // each: a place near the last one is found at once, and its bytes are summed from there. `looks`: at how many
    // blocks of a cell, from its begin on, the sample is chosen.
    void FillCells(AllocatorId allocator, std::span<const std::uint64_t> edges, unsigned looks,
                   std::span<CellContent> cells) const;
    // Adds to each cell the bytes set aside in it; cell i is [begin + i * bytesPerCell, + bytesPerCell). For maps of a
    // whole heap: at most one pass over the leaves of blocks, and over single blocks only where cells cut them apart.
    void AddOccupancy(AllocatorId allocator, std::uint64_t begin, std::uint64_t bytesPerCell,
                      std::span<std::uint64_t> cells) const;
    // Hole sizes and how many holes have each, ascending (for the free-index metrics).
    void VisitHoleSizes(AllocatorId allocator,
                        const std::function<void(std::uint64_t size, std::uint64_t count)>& visit) const;

    bool IsLive(BlockId block) const;
    // What a copy takes, in bytes, beside the nodes that it shares; an estimate.
    std::size_t CopyBytes() const;
    // Same state, field by field and block by block (for tests).
    bool operator==(const HeapModel& other) const;

private:
    friend class HeapGatherer;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::model
