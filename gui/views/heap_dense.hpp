// The heap panel, zoomed out: one texture of occupied shares, a texel a cell. Cells are computed once and then only
// where a step changed them; a jump recomputes rows within a budget a frame and shows coarser ones meanwhile.
//
// Cost: nothing when nothing changed; a step, the rows it touched; a zoom or a jump, some .5 ms a frame for exact rows,
// and coarse ones for the rest.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "gui/views/heap_cells.hpp"
#include "gui/views/heap_frame.hpp"

namespace residue::gui {

class HeapDense {
public:
    // Draws the visible rows; false while some are still coarse.
    bool Draw(HeapFrame& frame, const Emphasis& emphasis);
    void Forget();  // another session: nothing that is kept is right any more

    struct Cell {
        const HeapCell* cell = nullptr;
        std::uint64_t begin = 0, last = 0;
    };
    Cell CellAt(const HeapFrame& frame, std::uint64_t address) const;  // for the tooltip; null: not there (yet)

private:
    struct RowCells {
        std::vector<HeapCell> cells;
        std::vector<std::uint32_t> pixels;
        bool exact = false;    // the cells are right
        bool coarse = false;   // else: they are right for wider cells
        bool painted = false;  // the pixels are those of the cells
        bool changed = false;  // and not in the texture yet
        bool crowded = false;  // CellWork::crowded
        std::map<std::uint32_t, std::uint64_t> sites;
    };
    struct Shape {  // a change of it makes every row new
        const session::Session* session = nullptr;
        AllocatorId allocator{};
        HeapLayout::Geometry geometry;
        std::int64_t cellWidth = 1;
        friend bool operator==(const Shape&, const Shape&) = default;
    };
    struct Look {  // a change of it repaints
        ColourMode mode{};
        bool dark = true;
        std::vector<TraceId> traces;
        std::shared_ptr<const std::vector<bool>> traceSet;
        std::uint64_t filter = 0;  // Analyst::FilterState; 0: there is none
        Position age{};  // only where colours depend on the position
        friend bool operator==(const Look&, const Look&) = default;
    };

    void TakeStep(const HeapFrame& frame);
    void SoilRange(const HeapFrame& frame, std::uint64_t begin, std::uint64_t end);
    void Paint(const HeapFrame& frame, const Emphasis& emphasis, RowCells& row) const;
    void MakeCoarse(const HeapFrame& frame, std::uint64_t begin, RowCells& row) const;

    Shape shape_;
    Look look_;
    Row applied_{};
    std::map<std::uint64_t, RowCells> rows_;  // by first address
    std::unique_ptr<Texture> texture_;
    std::vector<std::uint32_t> pixels_;
    std::vector<std::uint64_t> inTexture_;  // which row each line of the texture holds
};

}  // namespace residue::gui
