// The mini-map: the whole heap as a narrow column, occupied share by brightness, and the part that the panel shows.
//
// Cost: one look-up a line (two pixels) where the heap changed, a rectangle for each run of equal lines otherwise.
#pragma once

#include <optional>
#include <vector>

#include "gui/views/heap_cells.hpp"
#include "gui/views/heap_frame.hpp"

namespace residue::gui {

class HeapMap {
public:
    // Draws into `column`; returns the address that the mouse drags it to.
    std::optional<std::uint64_t> Draw(HeapFrame& frame, Rect column, const std::vector<Piece>& pieces,
                                      const Emphasis& emphasis);
    void Forget() { pieces_.clear(); }

private:
    void Compute(const HeapFrame& frame, const std::vector<Piece>& pieces, std::int64_t height);

    HeapLayout layout_;
    std::vector<Piece> pieces_;
    std::vector<HeapLayout::Line> lines_;
    std::vector<float> shares_;
    std::int64_t height_ = 0;
    AllocatorId allocator_{};
    std::optional<Row> applied_;
};

}  // namespace residue::gui
