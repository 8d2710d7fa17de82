// A row of the dense heap map: for each cell of a few pixels, how many of its bytes are set aside and which block to
// take the colour from.
//
// A block that is a child's heap counts by what lies in it, down to the innermost: a cell is bright where bytes are in
// use by somebody, and has the colour of the innermost block. Of these heaps a row looks into as many as it has cells;
// the others, if there are any, count as plain blocks (CellWork::crowded).
//
// `occupied` is exact. `sample` is the block with the most bytes in the cell among those that were looked at: all of
// them where the row has few, else the first four of the cell of each heap there.
//
// Cost of a row: O(min(its blocks, 4 * its cells) + heaps looked into), plus, for the cells that are left then, a sweep
// (HeapModel::FillCells): some 0.2 us a cell with tens of blocks, 1 us with thousands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gui/views/heap_layout.hpp"
#include "model/heap_model.hpp"

namespace residue::gui {

struct HeapCell {
    std::uint64_t occupied = 0;  // bytes set aside
    std::uint64_t bytes = 0;     // bytes of the cell
    BlockId sample{};            // 0: nothing is set aside
};

struct CellWork {               // what it cost
    std::uint64_t visited = 0;  // blocks
    std::uint64_t queries = 0;  // look-ups, and cells swept
    bool crowded = false;       // there were more nested heaps than were looked into
};

// The row of `layout` around `address`, in cells of `cellWidth` pixels (the last one may be narrower).
CellWork ComputeRow(const model::HeapModel& heap, AllocatorId allocator, const HeapLayout& layout,
                    std::uint64_t address, std::int64_t cellWidth, std::vector<HeapCell>& cells);

}  // namespace residue::gui
