// Blocks are powers of two, halved until they fit and joined with their other halves as soon as both are free.
//
//     std::byte buffer[4096];
//     BuddyAllocator heap = CreateBuddyAllocator(HeapMemory::Buffer(buffer));
//     auto ints = Allocate<int>(&heap, 5);        // 20 bytes: a block of 32
//     DestroyBuddyAllocator(&heap);
//
// Layout. A block of 2^k bytes begins at a multiple of 2^k in its region, so the other half of what it was split from,
// its buddy, begins at its own offset XOR 2^k. A region need not be a power of two: it is cut into the largest blocks
// that fit, as Linux does with its pages, and buddies that reach beyond its end are never joined.
//
//   | payload . | next previous . . | payload . . . . . . . . . . |  next previous  . . . |   (1 character: 8 bytes)
//     ' live 32   ' free               ' live 64, the rest rounding
//
//   no header: 8 bytes before each payload would push every request for a power of two into the next one, and every
//   payload off the alignment that its block has for nothing. What is known of a block lies in bits and in its rest:
//     a bit for 16 bytes (the spare one of GranuleBits) says that a block begins here. A block is halved if one begins
//     in its middle, so whether a buddy is whole is one look, and how large a block is are at most log n.
//     the size asked for stands in the rest (detail/rest_bytes.hpp), which is the block's `rounding`.
//   a free block holds two links, as distances, so that equal runs leave equal bytes in any two buffers.
//   The smallest block has 16 bytes: room for the two links, and the alignment that malloc gives.
//
// Placement: the smallest size of which a block is free, the one freed last; halved while a half will do, the lower
// half first. A request that is more aligned takes the first block of those lists in which it finds an aligned address.
// Where the region's base is as aligned as that, this costs nothing; else the payload may begin inside its block, the
// first word of which then says how far (padding). Alignments beyond 4 GiB are BufferTooLarge.
//
// Growing: the end goes up until the block that is missing is whole, with what is free at the end as part of it if it
// lies right; what has to be skipped is free. Resizing: in place while the payload stays in the lower half of what it
// needs and the upper halves are free; else it moves.
//
// Fragmentation: free bytes would do, no free block does; two free blocks side by side that are no buddies are one hole
// and still of no use to a request for both, which is this allocator's own kind of fragmentation.
//
// Costs: allocate and free O(log n); aligned beyond 16 bytes also each free block that is smaller than the alignment;
// growing and resizing O(log^2 n); with a parent one look at each region. A failure walks the heap while somebody
// listens. Limits: blocks of 8 GiB. Thread safety: none. Freestanding.
// Source: Knowlton, A fast storage allocator, 1965; TAOCP 1, 2.5 (the buddy system).
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"
#include "alloc/decisions.hpp"
#include "alloc/detail/heap_regions.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"

namespace residue::alloc {

template <class Observer>
struct BasicBuddyAllocator : Allocator {
    static BasicBuddyAllocator Make(const HeapMemory& memory);
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Gives regions back to the parent. Safe to call twice.
    void Destroy();

    // Of the last request: lists looked at, and blocks in them beyond the first; when resized, upper halves joined.
    std::uint64_t Probes() const { return probes_; }
    std::uint64_t FreeBytes() const { return free_; }

    [[no_unique_address]] Observer observer;

private:
    static constexpr std::size_t kSmallest = 16;
    static constexpr unsigned kOrders = 30;  // 16 bytes to 8 GiB
    static constexpr std::size_t kMostAligned = std::size_t{1} << 32;

    struct Span {
        std::uintptr_t start = 0;
        unsigned order = 0;  // of kSmallest << order bytes
    };
    struct Place {
        HeapRegion* region = nullptr;
        Span block;
        std::uintptr_t payload = 0;  // will be
    };

    static const AllocatorOptions kOptions;
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static Result<void> OnReset(Allocator* self);

    // Sizes.
    static std::uint64_t BytesOf(unsigned order) { return std::uint64_t{kSmallest} << order; }
    static std::uintptr_t EndOf(Span block) { return block.start + BytesOf(block.order); }
    static unsigned OrderFor(std::size_t bytes);  // of the smallest block; kOrders or more: there is none
    static unsigned OrderWithin(std::uint64_t bytes);  // of the largest block in so many bytes, at least 16
    static Span SmallestAround(const HeapRegion& region, std::uintptr_t payload, std::size_t bytes);

    // What the bits and the first words of blocks say.
    static bool Begins(const HeapRegion& region, std::uintptr_t at) {
        return region.bits.Spare(region.GranuleOf(at) + 1);
    }
    static void SetBegins(HeapRegion& region, std::uintptr_t at, bool value) {
        region.bits.SetSpare(region.GranuleOf(at) + 1, value);
    }
    static unsigned OrderAt(const HeapRegion& region, std::uintptr_t start);
    static Span Holder(const HeapRegion& region, std::uintptr_t address);  // the block in which it lies
    static bool IsFree(const HeapRegion& region, std::uintptr_t start);    // where a block begins
    static bool IsFreeOf(const HeapRegion& region, Span block);            // is there such a block, and free?
    static bool AllFree(const HeapRegion& region, std::uintptr_t from, std::uintptr_t to);
    static std::uintptr_t PayloadOf(const HeapRegion& region, Span block);  // 0: it has none
    static std::size_t SizeOf(const HeapRegion& region, Span block, std::uintptr_t payload);
    static Block Describe(const HeapRegion& region, Span block, std::uintptr_t payload);
    Result<HeapRegion*> Locate(const void* pointer);

    // The lists.
    void Insert(Span block);
    void Remove(Span block);

    // Requests.
    bool CouldEver(std::size_t bytes, std::size_t alignment) const;
    MemoryError WhyNot(std::size_t bytes, std::size_t alignment) const;
    Request Described(std::size_t bytes, std::size_t alignment) const;
    Place Search(std::size_t bytes, std::size_t alignment);
    Place Grow(std::size_t bytes, std::size_t alignment);
    Place Find(std::size_t bytes, std::size_t alignment);  // null: there is none
    void AddBytes(HeapRegion& region, std::uintptr_t from);
    Span SplitTo(HeapRegion& region, Span block, Span target);
    void SetPayload(HeapRegion& region, Span block, std::uintptr_t payload, std::size_t bytes);
    Span Take(const Place& place, std::size_t bytes);
    void Give(HeapRegion& region, Span block);
    bool ResizeInPlace(HeapRegion& region, Span& block, std::uintptr_t payload, std::size_t bytes);
    void Decide(DecisionKind decision, Span block, std::uintptr_t upper = 0,
                ProbeVerdict verdict = ProbeVerdict::Taken);

    std::uint64_t InspectRegion(const HeapRegion& region, Inspector& inspector,
                                std::uint64_t (&counts)[kOrders]) const;
    void InspectList(unsigned order, std::uint64_t count, Inspector& inspector) const;

    HeapRegions regions_;
    std::uintptr_t heads_[kOrders] = {};  // 0: no block of that size is free
    unsigned orders_ = 1;                 // that the heap can have
    std::uint64_t free_ = 0;              // bytes
    std::uint64_t probes_ = 0;
    Emitter emitter_;
};

using BuddyAllocator = BasicBuddyAllocator<NoObserver>;
using ObservedBuddyAllocator = BasicBuddyAllocator<DecisionObserver>;

extern template struct BasicBuddyAllocator<NoObserver>;
extern template struct BasicBuddyAllocator<DecisionObserver>;

inline BuddyAllocator CreateBuddyAllocator(const HeapMemory& memory) { return BuddyAllocator::Make(memory); }
inline void DestroyBuddyAllocator(BuddyAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
