// The heap panel: heaps that lie in blocks of the one that is shown, drawn as containers: a frame in the child's
// colour, its name where there is room, and its blocks, holes and heaps inside.
//
// Cost: of Collect, the blocks that can be seen (at most kMostBlocks, beyond them the panel is dense), or, dense, a
// look-up for each few pixels that hold nests. Nests narrower than a few pixels are not containers: zoomed in their
// blocks are drawn plain, dense the cells count what lies in them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gui/views/heap_frame.hpp"

namespace residue::gui {

struct HeapLook {  // the blocks that can be seen, or that there are too many
    bool dense = false;
    std::vector<model::Block> blocks;  // of the heap that is shown; those of nested ones are with the frame's nests
};

// Fills the frame's nests and containers.
HeapLook Collect(HeapFrame& frame);

void DrawNests(HeapFrame& frame, const Emphasis& emphasis, bool dense);

// What is under a point of a row's bar, `inRow` pixels below its top.
struct HeapHit {
    AllocatorId allocator{};              // whose byte it is
    std::optional<model::Block> block;    // the innermost one there; of a frame, the one that holds the nest
    std::optional<model::Hole> hole;
    std::optional<AllocatorId> frameOf;   // the child whose frame it is
};
HeapHit HitAt(const HeapFrame& frame, std::uint64_t address, float inRow, bool dense);

}  // namespace residue::gui
