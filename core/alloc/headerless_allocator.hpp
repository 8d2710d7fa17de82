// Good fit without headers: what a small block is stands in two bits beside the heap, so that all of it is payload.
//
//     std::byte buffer[4096];
//     HeaderlessAllocator allocator = CreateHeaderlessAllocator(HeapMemory::Buffer(buffer));
//     auto ints = Allocate<int>(&allocator, 5);
//     DestroyHeaderlessAllocator(&allocator);
//
// Layout. Everything is counted in granules of 8 bytes.
//
//   | payload . . . | hdr payload . . . . . | next size, previous . . . size | payload . | … | bits |
//     ' small: up     ' headed: 8 bytes       ' hole                           ' small        ' bookkeeping
//       to 512 bytes    and more than 512
//
// Small blocks have 16 to 512 bytes and no header. Larger ones have one of 8 bytes. The bits, two a granule (1/33 of a
// buffer, what others need to tell a double free from a foreign pointer), also say where everything begins; how is
// drawn in detail/edge_bits.hpp. What a payload leaves of a small block is told by the last byte that it leaves.
//
// Placement: good fit, in one or two probes. Holes are in lists by size: one a granule below 512 bytes, eight a
// doubling from there on; two searches for a set bit find the first list that has one. Below 512 bytes that is the best
// fit. Above, the first hole of the request's own list is looked at, then the first of the next list that is not empty,
// whose every hole is large enough. Where there is none, the rest of the request's own list is looked at before the
// heap grows or the request fails, so that "Fragmentation" and the heap's size are the truth.
//
// Small objects apart: a block of up to 64 bytes is cut from the upper end of its hole, any other from the lower end.
// So from a buffer that was one hole, small objects fill the upper end and do not keep the holes of large ones apart.
//
// A remainder of 8 bytes is slack, a larger one stays a hole. Where the alignment asked for is more than 8, the payload
// goes to the first aligned address whose gap to the hole's start is 0 or at least 16 bytes; the gap stays a hole, so
// padding is always 0. Freed neighbours are joined at once, both ways. A hole that changes its size within its list
// keeps its place there; else it goes to the front of its new one. A resize stays where it is if the hole above has
// what is missing, but for a small block that has to become a headed one. A growing heap grows by just what is missing,
// its last hole included; a region that became wholly free is kept.
//
// What that reaches on goal 12's fourteen shapes (tests/bench/alloc_peers.cpp): mean utilisation .87, where the TLSF
// has .77; about the throughput of glibc's malloc, twice that of the TLSF; no operation that takes longer with more
// blocks.
//
// Costs: allocation O(1) but for what was just said; free O(1): neither touches a neighbour that is live. With a
// parent, following a link visits the regions. Before it fails, a request walks the list of the largest holes, and a
// bad free walks its region up to the pointer, to tell a sink what was there; a reset walks the blocks.
// Limits: 8 GiB a region. Thread safety: none (LockedAllocator). Freestanding.
// Sources: Knuth, TAOCP 1, 2.5 (boundary tags, here in holes alone); the lists: Masmano et al., TLSF, 2004.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"
#include "alloc/decisions.hpp"
#include "alloc/detail/bin_table.hpp"
#include "alloc/detail/edge_bits.hpp"
#include "alloc/detail/heap_regions.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"

namespace residue::alloc {

// Lists of holes; sizes in granules.
struct HeaderlessClasses {
    static constexpr std::uint32_t kRows = 4;  // of the table of bits; what Inspect tells has rows of kADoubling
    static constexpr std::uint32_t kColumns = 64;
    static constexpr std::uint32_t kExact = 64;     // lists of one size each
    static constexpr std::uint32_t kADoubling = 8;  // lists a doubling from there on

    static constexpr std::uint32_t BinOf(std::uint32_t granules) {
        if (granules < kExact) return granules;
        const auto doubling = 31 - static_cast<std::uint32_t>(__builtin_clz(granules));
        return kExact + (doubling - 6) * kADoubling + (granules >> (doubling - 3)) % kADoubling;
    }
    static constexpr std::uint32_t LeastOf(std::uint32_t bin) {
        if (bin < kExact) return bin;
        return (kADoubling + bin % kADoubling) << ((bin - kExact) / kADoubling + 3);
    }
};

template <class Observer>
struct BasicHeaderlessAllocator : Allocator {
    static BasicHeaderlessAllocator Make(const HeapMemory& memory);
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Gives regions back to the parent. Safe to call twice.
    void Destroy();

    std::uint64_t Probes() const { return probes_; }                     // holes looked at by the last request
    std::uint64_t FreeBytes() const { return free_ * std::uint64_t{8}; }  // gross

    [[no_unique_address]] Observer observer;

private:
    using Granule = EdgeBits::Granule;
    using Span = EdgeBits::Span;
    using Link = std::uint32_t;  // the number of a granule; the regions are numbered through
    static constexpr Link kNone = BinTable<HeaderlessClasses>::kEmpty;
    static constexpr std::uint32_t kBins = BinTable<HeaderlessClasses>::kBins;
    static constexpr Granule kMostApart = 8;  // granules of a block that is cut from the upper end

    // A region and what an operation in it needs to have at hand.
    struct Home {
        explicit Home(HeapRegion& of)
            : region(&of), bits(of), number(static_cast<Link>(of.own[0])), end(EndOf(of)) {}
        Link LinkTo(Granule hole) const { return number + hole; }

        HeapRegion* region;
        EdgeBits bits;
        Link number;  // of its first granule
        Granule end;
    };
    // What a request takes, gross; more granules than any heap has where it is larger.
    struct Need {
        std::uint64_t granules = 0;
        bool headed = false;
    };
    // A hole that is in a list (SearchAligned) or in none (Grow), and how many granules up in it the block begins.
    struct Place {
        HeapRegion* region = nullptr;
        Granule hole = 0;
        Granule size = 0;
        std::uint64_t gap = 0;
        bool listed = true;
    };

    static const AllocatorOptions kOptions;
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static Result<void> OnReset(Allocator* self);

    static Granule EndOf(const HeapRegion& region) { return static_cast<Granule>(region.used / 8); }
    void StartOver();
    void StartRegion(HeapRegion& region);
    HeapRegion* AddRegion(std::uint64_t granules);

    // What an ordinary allocation or free consists of is always in line: in one piece, it keeps what it knows of its
    // region in registers, and takes two thirds of the time.
    //
    // Lists. `home` is any region; the one in which a list goes on may be another.
    [[gnu::always_inline]] HeapRegion* RegionOf(Link link) const;  // null: it leads out of the heap
    HeapRegion* FarRegionOf(Link link) const;
    [[gnu::always_inline]] void SetNextOf(const Home& home, Link hole, Link next);
    [[gnu::always_inline]] void SetPreviousOf(const Home& home, Link hole, Link previous);
    [[gnu::always_inline]] void Insert(const Home& home, Granule hole, Granule size);
    [[gnu::always_inline]] void Remove(const Home& home, Granule hole, Granule size);
    [[gnu::always_inline]] void RemoveFrom(std::uint32_t bin, const Home& home, Granule hole, Granule size);
    [[gnu::always_inline]] void Refile(std::uint32_t bin, const Home& home, Granule hole, Granule size, Granule now,
                                       Granule nowSize);

    // Requests.
    [[gnu::always_inline]] static Need NeedOf(std::size_t bytes);
    [[gnu::always_inline]] static Need NeedWhere(bool headed, std::size_t bytes);
    static std::uint64_t GapFor(std::uintptr_t hole, bool headed, std::size_t alignment);
    static std::uint64_t MostGap(std::size_t alignment);
    bool CouldEver(Need need, std::size_t alignment) const;
    Place PlaceIn(Link link) const;
    [[gnu::always_inline]] bool Probe(Link link, Granule need);
    [[gnu::always_inline]] Link Search(Granule need, std::uint32_t& bin);
    Link SearchOwn(std::uint32_t own, Granule need);
    bool Fits(Place& place, Need need, std::size_t alignment);
    Place FirstOf(std::uint32_t from, std::uint32_t to, Need need, std::size_t alignment);
    Place SearchAligned(Need need, std::size_t alignment);
    Place Grow(Need need, std::size_t alignment);
    MemoryError WhyNot(Need need, std::size_t alignment) const;
    Request Described(std::size_t bytes, std::size_t alignment) const;

    // Taking and giving back.
    [[gnu::always_inline]] Span Carve(std::uint32_t bin, const Home& home, Granule hole, Granule size, Need need,
                                      bool listed, bool eitherEnd);
    Span CarveAbove(const Place& place, Need need);
    HeapRegion* TakeElse(Need need, std::size_t alignment, Span& block);
    [[gnu::always_inline]] HeapRegion* Take(Need need, std::size_t bytes, std::size_t alignment, Span& block);
    [[gnu::always_inline]] void Give(const Home& home, const Span& block, std::uint64_t edges);
    void Refit(const Home& home, Span& block, Granule need);
    bool ResizeInPlace(const Home& home, Span& block, std::uint64_t need);
    [[gnu::always_inline]] HeapRegion* Locate(const void* pointer, Span& block, std::uint64_t& edges) const;
    MemoryError WhyNotLive(const void* pointer) const;
    std::uintptr_t Nearest(std::uintptr_t address) const;  // 0: nothing is live
    static Block Describe(EdgeBits bits, Span block);
    void Decide(DecisionKind kind, const Home& home, Granule at, Granule size, Granule other = 0,
                Granule otherSize = 0, ProbeVerdict verdict = ProbeVerdict::Taken);

    // visit(span, live) of everything in address order, until it says false. False where the chain is broken: beyond it
    // nothing is known; `at` says where.
    template <class Visit>
    static bool VisitSpans(const HeapRegion& region, Visit visit, Granule* at = nullptr);

    struct Sums {
        std::uint64_t free = 0;
        std::uint64_t holes = 0;
    };
    void InspectRegion(const HeapRegion& region, Inspector& inspector, Sums& sums) const;
    bool InspectBin(std::uint32_t bin, Inspector& inspector, std::uint64_t& count) const;
    void InspectBins(Inspector& inspector, std::uint64_t holes) const;

    HeapRegions regions_;
    BinTable<HeaderlessClasses> bins_;
    std::uint64_t free_ = 0;      // granules in holes
    std::uint64_t probes_ = 0;
    std::uint64_t numbered_ = 0;  // granules of regions from a parent
    Emitter emitter_;
};

using HeaderlessAllocator = BasicHeaderlessAllocator<NoObserver>;
using ObservedHeaderlessAllocator = BasicHeaderlessAllocator<DecisionObserver>;

extern template struct BasicHeaderlessAllocator<NoObserver>;
extern template struct BasicHeaderlessAllocator<DecisionObserver>;

inline HeaderlessAllocator CreateHeaderlessAllocator(const HeapMemory& memory) {
    return HeaderlessAllocator::Make(memory);
}
inline void DestroyHeaderlessAllocator(HeaderlessAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
