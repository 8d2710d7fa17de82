// Segregated fit with boundary tags: a list of holes for each size class.
//
//     std::byte buffer[4096];
//     SegregatedAllocator allocator = CreateSegregatedAllocator(HeapMemory::Buffer(buffer));
//     auto ints = Allocate<int>(&allocator, 5);
//     DestroySegregatedAllocator(&allocator);
//
//   class    2  3  4  …  31   | 32        33        34        35        …  63
//   holes    16 24 32 …  248  | 256..376  384..504  512..760  768..1016 …  12 MiB and more
//            of one size each   two classes a doubling
//
// Sizes are gross, header included. Classes 0 and 1 would hold holes of 0 and 8 bytes; there are none. A word of 64
// bits says which lists are not empty. How blocks lie in memory is drawn in detail/tagged_blocks.hpp: 8 bytes of
// header, the smallest block has 16 bytes, links are numbers of granules.
//
// Placement. The request's own class is searched from the front of its list on for the first hole that fits, then the
// next classes: in these the first hole always does, unless it must be aligned. A hole goes to the front of its list,
// so the one that was freed last is looked at first. Up to 248 bytes that is best fit (all holes of a class are equal);
// for larger blocks it approximates best fit to within a class.
//
// A remainder of at least 16 bytes stays a hole, a smaller one is slack. Where the alignment asked for is more than 8,
// the payload goes to the first aligned address whose gap to the hole's start is 0 or at least 16 bytes; the gap stays
// a hole, so padding is always 0. Freed neighbours are joined at once, both ways. A growing heap grows by just what is
// missing, its last hole included; a region that became wholly free is kept.
//
// Costs: allocation: a probe for each hole of the own class that is too small (none up to 248 bytes), and one more;
// aligned requests may probe holes of larger classes too. Free: O(1). With a parent, each step along a list also visits
// the regions. Before it fails, a request walks the list of the largest holes, to say how large they are.
// Limits: 16 GiB a region. Thread safety: none (LockedAllocator). Freestanding.
// Source: Wilson, Johnstone, Neely, Boles, Dynamic storage allocation: a survey and critical review, 1995 (segregated
// fits); the classes are those of Lea's malloc 2.8, whose large ones are trees: here they are lists.
#pragma once

#include "alloc/detail/tagged_allocator.hpp"

namespace residue::alloc {

struct SegregatedClasses {
    static constexpr const char* kName = "segregated fit";
    static constexpr FreeShape kShape = FreeShape::Bins;
    static constexpr std::uint32_t kRows = 1;
    static constexpr std::uint32_t kColumns = 64;
    static constexpr bool kGoodFit = false;

    static constexpr std::uint32_t BinOf(std::uint64_t bytes) {
        const std::uint64_t granules = bytes / 8;
        if (granules < kExact) return static_cast<std::uint32_t>(granules);
        const auto doubling = 63 - static_cast<std::uint32_t>(__builtin_clzll(granules));
        const auto upperHalf = static_cast<std::uint32_t>(granules >> (doubling - 1) & 1);
        const std::uint32_t bin = kExact + (doubling - kExactBits) * 2 + upperHalf;
        return bin < kColumns ? bin : kColumns - 1;
    }
    static constexpr std::uint64_t LeastOf(std::uint32_t bin) {
        if (bin < kExact) return std::uint64_t{bin} * 8;
        return (std::uint64_t{2} + bin % 2) << ((bin - kExact) / 2 + kExactBits - 1 + 3);
    }

private:
    static constexpr std::uint32_t kExactBits = 5;
    static constexpr std::uint32_t kExact = 1u << kExactBits;  // classes of one size
};

using SegregatedAllocator = BasicTaggedAllocator<NoObserver, SegregatedClasses>;
using ObservedSegregatedAllocator = BasicTaggedAllocator<DecisionObserver, SegregatedClasses>;

extern template struct BasicTaggedAllocator<NoObserver, SegregatedClasses>;
extern template struct BasicTaggedAllocator<DecisionObserver, SegregatedClasses>;

inline SegregatedAllocator CreateSegregatedAllocator(const HeapMemory& memory) {
    return SegregatedAllocator::Make(memory);
}
inline void DestroySegregatedAllocator(SegregatedAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
