// How BasicHeaderlessAllocator keeps its lists of holes, and finds one for a request. Included by
// headerless_allocator.cpp alone.
#pragma once

#include "alloc/headerless_allocator.hpp"
#include "base/checked.hpp"

namespace residue::alloc {

namespace headerless {

inline constexpr std::uint64_t kNever = std::uint64_t{1} << 48;  // granules that no heap has; sums of it do not wrap

}  // namespace headerless

// ---- the lists -----------------------------------------------------------------------------------------------------

template <class Observer>
inline HeapRegion* BasicHeaderlessAllocator<Observer>::RegionOf(Link link) const {
    auto* const first = const_cast<HeapRegion*>(regions_.First());
    if (first != nullptr && std::uint64_t{link} - first->own[0] < first->used / 8) [[likely]] return first;
    return FarRegionOf(link);
}

template <class Observer>
HeapRegion* BasicHeaderlessAllocator<Observer>::FarRegionOf(Link link) const {
    auto* region = const_cast<HeapRegion*>(regions_.First());
    while (region != nullptr && std::uint64_t{link} - region->own[0] >= region->used / 8) region = region->next;
    return region;
}

template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::SetNextOf(const Home& home, Link hole, Link next) {
    if (hole - home.number < home.end) [[likely]] return home.bits.SetNext(hole - home.number, next);
    const Home far(*FarRegionOf(hole));
    far.bits.SetNext(hole - far.number, next);
}

template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::SetPreviousOf(const Home& home, Link hole, Link previous) {
    if (hole - home.number < home.end) [[likely]] return home.bits.SetPrevious(hole - home.number, previous);
    const Home far(*FarRegionOf(hole));
    far.bits.SetPrevious(hole - far.number, previous);
}

template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::Insert(const Home& home, Granule hole, Granule size) {
    Decide(DecisionKind::Insert, home, hole, size);
    const std::uint32_t bin = HeaderlessClasses::BinOf(size);
    const Link link = home.LinkTo(hole);
    const Link next = bins_.heads[bin];
    home.bits.SetNext(hole, next);
    home.bits.SetPrevious(hole, kNone);
    if (next == kNone) return bins_.Set(bin, link);
    SetPreviousOf(home, next, link);
    bins_.heads[bin] = link;
}

template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::Remove(const Home& home, Granule hole, Granule size) {
    RemoveFrom(HeaderlessClasses::BinOf(size), home, hole, size);
}

template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::RemoveFrom(std::uint32_t bin, const Home& home, Granule hole,
                                                           Granule size) {
    Decide(DecisionKind::Remove, home, hole, size);
    const Link next = home.bits.Next(hole);
    const Link previous = home.bits.Previous(hole);
    if (next != kNone) SetPreviousOf(home, next, previous);
    if (previous != kNone) return SetNextOf(home, previous, next);
    if (next == kNone) return bins_.Set(bin, kNone);
    bins_.heads[bin] = next;
}

// A hole of list `bin` begins elsewhere, or has another size. Within its list it keeps its place. The links in `hole`
// must be whole; those of `now` are written.
template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::Refile(std::uint32_t bin, const Home& home, Granule hole, Granule size,
                                                       Granule now, Granule nowSize) {
    if (bin != HeaderlessClasses::BinOf(nowSize)) {
        RemoveFrom(bin, home, hole, size);
        return Insert(home, now, nowSize);
    }
    if (now == hole) return;
    const Link link = home.LinkTo(now);
    const Link next = home.bits.Next(hole);
    const Link previous = home.bits.Previous(hole);
    home.bits.SetNext(now, next);
    home.bits.SetPrevious(now, previous);
    if (previous == kNone) bins_.heads[bin] = link;
    else SetNextOf(home, previous, link);
    if (next != kNone) SetPreviousOf(home, next, link);
}

// ---- what a request needs ------------------------------------------------------------------------------------------

template <class Observer>
inline auto BasicHeaderlessAllocator<Observer>::NeedWhere(bool headed, std::size_t bytes) -> Need {
    if (bytes > std::uint64_t{EdgeBits::kMostGranules} * 8) return {headerless::kNever, headed};
    const std::uint64_t granules = (std::uint64_t{bytes} + 7) / 8 + (headed ? 1 : 0);
    const std::uint64_t least = headed ? EdgeBits::kSmallestHeaded : EdgeBits::kSmallestHole;
    return {granules < least ? least : granules, headed};
}

template <class Observer>
inline auto BasicHeaderlessAllocator<Observer>::NeedOf(std::size_t bytes) -> Need {
    return NeedWhere(bytes > std::size_t{EdgeBits::kLargestSmall} * 8, bytes);
}

// Granules that have to stay a hole below a block in `hole`, so that its payload is aligned: 0, or enough for a hole.
template <class Observer>
std::uint64_t BasicHeaderlessAllocator<Observer>::GapFor(std::uintptr_t hole, bool headed, std::size_t alignment) {
    if (alignment <= 8) return 0;
    const std::uintptr_t lowest = hole + (headed ? 8 : 0);
    const auto aligned = CheckedAlignUp(lowest, alignment);
    if (!aligned) return headerless::kNever;
    const std::uint64_t gap = (*aligned - lowest) / 8;
    return gap != 0 && gap < EdgeBits::kSmallestHole ? gap + alignment / 8 : gap;
}

// The largest such gap, wherever the hole begins.
template <class Observer>
std::uint64_t BasicHeaderlessAllocator<Observer>::MostGap(std::size_t alignment) {
    return alignment <= 8 ? 0 : std::uint64_t{alignment} / 8 + 1;
}

// Could it be served, were nothing live? A region to come may begin anywhere.
template <class Observer>
bool BasicHeaderlessAllocator<Observer>::CouldEver(Need need, std::size_t alignment) const {
    const HeapRegion* const first = regions_.First();
    if (regions_.Kind() == Growth::Regions) return need.granules + MostGap(alignment) <= EdgeBits::kMostGranules;
    return first != nullptr && need.granules + GapFor(first->base, need.headed, alignment) <= first->limit / 8;
}

template <class Observer>
MemoryError BasicHeaderlessAllocator<Observer>::WhyNot(Need need, std::size_t alignment) const {
    if (!CouldEver(need, alignment)) return MemoryError::BufferTooLarge;
    return need.granules <= free_ ? MemoryError::Fragmentation : MemoryError::InsufficientMemory;
}

template <class Observer>
Request BasicHeaderlessAllocator<Observer>::Described(std::size_t bytes, std::size_t alignment) const {
    Granule largest = 0;
    const std::uint32_t bin = bins_.Last();
    for (Link link = bin == kBins ? kNone : bins_.heads[bin]; link != kNone;) {
        const Place place = PlaceIn(link);
        if (place.size > largest) largest = place.size;
        link = EdgeBits(*place.region).Next(place.hole);
    }
    return {bytes, alignment, FreeBytes(), std::uint64_t{largest} * 8};
}

// ---- finding a hole ------------------------------------------------------------------------------------------------

template <class Observer>
auto BasicHeaderlessAllocator<Observer>::PlaceIn(Link link) const -> Place {
    const Home home(*RegionOf(link));
    const Granule hole = link - home.number;
    return {home.region, hole, home.bits.SizeOfHole(hole), 0, true};
}

// Where no alignment matters.
template <class Observer>
inline bool BasicHeaderlessAllocator<Observer>::Probe(Link link, Granule need) {
    ++probes_;
    const Home home(*RegionOf(link));
    const Granule size = home.bits.SizeOfHole(link - home.number);
    Decide(DecisionKind::Probe, home, link - home.number, size, 0, 0,
           need <= size ? ProbeVerdict::Taken : ProbeVerdict::TooSmall);
    return need <= size;
}

// Where no alignment matters: the first hole of the request's own list, where that may be too small; then the first of
// the next list that has any; then the rest of its own. kNone: there is no hole that is large enough.
// `bin`: in which it is.
template <class Observer>
inline auto BasicHeaderlessAllocator<Observer>::Search(Granule need, std::uint32_t& bin) -> Link {
    const std::uint32_t own = HeaderlessClasses::BinOf(need);
    bin = own;
    if (own >= HeaderlessClasses::kExact && bins_.Has(own)) {
        if (Probe(bins_.heads[own], need)) return bins_.heads[own];
        ++bin;
    }
    bin = bins_.FirstFrom(bin);
    if (bin == kBins) {
        bin = own;
        return SearchOwn(own, need);
    }
    (void)Probe(bins_.heads[bin], need);
    return bins_.heads[bin];
}

// All but the front of a list.
template <class Observer>
auto BasicHeaderlessAllocator<Observer>::SearchOwn(std::uint32_t own, Granule need) -> Link {
    if (!bins_.Has(own)) return kNone;
    for (Link link = bins_.heads[own];;) {
        const Home home(*RegionOf(link));
        link = home.bits.Next(link - home.number);
        if (link == kNone || Probe(link, need)) return link;
    }
}

// The probe where it does. Sets the gap.
template <class Observer>
bool BasicHeaderlessAllocator<Observer>::Fits(Place& place, Need need, std::size_t alignment) {
    ++probes_;
    const Home home(*place.region);
    place.gap = GapFor(home.bits.At(place.hole), need.headed, alignment);
    const bool fits = place.gap + need.granules <= place.size;
    const bool tooSmall = place.size < need.granules;
    Decide(DecisionKind::Probe, home, place.hole, place.size, 0, 0,
           fits ? ProbeVerdict::Taken : tooSmall ? ProbeVerdict::TooSmall : ProbeVerdict::TooSmallAligned);
    return fits;
}

// List by list, each from its front.
template <class Observer>
auto BasicHeaderlessAllocator<Observer>::FirstOf(std::uint32_t from, std::uint32_t to, Need need,
                                                 std::size_t alignment) -> Place {
    for (std::uint32_t bin = bins_.FirstFrom(from); bin < to; bin = bins_.FirstFrom(bin + 1)) {
        for (Link link = bins_.heads[bin]; link != kNone;) {
            Place place = PlaceIn(link);
            if (Fits(place, need, alignment)) return place;
            link = EdgeBits(*place.region).Next(place.hole);
        }
    }
    return {};
}

// First the lists whose every hole is large enough, wherever it begins; then those in which only some may be.
template <class Observer>
auto BasicHeaderlessAllocator<Observer>::SearchAligned(Need need, std::size_t alignment) -> Place {
    const std::uint32_t own = HeaderlessClasses::BinOf(static_cast<Granule>(need.granules));
    const std::uint64_t most = need.granules + MostGap(alignment);
    std::uint32_t sure = kBins;
    if (most <= EdgeBits::kMostGranules) {
        sure = HeaderlessClasses::BinOf(static_cast<Granule>(most));
        if (HeaderlessClasses::LeastOf(sure) < most) ++sure;
    }
    const Place place = FirstOf(sure, kBins, need, alignment);
    return place.region != nullptr ? place : FirstOf(own, sure, need, alignment);
}

// Called when no hole fits. The heap's end goes up by just what is missing, the last hole included; or there is a
// region more.
template <class Observer>
auto BasicHeaderlessAllocator<Observer>::Grow(Need need, std::size_t alignment) -> Place {
    if (regions_.Kind() == Growth::Fixed) return {};
    if (regions_.Kind() == Growth::Regions) {
        HeapRegion* const fresh = AddRegion(need.granules + MostGap(alignment));
        if (fresh == nullptr) return {};
        return {fresh, 0, EndOf(*fresh), GapFor(fresh->base, need.headed, alignment), false};
    }
    const Home before(*regions_.First());
    const Granule had = before.bits.HoleBelow(before.end);
    const Granule hole = before.end - had;
    const std::uint64_t gap = GapFor(before.bits.At(hole), need.headed, alignment);
    const std::uint64_t whole = gap + need.granules;
    if (regions_.Grow(static_cast<std::size_t>((whole - had) * 8), emitter_) == nullptr) return {};
    if (had != 0) {
        Remove(before, hole, had);
        before.bits.UnmarkHole(hole, had);
        before.bits.ClearEdge(before.end);
    }
    const Home home(*regions_.First());
    home.bits.MarkHole(hole, static_cast<Granule>(whole));
    home.bits.SetEdge(home.end);
    free_ += whole - had;
    return {home.region, hole, static_cast<Granule>(whole), gap, false};
}

template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::Decide(DecisionKind kind, const Home& home, Granule at, Granule size,
                                                       Granule other, Granule otherSize, ProbeVerdict verdict) {
    if constexpr (Observer::kObserves) {
        if (observer.sink == nullptr) return;
        observer.sink->On({kind, verdict, home.bits.At(at), std::size_t{size} * 8,
                           otherSize == 0 ? 0 : home.bits.At(other), std::size_t{otherSize} * 8});
    } else {
        (void)kind, (void)home, (void)at, (void)size, (void)other, (void)otherSize, (void)verdict;
    }
}

}  // namespace residue::alloc
