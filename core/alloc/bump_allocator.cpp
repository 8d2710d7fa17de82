#include "alloc/bump_allocator.hpp"

#include <cstring>

#include "base/checked.hpp"

namespace residue::alloc {

namespace {
constexpr std::uint64_t kNone = ~std::uint64_t{0};
constexpr std::uint64_t kIsHeader = std::uint64_t{1} << 63;
constexpr std::uint64_t kIsDead = std::uint64_t{1} << 62;
constexpr unsigned kUnusedShift = 59;
constexpr std::uint64_t kGranules = (std::uint64_t{1} << kUnusedShift) - 1;
}  // namespace

template <class Observer, Bump kind>
struct BasicBumpAllocator<Observer, kind>::Header {
    std::uint64_t need = 0;    // bytes of header and payload
    std::uint64_t below = 0;   // where the block below begins, + 1
    std::uint32_t depth = 0;   // of the marks it was born under
    std::uint32_t unused = 0;  // bytes of `need` after the payload
    bool dead = false;
};

template <class Observer, Bump kind>
const AllocatorOptions BasicBumpAllocator<Observer, kind>::kOptions{
    kind == Bump::Arena ? "arena" : "stack", OnResize, OnInspect, OnOwns, OnReset};

template <class Observer, Bump kind>
auto BasicBumpAllocator<Observer, kind>::Make(const HeapMemory& memory) -> BasicBumpAllocator {
    BasicBumpAllocator made;
    static_cast<Allocator&>(made) = {OnAllocate, OnFree, &kOptions};
    made.regions_ = HeapRegions(memory);
    return made;
}

template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, regions_.Created(), parent, kOptions.name);
}

template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::Destroy() {
    regions_.End(emitter_);
    *this = Make(HeapMemory{});
}

// ---- the bytes -----------------------------------------------------------------------------------------------------

template <class Observer, Bump kind>
auto BasicBumpAllocator<Observer, kind>::Load(std::uintptr_t payload) -> Header {
    std::uint64_t words[2];
    std::memcpy(words, reinterpret_cast<const void*>(payload - kHeaderBytes), sizeof words);
    Header header;
    header.need = (words[0] & kGranules) * 8;
    header.unused = static_cast<std::uint32_t>(words[0] >> kUnusedShift & 7);
    header.dead = (words[0] & kIsDead) != 0;
    header.below = words[1] >> 16;
    header.depth = static_cast<std::uint32_t>(words[1] & 0xFFFF);
    return header;
}

template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::Store(std::uintptr_t payload, const Header& header) {
    const std::uint64_t words[2] = {kIsHeader | (header.dead ? kIsDead : 0) |
                                        std::uint64_t{header.unused} << kUnusedShift | header.need / 8,
                                    header.below << 16 | header.depth};
    std::memcpy(reinterpret_cast<void*>(payload - kHeaderBytes), words, sizeof words);
}

template <class Observer, Bump kind>
std::uint64_t BasicBumpAllocator<Observer, kind>::PaddingAt(std::uintptr_t begin) {
    std::uint64_t word;
    std::memcpy(&word, reinterpret_cast<const void*>(begin), sizeof word);
    return (word & kIsHeader) != 0 ? 0 : word * 8;
}

template <class Observer, Bump kind>
std::uint64_t BasicBumpAllocator<Observer, kind>::PaddingFor(std::uintptr_t top, std::size_t alignment) {
    const auto aligned = CheckedAlignUp(top + kHeaderBytes, alignment < 8 ? 8 : alignment);
    return aligned ? *aligned - kHeaderBytes - top : kNone;
}

template <class Observer, Bump kind>
std::uint64_t BasicBumpAllocator<Observer, kind>::NeedOf(std::size_t bytes) {
    const auto need = CheckedAlignUp(bytes, 8);
    return need ? CheckedAdd(*need, kHeaderBytes).value_or(kNone) : kNone;
}

// ---- requests ------------------------------------------------------------------------------------------------------

template <class Observer, Bump kind>
auto BasicBumpAllocator<Observer, kind>::Find(std::uint64_t need, std::size_t alignment) -> Place {
    HeapRegion* last = nullptr;
    for (HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        ++probes_;
        last = region;
        const std::uint64_t rest = Rest(*region);
        const std::uintptr_t top = region->base + Top(*region);
        const std::uint64_t padding = PaddingFor(top, alignment);
        if (need <= rest && padding <= rest - need) {
            Decide(DecisionKind::Probe, top, rest);
            return {region, padding};
        }
        Decide(DecisionKind::Probe, top, rest, 0, 0,
               need <= rest ? ProbeVerdict::TooSmallAligned : ProbeVerdict::TooSmall);
    }
    if (regions_.Kind() == Growth::Growing && last != nullptr) {
        const std::uint64_t padding = PaddingFor(last->base + Top(*last), alignment);
        const auto whole = CheckedAdd(need, padding);
        if (whole && regions_.Grow(static_cast<std::size_t>(*whole - Rest(*last)), emitter_) != nullptr) {
            return {last, padding};
        }
    } else if (regions_.Kind() == Growth::Regions) {
        const auto whole = CheckedAdd(need, alignment);
        HeapRegion* const fresh = whole ? regions_.Grow(static_cast<std::size_t>(*whole), emitter_) : nullptr;
        if (fresh != nullptr) return {fresh, PaddingFor(fresh->base, alignment)};
    }
    return {};
}

template <class Observer, Bump kind>
MemoryError BasicBumpAllocator<Observer, kind>::WhyNot(std::uint64_t need, std::size_t alignment) const {
    const HeapRegion* const first = regions_.First();
    const std::uint64_t most = regions_.MostBytes();
    const std::uint64_t padding = first == nullptr ? 0 : PaddingFor(first->base, alignment);
    if (need > most || padding > most - need) return MemoryError::BufferTooLarge;
    std::uint64_t free = 0;
    for (const HeapRegion* region = first; region != nullptr; region = region->next) free += Rest(*region);
    return free >= need ? MemoryError::Fragmentation : MemoryError::InsufficientMemory;
}

template <class Observer, Bump kind>
Request BasicBumpAllocator<Observer, kind>::Described(std::size_t bytes, std::size_t alignment) const {
    Request request{bytes, alignment};
    for (const HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        const std::uint64_t rest = Rest(*region);
        request.freeBytes += rest;
        if (rest > request.largestHole) request.largestHole = rest;
    }
    return request;
}

template <class Observer, Bump kind>
std::uintptr_t BasicBumpAllocator<Observer, kind>::Take(const Place& place, std::uint64_t need, std::size_t bytes) {
    HeapRegion& region = *place.region;
    const std::uint64_t begin = Top(region);
    const std::uint64_t rest = Rest(region);
    if (place.padding != 0) {
        const std::uint64_t granules = place.padding / 8;
        std::memcpy(reinterpret_cast<void*>(region.base + begin), &granules, sizeof granules);
    }
    const std::uintptr_t payload = region.base + begin + place.padding + kHeaderBytes;
    Header header;
    header.need = need;
    header.unused = static_cast<std::uint32_t>(need - kHeaderBytes - bytes);
    header.below = LastBlock(region);
    header.depth = depth_;
    Store(payload, header);
    LastBlock(region) = begin + 1;
    Top(region) = begin + place.padding + need;
    regions_.MarkLive(region, payload);
    Decide(DecisionKind::Split, region.base + begin, place.padding + need, region.base + Top(region),
           rest - place.padding - need);
    return payload;
}

template <class Observer, Bump kind>
Block BasicBumpAllocator<Observer, kind>::Describe(const HeapRegion& region, std::uintptr_t payload) const {
    const Header header = Load(payload);
    Block block;
    block.address = payload;
    block.header = kHeaderBytes;
    block.rounding = header.unused;
    block.size = header.need - kHeaderBytes - header.unused;
    // The padding begins where the block below ends.
    std::uint64_t below = region.base;
    if (header.below != 0) {
        const std::uintptr_t begin = region.base + header.below - 1;
        below = begin + PaddingAt(begin) + Load(begin + PaddingAt(begin) + kHeaderBytes).need;
    }
    block.padding = static_cast<std::uint32_t>(payload - kHeaderBytes - below);
    return block;
}

template <class Observer, Bump kind>
bool BasicBumpAllocator<Observer, kind>::IsTopmost(const HeapRegion& region, std::uintptr_t payload) const {
    return payload - kHeaderBytes + Load(payload).need == region.base + Top(region);
}

// Shrinking below others, and what does not fit any more, is for the caller to move.
template <class Observer, Bump kind>
bool BasicBumpAllocator<Observer, kind>::ResizeInPlace(HeapRegion& region, std::uintptr_t payload, std::uint64_t need,
                                                       std::size_t bytes) {
    Header header = Load(payload);
    if (need != header.need) {
        if (!IsTopmost(region, payload)) return false;
        if (need > header.need && need - header.need > Rest(region)) {
            if (regions_.Kind() != Growth::Growing) return false;
            const std::uint64_t missing = need - header.need - Rest(region);
            if (regions_.Grow(static_cast<std::size_t>(missing), emitter_) == nullptr) return false;
        }
        Top(region) = payload - kHeaderBytes + need - region.base;
    }
    header.need = need;
    header.unused = static_cast<std::uint32_t>(need - kHeaderBytes - bytes);
    Store(payload, header);
    return true;
}

// ---- going back ----------------------------------------------------------------------------------------------------

// After the free was told.
template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::Give(HeapRegion& region, std::uintptr_t payload) {
    Header header = Load(payload);
    header.dead = true;
    Store(payload, header);
    regions_.MarkGivenBack(region, payload);
}

// The stack's: takes away whatever is dead at the top.
template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::Reclaim(HeapRegion& region) {
    const std::uint64_t before = Top(region);
    while (LastBlock(region) != 0) {
        const std::uint64_t begin = LastBlock(region) - 1;
        const std::uintptr_t payload = region.base + begin + PaddingAt(region.base + begin) + kHeaderBytes;
        const Header header = Load(payload);
        if (!header.dead) break;
        Decide(DecisionKind::Coalesce, region.base + begin, Top(region) - begin, region.base + Top(region),
               Rest(region));
        Top(region) = begin;
        LastBlock(region) = header.below;
    }
    if (before != Top(region)) emitter_.Reclaimed(region.base + Top(region), before - Top(region));
}

// Every block that was born under at least `depth` marks goes.
template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::LowerTo(HeapRegion& region, std::uint32_t depth) {
    while (LastBlock(region) != 0) {
        const std::uint64_t begin = LastBlock(region) - 1;
        const std::uintptr_t payload = region.base + begin + PaddingAt(region.base + begin) + kHeaderBytes;
        const Header header = Load(payload);
        if (header.depth < depth) break;
        if (!header.dead) regions_.MarkGivenBack(region, payload);
        Top(region) = begin;
        LastBlock(region) = header.below;
    }
}

template <class Observer, Bump kind>
Result<ArenaMark> BasicBumpAllocator<Observer, kind>::Mark() {
    static_assert(kMostMarks < 0x10000);
    if (kind != Bump::Arena || depth_ == kMostMarks) return Fail(MemoryError::InsufficientMemory);
    const HeapRegion* last = regions_.First();
    while (last != nullptr && last->next != nullptr) last = last->next;
    marks_[depth_] = {++marksMade_, last == nullptr ? 0 : last->base + Top(*last)};
    emitter_.Marked(marks_[depth_].address, depth_ + 1);
    return ArenaMark{++depth_, marksMade_};
}

template <class Observer, Bump kind>
Result<void> BasicBumpAllocator<Observer, kind>::Release(ArenaMark mark) {
    probes_ = 0;
    if (mark.depth == 0 || mark.depth > depth_ || marks_[mark.depth - 1].serial != mark.serial) {
        return Fail(MemoryError::InvalidPointer);
    }
    // One call, however many regions: the last range that goes is the one that counts.
    std::uintptr_t last = marks_[mark.depth - 1].address;
    std::uint64_t lastBytes = 0;
    for (HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        const std::uint64_t before = Top(*region);
        LowerTo(*region, mark.depth);
        if (Top(*region) == before) continue;
        if (lastBytes != 0) emitter_.Reclaimed(last, lastBytes);
        last = region->base + Top(*region);
        lastBytes = before - Top(*region);
    }
    emitter_.BulkFreed(last, lastBytes, mark.depth);
    depth_ = mark.depth - 1;
    return {};
}

template <class Observer, Bump kind>
Result<void> BasicBumpAllocator<Observer, kind>::OnReset(Allocator* self) {
    auto& me = *static_cast<BasicBumpAllocator*>(self);
    me.probes_ = 0;
    me.regions_.TellReset(me.emitter_);
    if (HeapRegion* const kept = me.regions_.First(); kept != nullptr) me.LowerTo(*kept, 0);
    me.depth_ = 0;
    return {};
}

// ---- the callbacks -------------------------------------------------------------------------------------------------

template <class Observer, Bump kind>
Result<void*> BasicBumpAllocator<Observer, kind>::OnAllocate(Allocator* self, std::size_t bytes,
                                                             std::size_t alignment) {
    auto& me = *static_cast<BasicBumpAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const std::uint64_t need = NeedOf(bytes);
    const Place place = me.Find(need, alignment);
    if (place.region == nullptr) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) me.emitter_.AllocateFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const std::uintptr_t payload = me.Take(place, need, bytes);
    if (me.emitter_.IsAttached()) me.emitter_.Allocated(me.Describe(*place.region, payload), alignment, me.probes_);
    return reinterpret_cast<void*>(payload);
}

template <class Observer, Bump kind>
Result<void> BasicBumpAllocator<Observer, kind>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<BasicBumpAllocator*>(self);
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const Result<HeapRegion*> region = me.regions_.Locate(pointer);
    if (!region) {
        if (me.emitter_.IsAttached()) me.emitter_.FreeFailed(region.error(), address, me.regions_.Nearest(pointer));
        return Fail(region.error());
    }
    me.emitter_.FreedStaysDead(address);
    me.Give(**region, address);
    if constexpr (kind == Bump::Stack) me.Reclaim(**region);
    return {};
}

template <class Observer, Bump kind>
Result<void*> BasicBumpAllocator<Observer, kind>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                           std::size_t alignment) {
    auto& me = *static_cast<BasicBumpAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(address, bytes);
    const Result<HeapRegion*> home = me.regions_.Locate(pointer);
    if (!home) {
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), home.error());
        return Fail(home.error());
    }
    const std::uint64_t need = NeedOf(bytes);
    const bool aligned = alignment == 0 || (address & (alignment - 1)) == 0;
    if (need != kNone && aligned && me.ResizeInPlace(**home, address, need, bytes)) {
        if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(me.Describe(**home, address), alignment, address);
        return pointer;
    }
    const std::size_t had = static_cast<std::size_t>(me.Describe(**home, address).size);
    const Place place = me.Find(need, alignment);
    if (place.region == nullptr) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const std::uintptr_t moved = me.Take(place, need, bytes);
    std::memcpy(reinterpret_cast<void*>(moved), pointer, had < bytes ? had : bytes);
    if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(me.Describe(*place.region, moved), alignment, address, true);
    me.Give(**home, address);  // never topmost: the new block is, or it is in another region
    if constexpr (kind == Bump::Stack) me.Reclaim(**home);
    return reinterpret_cast<void*>(moved);
}

template <class Observer, Bump kind>
bool BasicBumpAllocator<Observer, kind>::OnOwns(const Allocator* self, const void* pointer) {
    return static_cast<const BasicBumpAllocator*>(self)->regions_.Locate(pointer).has_value();
}

template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::Decide(DecisionKind decision, std::uintptr_t at, std::uint64_t bytes,
                                                std::uintptr_t other, std::uint64_t otherBytes, ProbeVerdict verdict) {
    if constexpr (Observer::kObserves) {
        if (observer.sink != nullptr) observer.sink->On({decision, verdict, at, bytes, other, otherBytes});
    } else {
        (void)decision, (void)at, (void)bytes, (void)other, (void)otherBytes, (void)verdict;
    }
}

// ---- the walk ------------------------------------------------------------------------------------------------------

template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const BasicBumpAllocator*>(self);
    me.regions_.Inspect(inspector);
    for (const HeapRegion* region = me.regions_.First(); region != nullptr; region = region->next) {
        me.InspectRegion(*region, inspector);
    }
    for (std::uint32_t i = 0; i < me.depth_; ++i) inspector.OnMark({me.marks_[i].address});
    inspector.OnFreeStructure({FreeShape::Top, 1, 1});
    inspector.OnFreeBin({0, kHeaderBytes + 8, ~std::size_t{0}});
    for (const HeapRegion* region = me.regions_.First(); region != nullptr; region = region->next) {
        const std::uint64_t rest = Rest(*region);
        if (rest != 0) inspector.OnFreeNode({region->base + Top(*region), static_cast<std::size_t>(rest), 0});
    }
}

// Stops where the chain of sizes is broken: beyond it nothing is known.
template <class Observer, Bump kind>
void BasicBumpAllocator<Observer, kind>::InspectRegion(const HeapRegion& region, Inspector& inspector) const {
    const std::uintptr_t top = region.base + Top(region);
    std::uint64_t below = 0;
    for (std::uintptr_t begin = region.base; begin < top;) {
        const std::uint64_t padding = PaddingAt(begin);
        if (padding >= top - begin || top - begin - padding < kHeaderBytes + 8) {
            return inspector.OnBroken("padding is impossible", begin);
        }
        const std::uintptr_t payload = begin + padding + kHeaderBytes;
        const Header header = Load(payload);
        if (header.need < kHeaderBytes + 8 || header.need > top - begin - padding) {
            return inspector.OnBroken("a block's size is impossible", begin);
        }
        if (header.below != below) inspector.OnBroken("a header disagrees about the block below it", payload);
        const bool live = region.bits.IsLive(region.GranuleOf(payload));
        if (live == header.dead) inspector.OnBroken("the live bit disagrees with the header", payload);
        if (header.depth > depth_) inspector.OnBroken("a block was born under a mark that is gone", payload);
        if (header.dead) {
            inspector.OnDead({begin, static_cast<std::size_t>(padding + header.need)});
        } else {
            inspector.OnBlock({payload, static_cast<std::size_t>(header.need - kHeaderBytes - header.unused),
                               kHeaderBytes, static_cast<std::size_t>(padding), header.unused, 0});
        }
        below = begin - region.base + 1;
        begin = payload - kHeaderBytes + header.need;
    }
    if (below != region.own[1]) inspector.OnBroken("the topmost block is another one", top);
    if (Rest(region) != 0) inspector.OnHole({top, static_cast<std::size_t>(Rest(region))});
}

// ---- all forms -----------------------------------------------------------------------------------------------------

template struct BasicBumpAllocator<NoObserver, Bump::Arena>;
template struct BasicBumpAllocator<DecisionObserver, Bump::Arena>;
template struct BasicBumpAllocator<NoObserver, Bump::Stack>;
template struct BasicBumpAllocator<DecisionObserver, Bump::Stack>;

}  // namespace residue::alloc
