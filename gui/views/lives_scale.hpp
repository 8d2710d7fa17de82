// Which part of time and address the picture of lives shows, and where it lies on the screen. Addresses stay integers.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/lives.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

struct LivesScale {
    Rect area{};                                      // of the picture, screen pixels; low addresses at the top
    double from = 0, to = 1;                          // positions: [from, to)
    std::uint64_t begin = 0, bytesPerRow = 1;         // the address at the top; bytes a row
    std::uint32_t rowPixels = 1;                      // of height a row: more than one only where a row is one byte
    double limitTo = 1;                               // all there is: [0, limitTo) ...
    std::uint64_t limitBegin = 0, limitEnd = 1;       // ... and [limitBegin, limitEnd)

    std::uint64_t Rows() const;                       // that have room, at least 1
    std::uint64_t End() const;                        // the address below the last row; saturates
    float X(double position) const;
    double At(float x) const;
    float Y(std::uint64_t address) const;             // clamped to some pixels beyond the area
    std::uint64_t AddressAt(float y) const;           // the first byte of that row

    void FitAll();
    void Clamp();                                     // into the limits, and to sane spans
    void ZoomTime(double steps, float x);             // > 0: in; what is at x stays there
    void ZoomAddress(double steps, float y);
    double BytesPerPixel() const { return static_cast<double>(bytesPerRow) / static_cast<double>(rowPixels); }
    void Pan(float dx, float dy);                     // the picture follows the pointer
    // At most `most` columns and rows.
    analysis::LivesRequest Request(AllocatorId allocator, std::uint32_t most) const;
    std::vector<std::uint64_t> AddressLabels(float least) const;  // round ones, at least so many pixels apart
};

// 1, 2 or 5 times a power of ten, at least `value` (>= 1).
double RoundTimeStep(double value);
// Of a picture, the cell at a position and an address; nothing where it does not reach.
std::optional<float> ShareAt(const analysis::LivesPicture& picture, double position, std::uint64_t address);

}  // namespace residue::gui
