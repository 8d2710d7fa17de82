// The live blocks of one allocator, by address. Blocks never overlap, so the block before an address is the only one
// that can hold it. The small ones, mostly nearly all, are in tables by address, the others in one sorted order.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "log/live_block.hpp"
#include "log/small_blocks.hpp"
#include "log/sorted_blocks.hpp"

namespace residue::log {

class LiveBlocks {
public:
    std::size_t Count() const { return small_.Count() + others_.Count(); }

    std::optional<LiveBlock> Find(std::uint64_t address) const;    // whose payload starts there
    std::optional<LiveBlock> Around(std::uint64_t address) const;  // that holds this byte
    // The lowest that overlaps [begin, end).
    std::optional<LiveBlock> FirstTouching(std::uint64_t begin, std::uint64_t end) const;
    // Around it, or the closer neighbour (the lower of two).
    std::optional<LiveBlock> Nearest(std::uint64_t address) const;

    // Asks for the memory that the next look at `address` will take: first Near, some time later Close.
    [[gnu::always_inline]] void PrefetchNear(std::uint64_t address) const { small_.PrefetchPage(address); }
    [[gnu::always_inline]] void PrefetchClose(std::uint64_t address) const { small_.PrefetchSlots(address); }

    void Insert(const LiveBlock& block);                     // overlaps none
    std::optional<LiveBlock> Remove(std::uint64_t address);  // whose payload starts there, removed
    // For ordinary blocks, quickly: small ones that are their payload and what it is rounded by. Another one, or one
    // that would lie over others, is not inserted; one with marks is not removed; then they give 0.
    BlockId InsertOrdinary(std::uint64_t address, std::uint64_t size, std::uint32_t rounding, BlockId id) {
        const std::uint64_t bytes = size + rounding;
        if (size > bytes || OtherTouching(address, address + bytes) != nullptr) return {};
        return small_.InsertOrdinary(address, bytes, id) ? id : BlockId{};
    }
    BlockId RemoveOrdinary(std::uint64_t address) { return small_.RemoveOrdinary(address); }
    void Mark(const LiveBlock& block);                       // one that is there: `resizing` and `region` anew
    void Clear();

    // In order of address: all, and those that touch [begin, end).
    std::vector<LiveBlock> All() const;
    std::vector<LiveBlock> Touching(std::uint64_t begin, std::uint64_t end) const;

private:
    const LiveBlock* OtherTouching(std::uint64_t begin, std::uint64_t end) const;

    SmallBlocks small_;
    SortedBlocks others_;
    // Where none of the others lies, around what was asked for last: nearly all questions are about the same gap.
    mutable std::uint64_t gapBegin_ = 0, gapEnd_ = 0;
};

}  // namespace residue::log
