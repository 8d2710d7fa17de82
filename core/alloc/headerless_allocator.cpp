#include "alloc/headerless_allocator.hpp"

#include <cstring>

#include "alloc/detail/headerless_search.hpp"
#include "alloc/detail/headerless_walk.hpp"
#include "alloc/detail/succeed.hpp"

namespace residue::alloc {

template <class Observer>
const AllocatorOptions BasicHeaderlessAllocator<Observer>::kOptions{"headerless good fit", OnResize, OnInspect, OnOwns,
                                                                    OnReset};

// ---- life ----------------------------------------------------------------------------------------------------------

template <class Observer>
auto BasicHeaderlessAllocator<Observer>::Make(const HeapMemory& memory) -> BasicHeaderlessAllocator {
    BasicHeaderlessAllocator made;
    static_cast<Allocator&>(made) = {OnAllocate, OnFree, &kOptions};
    constexpr std::uint64_t kMostBytes = std::uint64_t{EdgeBits::kMostGranules} * 8;
    HeapMemory cut = memory;
    if (cut.bytes > kMostBytes) cut.bytes = static_cast<std::size_t>(kMostBytes);
    made.regions_ = HeapRegions(cut, 8, 8, EdgeBits::kSpare);
    HeapRegion* const first = made.regions_.First();
    if (first != nullptr && first->limit < std::size_t{EdgeBits::kSmallestHole} * 8) {  // too little for any block
        first->bookkeeping += first->used;
        first->used = 0;
        first->limit = 0;
    }
    made.StartOver();
    return made;
}

template <class Observer>
void BasicHeaderlessAllocator<Observer>::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, regions_.Created(), parent, options->name);
}

template <class Observer>
void BasicHeaderlessAllocator<Observer>::Destroy() {
    regions_.End(emitter_);
    *this = Make(HeapMemory{});
}

// Every region is one hole.
template <class Observer>
void BasicHeaderlessAllocator<Observer>::StartOver() {
    bins_ = {};
    free_ = 0;
    for (HeapRegion* region = regions_.First(); region != nullptr; region = region->next) {
        if (region->limit == 0) continue;
        StartRegion(*region);
        if (region->used != 0) Insert(Home(*region), 0, EndOf(*region));
    }
}

// One hole, in no list.
template <class Observer>
void BasicHeaderlessAllocator<Observer>::StartRegion(HeapRegion& region) {
    EdgeBits bits(region);
    bits.SetEdge(EndOf(region));
    if (region.used != 0) bits.MarkHole(0, EndOf(region));
    free_ += EndOf(region);
}

// Null: there is none.
template <class Observer>
HeapRegion* BasicHeaderlessAllocator<Observer>::AddRegion(std::uint64_t granules) {
    // Beyond, a region of the largest size could not be numbered any more.
    if (numbered_ > kNone - EdgeBits::kMostGranules) return nullptr;
    HeapRegion* const region = regions_.Grow(static_cast<std::size_t>(granules * 8), emitter_);
    if (region == nullptr) return nullptr;
    region->own[0] = numbered_;
    numbered_ += EndOf(*region);
    StartRegion(*region);
    return region;
}

// ---- taking and giving back ----------------------------------------------------------------------------------------

// Takes a block out of a hole that begins where the block may. `eitherEnd`: the block may also end where the hole does.
template <class Observer>
inline auto BasicHeaderlessAllocator<Observer>::Carve(std::uint32_t bin, const Home& home, Granule hole, Granule size,
                                                      Need need, bool listed, bool eitherEnd) -> Span {
    const auto granules = static_cast<Granule>(need.granules);
    const Granule rest = size - granules;
    if (rest < EdgeBits::kSmallestHole) {
        if (listed) RemoveFrom(bin, home, hole, size);
        home.bits.UnmarkHole(hole, size);
        return {hole, size, need.headed};
    }
    const bool apart = granules <= kMostApart && eitherEnd;
    const Granule start = apart ? hole + rest : hole;
    const Granule upper = apart ? hole : hole + granules;
    Decide(DecisionKind::Split, home, hole, apart ? rest : granules, apart ? start : upper, apart ? granules : rest);
    if (listed) Refile(bin, home, hole, size, upper, rest);
    else Insert(home, upper, rest);
    if (apart) home.bits.CutTop(hole, size, rest);
    else home.bits.CutBottom(hole, size, rest);
    return {start, granules, need.headed};
}

// The same where a gap stays a hole below the block.
template <class Observer>
auto BasicHeaderlessAllocator<Observer>::CarveAbove(const Place& place, Need need) -> Span {
    const Home home(*place.region);
    const auto gap = static_cast<Granule>(place.gap);
    const auto granules = static_cast<Granule>(need.granules);
    const Granule start = place.hole + gap;
    const Granule rest = place.size - gap - granules;
    if (place.listed) Remove(home, place.hole, place.size);
    home.bits.UnmarkHole(place.hole, place.size);
    Decide(DecisionKind::Split, home, place.hole, gap, start, place.size - gap);
    home.bits.MarkHole(place.hole, gap);
    Insert(home, place.hole, gap);
    home.bits.SetEdge(start);
    if (rest < EdgeBits::kSmallestHole) return {start, granules + rest, need.headed};
    Decide(DecisionKind::Split, home, start, granules, start + granules, rest);
    home.bits.MarkHole(start + granules, rest);
    Insert(home, start + granules, rest);
    return {start, granules, need.headed};
}

// Where an alignment matters, and where there is no hole.
template <class Observer>
[[gnu::noinline]] HeapRegion* BasicHeaderlessAllocator<Observer>::TakeElse(Need need, std::size_t alignment,
                                                                           Span& block) {
    if (!CouldEver(need, alignment)) return nullptr;
    Place place;
    if (alignment > 8) place = SearchAligned(need, alignment);
    if (place.region == nullptr) place = Grow(need, alignment);
    if (place.region == nullptr) return nullptr;
    if (place.gap != 0) {
        block = CarveAbove(place, need);
        return place.region;
    }
    const Home home(*place.region);
    const std::uintptr_t upper = home.bits.At(place.hole + place.size) - need.granules * 8;
    const bool eitherEnd = GapFor(upper, need.headed, alignment) == 0;
    const std::uint32_t bin = HeaderlessClasses::BinOf(place.size);
    block = Carve(bin, home, place.hole, place.size, need, place.listed, eitherEnd);
    return place.region;
}

// The region in which a block was taken; null: it cannot be had.
template <class Observer>
inline HeapRegion* BasicHeaderlessAllocator<Observer>::Take(Need need, std::size_t bytes, std::size_t alignment,
                                                            Span& block) {
    const bool plain = alignment <= 8 && need.granules <= EdgeBits::kMostGranules;
    std::uint32_t bin = 0;
    const Link link = plain ? Search(static_cast<Granule>(need.granules), bin) : kNone;
    HeapRegion* region = nullptr;
    if (link != kNone) [[likely]] {
        region = RegionOf(link);
        const Home home(*region);
        const Granule hole = link - home.number;
        block = Carve(bin, home, hole, home.bits.SizeOfHole(hole), need, true, true);
    } else {
        Span other;  // so that the other way's block need not be in memory
        region = TakeElse(need, alignment, other);
        if (region == nullptr) return nullptr;
        block = other;
    }
    free_ -= block.size;
    EdgeBits(*region).MarkLive(block, bytes);
    return region;
}

// `edges`: what Locate said, or 0 where the heap has changed since.
template <class Observer>
inline void BasicHeaderlessAllocator<Observer>::Give(const Home& home, const Span& block, std::uint64_t edges) {
    const EdgeBits& bits = home.bits;
    bits.SetGiven(block.Payload(), true);
    if (block.headed) bits.ClearEdge(block.Payload());
    free_ += block.size;
    Granule below = 0, above = 0;
    bits.HolesBeside(block, edges, below, above);
    const Granule hole = block.start - below;
    const Granule whole = below + block.size + above;
    if (below != 0) Decide(DecisionKind::Coalesce, home, hole, below, block.start, block.size);
    if (above != 0) Decide(DecisionKind::Coalesce, home, hole, below + block.size, block.End(), above);
    if (below != 0) {
        if (above != 0) Remove(home, block.End(), above);
        Refile(HeaderlessClasses::BinOf(below), home, hole, below, hole, whole);
    } else if (above != 0) {
        Refile(HeaderlessClasses::BinOf(above), home, block.End(), above, hole, whole);
    } else {
        Insert(home, hole, whole);
    }
    bits.Join(block, below, above);
}

// Gives a live block just `need` granules of its own and of the hole above it; what is left is a hole, or slack.
template <class Observer>
void BasicHeaderlessAllocator<Observer>::Refit(const Home& home, Span& block, Granule need) {
    const Granule size = block.size;
    const Granule next = block.End();
    const Granule above = home.bits.HoleAt(next);
    const Granule whole = size + above;
    const Granule taken = whole - need >= EdgeBits::kSmallestHole ? need : whole;
    const Granule rest = whole - taken;
    const Granule hole = block.start + taken;
    if (taken == size) return;
    if (taken < size) {
        Decide(DecisionKind::Split, home, block.start, taken, hole, size - taken);
        if (above != 0) Decide(DecisionKind::Coalesce, home, hole, size - taken, next, above);
    } else {
        Decide(DecisionKind::Coalesce, home, block.start, size, next, above);
        if (rest != 0) Decide(DecisionKind::Split, home, block.start, taken, hole, rest);
    }
    free_ = free_ + rest - above;
    block.size = taken;
    if (rest == 0) {
        Remove(home, next, above);
        home.bits.UnmarkHole(next, above);
        home.bits.ClearEdge(next);
        return;
    }
    if (above != 0) Refile(HeaderlessClasses::BinOf(above), home, next, above, hole, rest);
    else Insert(home, hole, rest);
    home.bits.MoveBottom(next, above, hole, rest);
}

template <class Observer>
bool BasicHeaderlessAllocator<Observer>::ResizeInPlace(const Home& home, Span& block, std::uint64_t need) {
    const EdgeBits& bits = home.bits;
    const Granule above = bits.HoleAt(block.End());
    const std::uint64_t whole = std::uint64_t{block.size} + above;
    if (need > block.size && above != 0) {
        ++probes_;
        Decide(DecisionKind::Probe, home, block.End(), above, 0, 0,
               need <= whole ? ProbeVerdict::Taken : ProbeVerdict::TooSmall);
    }
    if (need <= whole) {
        Refit(home, block, static_cast<Granule>(need));
        return true;
    }
    if (regions_.Kind() != Growth::Growing || block.start + whole != home.end) return false;
    if (regions_.Grow(static_cast<std::size_t>((need - whole) * 8), emitter_) == nullptr) return false;
    if (above != 0) {
        Remove(home, block.End(), above);
        bits.UnmarkHole(block.End(), above);
        bits.ClearEdge(block.End());
    }
    bits.ClearEdge(block.start + static_cast<Granule>(whole));
    bits.SetEdge(EndOf(*home.region));
    free_ -= above;
    block.size = static_cast<Granule>(need);
    return true;
}

// The region and the block of a live payload, and the edges around it for Give; null: it is none.
template <class Observer>
inline HeapRegion* BasicHeaderlessAllocator<Observer>::Locate(const void* pointer, Span& block,
                                                              std::uint64_t& edges) const {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    auto* region = const_cast<HeapRegion*>(regions_.First());
    while (region != nullptr && !region->Contains(address)) region = region->next;
    if (region == nullptr || address % 8 != 0) return nullptr;
    block = EdgeBits(*region).LiveAt(region->GranuleOf(address), edges);
    return block.size == 0 ? nullptr : region;
}

// Of a pointer that is no live payload.
template <class Observer>
MemoryError BasicHeaderlessAllocator<Observer>::WhyNotLive(const void* pointer) const {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    const HeapRegion* const region = pointer == nullptr || address % 8 != 0 ? nullptr : regions_.Containing(address);
    const bool wasGiven = region != nullptr && EdgeBits(*region).WasGiven(region->GranuleOf(address));
    return wasGiven ? MemoryError::DoubleFree : MemoryError::InvalidPointer;
}

template <class Observer>
Block BasicHeaderlessAllocator<Observer>::Describe(EdgeBits bits, Span block) {
    Block described;
    described.address = bits.At(block.Payload());
    described.size = bits.BytesOf(block);
    described.header = block.headed ? 8 : 0;
    const std::uint64_t need = NeedWhere(block.headed, static_cast<std::size_t>(described.size)).granules;
    described.slack = need < block.size ? static_cast<std::uint32_t>((block.size - need) * 8) : 0;
    described.rounding = std::uint64_t{block.size} * 8 - described.header - described.size - described.slack;
    return described;
}

// ---- the callbacks -------------------------------------------------------------------------------------------------

template <class Observer>
Result<void*> BasicHeaderlessAllocator<Observer>::OnAllocate(Allocator* self, std::size_t bytes,
                                                             std::size_t alignment) {
    auto& me = *static_cast<BasicHeaderlessAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const Need need = NeedOf(bytes);
    Span block;
    const HeapRegion* const region = me.Take(need, bytes, alignment, block);
    if (region == nullptr) [[unlikely]] {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) me.emitter_.AllocateFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    if (me.emitter_.IsAttached()) me.emitter_.Allocated(Describe(EdgeBits(*region), block), alignment, me.probes_);
    return Succeed(reinterpret_cast<void*>(EdgeBits(*region).At(block.Payload())));
}

template <class Observer>
Result<void> BasicHeaderlessAllocator<Observer>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<BasicHeaderlessAllocator*>(self);
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    Span block;
    std::uint64_t edges = 0;
    HeapRegion* const region = me.Locate(pointer, block, edges);
    if (region == nullptr) [[unlikely]] {
        const MemoryError error = me.WhyNotLive(pointer);
        if (me.emitter_.IsAttached()) me.emitter_.FreeFailed(error, address, me.Nearest(address));
        return Fail(error);
    }
    me.emitter_.Freed(address);
    me.Give(Home(*region), block, edges);
    return {};
}

template <class Observer>
Result<void*> BasicHeaderlessAllocator<Observer>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                           std::size_t alignment) {
    auto& me = *static_cast<BasicHeaderlessAllocator*>(self);
    if (bytes == 0) bytes = 1;
    me.probes_ = 0;
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(address, bytes);
    Span old;
    std::uint64_t edges = 0;
    HeapRegion* const home = me.Locate(pointer, old, edges);
    if (home == nullptr) {
        const MemoryError error = me.WhyNotLive(pointer);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const EdgeBits bits(*home);
    const std::size_t oldBytes = bits.BytesOf(old);
    const Need need = NeedOf(bytes);
    const bool aligned = alignment == 0 || (address & (alignment - 1)) == 0;
    const bool mayStay = aligned && (old.headed || !need.headed);
    if (mayStay && me.ResizeInPlace(Home(*home), old, NeedWhere(old.headed, bytes).granules)) {
        bits.MarkLive(old, bytes);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(Describe(bits, old), alignment, address);
        return pointer;
    }
    Span block;
    const HeapRegion* const region = me.Take(need, bytes, alignment, block);
    if (region == nullptr) {
        const MemoryError error = me.WhyNot(need, alignment);
        if (me.emitter_.IsAttached()) me.emitter_.ResizeFailed(me.Described(bytes, alignment), error);
        return Fail(error);
    }
    const EdgeBits there(*region);
    auto* const moved = reinterpret_cast<void*>(there.At(block.Payload()));
    std::memcpy(moved, pointer, oldBytes < bytes ? oldBytes : bytes);
    if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(Describe(there, block), alignment, address);
    me.Give(Home(*home), old, 0);  // what is beside it may just have been taken
    return moved;
}

template <class Observer>
bool BasicHeaderlessAllocator<Observer>::OnOwns(const Allocator* self, const void* pointer) {
    Span block;
    std::uint64_t edges = 0;
    return static_cast<const BasicHeaderlessAllocator*>(self)->Locate(pointer, block, edges) != nullptr;
}

// What is live in the region that is kept was given back by this.
template <class Observer>
Result<void> BasicHeaderlessAllocator<Observer>::OnReset(Allocator* self) {
    auto& me = *static_cast<BasicHeaderlessAllocator*>(self);
    me.probes_ = 0;
    me.regions_.TellReset(me.emitter_);
    HeapRegion* const kept = me.regions_.First();
    if (kept != nullptr && kept->limit != 0) {
        EdgeBits bits(*kept);
        VisitSpans(*kept, [&](const Span& span, bool live) {
            if (live) bits.SetGiven(span.Payload(), true);
            return true;
        });
        bits.ClearAllEdges(EndOf(*kept));
    }
    me.numbered_ = kept == nullptr || me.regions_.Kind() != Growth::Regions ? 0 : EndOf(*kept);
    me.StartOver();
    return {};
}

template struct BasicHeaderlessAllocator<NoObserver>;
template struct BasicHeaderlessAllocator<DecisionObserver>;

}  // namespace residue::alloc
