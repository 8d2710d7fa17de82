// How BasicHeaderlessAllocator is walked and checked. Included by headerless_allocator.cpp alone.
#pragma once

#include "alloc/headerless_allocator.hpp"

namespace residue::alloc {

template <class Observer>
template <class Visit>
bool BasicHeaderlessAllocator<Observer>::VisitSpans(const HeapRegion& region, Visit visit, Granule* at) {
    const EdgeBits bits(region);
    const Granule end = EndOf(region);
    for (Granule start = 0; start < end;) {
        if (at != nullptr) *at = start;
        bool live = false;
        const Span span = bits.SpanAt(start, end, live);
        if (span.size == 0) return false;
        if (!visit(span, live)) return true;
        start = span.End();
    }
    if (at != nullptr) *at = end;
    return region.limit == 0 || bits.IsEdge(end);
}

// The live payload at or below the address in its region, else the next above; elsewhere one of the nearest region.
template <class Observer>
std::uintptr_t BasicHeaderlessAllocator<Observer>::Nearest(std::uintptr_t address) const {
    std::uintptr_t nearest = 0;
    std::uintptr_t distance = ~std::uintptr_t{0};
    for (const HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        std::uintptr_t found = 0;
        VisitSpans(*region, [&](const Span& span, bool live) {
            const std::uintptr_t payload = EdgeBits(*region).At(span.Payload());
            if (live && (payload <= address || found == 0)) found = payload;
            return payload <= address || found == 0;
        });
        const std::uintptr_t away = found > address ? found - address : address - found;
        if (found == 0 || (!region->Contains(address) && away >= distance)) continue;
        nearest = found;
        distance = away;
        if (region->Contains(address)) break;
    }
    return nearest;
}

template <class Observer>
void BasicHeaderlessAllocator<Observer>::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const BasicHeaderlessAllocator*>(self);
    me.regions_.Inspect(inspector);
    Sums sums;
    for (const HeapRegion* region = me.regions_.First(); region != nullptr; region = region->next) {
        me.InspectRegion(*region, inspector, sums);
    }
    if (sums.free != me.free_) inspector.OnBroken("the count of free bytes is wrong", 0);
    me.InspectBins(inspector, sums.holes);
}

// Stops where the chain of blocks is broken: beyond it nothing is known.
template <class Observer>
void BasicHeaderlessAllocator<Observer>::InspectRegion(const HeapRegion& region, Inspector& inspector,
                                                       Sums& sums) const {
    const EdgeBits bits(region);
    bool belowIsHole = false;
    Granule at = 0;
    const bool whole = VisitSpans(region, [&](const Span& span, bool live) {
        const std::uintptr_t address = bits.At(span.start);
        const bool tagged = !live || span.headed;
        const Granule edges = bits.CountEdges(span.start, span.End());
        const Granule expected = !tagged ? 1u : live || span.size == EdgeBits::kSmallestHole ? 2u : 3u;
        if (edges != expected) inspector.OnBroken("an edge inside a block or hole", address);
        if (live) {
            const Block block = Describe(bits, span);
            if (block.size == 0) inspector.OnBroken("the bytes after a block were written to", block.address);
            inspector.OnBlock({block.address, static_cast<std::size_t>(block.size), block.header, 0,
                               static_cast<std::size_t>(block.rounding), block.slack});
        } else {
            if (belowIsHole) inspector.OnBroken("two holes are not joined", address);
            if (!bits.EndsAgree(span.start, span.size)) inspector.OnBroken("a hole's end is wrong", address);
            inspector.OnHole({address, std::size_t{span.size} * 8});
            sums.free += span.size;
            ++sums.holes;
        }
        belowIsHole = !live;
        return true;
    }, &at);
    if (!whole) inspector.OnBroken("no block begins where one ends", bits.At(at));
}

// False where the list is broken.
template <class Observer>
bool BasicHeaderlessAllocator<Observer>::InspectBin(std::uint32_t bin, Inspector& inspector,
                                                    std::uint64_t& count) const {
    Link previous = kNone;
    for (Link link = bins_.heads[bin]; link != kNone;) {
        HeapRegion* const region = RegionOf(link);
        if (region == nullptr) {
            inspector.OnBroken("a link of a list leads out of the heap", 0);
            return false;
        }
        const Home home(*region);
        const EdgeBits& bits = home.bits;
        const Granule hole = link - home.number;
        const Granule size = bits.IsEdge(hole) ? bits.HoleAt(hole) : 0;
        if (size < EdgeBits::kSmallestHole || size > home.end - hole || !bits.EndsAgree(hole, size)) {
            inspector.OnBroken("what is in a list is no hole", bits.At(hole));
            return false;
        }
        if (++count > free_ / EdgeBits::kSmallestHole) {
            inspector.OnBroken("a list has too many holes, or runs in a circle", bits.At(hole));
            return false;
        }
        if (bits.Previous(hole) != previous) inspector.OnBroken("a link back is wrong", bits.At(hole));
        if (HeaderlessClasses::BinOf(size) != bin) inspector.OnBroken("a hole is in the wrong list", bits.At(hole));
        inspector.OnFreeNode({bits.At(hole), std::size_t{size} * 8, bin});
        previous = link;
        link = bits.Next(hole);
    }
    return true;
}

template <class Observer>
void BasicHeaderlessAllocator<Observer>::InspectBins(Inspector& inspector, std::uint64_t holes) const {
    inspector.OnFreeStructure({FreeShape::Matrix, kBins, HeaderlessClasses::kADoubling});
    std::uint64_t count = 0;
    bool whole = true;
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
        const bool last = bin + 1 == kBins;
        const std::size_t least = std::size_t{HeaderlessClasses::LeastOf(bin)} * 8;
        const std::size_t next = last ? 0 : std::size_t{HeaderlessClasses::LeastOf(bin + 1)} * 8;
        inspector.OnFreeBin({bin, least, last ? ~std::size_t{0} : next - 8});
        if (bins_.Has(bin) != (bins_.heads[bin] != kNone)) inspector.OnBroken("a list's bit is wrong", 0);
        whole = InspectBin(bin, inspector, count) && whole;
    }
    for (std::uint32_t row = 0; row < 32; ++row) {
        const bool hasHoles = row < HeaderlessClasses::kRows && bins_.columns[row] != 0;
        if (bins_.RowHas(row) != hasHoles) inspector.OnBroken("a row's bit is wrong", 0);
    }
    if (count != holes && whole) inspector.OnBroken("the lists do not hold every hole", 0);
}

}  // namespace residue::alloc
