// Where the heap panel looks: zoom level, phase and scroll, and what moves them. Plain state, no ImGui.
//
// `fit`: everything is shown, whatever the heap's size and the panel's become, until the user zooms or pans.
// Cost: FitAll tries zoom levels, O(pieces) each; the others lay the page out once.
#pragma once

#include <cstdint>
#include <vector>

#include "base/checked.hpp"
#include "gui/views/heap_layout.hpp"

namespace residue::gui {

// The part of the panel that shows rows, in screen pixels.
struct Viewport {
    std::int64_t width = 1;
    std::int64_t height = 1;
    double scale = 1;  // content scale
    friend bool operator==(const Viewport&, const Viewport&) = default;
};

struct RowShape {
    std::int64_t pitch = 1;  // from a row's top to the next's
    std::int64_t bar = 1;    // of these, the height in which blocks are drawn
};

// Rows are tall where a block has room for its name, and thin where a pixel covers many bytes.
RowShape RowShapeFor(int zoom, const Viewport& viewport);
std::int64_t TearHeight(const Viewport& viewport);

class HeapCamera {
public:
    int zoom = kMinZoom;
    std::uint64_t phase = 0;
    std::int64_t top = 0;  // page line at the viewport's upper edge
    bool fit = true;
    RowShape rows;  // as laid out last; in fit mode stretched so that the page fills the panel

    // Lays `pieces` out for what the camera sees now; in fit mode chooses zoom and phase first.
    void LayOut(const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout);

    // Zooms by `steps` levels (positive: in); the byte at viewport pixel (x, y) stays where it is, but for the rounding
    // of HeapLayout::PhaseFor. Zooming out until everything is there turns fit on.
    void ZoomAt(int steps, std::int64_t x, std::int64_t y, const std::vector<Piece>& pieces, const Viewport& viewport,
                HeapLayout& layout);
    // Brings `address` to viewport pixel (x, y); y is kept `inRow` pixels below its row's top.
    void PutAt(std::uint64_t address, std::int64_t x, std::int64_t y, std::int64_t inRow,
               const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout);
    void ScrollBy(std::int64_t pixels, const Viewport& viewport, const HeapLayout& layout);
    // Shows [begin, last] as large as it fits into one row, in the middle.
    void FitRange(std::uint64_t begin, std::uint64_t last, const std::vector<Piece>& pieces, const Viewport& viewport,
                  HeapLayout& layout);
    // Scrolls, and nothing more, so that `address` can be seen.
    void Reveal(std::uint64_t address, const Viewport& viewport, const HeapLayout& layout);

private:
    void Clamp(const Viewport& viewport, const HeapLayout& layout);
    HeapLayout::Geometry GeometryFor(int level, std::uint64_t rowPhase, const Viewport& viewport) const;
    void Stretch(const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout);
    int FitZoom(const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout) const;
};

}  // namespace residue::gui
