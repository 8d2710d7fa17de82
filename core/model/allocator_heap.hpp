// The blocks, regions and holes of one allocator, with its totals kept up to date. A part of HeapModel.
//
// Holes are not stored: they are the gaps between blocks inside regions. What is kept is how many holes there are of
// each size, F and the sum of squares; the one or two holes that a step changes are found from its neighbours.
//
// Cost: AddBlock, RemoveBlock O(log blocks + log hole sizes); a change of regions O(blocks in the changed range).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "model/heap_model.hpp"
#include "model/ordered_chunks.hpp"

namespace residue::model {

// A live block as it is stored: what its birth said. Or a dead one: its bytes cannot be had again yet.
struct BlockEntry {
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    std::uint64_t rounding = 0;
    std::uint32_t id = 0;
    std::uint32_t trace = 0;
    std::uint32_t padding = 0;
    std::uint32_t slack = 0;
    std::uint16_t header = 0;
    bool region = false;
    bool dead = false;

    std::uint64_t Key() const { return begin; }
    std::uint64_t Weight() const { return header + size + rounding + padding + slack; }
    std::uint64_t End() const { return begin + Weight(); }
    Block ToBlock() const {
        return {BlockId{id}, begin, End(), begin + padding + header, size, TraceId{trace}, region};
    }
    friend bool operator==(const BlockEntry&, const BlockEntry&) = default;
};

struct HoleSizeEntry {
    std::uint64_t size = 0;
    std::uint64_t count = 0;
    std::uint64_t Key() const { return size; }
    std::uint64_t Weight() const { return count; }
    friend bool operator==(const HoleSizeEntry&, const HoleSizeEntry&) = default;
};

class AllocatorHeap {
public:
    // True when some ordered block has a byte in [begin, end).
    bool Overlaps(std::uint64_t begin, std::uint64_t end) const;

    // `stray`: a block of no bytes, or over another one; it has no place in the order and changes no hole.
    void AddBlock(const BlockEntry& entry, bool stray, Totals& totals);
    // Takes out the ordered block `id` whose payload is at `address`; false: there is none.
    bool RemoveBlock(std::uint32_t id, std::uint64_t address, Totals& totals);
    // An ordered live block dies where it is, and the same backwards; false: there is none.
    bool KillBlock(std::uint32_t id, std::uint64_t address, Totals& totals);
    bool ReviveBlock(std::uint32_t id, std::uint64_t address, bool region, Totals& totals);
    // Dead blocks that touch [begin, end) make room; AddDead puts them back.
    std::vector<BlockEntry> RemoveDead(std::uint64_t begin, std::uint64_t end, Totals& totals);
    void AddDead(const BlockEntry& entry, Totals& totals);
    bool RemoveStray(std::uint32_t id, std::uint64_t begin, Totals& totals);
    // Marks a live block as a child's region or takes the mark away; false: there is no such block.
    bool MarkRegion(std::uint32_t id, std::uint64_t address, bool region, Totals& totals);

    // What a change of regions did: `removed` regions at `index` gave way to `inserted` others; bytes outside of
    // [begin, end) are as they were.
    struct RegionChange {
        std::size_t index = 0;
        std::vector<Region> removed;
        std::size_t inserted = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        bool plain = false;  // AddRegion of bytes that no region had, without bookkeeping: RemoveRange undoes it
    };
    RegionChange AddRegion(std::uint64_t address, std::uint64_t size, std::uint64_t bookkeeping, Totals& totals);
    RegionChange RemoveRange(std::uint64_t begin, std::uint64_t end, Totals& totals);
    void Undo(const RegionChange& change, Totals& totals);

    void VisitBlocks(std::uint64_t begin, std::uint64_t end, const std::function<bool(const Block&)>& visit) const;
    void VisitDead(std::uint64_t begin, std::uint64_t end, const std::function<bool(const Block&)>& visit) const;
    void VisitHoles(std::uint64_t begin, std::uint64_t end, const std::function<bool(const Hole&)>& visit) const;
    void VisitRegions(std::uint64_t begin, std::uint64_t end, const std::function<bool(const Region&)>& visit) const;
    void VisitRegionBlocks(std::uint64_t begin, std::uint64_t end,
                           const std::function<bool(const Block&)>& visit) const;
    std::optional<Block> BlockAt(std::uint64_t address) const;
    std::optional<Block> NextBlock(std::uint64_t address) const;
    std::optional<Block> PreviousBlock(std::uint64_t address) const;
    std::optional<Hole> HoleAt(std::uint64_t address) const;
    std::optional<Hole> LargestHole() const;
    std::pair<std::uint64_t, std::uint64_t> Span() const;
    std::uint64_t OccupiedBytes(std::uint64_t begin, std::uint64_t end) const;
    void AddOccupancy(std::uint64_t begin, std::uint64_t bytesPerCell, std::span<std::uint64_t> cells) const;
    const std::vector<Region>& Regions() const { return regions_; }
    const OrderedChunks<HoleSizeEntry>& HoleSizes() const { return holeSizes_; }

    bool operator==(const AllocatorHeap& other) const;

private:
    using Blocks = OrderedChunks<BlockEntry>;
    enum class Change { Appears, Goes };

    std::optional<Blocks::Place> FindPlace(std::uint32_t id, std::uint64_t address) const;
    void Count(const BlockEntry& entry, Change change, Totals& totals);
    void InsertInOrder(const BlockEntry& entry, Totals& totals);
    void EraseInOrder(const Blocks::Place& place, Totals& totals);
    void CountRegion(const BlockEntry& entry, Change change, Totals& totals);
    std::vector<Region>::const_iterator FirstRegionEndingAfter(std::uint64_t address) const;
    // The index of the first region that ends at `address` or behind it, its bookkeeping included.
    std::size_t FirstRegionReaching(std::uint64_t address) const;
    // The hole inside [begin, end), which has no block, in each region there.
    void CountGap(std::uint64_t begin, std::uint64_t end, Change change, Totals& totals);
    void CountHole(std::uint64_t bytes, Change change, Totals& totals);
    void SettleHoles(Totals& totals);
    void ReplaceRegions(std::size_t index, std::size_t remove, std::span<const Region> insert, std::uint64_t begin,
                        std::uint64_t end, Totals& totals);
    template <class Visit>
    bool WalkHoles(std::uint64_t begin, std::uint64_t end, Visit&& visit) const;

    Blocks blocks_;                                                           // disjoint, none empty
    std::map<std::pair<std::uint64_t, std::uint32_t>, BlockEntry> strays_;    // by begin and id
    std::set<std::pair<std::uint64_t, std::uint32_t>> regionBlocks_;          // those that are a child's region
    std::vector<Region> regions_;                                             // in address order, disjoint
    OrderedChunks<HoleSizeEntry> holeSizes_;
    unsigned __int128 squares_ = 0;
};

}  // namespace residue::model
