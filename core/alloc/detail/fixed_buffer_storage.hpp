// What BasicFixedBufferAllocator keeps in its buffer: block headers, two bits a granule, and the free list. See the
// drawing in fixed_buffer_allocator.hpp. Included by fixed_buffer_allocator.cpp alone.
#pragma once

#include <cstring>

#include "alloc/fixed_buffer_allocator.hpp"

namespace residue::alloc {

namespace fixed_buffer {

inline constexpr std::uint32_t kFlag = 0x8000'0000;
inline constexpr std::uint32_t kMostGranules = kFlag - 1;
inline constexpr std::uint32_t kSmallestHole = 2;
inline constexpr std::uint64_t kHeader = 8;

}  // namespace fixed_buffer

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Load(Granule at) const -> Words {
    Words words;
    std::memcpy(&words, base_ + std::uint64_t{at} * 8, sizeof words);
    return words;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::Store(Granule at, Words words) {
    std::memcpy(base_ + std::uint64_t{at} * 8, &words, sizeof words);
}

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::SizeOf(Granule block) const -> Granule {
    return Load(block).first & ~fixed_buffer::kFlag;
}

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Below(Granule block) const -> Granule {
    return Load(block).second & ~fixed_buffer::kFlag;
}

template <class Observer>
bool BasicFixedBufferAllocator<Observer>::IsLive(Granule block) const {
    return (Load(block).first & fixed_buffer::kFlag) != 0;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::SetHeader(Granule block, Granule size, Granule below, bool live) {
    Store(block, {size | (live ? fixed_buffer::kFlag : 0), below});
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::SetBelowOf(Granule above, Granule size) {
    if (above >= end_) return;
    const Words words = Load(above);
    Store(above, {words.first, size | (words.second & fixed_buffer::kFlag)});
}

template <class Observer>
std::size_t BasicFixedBufferAllocator<Observer>::UnusedBytes(Granule block) const {
    if ((Load(block).second & fixed_buffer::kFlag) != 0) return 0;
    // Masked: the byte is next to the payload, where a program may write by mistake.
    return static_cast<std::size_t>(base_[(std::uint64_t{block} + SizeOf(block)) * 8 - 1]) & 15;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::SetUnusedBytes(Granule block, std::size_t bytesUsed) {
    const std::uint64_t size = std::uint64_t{SizeOf(block)} * 8;
    const std::uint64_t unused = size - fixed_buffer::kHeader - bytesUsed;
    const Words words = Load(block);
    Store(block, {words.first, (words.second & ~fixed_buffer::kFlag) | (unused == 0 ? fixed_buffer::kFlag : 0)});
    if (unused != 0) base_[std::uint64_t{block} * 8 + size - 1] = static_cast<std::byte>(unused);
}

template <class Observer>
std::uintptr_t BasicFixedBufferAllocator<Observer>::NearestTo(const void* pointer) const {
    if (end_ == 0) return 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const std::uintptr_t base = Address(0);
    const std::uint64_t offset = address < base ? 0 : (address - base) / 8;
    const Granule nearest = bits_.NearestLive(offset < end_ ? static_cast<Granule>(offset) : end_ - 1, end_);
    return nearest == kNone ? 0 : Address(nearest);
}

// ---- the free list -------------------------------------------------------------------------------------------------

template <class Observer>
void BasicFixedBufferAllocator<Observer>::LinkBetween(Granule previous, Granule hole, Granule next) {
    Store(hole + 1, {next, previous});
    if (previous == kNone) head_ = hole;
    else Store(previous + 1, {hole, Load(previous + 1).second});
    if (next == kNone) tail_ = hole;
    else Store(next + 1, {Load(next + 1).first, hole});
}

// Looks for the list neighbour in three directions at once (up and down through the blocks, and along the list), so
// that the cost is that of the nearest.
template <class Observer>
void BasicFixedBufferAllocator<Observer>::Insert(Granule hole) {
    Decide(DecisionKind::Insert, hole, SizeOf(hole));
    Granule up = hole;
    Granule down = hole;
    for (Granule along = head_;; along = NextHole(along)) {
        if (along == kNone) return LinkBetween(tail_, hole, kNone);
        if (along > hole) return LinkBetween(PreviousHole(along), hole, along);
        up += SizeOf(up);
        if (up >= end_) return LinkBetween(tail_, hole, kNone);
        if (!IsLive(up)) return LinkBetween(PreviousHole(up), hole, up);
        const Granule below = Below(down);
        if (below == 0) return LinkBetween(kNone, hole, head_);
        down -= below;
        if (!IsLive(down)) return LinkBetween(down, hole, NextHole(down));
    }
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::Remove(Granule hole) {
    Decide(DecisionKind::Remove, hole, SizeOf(hole));
    const Words links = Load(hole + 1);
    const Granule next = links.first;
    const Granule previous = links.second;
    if (previous == kNone) head_ = next;
    else Store(previous + 1, {next, Load(previous + 1).second});
    if (next == kNone) tail_ = previous;
    else Store(next + 1, {Load(next + 1).first, previous});
    if (rover_ == hole) rover_ = next;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::ReplaceInList(Granule old, Granule hole) {
    Decide(DecisionKind::Remove, old, SizeOf(old));
    const Words links = Load(old + 1);
    LinkBetween(links.second, hole, links.first);
    if (rover_ == old) rover_ = hole;
}

}  // namespace residue::alloc
