// The regions of a heap, whatever its HeapMemory, and what is known of each granule of 8 bytes in them: which payloads
// are live and which were given back. Allocators lay out the bytes between Region::base and Region::End() as they like.
//
//   | heap: base .. End() | not used yet (Growing) .. | bits | RegionRecord (Regions only) |
//                                                      '- bookkeeping, at the region's end
//
//     HeapRegions regions(HeapMemory::From(&parent));
//     if (Region* region = regions.Grow(bytes, emitter)) ...      // told as RegionGrown
//     regions.MarkLive(payload);
//     Result<Region*> home = regions.Locate(pointer);             // or DoubleFree, InvalidPointer
//
// Cost: finding the region of an address visits the regions; the bits are O(1). Thread safety: none. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/detail/granule_bits.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"

namespace residue::alloc {

struct HeapRegion {
    std::uintptr_t base = 0;      // aligned as HeapRegions was told to
    std::size_t used = 0;         // bytes that can be given out now; a multiple of 8
    std::size_t limit = 0;        // the most that `used` can become
    std::size_t bookkeeping = 0;  // bytes after `limit` (Growing: they are not counted)
    GranuleBits bits;
    HeapRegion* next = nullptr;   // by age
    void* block = nullptr;        // as the parent gave it
    std::uint64_t own[2] = {};    // the allocator's, 0 at first

    std::uintptr_t End() const { return base + used; }
    bool Contains(std::uintptr_t address) const { return address - base < used; }
    GranuleBits::Granule GranuleOf(std::uintptr_t address) const {
        return static_cast<GranuleBits::Granule>((address - base) / 8);
    }
};

class HeapRegions {
public:
    HeapRegions() = default;
    // Bases will be aligned to `alignment`, a power of two >= 8, and heaps have a multiple of `unit` bytes, itself one
    // of 8. Buffers are split into heap and bookkeeping here; one that is too small for any heap gives a region whose
    // `used` is 0. `spareBits`: that many more than a heap has granules are kept in each set of bits.
    explicit HeapRegions(const HeapMemory& memory, std::size_t alignment = 8, std::size_t unit = 8,
                         unsigned spareBits = 0);

    // The first region, the others by `next`. Null: there is none yet.
    const HeapRegion* First() const { return hasOwn_ ? &own_ : own_.next; }
    HeapRegion* First() { return hasOwn_ ? &own_ : own_.next; }
    HeapRegion* Containing(std::uintptr_t address);
    const HeapRegion* Containing(std::uintptr_t address) const;

    // May requests of that many bytes in one piece ever be served? (The first region of a parent is not asked for.)
    std::size_t MostBytes() const;

    // At least `bytes` more to give out: at the end of the one region (Growing, just as much as asked for, rounded up
    // to the unit), or in a new one (Regions). Null: there is no more. Tells RegionGrown.
    HeapRegion* Grow(std::size_t bytes, Emitter& emitter);
    // Could Grow ever give that much at once? (A parent is not asked: what it has is not known.)
    bool CouldGrow(std::size_t bytes) const;
    Growth Kind() const { return memory_.growth; }

    void MarkLive(HeapRegion& region, std::uintptr_t payload) { region.bits.MarkLive(region.GranuleOf(payload)); }
    void MarkGivenBack(HeapRegion& region, std::uintptr_t payload) {
        region.bits.MarkGivenBack(region.GranuleOf(payload));
    }
    // The region in which a live payload starts at `pointer`. Errors: DoubleFree, InvalidPointer (METRICS.md).
    Result<HeapRegion*> Locate(const void* pointer);
    Result<const HeapRegion*> Locate(const void* pointer) const;
    // The live payload at or below `pointer` in its region, else the next above; elsewhere one of the nearest region.
    // 0: there is none.
    std::uintptr_t Nearest(const void* pointer) const;

    // Bytes from below: `used` and the bookkeeping that is counted, of all regions (METRICS.md's H).
    std::size_t HeapBytes() const;
    // What AllocatorCreated has to say.
    Emitter::Created Created() const;
    void Inspect(Inspector& inspector) const;  // OnRegion for each

    // Regions but the first `keep` ones go back to the parent, each told as RegionShrunk when `emitter` is given; live
    // payloads in them must be gone. Does nothing for buffers and ranges.
    void Release(std::size_t keep, Emitter* emitter);
    // The beginning of a reset, told as one call: regions but the first go back, and what is live in that one is gone.
    void TellReset(Emitter& emitter);
    // The end of the allocator, told: its regions first, so that none counts as an ordinary block of the parent's
    // between the allocator's end and its own.
    void End(Emitter& emitter);

private:
    HeapRegion* Append(std::size_t bytes);

    HeapMemory memory_;
    std::size_t alignment_ = 8;
    std::size_t unit_ = 8;
    unsigned spareBits_ = 0;
    HeapRegion own_;       // the buffer or range; Regions: only its `next` counts
    bool hasOwn_ = false;
};

}  // namespace residue::alloc
