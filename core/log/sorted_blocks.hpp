// Live blocks of any size and at any address, in order. A part of LiveBlocks (log/live_blocks.hpp), for what its tables
// of small blocks do not take. Blocks never overlap, so the block before an address is the only one that can hold it:
// one ordered search serves look-up, overlap and nearest block.
//
// Two levels of sorted arrays (a B+ tree cut to its last two levels): a step is a binary search in the upper one, a
// count of what is smaller among a leaf's 128 offsets (which a compiler makes vector instructions of, and whose cache
// lines come together), and moves about 2 KiB within the leaf; 36 bytes a block. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "log/live_block.hpp"

namespace residue::log {

class SortedBlocks {
public:
    std::size_t Count() const { return count_; }

    // Pointers are good until the next Insert or Erase. All return null where there is none.
    LiveBlock* Find(std::uint64_t address) const;        // whose payload starts there
    LiveBlock* Around(std::uint64_t address) const;      // that holds this byte
    LiveBlock* FirstTouching(std::uint64_t begin, std::uint64_t end) const;  // lowest that overlaps [begin, end)
    const LiveBlock* AtOrBefore(std::uint64_t address) const;  // the last that begins there or below
    const LiveBlock* After(std::uint64_t address) const;       // the first that begins above

    void Insert(const LiveBlock& block);                 // overlaps none
    void Erase(std::uint64_t address);                   // Find(address) is not null
    void Clear();

    // Those that touch [begin, end), in order of address.
    template <class Visit>
    void VisitTouching(std::uint64_t begin, std::uint64_t end, Visit visit) const {
        for (Place at = FirstEndingAfter(begin); Valid(at) && At(at).begin < end; Advance(at)) visit(At(at));
    }

private:
    static constexpr std::size_t kLeafBlocks = 128;

    struct Leaf {
        std::size_t used = 0;        // never 0
        std::uint64_t base = 0;      // not above any block's begin
        std::unique_ptr<LiveBlock[]> blocks;
        std::unique_ptr<std::int32_t[]> offsets;  // of begins from base; kFar: that far or farther; unused: kFar, too
    };
    static constexpr std::int32_t kFar = 0x7fffffff;
    struct Place {
        std::size_t leaf = 0;
        std::size_t index = 0;
    };

    bool Valid(Place at) const { return at.leaf < leaves_.size(); }
    LiveBlock& At(Place at) const { return leaves_[at.leaf].blocks[at.index]; }
    void Advance(Place& at) const {
        if (++at.index == leaves_[at.leaf].used) at = {at.leaf + 1, 0};
    }
    static Leaf NewLeaf();
    static std::int32_t OffsetOf(const Leaf& leaf, std::uint64_t begin) {
        const std::uint64_t offset = begin - leaf.base;
        return offset < kFar ? static_cast<std::int32_t>(offset) : kFar;
    }
    static void Measure(Leaf& leaf);  // base and offsets anew, from its blocks
    static std::size_t IndexIn(const Leaf& leaf, std::uint64_t address);
    bool LastAtOrBefore(std::uint64_t address, Place& at) const;  // by begin
    Place FirstEndingAfter(std::uint64_t address) const;
    void Split(std::size_t leaf, bool atEnd);
    void MergeWithNext(std::size_t leaf);

    std::vector<Leaf> leaves_;
    std::vector<std::uint64_t> firsts_;  // begin of the first block of each leaf: searched apart from the leaves
    std::size_t count_ = 0;
    // The last search: what looks for a block mostly inserts or erases right there afterwards.
    mutable std::uint64_t soughtAddress_ = 0;
    mutable Place sought_;
    mutable bool soughtIsGood_ = false;
};

}  // namespace residue::log
