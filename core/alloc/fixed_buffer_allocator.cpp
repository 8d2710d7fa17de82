#include "alloc/fixed_buffer_allocator.hpp"

#include <cstring>

#include "alloc/detail/fixed_buffer_storage.hpp"
#include "alloc/detail/fixed_buffer_walk.hpp"

namespace residue::alloc {

using namespace fixed_buffer;

template <class Observer>
const AllocatorOptions BasicFixedBufferAllocator<Observer>::kOptions[4] = {
    {"fixed buffer, first fit", OnResize, OnInspect, OnOwns, OnReset},
    {"fixed buffer, next fit", OnResize, OnInspect, OnOwns, OnReset},
    {"fixed buffer, best fit", OnResize, OnInspect, OnOwns, OnReset},
    {"fixed buffer, worst fit", OnResize, OnInspect, OnOwns, OnReset},
};

// ---- life ----------------------------------------------------------------------------------------------------------

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Make(void* buffer, std::size_t bytes, Placement placement, Growth growth)
    -> BasicFixedBufferAllocator {
    BasicFixedBufferAllocator made;
    static_cast<Allocator&>(made) = {OnAllocate, OnFree, &kOptions[static_cast<std::size_t>(placement)]};
    made.placement_ = placement;
    made.growth_ = growth;

    const auto start = reinterpret_cast<std::uintptr_t>(buffer);
    const std::size_t skipped = (8 - start % 8) % 8;
    if (buffer == nullptr || bytes <= skipped) return made;
    made.base_ = static_cast<std::byte*>(buffer) + skipped;
    std::uint64_t granules = (bytes - skipped) / 8;
    if (granules > kMostGranules) granules = kMostGranules;

    const std::uint64_t heap = GranuleBits::GranulesIn(granules);
    if (heap < kSmallestHole) {
        made.bookkeeping_ = growth == Growth::Fixed ? granules * 8 : 0;
        return made;
    }
    made.limit_ = static_cast<Granule>(heap);
    made.bits_ = GranuleBits(made.base_ + heap * 8, heap);
    if (growth == Growth::Growing) return made;

    made.bookkeeping_ = static_cast<std::size_t>(granules - heap) * 8;  // the bits, and what is too little for more
    made.bits_.Clear(heap);
    made.end_ = made.limit_;
    made.last_ = 0;
    made.free_ = made.end_;
    made.SetHeader(0, made.end_, 0, false);
    made.LinkBetween(kNone, 0, kNone);
    return made;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, {Address(0), HeapBytes() + bookkeeping_, bookkeeping_}, parent,
                    options->name);
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::Destroy() {
    emitter_.Destroyed();
    *this = Make(nullptr, 0, placement_, growth_);
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::GoOnBy(Placement placement) {
    placement_ = placement;
    options = &kOptions[static_cast<std::size_t>(placement)];
}

// ---- finding a hole ------------------------------------------------------------------------------------------------

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Need(std::size_t bytes) -> Granule {
    if (bytes > std::uint64_t{kMostGranules} * 8 - kHeader - 7) return kNone;
    return static_cast<Granule>((bytes + kHeader + 7) / 8);
}

template <class Observer>
std::uint64_t BasicFixedBufferAllocator<Observer>::GapFor(Granule hole, std::size_t alignment) const {
    if (alignment <= 8) return 0;
    const std::uintptr_t payload = Address(hole) + kHeader;
    const auto aligned = CheckedAlignUp(payload, alignment);
    if (!aligned) return std::uint64_t{1} << 48;  // beyond the address space, and beyond every heap
    const std::uint64_t gap = (*aligned - payload) / 8;
    return gap == 1 ? gap + alignment / 8 : gap;
}

template <class Observer>
bool BasicFixedBufferAllocator<Observer>::Fits(Granule hole, Granule need, std::size_t alignment, Granule& gap) {
    ++probes_;
    const Granule size = SizeOf(hole);
    if (size < need) {
        Decide(DecisionKind::Probe, hole, size, 0, 0, ProbeVerdict::TooSmall);
        return false;
    }
    const std::uint64_t leading = GapFor(hole, alignment);
    if (leading + need > size) {
        Decide(DecisionKind::Probe, hole, size, 0, 0, ProbeVerdict::TooSmallAligned);
        return false;
    }
    gap = static_cast<Granule>(leading);
    return true;
}

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::FirstFrom(Granule from, Granule to, Granule need, std::size_t alignment)
    -> Place {
    Granule gap = 0;
    for (Granule hole = from; hole != to; hole = NextHole(hole)) {
        if (!Fits(hole, need, alignment, gap)) continue;
        Decide(DecisionKind::Probe, hole, SizeOf(hole));
        return {hole, gap};
    }
    return {};
}

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::BestOrWorst(Granule need, std::size_t alignment) -> Place {
    const bool best = placement_ == Placement::BestFit;
    Place found;
    Granule foundSize = 0;
    Granule gap = 0;
    for (Granule hole = head_; hole != kNone; hole = NextHole(hole)) {
        if (!Fits(hole, need, alignment, gap)) continue;
        const Granule size = SizeOf(hole);
        const bool better = found.hole == kNone || (best ? size < foundSize : size > foundSize);
        Decide(DecisionKind::Probe, hole, size, 0, 0, better ? ProbeVerdict::Taken : ProbeVerdict::AnotherIsBetter);
        if (!better) continue;
        found = {hole, gap};
        foundSize = size;
        if (best && size == need) break;  // no hole can be smaller
    }
    return found;
}

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Search(Granule need, std::size_t alignment) -> Place {
    switch (placement_) {
        case Placement::FirstFit: return FirstFrom(head_, kNone, need, alignment);
        case Placement::NextFit: {
            const Granule start = rover_ == kNone ? head_ : rover_;
            const Place found = FirstFrom(start, kNone, need, alignment);
            return found.hole != kNone ? found : FirstFrom(head_, start, need, alignment);
        }
        case Placement::BestFit:
        case Placement::WorstFit: return BestOrWorst(need, alignment);
    }
    return {};
}

// Called when no hole fits: the heap's end goes up by just what is missing, the last hole included.
template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Grow(Granule need, std::size_t alignment) -> Place {
    if (growth_ != Growth::Growing) return {};
    const bool extends = last_ != kNone && !IsLive(last_);
    const Granule hole = extends ? last_ : end_;
    const std::uint64_t gap = GapFor(hole, alignment);
    if (hole + gap + need > limit_) return {};
    const auto size = static_cast<Granule>(gap + need);
    const Granule had = extends ? SizeOf(hole) : 0;
    const Granule below = extends ? Below(hole) : last_ == kNone ? 0 : SizeOf(last_);
    ExtendEnd(size - had);
    SetHeader(hole, size, below, false);
    free_ += size - had;
    if (!extends) {
        last_ = hole;
        Decide(DecisionKind::Insert, hole, size);
        LinkBetween(tail_, hole, kNone);
    }
    return {hole, static_cast<Granule>(gap)};
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::ExtendEnd(Granule granules) {
    emitter_.RegionGrown(Address(end_), std::uint64_t{granules} * 8);
    end_ += granules;
}

template <class Observer>
std::uint64_t BasicFixedBufferAllocator<Observer>::LargestHoleBytes() const {
    Granule largest = 0;
    for (Granule hole = head_; hole != kNone; hole = NextHole(hole)) {
        const Granule size = SizeOf(hole);
        if (size > largest) largest = size;
    }
    return std::uint64_t{largest} * 8;
}

template <class Observer>
MemoryError BasicFixedBufferAllocator<Observer>::WhyNot(Granule need, std::size_t alignment) const {
    if (need > limit_ || GapFor(0, alignment) + need > limit_) return MemoryError::BufferTooLarge;
    return need <= free_ ? MemoryError::Fragmentation : MemoryError::InsufficientMemory;
}

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::Locate(const void* pointer) const -> Result<Granule> {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const std::uintptr_t base = Address(0);
    if (pointer == nullptr || address < base || address - base >= HeapBytes() || address % 8 != 0) {
        return Fail(MemoryError::InvalidPointer);
    }
    const auto payload = static_cast<Granule>((address - base) / 8);
    if (bits_.IsLive(payload)) return payload - 1;
    return Fail(bits_.WasGivenBack(payload) ? MemoryError::DoubleFree : MemoryError::InvalidPointer);
}

// ---- taking and giving back ----------------------------------------------------------------------------------------

template <class Observer>
auto BasicFixedBufferAllocator<Observer>::TakeBlock(Place place, Granule need, std::size_t bytes) -> Granule {
    const Granule hole = place.hole;
    const Granule whole = SizeOf(hole);
    const Granule below = Below(hole);
    const Granule block = hole + place.gap;
    const Granule rest = whole - place.gap - need;
    const bool split = rest >= kSmallestHole;
    const Granule size = split ? need : need + rest;
    const Granule upper = block + size;  // the remainder, or the block above
    const bool wasLast = last_ == hole;

    Granule next = NextHole(hole);
    if (place.gap != 0) {
        Decide(DecisionKind::Split, hole, place.gap, block, whole - place.gap);
        SetHeader(hole, place.gap, below, false);
    }
    if (split) {
        Decide(DecisionKind::Split, block, size, upper, rest);
        if (place.gap != 0) LinkBetween(hole, upper, next);
        else ReplaceInList(hole, upper);
        SetHeader(upper, rest, size, false);
        Decide(DecisionKind::Insert, upper, rest);
        next = upper;
    } else if (place.gap == 0) {
        Remove(hole);
    }
    rover_ = next;
    SetHeader(block, size, place.gap != 0 ? place.gap : below, true);
    SetBelowOf(hole + whole, split ? rest : size);
    if (wasLast) last_ = split ? upper : block;
    SetUnusedBytes(block, bytes);
    free_ -= size;
    bits_.MarkLive(block + 1);
    return block;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::GiveBlock(Granule block) {
    const Granule size = SizeOf(block);
    const Granule below = Below(block);
    const Granule lower = block - below;
    const Granule upper = block + size;
    const bool joinsLower = below != 0 && !IsLive(lower);
    const Granule upperSize = IsHoleAt(upper) ? SizeOf(upper) : 0;
    const Granule hole = joinsLower ? lower : block;
    const Granule whole = (joinsLower ? below : 0) + size + upperSize;
    const Granule belowHole = joinsLower ? Below(lower) : below;

    bits_.MarkGivenBack(block + 1);
    free_ += size;
    if (joinsLower) Decide(DecisionKind::Coalesce, lower, below, block, size);
    if (upperSize != 0) {
        Decide(DecisionKind::Coalesce, hole, whole - upperSize, upper, upperSize);
        if (joinsLower) {
            if (rover_ == upper) rover_ = lower;
            Remove(upper);
        } else {
            ReplaceInList(upper, block);
            Decide(DecisionKind::Insert, block, whole);
        }
    }
    SetHeader(hole, whole, belowHole, false);
    SetBelowOf(hole + whole, whole);
    if (hole + whole == end_) last_ = hole;
    if (!joinsLower && upperSize == 0) Insert(hole);
}

// Gives a live block just `need` granules of its own and of the hole above it; what is left is a hole, or slack.
template <class Observer>
void BasicFixedBufferAllocator<Observer>::Refit(Granule block, Granule need) {
    const Granule size = SizeOf(block);
    const Granule below = Below(block);
    const Granule next = block + size;
    const Granule nextSize = IsHoleAt(next) ? SizeOf(next) : 0;
    const Granule whole = size + nextSize;
    const bool leavesHole = whole - need >= kSmallestHole;
    const Granule taken = leavesHole ? need : whole;
    const Granule rest = whole - taken;
    if (taken == size) return;

    const Granule hole = block + taken;
    if (leavesHole) Decide(DecisionKind::Split, block, taken, hole, rest);
    if (nextSize != 0) {
        if (leavesHole) ReplaceInList(next, hole);
        else Remove(next);
    }
    SetHeader(block, taken, below, true);
    SetBelowOf(block + whole, leavesHole ? rest : taken);
    if (block + whole == end_) last_ = leavesHole ? hole : block;
    free_ = free_ + rest - nextSize;
    if (!leavesHole) return;
    SetHeader(hole, rest, taken, false);
    if (nextSize == 0) Insert(hole);
    else Decide(DecisionKind::Insert, hole, rest);
}

template <class Observer>
bool BasicFixedBufferAllocator<Observer>::ResizeInPlace(Granule block, Granule need) {
    const Granule size = SizeOf(block);
    const Granule next = block + size;
    const Granule nextSize = IsHoleAt(next) ? SizeOf(next) : 0;
    if (need > size && nextSize != 0) ++probes_;
    if (need <= size + nextSize) {
        Refit(block, need);
        return true;
    }
    const bool canGrow = growth_ == Growth::Growing && next + nextSize == end_ &&
                         std::uint64_t{block} + need <= limit_;
    if (!canGrow) return false;
    const Granule below = Below(block);
    if (nextSize != 0) Remove(next);
    free_ -= nextSize;
    ExtendEnd(need - size - nextSize);
    SetHeader(block, need, below, true);
    last_ = block;
    return true;
}

template <class Observer>
Block BasicFixedBufferAllocator<Observer>::Describe(Granule block) const {
    const std::size_t unused = UnusedBytes(block);
    Block described;
    described.address = Address(block + 1);
    described.header = kHeader;
    described.slack = unused >= 8 ? 8 : 0;
    described.rounding = unused - described.slack;
    described.size = std::uint64_t{SizeOf(block)} * 8 - kHeader - unused;
    return described;
}

template <class Observer>
void BasicFixedBufferAllocator<Observer>::Decide(DecisionKind kind, Granule at, Granule size, Granule other,
                                                 Granule otherSize, ProbeVerdict verdict) {
    if constexpr (Observer::kObserves) {
        if (observer.sink == nullptr) return;
        observer.sink->On({kind, verdict, Address(at), std::uint64_t{size} * 8, otherSize == 0 ? 0 : Address(other),
                           std::uint64_t{otherSize} * 8});
    } else {
        (void)kind, (void)at, (void)size, (void)other, (void)otherSize, (void)verdict;
    }
}

// ---- the callbacks -------------------------------------------------------------------------------------------------

template <class Observer>
Result<void*> BasicFixedBufferAllocator<Observer>::OnAllocate(Allocator* self, std::size_t bytes,
                                                              std::size_t alignment) {
    auto& me = *static_cast<BasicFixedBufferAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const Granule need = Need(bytes);
    Place place;
    if (need != kNone) place = me.Search(need, alignment);
    if (need != kNone && place.hole == kNone) place = me.Grow(need, alignment);
    if (place.hole == kNone) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) {
            me.emitter_.AllocateFailed({bytes, alignment, me.FreeBytes(), me.LargestHoleBytes()}, error);
        }
        return Fail(error);
    }
    const Granule block = me.TakeBlock(place, need, bytes);
    if (me.emitter_.IsAttached()) me.emitter_.Allocated(me.Describe(block), alignment, me.probes_);
    return reinterpret_cast<void*>(me.Address(block + 1));
}

template <class Observer>
Result<void> BasicFixedBufferAllocator<Observer>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<BasicFixedBufferAllocator*>(self);
    me.probes_ = 0;
    const Result<Granule> block = me.Locate(pointer);
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    if (!block) {
        if (me.emitter_.IsAttached()) me.emitter_.FreeFailed(block.error(), address, me.NearestTo(pointer));
        return Fail(block.error());
    }
    me.emitter_.Freed(address);
    me.GiveBlock(*block);
    return {};
}

template <class Observer>
Result<void*> BasicFixedBufferAllocator<Observer>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                            std::size_t alignment) {
    auto& me = *static_cast<BasicFixedBufferAllocator*>(self);
    if (bytes == 0) bytes = 1;
    if (alignment == 0) alignment = 1;
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(address, bytes);
    const Result<Granule> located = me.Locate(pointer);
    if (!located) {
        if (me.emitter_.IsAttached()) {
            me.emitter_.ResizeFailed({bytes, alignment, me.FreeBytes(), me.LargestHoleBytes()}, located.error());
        }
        return Fail(located.error());
    }
    const Granule old = *located;
    const Granule need = Need(bytes);
    const std::size_t oldBytes = me.Describe(old).size;
    if (need != kNone && (address & (alignment - 1)) == 0 && me.ResizeInPlace(old, need)) {
        me.SetUnusedBytes(old, bytes);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(me.Describe(old), alignment, address);
        return pointer;
    }
    Place place;
    if (need != kNone) place = me.Search(need, alignment);
    if (need != kNone && place.hole == kNone) place = me.Grow(need, alignment);
    if (place.hole == kNone) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) {
            me.emitter_.ResizeFailed({bytes, alignment, me.FreeBytes(), me.LargestHoleBytes()}, error);
        }
        return Fail(error);
    }
    const Granule block = me.TakeBlock(place, need, bytes);
    const auto moved = reinterpret_cast<void*>(me.Address(block + 1));
    std::memcpy(moved, pointer, oldBytes < bytes ? oldBytes : bytes);
    if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(me.Describe(block), alignment, address);
    me.GiveBlock(old);
    return moved;
}

template <class Observer>
bool BasicFixedBufferAllocator<Observer>::OnOwns(const Allocator* self, const void* pointer) {
    return static_cast<const BasicFixedBufferAllocator*>(self)->Locate(pointer).has_value();
}

template <class Observer>
Result<void> BasicFixedBufferAllocator<Observer>::OnReset(Allocator* self) {
    auto& me = *static_cast<BasicFixedBufferAllocator*>(self);
    me.probes_ = 0;
    me.emitter_.BulkFreed(me.Address(0), me.HeapBytes());
    if (me.end_ == 0) return {};
    me.bits_.MarkAllGivenBack(me.end_);
    me.last_ = 0;
    me.free_ = me.end_;
    me.rover_ = kNone;
    me.SetHeader(0, me.end_, 0, false);
    me.LinkBetween(kNone, 0, kNone);
    return {};
}

// ---- both forms ----------------------------------------------------------------------------------------------------

template struct BasicFixedBufferAllocator<NoObserver>;
template struct BasicFixedBufferAllocator<DecisionObserver>;

FixedBufferAllocator CreateFixedBufferAllocator(void* buffer, std::size_t bytes, Placement placement) {
    return FixedBufferAllocator::Make(buffer, bytes, placement, Growth::Fixed);
}

FixedBufferAllocator CreateGrowingAllocator(void* range, std::size_t bytes, Placement placement) {
    return FixedBufferAllocator::Make(range, bytes, placement, Growth::Growing);
}

void DestroyFixedBufferAllocator(FixedBufferAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
