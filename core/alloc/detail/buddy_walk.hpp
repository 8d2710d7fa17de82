// How BasicBuddyAllocator is walked and checked. Included by buddy_allocator.cpp alone.
#pragma once

#include "alloc/buddy_allocator.hpp"
#include "alloc/detail/buddy_storage.hpp"

namespace residue::alloc {

template <class Observer>
void BasicBuddyAllocator<Observer>::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const BasicBuddyAllocator*>(self);
    me.regions_.Inspect(inspector);
    std::uint64_t counts[kOrders] = {};
    std::uint64_t free = 0;
    for (const HeapRegion* region = me.regions_.First(); region != nullptr; region = region->next) {
        free += me.InspectRegion(*region, inspector, counts);
    }
    if (free != me.free_) inspector.OnBroken("the count of free bytes is wrong", 0);
    inspector.OnFreeStructure({FreeShape::Tree, me.orders_, 1});
    for (unsigned order = 0; order < me.orders_; ++order) {
        const auto bytes = static_cast<std::size_t>(BytesOf(order));
        inspector.OnFreeBin({order, bytes, bytes});
        me.InspectList(order, counts[order], inspector);
    }
}

// Returns its free bytes, and adds to the number of free blocks of each order. Stops where the chain of blocks is
// broken: beyond it nothing is known.
template <class Observer>
std::uint64_t BasicBuddyAllocator<Observer>::InspectRegion(const HeapRegion& region, Inspector& inspector,
                                                           std::uint64_t (&counts)[kOrders]) const {
    std::uint64_t free = 0;
    std::uintptr_t hole = 0;
    const auto endHole = [&](std::uintptr_t end) {
        if (hole != 0) inspector.OnHole({hole, static_cast<std::size_t>(end - hole)});
        hole = 0;
    };
    std::uintptr_t at = region.base;
    while (at < region.End()) {
        const Span block{at, OrderAt(region, at)};
        const std::uint64_t size = BytesOf(block.order);
        if (!Begins(region, at)) {
            inspector.OnBroken("no block begins where one ends", at);
            break;
        }
        if ((at - region.base) % size != 0 || size > region.End() - at) {
            inspector.OnBroken("a block is not aligned to its size", at);
            break;
        }
        const auto end = region.GranuleOf(at) + static_cast<GranuleBits::Granule>(size / 8);
        const auto live = region.bits.FirstLive(region.GranuleOf(at), end);
        const std::uintptr_t payload = live == GranuleBits::kNone ? 0 : region.base + std::uintptr_t{live} * 8;
        if (PayloadOf(region, block) != payload) {
            inspector.OnBroken("a block's first bytes disagree with the live bits", at);
        }
        if (payload != 0) {
            endHole(at);
            if (payload % kSmallest != 0 || region.bits.FirstLive(live + 1, end) != GranuleBits::kNone) {
                inspector.OnBroken("a live bit where no payload can begin", payload);
            }
            const std::size_t had = SizeOf(region, block, payload);
            if (had == 0) inspector.OnBroken("the bytes after a block were written to", payload);
            const auto room = static_cast<std::size_t>(EndOf(block) - payload);
            inspector.OnBlock({payload, had, 0, static_cast<std::size_t>(payload - at), room - had, 0});
        } else {
            if (hole == 0) hole = at;
            free += size;
            ++counts[block.order];
            const Span buddy{region.base + ((at - region.base) ^ size), block.order};
            if (buddy.start > at && IsFreeOf(region, block) && IsFreeOf(region, buddy)) {
                inspector.OnBroken("two free buddies are not joined", at);
            }
        }
        at += size;
    }
    endHole(at);
    return free;
}

template <class Observer>
void BasicBuddyAllocator<Observer>::InspectList(unsigned order, std::uint64_t count, Inspector& inspector) const {
    std::uint64_t listed = 0;
    std::uintptr_t previous = 0;
    for (std::uintptr_t at = heads_[order]; at != 0; at = buddy::NextOf(at)) {
        const HeapRegion* const region = regions_.Containing(at);
        if (region == nullptr || (at - region->base) % BytesOf(order) != 0) {
            return inspector.OnBroken("a link of a list leads to no block of its size", at);
        }
        if (!IsFreeOf(*region, {at, order}) || OrderAt(*region, at) != order) {
            return inspector.OnBroken("what is in a list is no free block of its size", at);
        }
        if (++listed > count) return inspector.OnBroken("a list has too many blocks, or runs in a circle", at);
        if (buddy::PreviousOf(at) != previous) inspector.OnBroken("a link back is wrong", at);
        inspector.OnFreeNode({at, static_cast<std::size_t>(BytesOf(order)), order});
        previous = at;
    }
    if (listed != count) inspector.OnBroken("a list does not have every free block of its size", heads_[order]);
}

}  // namespace residue::alloc
