// The heap at a moment, gathered from the log's table of blocks: those that were born before it and not ended. Nothing
// is stepped through, so it costs some 8 ns for each block that ever lived and 250 for each that lives, however far
// away the moment is (0.1 s at the end of a compile with 9.2 million blocks, 124,000 of them alive). It is for logs
// without an order (model/block_order.hpp), as those that still grow are.
//
//     HeapGatherer gatherer(view, row);
//     while (!gatherer.Step(10'000'000)) {}
//     if (auto heap = gatherer.Take()) ...       // as if all rows before `row` had been applied
//
// Only plain logs can be gathered: no regions of a heap, no allocator that ends or lies in another one's block, no
// blocks that stay dead. Recordings of a program's malloc are, unless it tells of pools. Where live blocks may overlap
// (LogView::MayOverlap) a gathered heap tells all it tells right, but must not be stepped back to before its row: which
// of two blocks was there first is not known.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::model {

class HeapGatherer {
public:
    // What the log has is read through `log`, a snapshot; target <= log.Rows()
    HeapGatherer(log::LogView log, Row target);

    // Goes on, for about as long as so many rows take to step through. True: it is done.
    bool Step(std::uint64_t budgetRows);
    // Once Step has said so. Nothing: the log is not plain.
    std::optional<HeapModel> Take();

    Row Target() const { return target_; }
    // What gathering costs, in rows to step through, where about `live` blocks are alive.
    static std::uint64_t CostInRows(const log::LogView& log, std::uint64_t live);

private:
    bool TakeRareRows();

    log::LogView log_;
    Row target_;
    HeapModel heap_;
    bool begun_ = false;
    bool plain_ = true;
    std::uint32_t next_ = 1;  // the block to look at
};

}  // namespace residue::model
