#include "gui/views/heap_pieces.hpp"

#include <algorithm>
#include <limits>

namespace residue::gui {

namespace {

constexpr std::uint64_t kSmallestGap = std::uint64_t{1} << 16;
constexpr int kLookUps = 2048;
constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();

std::uint64_t RoundUp(std::uint64_t value, std::uint64_t grain) {
    const std::uint64_t down = AlignDown(value, grain);
    return down == value ? value : SaturatingAdd(down, grain);
}

// Walks from block to block in strides of at least half a gap; false when that takes too many look-ups.
bool TryNeighbourhoods(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t gap,
                       std::vector<Piece>& pieces) {
    pieces.clear();
    const auto [begin, end] = heap.Span(allocator);
    std::uint64_t at = begin;  // everything before it is dealt with
    std::uint64_t pieceBegin = begin;
    std::uint64_t pieceEnd = begin;  // end of the last block seen
    for (int i = 0; at < end; ++i) {
        if (i == kLookUps) return false;
        const auto next = heap.NextBlock(allocator, at);
        // The block that lies over `at`, or ends behind it, was passed by a stride.
        if (const auto before = heap.PreviousBlock(allocator, at)) pieceEnd = std::max(pieceEnd, before->end);
        if (!next) break;
        if (next->begin > pieceEnd && next->begin - pieceEnd >= gap) {
            pieces.push_back({pieceBegin, pieceEnd});
            pieceBegin = next->begin;
        }
        pieceEnd = std::max(pieceEnd, next->end);
        at = std::max(SaturatingAdd(next->begin, 1), AlignDown(SaturatingAdd(next->begin, gap / 2), gap / 2));
    }
    if (pieceEnd > pieceBegin) pieces.push_back({pieceBegin, pieceEnd});
    for (Piece& piece : pieces) piece = {AlignDown(piece.begin, kSmallestGap), RoundUp(piece.end, kSmallestGap)};
    return true;
}

}  // namespace

void Normalise(std::vector<Piece>& pieces) {
    std::erase_if(pieces, [](const Piece& piece) { return piece.end <= piece.begin; });
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
    std::size_t kept = 0;
    for (const Piece& piece : pieces) {
        if (kept > 0 && piece.begin <= pieces[kept - 1].end) {
            pieces[kept - 1].end = std::max(pieces[kept - 1].end, piece.end);
        } else {
            pieces[kept++] = piece;
        }
    }
    pieces.resize(kept);
}

HeapPieces FindPieces(const model::HeapModel& heap, AllocatorId allocator) {
    HeapPieces found;
    for (const model::Region& region : heap.Regions(allocator)) {
        found.pieces.push_back({region.begin, std::max(region.end, SaturatingAdd(region.end, region.bookkeeping))});
    }
    if (!found.pieces.empty()) {
        found.known = true;
        Normalise(found.pieces);
        return found;
    }
    const auto [begin, end] = heap.Span(allocator);
    if (begin >= end) return found;
    for (std::uint64_t gap = kSmallestGap; gap < kLastAddress / 16; gap *= 16) {
        if (TryNeighbourhoods(heap, allocator, gap, found.pieces)) {
            Normalise(found.pieces);
            return found;
        }
    }
    found.pieces = {{begin, end}};
    return found;
}

}  // namespace residue::gui
