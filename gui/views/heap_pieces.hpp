// Which parts of the address space one allocator's heap lies in: its regions, or, where they were not recorded, the
// neighbourhoods of its live blocks (gaps of at least a limit are left out; their edges are rounded to it, so that the
// page does not move with every block).
//
// Cost: O(regions), or at most a few thousand ordered look-ups, independent of the number of blocks.
#pragma once

#include <vector>

#include "base/checked.hpp"
#include "gui/views/heap_layout.hpp"
#include "model/heap_model.hpp"

namespace residue::gui {

struct HeapPieces {
    std::vector<Piece> pieces;  // sorted, disjoint
    bool known = false;         // regions were recorded: what is not a block is free
};

HeapPieces FindPieces(const model::HeapModel& heap, AllocatorId allocator);

// Sorts, drops what is empty, joins what touches.
void Normalise(std::vector<Piece>& pieces);

}  // namespace residue::gui
