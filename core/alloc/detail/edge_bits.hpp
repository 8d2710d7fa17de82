// Where blocks begin, told beside the heap and not in it, so that small blocks need no header: two bits for each
// granule of 8 bytes. A view of a region's two sets of bits.
//
//   edge   1 0 0 0 | 1 0 | 1 1 0 0 0 1 | 1 0 0 | 1 1 0 … 0 | 1 0
//          small     small hole          small   headed      the region's end
//
//   a small block (2 to 64 granules, all of it payload) has an edge at its first granule;
//   a headed one (3 granules and more) at its first two: the header and the payload's begin;
//   a hole (2 granules and more) at its first two and at its last.
// So what begins at a granule, whether a hole ends below a block, and how long a small block is are read from at most
// three words of bits, whatever lies in the heap. The second set is GranuleBits' memory in another form:
//
//   given  at a granule where no live payload begins: one did, and was given back (a free of it is a DoubleFree);
//          where a small block is live: its payload fills it
//
// What is in the heap itself belongs to the allocator wherever it is read (a hole, or the granule of a header); four
// bytes each:
//   first granule of a hole:    link to the next in its list | size in granules
//   second granule:             link to the previous         | (end of the hole)
//   last granule:                                            | size, with kEnds
//   header of a live block:     bytes that the payload leaves| size, with kHeaded
//
// Cost: O(1) each; CountEdges is O(granules / 64). Thread safety: none. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "alloc/detail/heap_regions.hpp"

namespace residue::alloc {

class EdgeBits {
public:
    using Granule = std::uint32_t;
    static constexpr unsigned kSpare = 3;  // bits needed beyond a heap's granules: one below it, two at its end
    static constexpr Granule kMostGranules = (Granule{1} << 30) - 1;  // of a region: what a tag can say
    static constexpr Granule kSmallestHole = 2;
    static constexpr Granule kSmallestHeaded = 3;
    static constexpr Granule kLargestSmall = 64;

    // A block or hole, and what it is.
    struct Span {
        Granule start = 0;
        Granule size = 0;
        bool headed = false;
        Granule Payload() const { return start + (headed ? 1 : 0); }
        Granule End() const { return start + size; }
    };

    EdgeBits() = default;
    explicit EdgeBits(const HeapRegion& region)
        : base_(region.base), edges_(region.bits.LowerSet()), given_(region.bits.UpperSet()) {}

    std::uintptr_t At(Granule at) const { return base_ + std::uintptr_t{at} * 8; }

    // ---- bits ------------------------------------------------------------------------------------------------------

    // Of 64 granules: the lowest bit is that of at - 1.
    std::uint64_t EdgesAround(Granule at) const {
        const std::byte* const word = edges_ + std::size_t{at / 64} * 8;
        return (Load64(word) >> (at % 64)) | ((Load64(word + 8) << 1) << (63 - at % 64));
    }
    bool IsEdge(Granule at) const { return (Load64(WordOf(edges_, at)) & BitOf(at)) != 0; }
    void SetEdge(Granule at) const { StoreWord(edges_, at, Load64(WordOf(edges_, at)) | BitOf(at)); }
    void ClearEdge(Granule at) const { StoreWord(edges_, at, Load64(WordOf(edges_, at)) & ~BitOf(at)); }
    // Of `at` and the granule above it.
    void SetEdges(Granule at) const {
        if ((at + 1) % 64 == 63) [[unlikely]] return SetEdge(at), SetEdge(at + 1);
        StoreWord(edges_, at, Load64(WordOf(edges_, at)) | BitOf(at) * 3);
    }
    void ClearEdges(Granule at) const {
        if ((at + 1) % 64 == 63) [[unlikely]] return ClearEdge(at), ClearEdge(at + 1);
        StoreWord(edges_, at, Load64(WordOf(edges_, at)) & ~(BitOf(at) * 3));
    }
    bool WasGiven(Granule at) const { return (Load64(WordOf(given_, at)) & BitOf(at)) != 0; }
    void SetGiven(Granule at, bool value) const {
        const std::uint64_t others = Load64(WordOf(given_, at)) & ~BitOf(at);
        StoreWord(given_, at, value ? others | BitOf(at) : others);
    }
    // Of a heap of that many granules; bits of `given` stay.
    void ClearAllEdges(Granule granules) const { std::memset(edges_, 0, GranuleBits::BytesFor(granules + kSpare) / 2); }
    Granule CountEdges(Granule from, Granule to) const {
        Granule count = 0;
        for (; from < to; from += to - from < 64 ? to - from : 64) {
            const std::uint64_t beyond = to - from < 64 ? ~std::uint64_t{0} << (to - from) : 0;
            // Bit by bit: bare metal may have no function that counts them.
            for (std::uint64_t edges = EdgesAround(from + 1) & ~beyond; edges != 0; edges &= edges - 1) ++count;
        }
        return count;
    }

    // ---- holes -----------------------------------------------------------------------------------------------------

    // The hole that begins at a boundary (a block's or hole's end, also the region's); 0: none does.
    Granule HoleAt(Granule boundary) const { return HoleAt(boundary, EdgesAround(boundary + 1)); }
    // The hole that ends at a boundary; 0: none does.
    Granule HoleBelow(Granule boundary) const { return HoleBelow(boundary, EdgesAround(boundary)); }
    // Both, of a live block. `edges`: EdgesAround(block.start), which nearly always tells of either end; 0: not known.
    void HolesBeside(const Span& block, std::uint64_t edges, Granule& below, Granule& above) const {
        if (edges == 0 || block.size > kLargestSmall - 3) [[unlikely]] {
            below = HoleBelow(block.start);
            above = HoleAt(block.End());
            return;
        }
        below = HoleBelow(block.start, edges);
        above = HoleAt(block.End(), edges >> (block.size + 1));
    }
    Granule SizeOfHole(Granule hole) const { return Upper(hole); }
    void MarkHole(Granule hole, Granule size) const {
        SetEdges(hole);
        SetEdge(hole + size - 1);
        SetHoleSize(hole, size);
    }
    // Its first granule stays an edge: something else begins there now.
    void UnmarkHole(Granule hole, Granule size) const {
        ClearEdge(hole + 1);
        ClearEdge(hole + size - 1);
    }
    // A hole loses its upper part to a block that begins at its new end.
    void CutTop(Granule hole, Granule size, Granule rest) const {
        ClearEdge(hole + size - 1);
        SetEdges(hole + rest - 1);
        SetHoleSize(hole, rest);
    }
    // A hole loses its lower part to a block. Its links are to be written anew.
    void CutBottom(Granule hole, Granule size, Granule rest) const {
        const Granule upper = hole + size - rest;
        ClearEdge(hole + 1);
        SetEdges(upper);
        SetHoleSize(upper, rest);
    }
    // A block without an edge inside becomes a hole, together with holes of those sizes (0: none) below and above it.
    void Join(const Span& block, Granule below, Granule above) const {
        const Granule hole = block.start - below;
        const Granule size = below + block.size + above;
        if (below != 0) ClearEdges(block.start - 1);
        if (above != 0) ClearEdges(block.End());
        if (below <= kSmallestHole) SetEdge(hole + 1);
        if (above <= kSmallestHole) SetEdge(hole + size - 1);
        SetHoleSize(hole, size);
    }
    // The hole of a size that begins at `from` (0: there was none) begins at `to` now, with the same end.
    void MoveBottom(Granule from, Granule size, Granule to, Granule nowSize) const {
        if (size != 0) ClearEdges(from);
        MarkHole(to, nowSize);
    }

    std::uint32_t Next(Granule hole) const { return Lower(hole); }
    std::uint32_t Previous(Granule hole) const { return Lower(hole + 1); }
    void SetNext(Granule hole, std::uint32_t link) const { Store32(At(hole), link); }
    void SetPrevious(Granule hole, std::uint32_t link) const { Store32(At(hole + 1), link); }

    // ---- live blocks -----------------------------------------------------------------------------------------------

    // The edges of a span that begins at an edge and holds no other; what is needed to know its payload's size.
    void MarkLive(const Span& block, std::size_t bytes) const {
        const std::uint64_t rest = std::uint64_t{block.End() - block.Payload()} * 8 - bytes;
        if (block.headed) {
            SetEdge(block.start + 1);
            Store32(At(block.start), static_cast<std::uint32_t>(rest));
            Store32(At(block.start) + 4, block.size | kHeaded);
            return;
        }
        SetGiven(block.start, rest == 0);
        if (rest != 0) *reinterpret_cast<unsigned char*>(At(block.End()) - 1) = static_cast<unsigned char>(rest);
    }
    // The block whose live payload begins at `payload`; size 0: there is none. `edges`: for HolesBeside.
    Span LiveAt(Granule payload, std::uint64_t& edges) const {
        edges = EdgesAround(payload);
        if ((edges & 6) != 2) return {};
        if ((edges & 1) != 0) {
            const std::uint32_t tag = Upper(payload - 1);
            if ((tag & kEnds) == 0) {  // the granule below begins something: this is its second one
                edges = 0;
                return (tag & kHeaded) != 0 ? Span{payload - 1, tag & kSizeMask, true} : Span{};
            }
        }
        return {payload, SmallSize(payload, edges), false};
    }
    // What begins at an edge, below `end`; size 0: what is there makes no sense.
    Span SpanAt(Granule start, Granule end, bool& live) const {
        const std::uint64_t edges = EdgesAround(start);
        const bool tagged = (edges & 4) != 0;
        const std::uint32_t tag = tagged ? Upper(start) : SmallSize(start, edges);
        live = !tagged || (tag & kHeaded) != 0;
        const Span span{start, tag & kSizeMask, tagged && live};
        const Granule least = span.headed ? kSmallestHeaded : kSmallestHole;
        const bool sense = (edges & 2) != 0 && (tag & kEnds) == 0 && span.size >= least && span.size <= end - start;
        return sense ? span : Span{};
    }
    // 0: what tells it was written over.
    std::size_t BytesOf(const Span& block) const {
        const std::uint64_t room = std::uint64_t{block.End() - block.Payload()} * 8;
        std::uint64_t rest = 0;
        if (block.headed) rest = Lower(block.start);
        else if (!WasGiven(block.start)) rest = *reinterpret_cast<const unsigned char*>(At(block.End()) - 1);
        const bool possible = rest < room && (block.headed || WasGiven(block.start) == (rest == 0));
        return possible ? static_cast<std::size_t>(room - rest) : 0;
    }

    // Does a hole's last granule say what its first does?
    bool EndsAgree(Granule hole, Granule size) const {
        return IsEdge(hole + size - 1) && Upper(hole + size - 1) == (size | kEnds);
    }

private:
    static constexpr std::uint32_t kEnds = std::uint32_t{1} << 31;
    static constexpr std::uint32_t kHeaded = std::uint32_t{1} << 30;
    static constexpr std::uint32_t kSizeMask = kHeaded - 1;

    Granule HoleAt(Granule boundary, std::uint64_t edgesFrom) const {
        if ((edgesFrom & 3) != 3) return 0;
        const std::uint32_t tag = Upper(boundary);
        return (tag & kHeaded) != 0 ? 0 : tag;
    }
    Granule HoleBelow(Granule boundary, std::uint64_t edgesAround) const {
        return (edgesAround & 1) != 0 ? Upper(boundary - 1) & kSizeMask : 0;
    }
    // The next edge is at most 64 granules up. `edges`: EdgesAround(block).
    Granule SmallSize(Granule block, std::uint64_t edges) const {
        if (edges >> 2 != 0) return 1 + static_cast<Granule>(__builtin_ctzll(edges >> 2));
        const std::uint64_t above = EdgesAround(block + kLargestSmall);
        return kLargestSmall - 1 + static_cast<Granule>(__builtin_ctzll(above | 4));
    }
    void SetHoleSize(Granule hole, Granule size) const {
        Store32(At(hole) + 4, size);
        Store32(At(hole + size - 1) + 4, size | kEnds);
    }

    // The bit of the granule below the heap is the first.
    static std::uint64_t BitOf(Granule at) { return std::uint64_t{1} << ((at + 1) % 64); }
    static const std::byte* WordOf(const std::byte* bits, Granule at) { return bits + std::size_t{(at + 1) / 64} * 8; }
    static std::uint64_t Load64(const std::byte* at) {
        std::uint64_t value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
    static void StoreWord(std::byte* bits, Granule at, std::uint64_t value) {
        std::memcpy(bits + std::size_t{(at + 1) / 64} * 8, &value, sizeof value);
    }
    std::uint32_t Lower(Granule at) const { return Load32(At(at)); }
    std::uint32_t Upper(Granule at) const { return Load32(At(at) + 4); }
    static std::uint32_t Load32(std::uintptr_t at) {
        std::uint32_t value;
        std::memcpy(&value, reinterpret_cast<const void*>(at), sizeof value);
        return value;
    }
    static void Store32(std::uintptr_t at, std::uint32_t value) {
        std::memcpy(reinterpret_cast<void*>(at), &value, sizeof value);
    }

    std::uintptr_t base_ = 0;
    std::byte* edges_ = nullptr;
    std::byte* given_ = nullptr;
};

}  // namespace residue::alloc
