// Heaps within heaps: a child allocator's region is a block of its parent's, so its blocks lie inside that block, and
// so on downwards.
//
//   for (const Nest& nest : NestsIn(heap, arena, begin, end, 1000)) ...      // the children's heaps in that range
//   if (auto nest = NestAround(heap, child, address)) ...                    // in which block of its parent's it lies
//
// Cost: O(log) for each nest that is returned, nothing for blocks without one. Pure; any log will do: parents that name
// each other, children whose regions overlap (the lower one is taken, the other one begins behind it).
// Thread: as the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/heap_model.hpp"

namespace residue::model {

inline constexpr int kDeepestNest = 16;  // levels that are looked into

// The part of one block that is a child's heap.
struct Nest {
    AllocatorId owner{};               // whose block it is
    AllocatorId child{};               // whose heap lies in it
    Block block;                       // the owner's, live
    std::uint64_t begin = 0;           // what the child can give out: [begin, usableEnd)
    std::uint64_t usableEnd = 0;
    std::uint64_t end = 0;             // its bookkeeping, if any, is [usableEnd, end)
};

// The nests in the blocks of `owner` that touch [begin, end), in address order, disjoint, none empty; at most `most`,
// then those in the lowest blocks.
std::vector<Nest> NestsIn(const HeapModel& heap, AllocatorId owner, std::uint64_t begin, std::uint64_t end,
                          std::size_t most);
// The nest of the owner's around `address`.
std::optional<Nest> NestAt(const HeapModel& heap, AllocatorId owner, std::uint64_t address);
// The nest of `child` around `address`, in a block of its parent's. None: it has no parent that is known, or its bytes
// are no block of the parent's.
std::optional<Nest> NestAround(const HeapModel& heap, AllocatorId child, std::uint64_t address);
// All around `address` that lie in the heap of `outermost`, from outside to inside; the last one's child is the
// allocator to whom the byte belongs.
std::vector<Nest> NestsDownTo(const HeapModel& heap, AllocatorId outermost, std::uint64_t address);

// Is it `ancestor`, or does it name it as its parent, or its parent's, and so on?
bool IsWithin(const HeapModel& heap, AllocatorId allocator, AllocatorId ancestor);
// The outermost allocator above it, or itself.
AllocatorId RootOf(const HeapModel& heap, AllocatorId allocator);

// Bytes set aside in [begin, end) of the owner's heap, where a block that is a child's heap counts by what the child
// set aside in it, down to the innermost: what is in use by somebody. Of `nests` that may be looked into one is taken
// for each; a block that is met when none are left counts as a whole.
std::uint64_t NestedBytes(const HeapModel& heap, AllocatorId owner, std::uint64_t begin, std::uint64_t end,
                          std::size_t& nests);

// The live block after (before) `block` when the heap of `outermost` is read as a page: by address, a block that holds
// a child's heap followed by what lies in it. None at the end.
std::optional<Block> NextNested(const HeapModel& heap, AllocatorId outermost, AllocatorId owner, const Block& block);
std::optional<Block> PreviousNested(const HeapModel& heap, AllocatorId outermost, AllocatorId owner,
                                    const Block& block);

}  // namespace residue::model
