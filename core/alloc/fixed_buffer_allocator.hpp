// An allocator inside the caller's buffer, its bookkeeping included: a free list in address order with a placement
// policy to choose from, and immediate coalescing both ways (Knuth, TAOCP 1, 2.5; boundary tags).
//
//     std::byte buffer[1000];
//     FixedBufferAllocator allocator = CreateFixedBufferAllocator(buffer);
//     auto ints = Allocate<int>(&allocator, 5);
//     Free(&allocator, *ints);
//     DestroyFixedBufferAllocator(&allocator);
//
// Layout. Everything is counted in granules of 8 bytes.
//
//   | hdr payload | hdr next previous ... | hdr payload | ... | given-back bits | live bits |
//   '- live block '- hole                                 '- heap end (bookkeeping)
//
//   header, 8 bytes, directly before the payload:
//     u32  size of the block in granules, header included (31 bits) | live (bit 31)
//     u32  size of the block below it in granules (31 bits; 0: there is none) | exact (bit 31)
//   a hole holds two u32 links (offsets in granules) after its header, so the smallest block has 16 bytes.
//   `exact` says that the payload fills a live block; otherwise its last byte says how many bytes are unused.
//   bookkeeping: two bits a granule, so that DoubleFree and InvalidPointer are told apart exactly: "a live payload
//   starts here" and "a payload started here, was given back, and was not given out since".
//
// Links are offsets and nothing else is stored, so that two equal runs leave equal bytes in any two buffers.
//
// Placement. A request needs header + size rounded up to 8, at least 16 bytes. Where the alignment asked for is more
// than 8, the payload goes to the first aligned address whose gap to the hole's start is 0 or at least 16 bytes; the
// gap stays a hole, so padding is always 0. A remainder of at least 16 bytes stays a hole, a smaller one is slack.
//
// Growing. The buffer is reserved address space that reads as zero; the heap starts with 0 bytes and its end grows by
// just what is missing, extending the last hole. The bits lie at the far end of the reservation and are not counted.
//
// Costs: allocation: one probe a hole until the policy is satisfied (best and worst fit: all of them). Free: O(1)
// beside a hole, else a walk to the nearest one. Limits: 16 GiB of heap; larger buffers are used up to there.
// Thread safety: none (LockedAllocator). Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"
#include "alloc/decisions.hpp"
#include "alloc/detail/granule_bits.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"

namespace residue::alloc {

enum class Placement : std::uint8_t {
    FirstFit,  // the lowest hole that fits
    NextFit,   // the first that fits from where the last search ended, around the end
    BestFit,   // the smallest that fits, the lowest of equal ones
    WorstFit,  // the largest that fits, the lowest of equal ones
};

template <class Observer>
struct BasicFixedBufferAllocator : Allocator {
    // The functions behind CreateFixedBufferAllocator and friends; `buffer` may be unaligned, tiny or null.
    static BasicFixedBufferAllocator Make(void* buffer, std::size_t bytes, Placement placement, Growth growth);
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    void Destroy();
    void GoOnBy(Placement placement);  // from here on; the heap stays as it is

    std::uint64_t Probes() const { return probes_; }          // holes looked at by the last request
    std::uint64_t FreeBytes() const { return std::uint64_t{free_} * 8; }  // gross
    std::uint64_t HeapBytes() const { return std::uint64_t{end_} * 8; }   // without bookkeeping
    Placement Policy() const { return placement_; }
    const Emitter& Events() const { return emitter_; }        // for an allocator above that speaks through this one

    [[no_unique_address]] Observer observer;

private:
    using Granule = GranuleBits::Granule;  // an offset or a size in granules of 8 bytes
    static constexpr Granule kNone = GranuleBits::kNone;

    struct Words { std::uint32_t first, second; };
    struct Place { Granule hole = kNone; Granule gap = 0; };  // the block's header goes to hole + gap

    static const AllocatorOptions kOptions[4];
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static Result<void> OnReset(Allocator* self);

    // The bytes at a granule.
    std::uintptr_t Address(Granule at) const { return reinterpret_cast<std::uintptr_t>(base_) + std::uint64_t{at} * 8; }
    Words Load(Granule at) const;
    void Store(Granule at, Words words);

    // Headers.
    Granule SizeOf(Granule block) const;
    Granule Below(Granule block) const;  // the size of the block below; 0: there is none
    bool IsLive(Granule block) const;
    bool IsHoleAt(Granule at) const { return at < end_ && !IsLive(at); }
    void SetHeader(Granule block, Granule size, Granule below, bool live);
    void SetBelowOf(Granule above, Granule size);  // nothing at the end of the heap
    std::size_t UnusedBytes(Granule block) const;  // after the payload: rounding and slack
    void SetUnusedBytes(Granule block, std::size_t bytesUsed);

    std::uintptr_t NearestTo(const void* pointer) const;

    // The free list.
    Granule NextHole(Granule hole) const { return Load(hole + 1).first; }
    Granule PreviousHole(Granule hole) const { return Load(hole + 1).second; }
    void LinkBetween(Granule previous, Granule hole, Granule next);
    void Insert(Granule hole);
    void Remove(Granule hole);
    void ReplaceInList(Granule old, Granule hole);  // before the new hole's header is written: they may overlap

    // Requests.
    static Granule Need(std::size_t bytes);  // kNone: more than any heap has
    std::uint64_t GapFor(Granule hole, std::size_t alignment) const;
    bool Fits(Granule hole, Granule need, std::size_t alignment, Granule& gap);
    Place FirstFrom(Granule from, Granule to, Granule need, std::size_t alignment);
    Place BestOrWorst(Granule need, std::size_t alignment);
    Place Search(Granule need, std::size_t alignment);
    Place Grow(Granule need, std::size_t alignment);
    void ExtendEnd(Granule granules);
    std::uint64_t LargestHoleBytes() const;
    MemoryError WhyNot(Granule need, std::size_t alignment) const;
    Result<Granule> Locate(const void* pointer) const;  // the block whose payload starts there
    Granule TakeBlock(Place place, Granule need, std::size_t bytes);
    void GiveBlock(Granule block);
    void Refit(Granule block, Granule need);
    bool ResizeInPlace(Granule block, Granule need);
    Block Describe(Granule block) const;
    void Decide(DecisionKind kind, Granule at, Granule size, Granule other = 0, Granule otherSize = 0,
                ProbeVerdict verdict = ProbeVerdict::Taken);
    std::uint64_t InspectBlocks(Inspector& inspector) const;
    void InspectList(Inspector& inspector, std::uint64_t holes) const;

    std::byte* base_ = nullptr;
    GranuleBits bits_;          // at the buffer's end
    std::uint64_t probes_ = 0;
    std::size_t bookkeeping_ = 0;
    Granule limit_ = 0;     // granules the heap can have
    Granule end_ = 0;       // granules it has
    Granule last_ = kNone;  // the topmost block
    Granule head_ = kNone;  // the free list, by address
    Granule tail_ = kNone;
    Granule rover_ = kNone; // next fit: where the next search starts
    Granule free_ = 0;      // granules in holes
    Placement placement_ = Placement::FirstFit;
    Growth growth_ = Growth::Fixed;
    Emitter emitter_;
};

using FixedBufferAllocator = BasicFixedBufferAllocator<NoObserver>;
using ObservedFixedBufferAllocator = BasicFixedBufferAllocator<DecisionObserver>;

extern template struct BasicFixedBufferAllocator<NoObserver>;
extern template struct BasicFixedBufferAllocator<DecisionObserver>;

// The buffer must outlive the allocator. A buffer that is too small for a block gives an allocator whose every
// request fails with BufferTooLarge.
FixedBufferAllocator CreateFixedBufferAllocator(void* buffer, std::size_t bytes,
                                                Placement placement = Placement::FirstFit);

template <class T, std::size_t count>
FixedBufferAllocator CreateFixedBufferAllocator(T (&buffer)[count], Placement placement = Placement::FirstFit) {
    return CreateFixedBufferAllocator(static_cast<void*>(buffer), sizeof(buffer), placement);
}

// `range` is reserved address space of `bytes` bytes that reads as zero (an anonymous mapping).
FixedBufferAllocator CreateGrowingAllocator(void* range, std::size_t bytes, Placement placement = Placement::FirstFit);

// Its live blocks die with it. Safe to call twice.
void DestroyFixedBufferAllocator(FixedBufferAllocator* allocator);

}  // namespace residue::alloc
