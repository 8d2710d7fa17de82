#include "alloc/pool_allocator.hpp"

#include <cstring>

#include "alloc/detail/rest_bytes.hpp"
#include "base/checked.hpp"

namespace residue::alloc {

namespace {

constexpr std::size_t kMostAligned = 4096;
constexpr std::size_t kLargestSlot = std::size_t{1} << 32;

std::uintptr_t LinkOf(std::uintptr_t slot) {
    std::uintptr_t next;
    std::memcpy(&next, reinterpret_cast<const void*>(slot), sizeof next);
    return next;
}

}  // namespace

template <class Observer>
const AllocatorOptions BasicPoolAllocator<Observer>::kOptions{"pool", OnResize, OnInspect, OnOwns, OnReset};

template <class Observer>
auto BasicPoolAllocator<Observer>::Make(const HeapMemory& memory, std::size_t slotBytes) -> BasicPoolAllocator {
    BasicPoolAllocator made;
    static_cast<Allocator&>(made) = {OnAllocate, OnFree, &kOptions};
    if (slotBytes < 8) slotBytes = 8;
    if (slotBytes > kLargestSlot) slotBytes = kLargestSlot;
    made.slot_ = (slotBytes + 7) / 8 * 8;
    const std::size_t divides = made.slot_ & (~made.slot_ + 1);
    made.alignment_ = divides < kMostAligned ? divides : kMostAligned;
    made.regions_ = HeapRegions(memory, made.alignment_, made.slot_);
    return made;
}

template <class Observer>
void BasicPoolAllocator<Observer>::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, regions_.Created(), parent, kOptions.name);
}

template <class Observer>
void BasicPoolAllocator<Observer>::Destroy() {
    regions_.End(emitter_);
    *this = Make(HeapMemory{}, slot_);
}

// ---- slots ---------------------------------------------------------------------------------------------------------

template <class Observer>
bool BasicPoolAllocator<Observer>::CouldEver(std::size_t bytes, std::size_t alignment) const {
    return bytes <= slot_ && alignment <= alignment_ && slot_ <= regions_.MostBytes();
}

// 0: there is none.
template <class Observer>
std::uintptr_t BasicPoolAllocator<Observer>::TakeSlot(HeapRegion*& home) {
    ++probes_;
    if (head_ != 0) {
        const std::uintptr_t slot = head_;
        Decide(DecisionKind::Probe, slot);
        Decide(DecisionKind::Remove, slot);
        home = regions_.Containing(slot);
        head_ = LinkOf(slot);
        --listed_;
        return slot;
    }
    home = regions_.First();
    while (home != nullptr && Frontier(*home) == home->used) home = home->next;
    if (home == nullptr) home = regions_.Grow(slot_, emitter_);
    if (home == nullptr) return 0;
    const std::uintptr_t slot = home->base + Frontier(*home);
    Decide(DecisionKind::Probe, slot);
    Frontier(*home) += slot_;
    return slot;
}

template <class Observer>
void BasicPoolAllocator<Observer>::SetSize(HeapRegion& region, std::uintptr_t slot, std::size_t bytes) {
    const std::uint64_t rest = slot_ - bytes;
    region.bits.MarkLive(region.GranuleOf(slot), rest == 0);
    StoreRest(slot + slot_, rest);
}

// 0: the rest was written over.
template <class Observer>
std::size_t BasicPoolAllocator<Observer>::SizeOf(const HeapRegion& region, std::uintptr_t slot) const {
    if (region.bits.FlagOfLive(region.GranuleOf(slot))) return slot_;
    const std::uint64_t rest = LoadRest(slot + slot_, slot_);
    return rest == 0 ? 0 : static_cast<std::size_t>(slot_ - rest);
}

template <class Observer>
Block BasicPoolAllocator<Observer>::Describe(const HeapRegion& region, std::uintptr_t slot) const {
    Block block;
    block.address = slot;
    block.size = SizeOf(region, slot);
    block.rounding = slot_ - block.size;
    return block;
}

// Of holes as they lie: runs of free slots.
template <class Observer>
Request BasicPoolAllocator<Observer>::Described(std::size_t bytes, std::size_t alignment) const {
    Request request{bytes, alignment};
    for (const HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        std::uint64_t run = 0;
        for (std::uintptr_t slot = region->base; slot < region->End(); slot += slot_) {
            const bool live = region->bits.IsLive(region->GranuleOf(slot));
            run = live ? 0 : run + slot_;
            if (!live) request.freeBytes += slot_;
            if (run > request.largestHole) request.largestHole = run;
        }
    }
    return request;
}

template <class Observer>
void BasicPoolAllocator<Observer>::Decide(DecisionKind decision, std::uintptr_t slot) {
    if constexpr (Observer::kObserves) {
        if (observer.sink != nullptr) observer.sink->On({decision, ProbeVerdict::Taken, slot, slot_, 0, 0});
    } else {
        (void)decision, (void)slot;
    }
}

// ---- the callbacks -------------------------------------------------------------------------------------------------

template <class Observer>
Result<void*> BasicPoolAllocator<Observer>::OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<BasicPoolAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    HeapRegion* home = nullptr;
    const bool could = me.CouldEver(bytes, alignment);
    const std::uintptr_t slot = could ? me.TakeSlot(home) : 0;
    if (slot == 0) {
        const MemoryError error = could ? MemoryError::InsufficientMemory : MemoryError::BufferTooLarge;
        if (me.emitter_.IsAttached()) me.emitter_.AllocateFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    me.SetSize(*home, slot, bytes);
    if (me.emitter_.IsAttached()) me.emitter_.Allocated(me.Describe(*home, slot), alignment, me.probes_);
    return reinterpret_cast<void*>(slot);
}

template <class Observer>
Result<void> BasicPoolAllocator<Observer>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<BasicPoolAllocator*>(self);
    me.probes_ = 0;
    const auto slot = reinterpret_cast<std::uintptr_t>(pointer);
    const Result<HeapRegion*> home = me.regions_.Locate(pointer);
    if (!home) {
        if (me.emitter_.IsAttached()) me.emitter_.FreeFailed(home.error(), slot, me.regions_.Nearest(pointer));
        return Fail(home.error());
    }
    me.emitter_.Freed(slot);
    me.regions_.MarkGivenBack(**home, slot);
    std::memcpy(pointer, &me.head_, sizeof me.head_);
    me.head_ = slot;
    ++me.listed_;
    me.Decide(DecisionKind::Insert, slot);
    return {};
}

template <class Observer>
Result<void*> BasicPoolAllocator<Observer>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                     std::size_t alignment) {
    auto& me = *static_cast<BasicPoolAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const auto slot = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(slot, bytes);
    const Result<HeapRegion*> home = me.regions_.Locate(pointer);
    if (!home || !me.CouldEver(bytes, alignment)) {
        const MemoryError error = home ? MemoryError::BufferTooLarge : home.error();
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    me.SetSize(**home, slot, bytes);
    if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(me.Describe(**home, slot), alignment, slot);
    return pointer;
}

template <class Observer>
bool BasicPoolAllocator<Observer>::OnOwns(const Allocator* self, const void* pointer) {
    return static_cast<const BasicPoolAllocator*>(self)->regions_.Locate(pointer).has_value();
}

template <class Observer>
Result<void> BasicPoolAllocator<Observer>::OnReset(Allocator* self) {
    auto& me = *static_cast<BasicPoolAllocator*>(self);
    me.probes_ = 0;
    me.regions_.TellReset(me.emitter_);
    if (HeapRegion* const kept = me.regions_.First(); kept != nullptr) {
        // Only live ones: the flag of one that is not is its having been given back.
        kept->bits.MarkAllGivenBack(static_cast<GranuleBits::Granule>(kept->used / 8));
        Frontier(*kept) = 0;
    }
    me.head_ = 0;
    me.listed_ = 0;
    return {};
}

// ---- the walk ------------------------------------------------------------------------------------------------------

template <class Observer>
void BasicPoolAllocator<Observer>::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const BasicPoolAllocator*>(self);
    me.regions_.Inspect(inspector);
    for (const HeapRegion* region = me.regions_.First(); region != nullptr; region = region->next) {
        me.InspectRegion(*region, inspector);
    }
    me.InspectList(inspector);
}

template <class Observer>
void BasicPoolAllocator<Observer>::InspectRegion(const HeapRegion& region, Inspector& inspector) const {
    if (Frontier(region) > region.used || Frontier(region) % slot_ != 0) {
        inspector.OnBroken("the first unused slot is none", region.base);
    }
    std::uintptr_t hole = 0;
    const auto endHole = [&](std::uintptr_t end) {
        if (hole != 0) inspector.OnHole({hole, static_cast<std::size_t>(end - hole)});
        hole = 0;
    };
    for (std::uintptr_t slot = region.base; slot < region.End(); slot += slot_) {
        if (!region.bits.IsLive(region.GranuleOf(slot))) {
            if (hole == 0) hole = slot;
            continue;
        }
        endHole(slot);
        const std::size_t size = SizeOf(region, slot);
        if (size == 0) inspector.OnBroken("the bytes after a block were written to", slot);
        if (slot - region.base >= Frontier(region)) inspector.OnBroken("a slot beyond the unused ones is live", slot);
        inspector.OnBlock({slot, size, 0, 0, slot_ - size, 0});
    }
    endHole(region.End());
}

template <class Observer>
void BasicPoolAllocator<Observer>::InspectList(Inspector& inspector) const {
    inspector.OnFreeStructure({FreeShape::List, 1, 1});
    inspector.OnFreeBin({0, slot_, slot_});
    std::uint64_t count = 0;
    for (std::uintptr_t slot = head_; slot != 0; slot = LinkOf(slot)) {
        const HeapRegion* const region = regions_.Containing(slot);
        if (region == nullptr || (slot - region->base) % slot_ != 0) {
            return inspector.OnBroken("a link of the list leads to no slot", slot);
        }
        if (region->bits.IsLive(region->GranuleOf(slot))) inspector.OnBroken("a live slot is in the list", slot);
        if (++count > listed_) return inspector.OnBroken("the list has too many slots, or runs in a circle", slot);
        inspector.OnFreeNode({slot, slot_, 0});
    }
    if (count != listed_) inspector.OnBroken("the list ends too soon", head_);
    for (const HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        const std::size_t unused = region->used - static_cast<std::size_t>(Frontier(*region));
        if (unused != 0 && unused <= region->used) {
            inspector.OnFreeNode({region->base + Frontier(*region), unused, 0});
        }
    }
}

// ---- both forms ----------------------------------------------------------------------------------------------------

template struct BasicPoolAllocator<NoObserver>;
template struct BasicPoolAllocator<DecisionObserver>;

}  // namespace residue::alloc
