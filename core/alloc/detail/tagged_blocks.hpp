// Blocks with boundary tags: what the two segregated allocators lay out in their memory. Only the tags, the links and
// the regions are here; which list a hole is in is for detail/tagged_allocator.hpp.
//
//   | hdr payload | hdr next previous ... | hdr payload | ... | bits |
//   '- live block '- hole                                 '- heap end (bookkeeping, see heap_regions.hpp)
//
//   header, 8 bytes, directly before the payload; everything is counted in granules of 8 bytes:
//     u32  size of the block, header included (31 bits) | live (bit 31)
//     u32  size of the block below it (31 bits; 0: there is none in its region) | exact (bit 31)
//   a hole holds two u32 links after its header, so the smallest block has 16 bytes.
//   `exact` says that the payload fills a live block; otherwise its last byte says how many bytes are unused.
//
// Knuth's tag at a block's end is the second word of the header above it: one tag less a block, and both neighbours of
// a block are still found in O(1).
//
// A link is the number of a granule. The regions of a heap are numbered through: the first has 0, 1, 2 …, the next goes
// on from there. So links have 4 bytes whatever the number of regions (addresses would need 8, and make the smallest
// block 24 bytes), and the bytes of two equal runs are equal in any two buffers. The price: with a parent, following a
// link visits the regions, as finding the region of a pointer does anyway.
//
// Limits: 16 GiB a region; a heap with a parent takes no region more once it has 16 GiB. Thread safety: none.
// Freestanding. Source: Knuth, TAOCP 1, 2.5 (boundary tags).
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/detail/heap_regions.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"

namespace residue::alloc {

class TaggedBlocks {
public:
    using Link = std::uint32_t;
    static constexpr Link kNone = 0xFFFF'FFFF;
    static constexpr std::uint64_t kHeader = 8;
    static constexpr std::uint64_t kSmallest = 16;
    static constexpr std::uint64_t kNever = std::uint64_t{1} << 48;  // bytes that no heap has; sums of it do not wrap

    TaggedBlocks() = default;
    // No region has a block yet. A buffer that is too small for one is bookkeeping from end to end.
    explicit TaggedBlocks(const HeapMemory& memory);

    HeapRegions& Regions() { return regions_; }
    const HeapRegions& Regions() const { return regions_; }

    // ---- requests: gross bytes --------------------------------------------------------------------------------------

    // Of a block with that payload; kNever: more than any heap has.
    static std::uint64_t NeedOf(std::size_t bytes);
    // What has to stay a hole below a block in `hole`, so that its payload is aligned: 0, or enough for a hole.
    static std::uint64_t GapFor(std::uintptr_t hole, std::size_t alignment);
    // The largest such gap, wherever the hole begins.
    static std::uint64_t MostGap(std::size_t alignment);
    // Could it be served, were nothing live?
    bool CouldEver(std::uint64_t need, std::size_t alignment) const;

    // ---- tags: `block` is the address of a header -------------------------------------------------------------------

    static std::uint64_t SizeOf(std::uintptr_t block);
    static std::uint64_t Below(std::uintptr_t block);  // bytes of the block below; 0: there is none
    static bool IsLive(std::uintptr_t block);
    static bool IsExact(std::uintptr_t block);
    static void SetHeader(std::uintptr_t block, std::uint64_t size, std::uint64_t below, bool live);
    // Tells the block at `above` what lies below it; nothing at the end of the region.
    static void SetBelow(const HeapRegion& region, std::uintptr_t above, std::uint64_t size);
    // Bytes of the hole that begins at `at`; 0: no hole does.
    static std::uint64_t HoleAt(const HeapRegion& region, std::uintptr_t at);
    // A live block, after its payload. At least a byte of it is taken for used, whatever was written there.
    static std::uint64_t UnusedBytes(std::uintptr_t block);
    static void SetUnusedBytes(std::uintptr_t block, std::size_t bytesUsed);
    static Block Describe(std::uintptr_t block);

    // The last block of a region; 0: it has none.
    static std::uintptr_t Topmost(const HeapRegion& region) { return region.own[1]; }
    static void SetTopmost(HeapRegion& region, std::uintptr_t block) { region.own[1] = block; }

    // ---- links ------------------------------------------------------------------------------------------------------

    static Link LinkTo(const HeapRegion& region, std::uintptr_t block) {
        return static_cast<Link>(region.own[0] + region.GranuleOf(block));
    }
    // Null: the link leads out of the heap.
    const HeapRegion* RegionOf(Link link) const;
    HeapRegion* RegionOf(Link link);
    static std::uintptr_t At(const HeapRegion& region, Link link) {
        return region.base + (std::uint64_t{link} - region.own[0]) * 8;
    }
    std::uintptr_t At(Link link) const { return At(*RegionOf(link), link); }

    static Link Next(std::uintptr_t hole);
    static Link Previous(std::uintptr_t hole);
    static void SetNext(std::uintptr_t hole, Link next);
    static void SetPrevious(std::uintptr_t hole, Link previous);

    // ---- regions ----------------------------------------------------------------------------------------------------

    // With a parent: a fresh region, numbered, of at least that many bytes. Null: there is none. Tells RegionGrown.
    HeapRegion* AddRegion(std::uint64_t bytes, Emitter& emitter);
    // Every region but the first goes back to the parent, each told; live payloads count as given back.
    void Reset(Emitter& emitter);

private:
    HeapRegions regions_;
    std::uint64_t numbered_ = 0;  // granules of regions from a parent
};

}  // namespace residue::alloc
