// Addresses to pixels and back: the heap as a page of text. Each row spans `rowBytes` addresses; rows follow each other
// downwards; a gap in the address space that is wider than two rows is a tear (one thin line of the page).
//
//   HeapLayout layout;
//   layout.Set(pieces, {.rowBytes = 4096, .phase = 0, .width = 900, .pitch = 22, .tearHeight = 18});
//   const PagePoint p = *layout.ToPage(address);          // x in the row, y on the page
//   const std::uint64_t a = *layout.ToAddress(p.x, p.y);  // a byte drawn there
//
// Everything is an integer up to and including the pixel. A byte's left edge is floor(offset * width / rowBytes), so
// neighbours share their edge: no overlap, no gap. Page coordinates are 64 bits; the caller subtracts the scroll.
//
// Cost: Set is O(pieces); each query O(log pieces). Pure: no ImGui, no clock. Any address and any 64-bit size is fine.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace residue::gui {

// A range of addresses where there is, or may be, memory. `end` is one past the last byte.
struct Piece {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    friend bool operator==(const Piece&, const Piece&) = default;
};

// Zoom levels: bytes a row, by turns a power of two and one and a half times that (16, 24, 32, 48, ...).
inline constexpr int kMinZoom = 0;    // 16 bytes a row
inline constexpr int kMaxZoom = 117;  // 3 * 2^61 bytes a row
std::uint64_t RowBytesOf(int zoom);   // clamped
int ZoomFor(std::uint64_t bytes);     // the closest level whose row has room for `bytes`

struct PagePoint {
    std::int64_t x = 0;  // 0..width
    std::int64_t y = 0;  // the row's top edge on the page
    friend bool operator==(const PagePoint&, const PagePoint&) = default;
};

class HeapLayout {
public:
    struct Geometry {
        std::uint64_t rowBytes = 4096;
        std::uint64_t phase = 0;      // rows begin at addresses that are congruent to it, modulo rowBytes
        std::int64_t width = 1;       // pixels a row; >= 1
        std::int64_t pitch = 1;       // pixels from one row's top to the next's; >= 1
        std::int64_t tearHeight = 0;  // pixels of a tear
        friend bool operator==(const Geometry&, const Geometry&) = default;
    };
    // A line of the page: a row of addresses, or a tear.
    struct Line {
        std::int64_t y = 0;  // top edge on the page
        bool tear = false;
        std::uint64_t begin =
            0;  // row: its first address (0 where the row begins below 0); tear: end of the memory before
        std::uint64_t last = 0;  // row: its last address, inclusive; tear: the last address of the gap
    };

    // `pieces`: sorted, disjoint, none empty.
    void Set(const std::vector<Piece>& pieces, const Geometry& geometry);
    const Geometry& Shape() const { return geometry_; }
    bool Empty() const { return runs_.empty(); }
    std::int64_t Height() const;  // of the whole page, pixels
    std::uint64_t RowCount() const;

    // The left edge of the byte at `address`; nothing where the page does not show it (it is in a tear).
    std::optional<PagePoint> ToPage(std::uint64_t address) const;
    // As ToPage, but an address that is not shown gives the closest that is.
    PagePoint Nearest(std::uint64_t address) const;
    // The last byte whose left edge is not right of pixel x, in the row that has page line y (its gap below included).
    std::optional<std::uint64_t> ToAddress(std::int64_t x, std::int64_t y) const;
    // Lines that touch [top, top + height) of the page, downwards.
    std::vector<Line> Lines(std::int64_t top, std::int64_t height) const;

    // Within the row that holds `address`: the left edge of the byte, and of the one behind `last` (inclusive), so that
    // [first, second) are the pixels of the bytes address..last, cut at the row's end.
    std::pair<std::int64_t, std::int64_t> Pixels(std::uint64_t address, std::uint64_t last) const;
    std::uint64_t RowBegin(std::uint64_t address) const;  // first address of the row around it (0 where below 0)
    std::uint64_t RowLast(std::uint64_t address) const;   // last address of that row
    // Cells: pixel columns of `cell` pixels. The first address whose left edge is in or right of column x of the row
    // around `address`; RowLast + 1 (which may wrap to 0) when there is none.
    std::uint64_t FirstInColumn(std::uint64_t address, std::int64_t x) const;

    // The phase with which `address` is drawn at x, rounded so that the axis stays readable (by at most 1/128 of a row
    // or 4 bytes).
    static std::uint64_t PhaseFor(std::uint64_t address, std::int64_t x, std::uint64_t rowBytes, std::int64_t width);

private:
    struct Run {  // rows without a tear between them
        std::uint64_t firstRow = 0, lastRow = 0;
        std::int64_t y = 0;                       // of its first row on the page
        std::uint64_t gapBegin = 0, gapLast = 0;  // the tear above it (not for the first run)
    };
    std::uint64_t RowOf(std::uint64_t address) const;
    const Run* RunAtY(std::int64_t y) const;

    Geometry geometry_;
    std::uint64_t shift_ = 0;  // (address + shift_) / rowBytes is the row's number
    std::vector<Run> runs_;
};

}  // namespace residue::gui
