// How BasicTaggedAllocator is walked and checked. Included by segregated_allocator.cpp and tlsf_allocator.cpp alone.
#pragma once

#include "alloc/detail/tagged_allocator.hpp"

namespace residue::alloc {

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const BasicTaggedAllocator*>(self);
    const HeapRegions& regions = me.blocks_.Regions();
    regions.Inspect(inspector);
    std::uint64_t holes = 0;
    std::uint64_t free = 0;
    for (const HeapRegion* region = regions.First(); region != nullptr; region = region->next) {
        free += me.InspectRegion(*region, inspector, holes);
    }
    if (free != me.free_) inspector.OnBroken("the count of free bytes is wrong", 0);
    me.InspectBins(inspector, holes);
}

// Returns the bytes in holes. Stops where the chain of sizes is broken: beyond it nothing is known.
template <class Observer, class Classes>
std::uint64_t BasicTaggedAllocator<Observer, Classes>::InspectRegion(const HeapRegion& region, Inspector& inspector,
                                                                     std::uint64_t& holes) const {
    std::uint64_t free = 0;
    std::uint64_t below = 0;
    bool holeBelow = false;
    std::uintptr_t last = 0;
    for (std::uintptr_t at = region.base; at < region.End(); at += below) {
        const std::uint64_t size = TaggedBlocks::SizeOf(at);
        if (size < TaggedBlocks::kSmallest || size > region.End() - at) {
            inspector.OnBroken("a block's size is impossible", at);
            return free;
        }
        if (TaggedBlocks::Below(at) != below) inspector.OnBroken("a header disagrees with the block below it", at);
        const bool live = TaggedBlocks::IsLive(at);
        const auto granule = region.GranuleOf(at + TaggedBlocks::kHeader);
        if (region.bits.IsLive(granule) != live) inspector.OnBroken("the live bit disagrees with the header", at);
        if (live) {
            const Block block = TaggedBlocks::Describe(at);
            inspector.OnBlock({block.address, static_cast<std::size_t>(block.size), block.header, block.padding,
                               static_cast<std::size_t>(block.rounding), block.slack});
            const auto lastByte = *reinterpret_cast<const unsigned char*>(at + size - 1);
            if (!TaggedBlocks::IsExact(at) && (lastByte == 0 || lastByte != TaggedBlocks::UnusedBytes(at))) {
                inspector.OnBroken("bytes after a block were written to", block.address);
            }
            if (region.bits.WasGivenBack(granule)) {
                inspector.OnBroken("a live block counts as given back", block.address);
            }
        } else {
            inspector.OnHole({at, static_cast<std::size_t>(size)});
            if (holeBelow) inspector.OnBroken("two holes are adjacent", at);
            ++holes;
            free += size;
        }
        holeBelow = !live;
        below = size;
        last = at;
    }
    if (last != TaggedBlocks::Topmost(region)) inspector.OnBroken("the last block is another one", last);
    return free;
}

// False: the list is broken, and what follows in it is not known.
template <class Observer, class Classes>
bool BasicTaggedAllocator<Observer, Classes>::InspectBin(std::uint32_t bin, Inspector& inspector,
                                                         std::uint64_t& count) const {
    Link previous = kNone;
    for (Link link = bins_.heads[bin]; link != kNone;) {
        const HeapRegion* const region = blocks_.RegionOf(link);
        const std::uintptr_t hole = region == nullptr ? 0 : TaggedBlocks::At(*region, link);
        if (region == nullptr || region->End() - hole < TaggedBlocks::kSmallest) {
            inspector.OnBroken("a link of a list leaves the heap", hole);
            return false;
        }
        if (count == holes_) {
            inspector.OnBroken("the lists have too many holes, or one runs in a circle", hole);
            return false;
        }
        ++count;
        const std::uint64_t size = TaggedBlocks::SizeOf(hole);
        if (TaggedBlocks::IsLive(hole)) inspector.OnBroken("a live block is in a list", hole);
        if (TaggedBlocks::Previous(hole) != previous) inspector.OnBroken("a link back is wrong", hole);
        if (Classes::BinOf(size) != bin) inspector.OnBroken("a hole is in the wrong list", hole);
        inspector.OnFreeNode({hole, static_cast<std::size_t>(size), bin});
        previous = link;
        link = TaggedBlocks::Next(hole);
    }
    return true;
}

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::InspectBins(Inspector& inspector, std::uint64_t holes) const {
    inspector.OnFreeStructure({Classes::kShape, kBins, Classes::kShape == FreeShape::Matrix ? Classes::kColumns : 1});
    std::uint64_t count = 0;
    bool whole = true;
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
        const bool last = bin + 1 == kBins;
        inspector.OnFreeBin({bin, static_cast<std::size_t>(Classes::LeastOf(bin)),
                             last ? ~std::size_t{0} : static_cast<std::size_t>(Classes::LeastOf(bin + 1) - 8)});
        if (bins_.Has(bin) != (bins_.heads[bin] != kNone)) inspector.OnBroken("a list's bit is wrong", 0);
        whole = InspectBin(bin, inspector, count) && whole;
    }
    for (std::uint32_t row = 0; row < 32; ++row) {
        const bool hasHoles = row < Classes::kRows && bins_.columns[row] != 0;
        if (bins_.RowHas(row) != hasHoles) inspector.OnBroken("a row's bit is wrong", 0);
    }
    if (count != holes_ || count != holes) {
        if (whole) inspector.OnBroken("the lists do not hold every hole", 0);
    }
}

}  // namespace residue::alloc
