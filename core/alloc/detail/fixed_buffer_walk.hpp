// How BasicFixedBufferAllocator is walked and checked. Included by fixed_buffer_allocator.cpp alone.
#pragma once

#include "alloc/detail/fixed_buffer_storage.hpp"
#include "alloc/fixed_buffer_allocator.hpp"

namespace residue::alloc {

template <class Observer>
void BasicFixedBufferAllocator<Observer>::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const BasicFixedBufferAllocator*>(self);
    inspector.OnRegion({me.Address(0), me.HeapBytes() + me.bookkeeping_, me.bookkeeping_});
    const std::uint64_t holes = me.InspectBlocks(inspector);
    me.InspectList(inspector, holes);
}

// Returns the number of holes seen. Stops where the chain of sizes is broken: beyond it nothing is known.
template <class Observer>
std::uint64_t BasicFixedBufferAllocator<Observer>::InspectBlocks(Inspector& inspector) const {
    std::uint64_t holes = 0;
    std::uint64_t free = 0;
    Granule below = 0;
    bool holeBelow = false;
    Granule last = kNone;
    for (Granule at = 0; at < end_; at += below) {
        const Granule size = SizeOf(at);
        if (size < fixed_buffer::kSmallestHole || size > end_ - at) {
            inspector.OnBroken("a block's size is impossible", Address(at));
            return holes;
        }
        if (Below(at) != below) inspector.OnBroken("a header disagrees with the block below it", Address(at));
        const bool live = IsLive(at);
        if (bits_.IsLive(at + 1) != live) {
            inspector.OnBroken("the live bit disagrees with the header", Address(at));
        }
        if (live) {
            const Block block = Describe(at);
            inspector.OnBlock({block.address, static_cast<std::size_t>(block.size), block.header, block.padding,
                               static_cast<std::size_t>(block.rounding), block.slack});
            const auto lastByte = base_[(std::uint64_t{at} + size) * 8 - 1];
            const bool exact = (Load(at).second & fixed_buffer::kFlag) != 0;
            if (!exact && (lastByte == std::byte{0} || lastByte > std::byte{15})) {
                inspector.OnBroken("bytes after a block were written to", block.address);
            }
            if (bits_.WasGivenBack(at + 1)) inspector.OnBroken("a live block counts as given back", block.address);
        } else {
            inspector.OnHole({Address(at), std::size_t{size} * 8});
            if (holeBelow) inspector.OnBroken("two holes are adjacent", Address(at));
            ++holes;
            free += size;
        }
        holeBelow = !live;
        below = size;
        last = at;
    }
    if (free != free_) inspector.OnBroken("the count of free bytes is wrong", Address(0));
    if (last != last_) inspector.OnBroken("the last block is another one", last == kNone ? 0 : Address(last));
    return holes;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::InspectList(Inspector& inspector, std::uint64_t holes) const {
    inspector.OnFreeStructure({FreeShape::List, 1, 1});
    inspector.OnFreeBin({0, fixed_buffer::kSmallestHole * 8, ~std::size_t{0}});
    std::uint64_t count = 0;
    Granule previous = kNone;
    bool sawRover = rover_ == kNone;
    for (Granule hole = head_; hole != kNone; hole = NextHole(hole)) {
        if (hole >= end_ || end_ - hole < fixed_buffer::kSmallestHole) {
            inspector.OnBroken("a free list link leaves the heap", Address(hole));
            return;
        }
        if (previous != kNone && hole <= previous) {
            inspector.OnBroken("the free list is not in address order", Address(hole));
            return;  // it may run in a circle
        }
        if (IsLive(hole)) inspector.OnBroken("a live block is in the free list", Address(hole));
        if (PreviousHole(hole) != previous) inspector.OnBroken("a free list link back is wrong", Address(hole));
        inspector.OnFreeNode({Address(hole), std::size_t{SizeOf(hole)} * 8, 0});
        sawRover = sawRover || hole == rover_;
        previous = hole;
        ++count;
    }
    if (previous != tail_) inspector.OnBroken("the free list ends elsewhere", Address(0));
    if (!sawRover) inspector.OnBroken("the next search starts outside the free list", Address(rover_));
    if (count != holes) inspector.OnBroken("the free list does not hold every hole", Address(0));
}

}  // namespace residue::alloc
