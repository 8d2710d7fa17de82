#include "alloc/buddy_allocator.hpp"

#include <cstring>

#include "alloc/detail/buddy_storage.hpp"
#include "alloc/detail/buddy_walk.hpp"
#include "alloc/detail/rest_bytes.hpp"
#include "base/checked.hpp"

namespace residue::alloc {

using namespace buddy;

template <class Observer>
const AllocatorOptions BasicBuddyAllocator<Observer>::kOptions{"buddy", OnResize, OnInspect, OnOwns, OnReset};

// ---- life ----------------------------------------------------------------------------------------------------------

template <class Observer>
auto BasicBuddyAllocator<Observer>::Make(const HeapMemory& memory) -> BasicBuddyAllocator {
    BasicBuddyAllocator made;
    static_cast<Allocator&>(made) = {OnAllocate, OnFree, &kOptions};
    made.regions_ = HeapRegions(memory, kSmallest, kSmallest);
    const std::size_t most = made.regions_.MostBytes();
    if (most >= kSmallest) made.orders_ = OrderWithin(most) + 1;
    HeapRegion* const first = made.regions_.First();
    if (first != nullptr) made.AddBytes(*first, first->base);
    return made;
}

template <class Observer>
void BasicBuddyAllocator<Observer>::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, regions_.Created(), parent, kOptions.name);
}

template <class Observer>
void BasicBuddyAllocator<Observer>::Destroy() {
    regions_.End(emitter_);
    *this = Make(HeapMemory{});
}

// ---- sizes ---------------------------------------------------------------------------------------------------------

template <class Observer>
unsigned BasicBuddyAllocator<Observer>::OrderFor(std::size_t bytes) {
    return bytes <= kSmallest ? 0 : OrderWithin(bytes - 1) + 1;
}

template <class Observer>
unsigned BasicBuddyAllocator<Observer>::OrderWithin(std::uint64_t bytes) {
    return 63 - static_cast<unsigned>(__builtin_clzll(bytes / kSmallest));
}

// Where a block of its own would lie that holds so many bytes from `payload` on. Blocks contain each other or have
// nothing in common, so halving any block around it ends here.
template <class Observer>
auto BasicBuddyAllocator<Observer>::SmallestAround(const HeapRegion& region, std::uintptr_t payload, std::size_t bytes)
    -> Span {
    const std::uint64_t from = payload - region.base;
    unsigned order = OrderFor(bytes);
    while (AlignDown(from, BytesOf(order)) + BytesOf(order) < from + bytes) ++order;
    return {region.base + AlignDown(from, BytesOf(order)), order};
}

// ---- what bits and first words say ---------------------------------------------------------------------------------

// Inside a block of 2^k bytes no block begins at 2^(k-1), 2^(k-2), ...: the first of these is the next one's begin.
template <class Observer>
unsigned BasicBuddyAllocator<Observer>::OrderAt(const HeapRegion& region, std::uintptr_t start) {
    for (unsigned order = 0; order + 1 < kOrders; ++order) {
        const std::uintptr_t next = EndOf({start, order});
        if (next >= region.End() || Begins(region, next)) return order;
    }
    return kOrders - 1;
}

template <class Observer>
auto BasicBuddyAllocator<Observer>::Holder(const HeapRegion& region, std::uintptr_t address) -> Span {
    std::uintptr_t start = address;
    for (unsigned order = 0; order < kOrders && !Begins(region, start); ++order) {
        start = region.base + AlignDown(address - region.base, BytesOf(order));
    }
    return {start, OrderAt(region, start)};
}

template <class Observer>
bool BasicBuddyAllocator<Observer>::IsFree(const HeapRegion& region, std::uintptr_t start) {
    return !region.bits.IsLive(region.GranuleOf(start)) && !SaysPadding(start);
}

// A block that is halved has another begin in its middle, however often its halves are halved.
template <class Observer>
bool BasicBuddyAllocator<Observer>::IsFreeOf(const HeapRegion& region, Span block) {
    if (block.start - region.base + BytesOf(block.order) > region.used || !Begins(region, block.start)) return false;
    if (block.order > 0 && Begins(region, EndOf({block.start, block.order - 1}))) return false;
    return IsFree(region, block.start);
}

// `from` is where a block begins.
template <class Observer>
bool BasicBuddyAllocator<Observer>::AllFree(const HeapRegion& region, std::uintptr_t from, std::uintptr_t to) {
    for (; from < to; from = EndOf({from, OrderAt(region, from)})) {
        if (!IsFree(region, from)) return false;
    }
    return true;
}

template <class Observer>
std::uintptr_t BasicBuddyAllocator<Observer>::PayloadOf(const HeapRegion& region, Span block) {
    if (region.bits.IsLive(region.GranuleOf(block.start))) return block.start;
    return SaysPadding(block.start) ? block.start + PaddingOf(block.start) : 0;
}

// 0: what tells it was written over.
template <class Observer>
std::size_t BasicBuddyAllocator<Observer>::SizeOf(const HeapRegion& region, Span block, std::uintptr_t payload) {
    const std::uint64_t room = EndOf(block) - payload;
    if (region.bits.FlagOfLive(region.GranuleOf(payload))) return static_cast<std::size_t>(room);
    const std::uint64_t rest = LoadRest(EndOf(block), room);
    return rest == 0 ? 0 : static_cast<std::size_t>(room - rest);
}

template <class Observer>
Block BasicBuddyAllocator<Observer>::Describe(const HeapRegion& region, Span block, std::uintptr_t payload) {
    Block described;
    described.address = payload;
    described.size = SizeOf(region, block, payload);
    described.padding = static_cast<std::uint32_t>(payload - block.start);
    described.rounding = EndOf(block) - payload - described.size;
    return described;
}

template <class Observer>
Result<HeapRegion*> BasicBuddyAllocator<Observer>::Locate(const void* pointer) {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    if (address % kSmallest != 0) return Fail(MemoryError::InvalidPointer);  // those bits say something else
    return regions_.Locate(pointer);
}

// ---- the lists -----------------------------------------------------------------------------------------------------

template <class Observer>
void BasicBuddyAllocator<Observer>::Insert(Span block) {
    const std::uintptr_t next = heads_[block.order];
    SetNext(block.start, next);
    SetPrevious(block.start, 0);
    if (next != 0) SetPrevious(next, block.start);
    heads_[block.order] = block.start;
    Decide(DecisionKind::Insert, block);
}

template <class Observer>
void BasicBuddyAllocator<Observer>::Remove(Span block) {
    Decide(DecisionKind::Remove, block);
    const std::uintptr_t next = NextOf(block.start);
    const std::uintptr_t previous = PreviousOf(block.start);
    if (next != 0) SetPrevious(next, previous);
    if (previous != 0) SetNext(previous, next);
    else heads_[block.order] = next;
}

// ---- requests ------------------------------------------------------------------------------------------------------

// In the heap at its largest, with nothing in it: if at all, then from its first aligned address on.
template <class Observer>
bool BasicBuddyAllocator<Observer>::CouldEver(std::size_t bytes, std::size_t alignment) const {
    if (OrderFor(bytes) >= orders_ || alignment > kMostAligned) return false;
    if (regions_.Kind() == Growth::Regions) return OrderFor(bytes + alignment - kSmallest) < orders_;
    const HeapRegion& region = *regions_.First();
    const auto payload = CheckedAlignUp(region.base, alignment);
    if (!payload || *payload - region.base >= region.limit) return false;
    const Span block = SmallestAround(region, static_cast<std::uintptr_t>(*payload), bytes);
    return EndOf(block) - region.base <= region.limit;
}

template <class Observer>
MemoryError BasicBuddyAllocator<Observer>::WhyNot(std::size_t bytes, std::size_t alignment) const {
    if (!CouldEver(bytes, alignment)) return MemoryError::BufferTooLarge;
    return BytesOf(OrderFor(bytes)) <= free_ ? MemoryError::Fragmentation : MemoryError::InsufficientMemory;
}

template <class Observer>
Request BasicBuddyAllocator<Observer>::Described(std::size_t bytes, std::size_t alignment) const {
    Request request{bytes, alignment, free_};
    if (!emitter_.IsAttached()) return request;
    for (const HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        std::uint64_t run = 0;
        for (std::uintptr_t at = region->base; at < region->End();) {
            const std::uint64_t size = BytesOf(OrderAt(*region, at));
            run = IsFree(*region, at) ? run + size : 0;
            if (run > request.largestHole) request.largestHole = run;
            at += size;
        }
    }
    return request;
}

template <class Observer>
auto BasicBuddyAllocator<Observer>::Search(std::size_t bytes, std::size_t alignment) -> Place {
    const bool oneRegion = regions_.Kind() != Growth::Regions;
    for (unsigned order = OrderFor(bytes); order < orders_; ++order) {
        ++probes_;
        for (std::uintptr_t at = heads_[order]; at != 0; ++probes_) {
            const Span block{at, order};
            const auto payload = CheckedAlignUp(at, alignment);
            if (payload && *payload + bytes <= EndOf(block)) {
                Decide(DecisionKind::Probe, block);
                return {regions_.Containing(at), block, static_cast<std::uintptr_t>(*payload)};
            }
            Decide(DecisionKind::Probe, block, 0, ProbeVerdict::TooSmallAligned);
            if (oneRegion && BytesOf(order) >= alignment) break;  // all of this size lie alike
            at = NextOf(at);
            if (at == 0) break;
        }
    }
    return {};
}

// Called when no free block will do, and only for what could be.
template <class Observer>
auto BasicBuddyAllocator<Observer>::Grow(std::size_t bytes, std::size_t alignment) -> Place {
    if (regions_.Kind() == Growth::Regions) {
        const std::uint64_t atWorst = BytesOf(OrderFor(bytes + alignment - kSmallest));
        HeapRegion* const fresh = regions_.Grow(static_cast<std::size_t>(atWorst), emitter_);
        if (fresh == nullptr) return {};
        AddBytes(*fresh, fresh->base);
        const auto payload = static_cast<std::uintptr_t>(*CheckedAlignUp(fresh->base, alignment));
        return {fresh, Holder(*fresh, payload), payload};
    }
    if (regions_.Kind() != Growth::Growing) return {};
    HeapRegion& region = *regions_.First();
    // Every block of this size has room from its first aligned address on.
    const std::uint64_t padding = (~std::uint64_t{region.base} + 1) & (alignment - 1);
    const std::uint64_t size = BytesOf(OrderFor(padding + bytes < alignment ? alignment : padding + bytes));
    std::uint64_t from = AlignDown(region.used, size);
    if (!AllFree(region, region.base + from, region.End())) from += size;
    const auto payload = static_cast<std::uintptr_t>(region.base + from + padding);
    const std::uint64_t end = EndOf(SmallestAround(region, payload, bytes)) - region.base;
    const std::uintptr_t before = region.End();
    if (end <= region.used) return {};
    if (regions_.Grow(static_cast<std::size_t>(end - region.used), emitter_) == nullptr) return {};
    AddBytes(region, before);
    return {&region, Holder(region, payload), payload};
}

template <class Observer>
auto BasicBuddyAllocator<Observer>::Find(std::size_t bytes, std::size_t alignment) -> Place {
    if (!CouldEver(bytes, alignment)) return {};
    const Place found = Search(bytes, alignment);
    return found.region != nullptr ? found : Grow(bytes, alignment);
}

// From there to the region's end everything is new: the largest blocks that may begin where they do.
template <class Observer>
void BasicBuddyAllocator<Observer>::AddBytes(HeapRegion& region, std::uintptr_t from) {
    while (from < region.End()) {
        Span block{from, OrderWithin(region.End() - from)};
        while ((from - region.base) % BytesOf(block.order) != 0) --block.order;
        SetBegins(region, from, true);
        from = EndOf(block);
        Give(region, block);
    }
}

// ---- taking and giving back ----------------------------------------------------------------------------------------

template <class Observer>
auto BasicBuddyAllocator<Observer>::SplitTo(HeapRegion& region, Span block, Span target) -> Span {
    while (block.order > target.order) {
        --block.order;
        const std::uintptr_t upper = EndOf(block);
        Decide(DecisionKind::Split, block, upper);
        SetBegins(region, upper, true);
        const bool keepsLower = target.start < upper;
        Insert({keepsLower ? upper : block.start, block.order});
        if (!keepsLower) block.start = upper;
    }
    return block;
}

template <class Observer>
void BasicBuddyAllocator<Observer>::SetPayload(HeapRegion& region, Span block, std::uintptr_t payload,
                                               std::size_t bytes) {
    if (payload != block.start) SetPadding(block.start, payload - block.start);
    const std::uint64_t rest = EndOf(block) - payload - bytes;
    region.bits.MarkLive(region.GranuleOf(payload), rest == 0);
    StoreRest(EndOf(block), rest);
}

template <class Observer>
auto BasicBuddyAllocator<Observer>::Take(const Place& place, std::size_t bytes) -> Span {
    HeapRegion& region = *place.region;
    Remove(place.block);
    const Span block = SplitTo(region, place.block, SmallestAround(region, place.payload, bytes));
    free_ -= BytesOf(block.order);
    SetPayload(region, block, place.payload, bytes);
    return block;
}

template <class Observer>
void BasicBuddyAllocator<Observer>::Give(HeapRegion& region, Span block) {
    free_ += BytesOf(block.order);
    while (block.order + 1 < kOrders) {
        const std::uint64_t size = BytesOf(block.order);
        const Span buddy{region.base + ((block.start - region.base) ^ size), block.order};
        if (!IsFreeOf(region, buddy)) break;
        const Span lower{buddy.start < block.start ? buddy.start : block.start, block.order};
        Decide(DecisionKind::Coalesce, lower, EndOf(lower));
        Remove(buddy);
        SetBegins(region, EndOf(lower), false);
        block = {lower.start, block.order + 1};
    }
    Insert(block);
}

template <class Observer>
bool BasicBuddyAllocator<Observer>::ResizeInPlace(HeapRegion& region, Span& block, std::uintptr_t payload,
                                                  std::size_t bytes) {
    const Span target = SmallestAround(region, payload, bytes);
    const std::uint64_t had = BytesOf(block.order);
    if (target.order > block.order) {
        const std::uintptr_t before = region.End();
        if (target.start != block.start || EndOf(target) - region.base > region.limit) return false;
        if (!AllFree(region, EndOf(block), EndOf(target) < before ? EndOf(target) : before)) return false;
        if (EndOf(target) > before) {
            if (regions_.Grow(static_cast<std::size_t>(EndOf(target) - before), emitter_) == nullptr) return false;
            AddBytes(region, before);
        }
        for (; block.order < target.order; ++block.order, ++probes_) {
            const Span upper{EndOf(block), block.order};
            Decide(DecisionKind::Coalesce, block, upper.start);
            Remove(upper);
            SetBegins(region, upper.start, false);
        }
    } else {
        block = SplitTo(region, block, target);
    }
    free_ = free_ + had - BytesOf(block.order);
    SetPayload(region, block, payload, bytes);
    return true;
}

template <class Observer>
void BasicBuddyAllocator<Observer>::Decide(DecisionKind decision, Span block, std::uintptr_t upper,
                                           ProbeVerdict verdict) {
    if constexpr (Observer::kObserves) {
        if (observer.sink == nullptr) return;
        const auto bytes = static_cast<std::size_t>(BytesOf(block.order));
        observer.sink->On({decision, verdict, block.start, bytes, upper, upper == 0 ? 0 : bytes});
    } else {
        (void)decision, (void)block, (void)upper, (void)verdict;
    }
}

// ---- the callbacks -------------------------------------------------------------------------------------------------

template <class Observer>
Result<void*> BasicBuddyAllocator<Observer>::OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<BasicBuddyAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const std::size_t aligned = alignment < kSmallest ? kSmallest : alignment;
    const Place place = me.Find(bytes, aligned);
    if (place.region == nullptr) {
        const MemoryError error = me.WhyNot(bytes, aligned);
        if (me.emitter_.IsAttached()) me.emitter_.AllocateFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const Span block = me.Take(place, bytes);
    if (me.emitter_.IsAttached()) {
        me.emitter_.Allocated(Describe(*place.region, block, place.payload), alignment, me.probes_);
    }
    return reinterpret_cast<void*>(place.payload);
}

template <class Observer>
Result<void> BasicBuddyAllocator<Observer>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<BasicBuddyAllocator*>(self);
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const Result<HeapRegion*> region = me.Locate(pointer);
    if (!region) {
        if (me.emitter_.IsAttached()) me.emitter_.FreeFailed(region.error(), address, me.regions_.Nearest(pointer));
        return Fail(region.error());
    }
    me.emitter_.Freed(address);
    me.regions_.MarkGivenBack(**region, address);
    me.Give(**region, Holder(**region, address));
    return {};
}

template <class Observer>
Result<void*> BasicBuddyAllocator<Observer>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                      std::size_t alignment) {
    auto& me = *static_cast<BasicBuddyAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const std::size_t aligned = alignment < kSmallest ? kSmallest : alignment;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(address, bytes);
    const Result<HeapRegion*> home = me.Locate(pointer);
    if (!home) {
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), home.error());
        return Fail(home.error());
    }
    Span old = Holder(**home, address);
    const std::size_t had = SizeOf(**home, old, address);
    const bool mayStay = address % aligned == 0 && OrderFor(bytes) < kOrders;
    if (mayStay && me.ResizeInPlace(**home, old, address, bytes)) {
        if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(Describe(**home, old, address), alignment, address);
        return pointer;
    }
    const Place place = me.Find(bytes, aligned);
    if (place.region == nullptr) {
        const MemoryError error = me.WhyNot(bytes, aligned);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const Span block = me.Take(place, bytes);
    std::memcpy(reinterpret_cast<void*>(place.payload), pointer, had < bytes ? had : bytes);
    if (me.emitter_.IsAttached()) {
        me.emitter_.ResizeEnds(Describe(*place.region, block, place.payload), alignment, address);
    }
    me.regions_.MarkGivenBack(**home, address);
    me.Give(**home, old);
    return reinterpret_cast<void*>(place.payload);
}

template <class Observer>
bool BasicBuddyAllocator<Observer>::OnOwns(const Allocator* self, const void* pointer) {
    return const_cast<BasicBuddyAllocator*>(static_cast<const BasicBuddyAllocator*>(self))->Locate(pointer).has_value();
}

template <class Observer>
Result<void> BasicBuddyAllocator<Observer>::OnReset(Allocator* self) {
    auto& me = *static_cast<BasicBuddyAllocator*>(self);
    me.probes_ = 0;
    me.regions_.TellReset(me.emitter_);
    for (std::uintptr_t& head : me.heads_) head = 0;
    me.free_ = 0;
    HeapRegion* const kept = me.regions_.First();
    if (kept == nullptr) return {};
    kept->bits.MarkAllGivenBack(static_cast<GranuleBits::Granule>(kept->used / 8));
    for (std::uintptr_t at = kept->base; at < kept->End();) {
        const std::uintptr_t next = EndOf({at, OrderAt(*kept, at)});
        SetBegins(*kept, at, false);
        at = next;
    }
    me.AddBytes(*kept, kept->base);
    return {};
}

// ---- both forms ----------------------------------------------------------------------------------------------------

template struct BasicBuddyAllocator<NoObserver>;
template struct BasicBuddyAllocator<DecisionObserver>;

}  // namespace residue::alloc
