// Live blocks of at most 16 KiB that begin at a multiple of 8, which in most recordings are nearly all. A part of
// LiveBlocks (log/live_blocks.hpp).
//
// A page is 512 bytes of address space: a bit for each place where a block may begin, and what is known of those that
// do, packed in order (the number of bits below a block's is its place in the array). 32 pages are a chunk, which has a
// bit for each that is not empty; chunks are in an ordered map, which is rarely asked: a table by the low bits of their
// number stands before it. So finding, inserting and removing a block each cost a constant, mostly two or three cache
// lines.
//
// Memory: about 12 to 24 bytes a block where they lie densely, 800 for one that lies alone in 16 KiB. One thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "log/live_block.hpp"

namespace residue::log {

class SmallBlocks {
public:
    static bool Takes(const LiveBlock& block) {
        return block.begin % kGrain == 0 && block.end - block.begin <= kMostBytes &&
               block.address - block.begin <= kMostBefore;
    }

    std::size_t Count() const { return count_; }
    std::optional<LiveBlock> Around(std::uint64_t address) const;  // that holds this byte
    // The lowest that overlaps [begin, end).
    std::optional<LiveBlock> FirstTouching(std::uint64_t begin, std::uint64_t end) const;
    std::optional<LiveBlock> AtOrBefore(std::uint64_t address) const;  // the last that begins there or below
    std::optional<LiveBlock> After(std::uint64_t address) const;       // the first that begins above

    [[gnu::always_inline]] void PrefetchPage(std::uint64_t address) const {
        const std::uint64_t number = address >> kChunkBits;
        const Known& known = known_[number & mask_];
        if (known.number == number && known.chunk != nullptr) __builtin_prefetch(&known.chunk->pages[PageIn(address)]);
    }
    [[gnu::always_inline]] void PrefetchSlots(std::uint64_t address) const {
        const std::uint64_t number = address >> kChunkBits;
        const Known& known = known_[number & mask_];
        if (known.number != number || known.chunk == nullptr) return;
        const Page& page = known.chunk->pages[PageIn(address)];
        __builtin_prefetch(page.slots.get() + Ones(page.begins & Below((address / kGrain) % 64)));
    }

    void Insert(const LiveBlock& block);  // Takes(block), overlaps none
    // Whose payload starts there; it is removed.
    std::optional<LiveBlock> Remove(std::uint64_t address);
    // LiveBlocks::InsertOrdinary, RemoveOrdinary.
    bool InsertOrdinary(std::uint64_t begin, std::uint64_t bytes, BlockId id);
    BlockId RemoveOrdinary(std::uint64_t address);
    bool SetMarks(std::uint64_t address, bool resizing, bool region);  // false: no payload starts there
    void Clear();

private:
    static constexpr std::uint64_t kGrain = 8, kMostBytes = 16384, kMostBefore = 255;
    static constexpr unsigned kPageBits = 9, kChunkBits = 14;
    static constexpr std::uint64_t kPages = std::uint64_t{1} << (kChunkBits - kPageBits);

    struct Slot {
        BlockId id;
        std::uint16_t bytes;
        std::uint8_t before;  // of the payload
        std::uint8_t marks;
    };
    struct Page {
        std::uint64_t begins = 0;  // bit i: a block begins at grain i
        std::unique_ptr<Slot[]> slots;
        std::uint16_t room = 0, used = 0;  // slots
    };
    struct Chunk {
        std::uint64_t number = 0;
        std::uint32_t blocks = 0;
        std::uint32_t filled = 0;  // bit i: page i has a block
        std::array<Page, kPages> pages;
    };
    struct Known {
        std::uint64_t number = ~std::uint64_t{0};  // of no chunk
        Chunk* chunk = nullptr;                    // null: there is none of that number
    };
    struct Place {
        Chunk* chunk = nullptr;  // null: none
        std::uint32_t page = 0;
        std::uint32_t grain = 0;
    };

    Chunk* Find(std::uint64_t number) const {
        const Known& known = known_[number & mask_];
        return known.number == number ? known.chunk : LookUp(number);
    }
    static std::size_t PageIn(std::uint64_t address) { return (address >> kPageBits) % kPages; }
    Chunk* LookUp(std::uint64_t number) const;
    Chunk& Make(std::uint64_t number);
    void Drop(Chunk* chunk);

    // Without the instruction, which not every machine has: std::popcount would be a call.
    static std::uint32_t Ones(std::uint64_t bits) {
        bits -= bits >> 1 & 0x5555555555555555;
        bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
        bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
        return static_cast<std::uint32_t>(bits * 0x0101010101010101 >> 56);
    }
    static Slot& SlotOf(const Place& at) {
        const Page& page = at.chunk->pages[at.page];
        return page.slots[Ones(page.begins & Below(at.grain))];
    }
    static constexpr std::uint64_t Below(std::uint64_t grain) { return (std::uint64_t{1} << grain) - 1; }
    static std::uint64_t BeginOf(const Place& at) {
        return at.chunk->number << kChunkBits | std::uint64_t{at.page} << kPageBits | at.grain * kGrain;
    }
    static LiveBlock BlockAt(const Place& at);
    Place PlaceAround(std::uint64_t address) const;
    Place PlaceOf(std::uint64_t payload) const;
    static Place FirstIn(Chunk* chunk, std::uint32_t chosen);  // among the pages whose bits are set
    static Place LastIn(Chunk* chunk, std::uint32_t chosen);
    static Place LastUpTo(Chunk* chunk, std::uint64_t address);  // that begins there or below; it lies in the chunk
    Place FirstFrom(std::uint64_t address, std::uint64_t end) const;  // the first that begins in [address, end)
    void Put(Chunk& chunk, std::uint64_t begin, Slot slot);
    void RemoveAt(const Place& at);
    static bool IsFree(const Chunk& chunk, std::uint64_t begin, std::uint64_t bytes);

    std::map<std::uint64_t, std::unique_ptr<Chunk>> chunks_;
    mutable std::vector<Known> known_ = std::vector<Known>(16);
    std::uint64_t mask_ = 15;
    Chunk* spare_ = nullptr;  // the only one that may be empty: a lone block that comes and goes keeps it
    std::size_t count_ = 0;
};

}  // namespace residue::log
