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
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "model/block_set.hpp"
#include "model/heap_model.hpp"
#include "model/hole_sizes.hpp"

namespace residue::model {

class AllocatorHeap {
public:
    // While it is empty: from now on blocks are ranks of `order` (model/block_set.hpp).
    void Use(std::shared_ptr<const BlockOrder> order, AllocatorId allocator) { blocks_.Use(order, allocator); }
    // Can block `id` have a place in the order? If not it is a stray.
    bool Takes(std::uint32_t id) const { return blocks_.Takes(id); }
    bool IsOrdered() const { return blocks_.IsOrdered(); }
    bool IsLive(std::uint32_t id) const { return blocks_.IsLive(id); }  // where it is ordered: not a stray, not dead

    // True when some ordered block has a byte that `entry`, which is not there, would have.
    bool Overlaps(const BlockEntry& entry) const;

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

    // The short way for an ordinary block of a heap of bits: its seat, and what it is made of. False: not so ordinary
    // (a dead one somewhere, a child's region, over another one unless `disjoint`, there already or not there), and
    // nothing is changed.
    bool AddRank(const BlockOrder& order, const BlockOrder::Seat& seat, const BlockParts& parts, bool disjoint,
                 Totals& totals);
    bool RemoveRank(const BlockOrder& order, const BlockOrder::Seat& seat, const BlockParts& parts, Totals& totals);
    // Do these look at where neighbours lie?
    bool AsksForPlaces(bool disjoint) const { return !disjoint || (!regions_.empty() && !leavesHoles_); }
    // For far leaps: from LeaveHoles on these leave holes as they were, until FindHoles makes them anew from what lies
    // there then, O(blocks). Between the two, nothing but these may be called.
    bool HasHoles() const { return !regions_.empty(); }
    void LeaveHoles() { leavesHoles_ = true; }
    void FindHoles(Totals& totals);
    [[gnu::always_inline]] void Prefetch(std::uint32_t rank) const { blocks_.Prefetch(rank); }

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
    void VisitExtents(std::uint64_t begin, std::uint64_t end,
                      const std::function<bool(const BlockExtent&)>& visit) const;
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
    void FillCells(std::span<const std::uint64_t> edges, unsigned looks, std::span<CellContent> cells) const;
    const std::vector<Region>& Regions() const { return regions_; }
    const HoleSizes& SizesOfHoles() const { return holeSizes_; }

    bool operator==(const AllocatorHeap& other) const;
    std::size_t CopyBytes() const;  // what a copy costs before anything is written to it; an estimate

private:
    enum class Change { Appears, Goes };

    // All of an entry, with what has become of it.
    BlockEntry EntryOf(const BlockSet::Found& found) const;
    bool SameBlocks(const AllocatorHeap& other) const;
    void Count(const BlockEntry& entry, Change change, Totals& totals);
    // [begin, end) between its neighbours at `place` is taken out of holes, or becomes one with those beside it.
    void TakeFromHoles(const BlockSet::Place& place, std::uint64_t begin, std::uint64_t end, Totals& totals);
    void GiveToHoles(const BlockSet::Place& place, std::uint64_t begin, std::uint64_t end, Totals& totals);
    void InsertInOrder(const BlockEntry& entry, Totals& totals);
    void EraseInOrder(const BlockSet::Place& place, Totals& totals);
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
    // Those that touch [begin, end), strays among them, in order: inOrder(Found), stray(BlockEntry); false stops.
    template <class InOrder, class Stray>
    void WalkBlocks(std::uint64_t begin, std::uint64_t end, InOrder&& inOrder, Stray&& stray) const;
    template <class Visit>
    bool WalkHoles(std::uint64_t begin, std::uint64_t end, Visit&& visit) const;

    BlockSet blocks_;                                                         // disjoint, none empty
    std::map<std::pair<std::uint64_t, std::uint32_t>, BlockEntry> strays_;    // by begin and id
    std::set<std::pair<std::uint64_t, std::uint32_t>> regionBlocks_;          // those that are a child's region
    std::vector<Region> regions_;                                             // in address order, disjoint
    HoleSizes holeSizes_;
    unsigned __int128 squares_ = 0;
    bool leavesHoles_ = false;
};

}  // namespace residue::model
