// How BasicTaggedAllocator searches, takes and gives back. Included by segregated_allocator.cpp and tlsf_allocator.cpp
// alone.
#pragma once

#include <cstring>

#include "alloc/detail/tagged_allocator.hpp"
#include "base/checked.hpp"

namespace residue::alloc {

template <class Observer, class Classes>
const AllocatorOptions BasicTaggedAllocator<Observer, Classes>::kOptions{Classes::kName, OnResize, OnInspect, OnOwns,
                                                                         OnReset};

// ---- life ----------------------------------------------------------------------------------------------------------

template <class Observer, class Classes>
auto BasicTaggedAllocator<Observer, Classes>::Make(const HeapMemory& memory) -> BasicTaggedAllocator {
    BasicTaggedAllocator made;
    static_cast<Allocator&>(made) = {OnAllocate, OnFree, &kOptions};
    made.blocks_ = TaggedBlocks(memory);
    made.StartOver();
    return made;
}

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::AttachSink(events::EventSink* sink, const char* name,
                                                         AllocatorId parent) {
    emitter_.Attach(sink, name, blocks_.Regions().Created(), parent, options->name);
}

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::Destroy() {
    blocks_.Regions().End(emitter_);
    *this = Make(HeapMemory{});
}

// Every region is one hole.
template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::StartOver() {
    bins_ = {};
    free_ = 0;
    holes_ = 0;
    for (HeapRegion* region = blocks_.Regions().First(); region != nullptr; region = region->next) {
        if (region->used == 0) continue;
        TaggedBlocks::SetHeader(region->base, region->used, 0, false);
        TaggedBlocks::SetTopmost(*region, region->base);
        free_ += region->used;
        Insert(*region, region->base);
    }
}

// ---- the lists -----------------------------------------------------------------------------------------------------

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::Insert(const HeapRegion& region, std::uintptr_t hole) {
    const std::uint64_t size = TaggedBlocks::SizeOf(hole);
    Decide(DecisionKind::Insert, hole, size);
    const std::uint32_t bin = Classes::BinOf(size);
    const Link link = TaggedBlocks::LinkTo(region, hole);
    const Link next = bins_.heads[bin];
    TaggedBlocks::SetNext(hole, next);
    TaggedBlocks::SetPrevious(hole, kNone);
    if (next != kNone) TaggedBlocks::SetPrevious(blocks_.At(next), link);
    bins_.Set(bin, link);
    ++holes_;
}

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::Remove(std::uintptr_t hole) {
    const std::uint64_t size = TaggedBlocks::SizeOf(hole);
    Decide(DecisionKind::Remove, hole, size);
    const Link next = TaggedBlocks::Next(hole);
    const Link previous = TaggedBlocks::Previous(hole);
    if (previous == kNone) bins_.Set(Classes::BinOf(size), next);
    else TaggedBlocks::SetNext(blocks_.At(previous), next);
    if (next != kNone) TaggedBlocks::SetPrevious(blocks_.At(next), previous);
    --holes_;
}

// ---- finding a hole ------------------------------------------------------------------------------------------------

// The first list whose every hole has that many bytes; kBins: there is none.
template <class Observer, class Classes>
std::uint32_t BasicTaggedAllocator<Observer, Classes>::SureBin(std::uint64_t bytes) {
    const std::uint32_t bin = Classes::BinOf(bytes);
    return Classes::LeastOf(bin) >= bytes ? bin : bin + 1;
}

template <class Observer, class Classes>
bool BasicTaggedAllocator<Observer, Classes>::Fits(std::uintptr_t hole, std::uint64_t need, std::size_t alignment,
                                                   std::uint64_t& gap) {
    ++probes_;
    const std::uint64_t size = TaggedBlocks::SizeOf(hole);
    gap = TaggedBlocks::GapFor(hole, alignment);
    const bool fits = gap + need <= size;
    Decide(DecisionKind::Probe, hole, size, 0, 0,
           fits ? ProbeVerdict::Taken : size < need ? ProbeVerdict::TooSmall : ProbeVerdict::TooSmallAligned);
    return fits;
}

// List by list, each from its front.
template <class Observer, class Classes>
auto BasicTaggedAllocator<Observer, Classes>::FirstOf(std::uint32_t from, std::uint32_t to, std::uint64_t need,
                                                      std::size_t alignment) -> Place {
    std::uint64_t gap = 0;
    for (std::uint32_t bin = bins_.FirstFrom(from); bin < to; bin = bins_.FirstFrom(bin + 1)) {
        for (Link link = bins_.heads[bin]; link != kNone;) {
            HeapRegion* const region = blocks_.RegionOf(link);
            const std::uintptr_t hole = TaggedBlocks::At(*region, link);
            if (Fits(hole, need, alignment, gap)) return {region, hole, gap};
            link = TaggedBlocks::Next(hole);
        }
    }
    return {};
}

// Finds a hole if any fits. A good fit passes over the lists in which only some holes do, and comes back to them when
// there is nothing else.
template <class Observer, class Classes>
auto BasicTaggedAllocator<Observer, Classes>::Search(std::uint64_t need, std::size_t alignment) -> Place {
    const std::uint32_t own = Classes::BinOf(need);
    if constexpr (!Classes::kGoodFit) return FirstOf(own, kBins, need, alignment);
    const std::uint32_t sure = SureBin(need + TaggedBlocks::MostGap(alignment));
    const Place place = FirstOf(sure, kBins, need, alignment);
    return place.region != nullptr ? place : FirstOf(own, sure, need, alignment);
}

// Called when no hole fits. The heap's end goes up by just what is missing, the last hole included; or there is a
// region more. The hole is in no list.
template <class Observer, class Classes>
auto BasicTaggedAllocator<Observer, Classes>::Grow(std::uint64_t need, std::size_t alignment) -> Place {
    HeapRegions& regions = blocks_.Regions();
    if (regions.Kind() == Growth::Regions) {
        HeapRegion* const fresh = blocks_.AddRegion(need + TaggedBlocks::MostGap(alignment), emitter_);
        if (fresh == nullptr) return {};
        TaggedBlocks::SetHeader(fresh->base, fresh->used, 0, false);
        TaggedBlocks::SetTopmost(*fresh, fresh->base);
        free_ += fresh->used;
        return {fresh, fresh->base, TaggedBlocks::GapFor(fresh->base, alignment)};
    }
    if (regions.Kind() == Growth::Fixed) return {};
    HeapRegion& region = *regions.First();
    const std::uintptr_t last = TaggedBlocks::Topmost(region);
    const bool extends = last != 0 && !TaggedBlocks::IsLive(last);
    const std::uintptr_t hole = extends ? last : region.End();
    const std::uint64_t had = extends ? TaggedBlocks::SizeOf(last) : 0;
    const std::uint64_t below = extends ? TaggedBlocks::Below(last) : last == 0 ? 0 : TaggedBlocks::SizeOf(last);
    const std::uint64_t gap = TaggedBlocks::GapFor(hole, alignment);
    const std::uint64_t whole = gap + need;
    if (regions.Grow(static_cast<std::size_t>(whole - had), emitter_) == nullptr) return {};
    if (extends) Remove(hole);
    TaggedBlocks::SetHeader(hole, whole, below, false);
    TaggedBlocks::SetTopmost(region, hole);
    free_ += whole - had;
    return {&region, hole, gap};
}

// A hole for a block, out of its list.
template <class Observer, class Classes>
auto BasicTaggedAllocator<Observer, Classes>::Find(std::uint64_t need, std::size_t alignment) -> Place {
    if (!blocks_.CouldEver(need, alignment)) return {};
    const Place place = Search(need, alignment);
    if (place.region == nullptr) return Grow(need, alignment);
    Remove(place.hole);
    return place;
}

template <class Observer, class Classes>
MemoryError BasicTaggedAllocator<Observer, Classes>::WhyNot(std::uint64_t need, std::size_t alignment) const {
    if (!blocks_.CouldEver(need, alignment)) return MemoryError::BufferTooLarge;
    return need <= free_ ? MemoryError::Fragmentation : MemoryError::InsufficientMemory;
}

template <class Observer, class Classes>
std::uint64_t BasicTaggedAllocator<Observer, Classes>::LargestHole() const {
    const std::uint32_t bin = bins_.Last();
    if (bin == kBins) return 0;
    std::uint64_t largest = 0;
    for (Link link = bins_.heads[bin]; link != kNone;) {
        const std::uintptr_t hole = blocks_.At(link);
        if (TaggedBlocks::SizeOf(hole) > largest) largest = TaggedBlocks::SizeOf(hole);
        link = TaggedBlocks::Next(hole);
    }
    return largest;
}

template <class Observer, class Classes>
Request BasicTaggedAllocator<Observer, Classes>::Described(std::size_t bytes, std::size_t alignment) const {
    return {bytes, alignment, free_, LargestHole()};
}

// ---- taking and giving back ----------------------------------------------------------------------------------------

template <class Observer, class Classes>
std::uintptr_t BasicTaggedAllocator<Observer, Classes>::Take(const Place& place, std::uint64_t need,
                                                             std::size_t bytes) {
    HeapRegion& region = *place.region;
    const std::uintptr_t hole = place.hole;
    const std::uint64_t whole = TaggedBlocks::SizeOf(hole);
    const std::uint64_t below = TaggedBlocks::Below(hole);
    const std::uintptr_t block = hole + place.gap;
    const std::uint64_t rest = whole - place.gap - need;
    const bool split = rest >= TaggedBlocks::kSmallest;
    const std::uint64_t size = split ? need : need + rest;
    const std::uintptr_t upper = block + size;  // the remainder, or the block above

    if (place.gap != 0) {
        Decide(DecisionKind::Split, hole, place.gap, block, whole - place.gap);
        TaggedBlocks::SetHeader(hole, place.gap, below, false);
        Insert(region, hole);
    }
    if (split) {
        Decide(DecisionKind::Split, block, size, upper, rest);
        TaggedBlocks::SetHeader(upper, rest, size, false);
        Insert(region, upper);
    }
    TaggedBlocks::SetHeader(block, size, place.gap != 0 ? place.gap : below, true);
    TaggedBlocks::SetUnusedBytes(block, bytes);
    TaggedBlocks::SetBelow(region, hole + whole, split ? rest : size);
    if (hole + whole == region.End()) TaggedBlocks::SetTopmost(region, split ? upper : block);
    free_ -= size;
    blocks_.Regions().MarkLive(region, block + TaggedBlocks::kHeader);
    return block;
}

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::Give(HeapRegion& region, std::uintptr_t block) {
    const std::uint64_t size = TaggedBlocks::SizeOf(block);
    const std::uint64_t below = TaggedBlocks::Below(block);
    const std::uintptr_t lower = block - below;
    const std::uintptr_t upper = block + size;
    const std::uint64_t lowerSize = below != 0 && !TaggedBlocks::IsLive(lower) ? below : 0;
    const std::uint64_t upperSize = TaggedBlocks::HoleAt(region, upper);
    const std::uintptr_t hole = block - lowerSize;
    const std::uint64_t whole = lowerSize + size + upperSize;

    blocks_.Regions().MarkGivenBack(region, block + TaggedBlocks::kHeader);
    free_ += size;
    if (lowerSize != 0) {
        Decide(DecisionKind::Coalesce, lower, lowerSize, block, size);
        Remove(lower);
    }
    if (upperSize != 0) {
        Decide(DecisionKind::Coalesce, hole, lowerSize + size, upper, upperSize);
        Remove(upper);
    }
    TaggedBlocks::SetHeader(hole, whole, lowerSize != 0 ? TaggedBlocks::Below(lower) : below, false);
    TaggedBlocks::SetBelow(region, hole + whole, whole);
    if (hole + whole == region.End()) TaggedBlocks::SetTopmost(region, hole);
    Insert(region, hole);
}

// Gives a live block just `need` bytes of its own and of the hole above it; what is left is a hole, or slack.
template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::Refit(HeapRegion& region, std::uintptr_t block, std::uint64_t need) {
    const std::uint64_t size = TaggedBlocks::SizeOf(block);
    const std::uintptr_t next = block + size;
    const std::uint64_t nextSize = TaggedBlocks::HoleAt(region, next);
    const std::uint64_t whole = size + nextSize;
    const bool leavesHole = whole - need >= TaggedBlocks::kSmallest;
    const std::uint64_t taken = leavesHole ? need : whole;
    const std::uint64_t rest = whole - taken;
    const std::uintptr_t hole = block + taken;
    if (taken == size) return;

    const bool grows = taken > size;
    if (!grows) Decide(DecisionKind::Split, block, taken, hole, size - taken);
    if (nextSize != 0) {
        if (grows) Decide(DecisionKind::Coalesce, block, size, next, nextSize);
        else Decide(DecisionKind::Coalesce, hole, size - taken, next, nextSize);
        Remove(next);
    }
    if (grows && leavesHole) Decide(DecisionKind::Split, block, taken, hole, rest);
    TaggedBlocks::SetHeader(block, taken, TaggedBlocks::Below(block), true);
    TaggedBlocks::SetBelow(region, block + whole, leavesHole ? rest : taken);
    if (block + whole == region.End()) TaggedBlocks::SetTopmost(region, leavesHole ? hole : block);
    free_ = free_ + rest - nextSize;
    if (!leavesHole) return;
    TaggedBlocks::SetHeader(hole, rest, taken, false);
    Insert(region, hole);
}

template <class Observer, class Classes>
bool BasicTaggedAllocator<Observer, Classes>::ResizeInPlace(HeapRegion& region, std::uintptr_t block,
                                                            std::uint64_t need) {
    const std::uint64_t size = TaggedBlocks::SizeOf(block);
    const std::uintptr_t next = block + size;
    const std::uint64_t nextSize = TaggedBlocks::HoleAt(region, next);
    const bool enough = need <= size + nextSize;
    if (need > size && nextSize != 0) {
        ++probes_;
        Decide(DecisionKind::Probe, next, nextSize, 0, 0, enough ? ProbeVerdict::Taken : ProbeVerdict::TooSmall);
    }
    if (enough) {
        Refit(region, block, need);
        return true;
    }
    HeapRegions& regions = blocks_.Regions();
    if (regions.Kind() != Growth::Growing || next + nextSize != region.End()) return false;
    if (regions.Grow(static_cast<std::size_t>(need - size - nextSize), emitter_) == nullptr) return false;
    if (nextSize != 0) Remove(next);
    free_ -= nextSize;
    TaggedBlocks::SetHeader(block, need, TaggedBlocks::Below(block), true);
    TaggedBlocks::SetTopmost(region, block);
    return true;
}

template <class Observer, class Classes>
void BasicTaggedAllocator<Observer, Classes>::Decide(DecisionKind kind, std::uintptr_t at, std::uint64_t bytes,
                                                     std::uintptr_t other, std::uint64_t otherBytes,
                                                     ProbeVerdict verdict) {
    if constexpr (Observer::kObserves) {
        if (observer.sink != nullptr) observer.sink->On({kind, verdict, at, bytes, other, otherBytes});
    } else {
        (void)kind, (void)at, (void)bytes, (void)other, (void)otherBytes, (void)verdict;
    }
}

// ---- the callbacks -------------------------------------------------------------------------------------------------

template <class Observer, class Classes>
Result<void*> BasicTaggedAllocator<Observer, Classes>::OnAllocate(Allocator* self, std::size_t bytes,
                                                                  std::size_t alignment) {
    auto& me = *static_cast<BasicTaggedAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const std::uint64_t need = TaggedBlocks::NeedOf(bytes);
    const Place place = me.Find(need, alignment);
    if (place.region == nullptr) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) me.emitter_.AllocateFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const std::uintptr_t block = me.Take(place, need, bytes);
    if (me.emitter_.IsAttached()) me.emitter_.Allocated(TaggedBlocks::Describe(block), alignment, me.probes_);
    return reinterpret_cast<void*>(block + TaggedBlocks::kHeader);
}

template <class Observer, class Classes>
Result<void> BasicTaggedAllocator<Observer, Classes>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<BasicTaggedAllocator*>(self);
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const Result<HeapRegion*> region = me.blocks_.Regions().Locate(pointer);
    if (!region) {
        if (me.emitter_.IsAttached()) {
            me.emitter_.FreeFailed(region.error(), address, me.blocks_.Regions().Nearest(pointer));
        }
        return Fail(region.error());
    }
    me.emitter_.Freed(address);
    me.Give(**region, address - TaggedBlocks::kHeader);
    return {};
}

template <class Observer, class Classes>
Result<void*> BasicTaggedAllocator<Observer, Classes>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                                std::size_t alignment) {
    auto& me = *static_cast<BasicTaggedAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(address, bytes);
    const Result<HeapRegion*> home = me.blocks_.Regions().Locate(pointer);
    if (!home) {
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), home.error());
        return Fail(home.error());
    }
    const std::uintptr_t old = address - TaggedBlocks::kHeader;
    const std::uint64_t need = TaggedBlocks::NeedOf(bytes);
    const auto oldBytes = static_cast<std::size_t>(TaggedBlocks::Describe(old).size);
    const bool aligned = alignment == 0 || (address & (alignment - 1)) == 0;
    if (aligned && me.ResizeInPlace(**home, old, need)) {
        TaggedBlocks::SetUnusedBytes(old, bytes);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(TaggedBlocks::Describe(old), alignment, address);
        return pointer;
    }
    const Place place = me.Find(need, alignment);
    if (place.region == nullptr) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const std::uintptr_t block = me.Take(place, need, bytes);
    auto* const moved = reinterpret_cast<void*>(block + TaggedBlocks::kHeader);
    std::memcpy(moved, pointer, oldBytes < bytes ? oldBytes : bytes);
    if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(TaggedBlocks::Describe(block), alignment, address);
    me.Give(**home, old);
    return moved;
}

template <class Observer, class Classes>
bool BasicTaggedAllocator<Observer, Classes>::OnOwns(const Allocator* self, const void* pointer) {
    return static_cast<const BasicTaggedAllocator*>(self)->blocks_.Regions().Locate(pointer).has_value();
}

template <class Observer, class Classes>
Result<void> BasicTaggedAllocator<Observer, Classes>::OnReset(Allocator* self) {
    auto& me = *static_cast<BasicTaggedAllocator*>(self);
    me.probes_ = 0;
    me.blocks_.Reset(me.emitter_);
    me.StartOver();
    return {};
}

}  // namespace residue::alloc
