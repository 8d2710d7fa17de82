// TLSF, two-level segregated fit: allocation and free in constant time, whatever the number of holes.
//
//     std::byte buffer[4096];
//     TlsfAllocator allocator = CreateTlsfAllocator(HeapMemory::Buffer(buffer));
//     auto ints = Allocate<int>(&allocator, 5);
//     DestroyTlsfAllocator(&allocator);
//
//                 16 columns: the second level, each row cut into equal parts
//   row 0     0    8   16   24   32 …   120          one size each (there are no holes of 0 and 8 bytes)
//   row 1   128  136  144  152  160 …   248
//   row 2   256  272  288  304  320 …   496          in steps of 16
//   row 3   512  544  576  608  640 …   992          in steps of 32
//   …     the first level: powers of two
//   row 25    2 GiB …                                the last list holds 3.875 GiB and more
//
// Sizes are gross, header included; each list is named by its smallest. A bit a list, and a bit a row, say which are
// not empty. How blocks lie in memory is drawn in detail/tagged_blocks.hpp: 8 bytes of header, the smallest block has
// 16 bytes, links are numbers of granules.
//
// Placement: good fit. The search starts at the first list whose every hole is large enough: the request rounded up to
// the next list (where it must be aligned, with the largest gap that may take). Two searches for a set bit find the
// first list from there on that is not empty, and its first hole is taken: one probe. It may pass over a hole of the
// request's own list that would have done, and cut a larger one instead; the remainder stays a hole.
//
// Where those bits find nothing, a hole in the request's own list may still do. Masmano's TLSF grows or fails then.
// Ours first looks at the lists it passed over, hole by hole, so that "Fragmentation" and the heap's size are the
// truth. So the time is constant for every request that the bits serve; one that would otherwise fail or make the heap
// grow takes O(holes in the lists passed over): one list, with an alignment several.
//
// A remainder of at least 16 bytes stays a hole, a smaller one is slack. Where the alignment asked for is more than 8,
// the payload goes to the first aligned address whose gap to the hole's start is 0 or at least 16 bytes; the gap stays
// a hole, so padding is always 0. Freed neighbours are joined at once, both ways, and go to the front of their list. A
// growing heap grows by just what is missing, its last hole included; a region that became wholly free is kept.
//
// Costs: allocation O(1) but for what was just said; free O(1). With a parent, following a link visits the regions.
// Before it fails, a request walks the list of the largest holes, to say how large they are.
// Limits: 16 GiB a region; beyond 3.875 GiB the last list is searched hole by hole. Thread safety: none
// (LockedAllocator). Freestanding.
// Source: Masmano, Ripoll, Crespo, Real, TLSF: a new dynamic memory allocator for real-time systems, 2004.
#pragma once

#include "alloc/detail/tagged_allocator.hpp"

namespace residue::alloc {

struct TlsfClasses {
    static constexpr const char* kName = "two-level segregated fit (TLSF)";
    static constexpr FreeShape kShape = FreeShape::Matrix;
    static constexpr std::uint32_t kRows = 26;
    static constexpr std::uint32_t kColumns = 16;
    static constexpr bool kGoodFit = true;

    static constexpr std::uint32_t BinOf(std::uint64_t bytes) {
        const std::uint64_t granules = bytes / 8;
        if (granules < kColumns) return static_cast<std::uint32_t>(granules);
        const auto doubling = 63 - static_cast<std::uint32_t>(__builtin_clzll(granules));
        const std::uint32_t row = doubling - kColumnBits + 1;
        const auto column = static_cast<std::uint32_t>(granules >> (row - 1)) - kColumns;
        return row < kRows ? row * kColumns + column : kRows * kColumns - 1;
    }
    static constexpr std::uint64_t LeastOf(std::uint32_t bin) {
        const std::uint32_t row = bin / kColumns;
        if (row == 0) return std::uint64_t{bin} * 8;
        return (std::uint64_t{kColumns} + bin % kColumns) << (row - 1 + 3);
    }

private:
    static constexpr std::uint32_t kColumnBits = 4;
};

using TlsfAllocator = BasicTaggedAllocator<NoObserver, TlsfClasses>;
using ObservedTlsfAllocator = BasicTaggedAllocator<DecisionObserver, TlsfClasses>;

extern template struct BasicTaggedAllocator<NoObserver, TlsfClasses>;
extern template struct BasicTaggedAllocator<DecisionObserver, TlsfClasses>;

inline TlsfAllocator CreateTlsfAllocator(const HeapMemory& memory) { return TlsfAllocator::Make(memory); }
inline void DestroyTlsfAllocator(TlsfAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
