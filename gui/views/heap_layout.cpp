#include "gui/views/heap_layout.hpp"

#include <algorithm>
#include <limits>

namespace residue::gui {

namespace {

// 64-bit addresses times pixels need more than 64 bits.
__extension__ typedef unsigned __int128 Wide;
__extension__ typedef __int128 SignedWide;

constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kPageLimit = std::numeric_limits<std::int64_t>::max() / 4;

std::int64_t ToPixels(Wide value) {
    return value > static_cast<Wide>(kPageLimit) ? kPageLimit : static_cast<std::int64_t>(value);
}

}  // namespace

std::uint64_t RowBytesOf(int zoom) {
    zoom = std::clamp(zoom, kMinZoom, kMaxZoom);
    const int octave = zoom / 2;
    return zoom % 2 == 0 ? std::uint64_t{16} << octave : std::uint64_t{24} << octave;
}

int ZoomFor(std::uint64_t bytes) {
    int zoom = kMinZoom;
    while (zoom < kMaxZoom && RowBytesOf(zoom) < bytes) ++zoom;
    return zoom;
}

void HeapLayout::Set(const std::vector<Piece>& pieces, const Geometry& geometry) {
    geometry_ = geometry;
    geometry_.rowBytes = std::max<std::uint64_t>(geometry_.rowBytes, 1);
    geometry_.width = std::max<std::int64_t>(geometry_.width, 1);
    geometry_.pitch = std::max<std::int64_t>(geometry_.pitch, 1);
    geometry_.tearHeight = std::max<std::int64_t>(geometry_.tearHeight, 0);
    geometry_.phase %= geometry_.rowBytes;
    shift_ = (geometry_.rowBytes - geometry_.phase) % geometry_.rowBytes;
    runs_.clear();

    std::uint64_t lastEnd = 0;
    for (const Piece& piece : pieces) {
        if (piece.end <= piece.begin) continue;
        const std::uint64_t first = RowOf(piece.begin);
        const std::uint64_t last = RowOf(piece.end - 1);
        if (!runs_.empty() && first <= runs_.back().lastRow + 3) {  // up to two empty rows are simply shown
            runs_.back().lastRow = std::max(runs_.back().lastRow, last);
        } else {
            Run run{first, last, 0, lastEnd, piece.begin - 1};
            if (!runs_.empty()) {
                const Run& before = runs_.back();
                const Wide rows = static_cast<Wide>(before.lastRow - before.firstRow) + 1;
                run.y = ToPixels(static_cast<Wide>(before.y) + rows * static_cast<Wide>(geometry_.pitch) +
                                 static_cast<Wide>(geometry_.tearHeight));
            }
            runs_.push_back(run);
        }
        lastEnd = piece.end;
    }
}

std::uint64_t HeapLayout::RowOf(std::uint64_t address) const {
    return static_cast<std::uint64_t>((static_cast<Wide>(address) + shift_) / geometry_.rowBytes);
}

std::int64_t HeapLayout::Height() const {
    if (runs_.empty()) return 0;
    const Run& run = runs_.back();
    const Wide rows = static_cast<Wide>(run.lastRow - run.firstRow) + 1;
    return ToPixels(static_cast<Wide>(run.y) + rows * static_cast<Wide>(geometry_.pitch));
}

std::uint64_t HeapLayout::RowCount() const {
    std::uint64_t rows = 0;
    for (const Run& run : runs_) rows += run.lastRow - run.firstRow + 1;
    return rows;
}

std::uint64_t HeapLayout::RowBegin(std::uint64_t address) const {
    const Wide begin = static_cast<Wide>(RowOf(address)) * geometry_.rowBytes;
    return begin < shift_ ? 0 : static_cast<std::uint64_t>(begin - shift_);
}

std::uint64_t HeapLayout::RowLast(std::uint64_t address) const {
    const Wide end = (static_cast<Wide>(RowOf(address)) + 1) * geometry_.rowBytes - shift_;  // rowBytes > shift_
    return end > static_cast<Wide>(kLastAddress) ? kLastAddress : static_cast<std::uint64_t>(end - 1);
}

std::pair<std::int64_t, std::int64_t> HeapLayout::Pixels(std::uint64_t address, std::uint64_t last) const {
    const Wide rowStart = static_cast<Wide>(RowOf(address)) * geometry_.rowBytes;  // of shifted addresses
    const Wide width = static_cast<Wide>(geometry_.width);
    const Wide from = static_cast<Wide>(address) + shift_ - rowStart;
    const Wide behind = static_cast<Wide>(std::max(last, address)) + shift_ + 1 - rowStart;
    const Wide to = std::min(behind, static_cast<Wide>(geometry_.rowBytes));
    return {static_cast<std::int64_t>(from * width / geometry_.rowBytes),
            static_cast<std::int64_t>(to * width / geometry_.rowBytes)};
}

std::optional<PagePoint> HeapLayout::ToPage(std::uint64_t address) const {
    const std::uint64_t row = RowOf(address);
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), row,
                                        [](std::uint64_t value, const Run& run) { return value < run.firstRow; });
    if (after == runs_.begin()) return std::nullopt;
    const Run& run = *(after - 1);
    if (row > run.lastRow) return std::nullopt;
    const Wide down = static_cast<Wide>(row - run.firstRow) * static_cast<Wide>(geometry_.pitch);
    return PagePoint{Pixels(address, address).first, ToPixels(static_cast<Wide>(run.y) + down)};
}

PagePoint HeapLayout::Nearest(std::uint64_t address) const {
    if (runs_.empty()) return {};
    if (const auto point = ToPage(address)) return *point;
    const std::uint64_t row = RowOf(address);
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), row,
                                        [](std::uint64_t value, const Run& run) { return value < run.firstRow; });
    if (after == runs_.begin()) return {0, 0};
    const Run& run = *(after - 1);
    const Wide down = static_cast<Wide>(run.lastRow - run.firstRow) * static_cast<Wide>(geometry_.pitch);
    return {geometry_.width, ToPixels(static_cast<Wide>(run.y) + down)};
}

const HeapLayout::Run* HeapLayout::RunAtY(std::int64_t y) const {
    const auto after = std::upper_bound(runs_.begin(), runs_.end(), y,
                                        [](std::int64_t value, const Run& run) { return value < run.y; });
    return after == runs_.begin() ? nullptr : &*(after - 1);
}

std::optional<std::uint64_t> HeapLayout::ToAddress(std::int64_t x, std::int64_t y) const {
    const Run* run = RunAtY(y);
    if (run == nullptr || x < 0 || x >= geometry_.width) return std::nullopt;
    const std::uint64_t down = static_cast<std::uint64_t>((y - run->y) / geometry_.pitch);
    if (down > run->lastRow - run->firstRow) return std::nullopt;  // in the tear below
    // The largest offset with floor(offset * width / rowBytes) <= x.
    const Wide rowBytes = geometry_.rowBytes;
    const Wide offset = ((static_cast<Wide>(x) + 1) * rowBytes - 1) / static_cast<Wide>(geometry_.width);
    const Wide shifted = static_cast<Wide>(run->firstRow + down) * rowBytes + std::min(offset, rowBytes - 1);
    if (shifted < shift_) return std::nullopt;  // left of address 0
    const Wide address = shifted - shift_;
    if (address > static_cast<Wide>(kLastAddress)) return std::nullopt;
    return static_cast<std::uint64_t>(address);
}

std::uint64_t HeapLayout::FirstInColumn(std::uint64_t address, std::int64_t x) const {
    const Wide rowBytes = geometry_.rowBytes;
    const Wide width = static_cast<Wide>(geometry_.width);
    const Wide column = static_cast<Wide>(std::clamp<std::int64_t>(x, 0, geometry_.width));
    const Wide offset = (column * rowBytes + width - 1) / width;  // rounded up
    const Wide shifted = static_cast<Wide>(RowOf(address)) * rowBytes + offset;
    if (shifted < shift_) return 0;
    const Wide first = shifted - shift_;
    const Wide end = static_cast<Wide>(RowLast(address)) + 1;
    return static_cast<std::uint64_t>(std::min(first, end));
}

std::vector<HeapLayout::Line> HeapLayout::Lines(std::int64_t top, std::int64_t height) const {
    std::vector<Line> lines;
    if (runs_.empty() || height <= 0) return lines;
    const std::int64_t bottom = top + height;
    const Run* start = RunAtY(top);
    std::size_t index = start == nullptr ? 0 : static_cast<std::size_t>(start - runs_.data());
    for (; index < runs_.size(); ++index) {
        const Run& run = runs_[index];
        if (index > 0) {
            const std::int64_t y = run.y - geometry_.tearHeight;
            if (y >= bottom) break;
            if (run.y > top && geometry_.tearHeight > 0) lines.push_back({y, true, run.gapBegin, run.gapLast});
        }
        if (run.y >= bottom) break;
        std::uint64_t down = 0;
        if (top > run.y) down = static_cast<std::uint64_t>((top - run.y) / geometry_.pitch);
        for (; down <= run.lastRow - run.firstRow; ++down) {
            const std::int64_t y = run.y + static_cast<std::int64_t>(down) * geometry_.pitch;
            if (y >= bottom) break;
            const Wide begin = static_cast<Wide>(run.firstRow + down) * geometry_.rowBytes;
            const std::uint64_t address = begin < shift_ ? 0 : static_cast<std::uint64_t>(begin - shift_);
            lines.push_back({y, false, address, RowLast(address)});
        }
    }
    return lines;
}

std::uint64_t HeapLayout::PhaseFor(std::uint64_t address, std::int64_t x, std::uint64_t rowBytes, std::int64_t width) {
    rowBytes = std::max<std::uint64_t>(rowBytes, 1);
    width = std::max<std::int64_t>(width, 1);
    const Wide offset = static_cast<Wide>(std::clamp<std::int64_t>(x, 0, width)) * rowBytes / static_cast<Wide>(width);
    SignedWide begin = static_cast<SignedWide>(address) - static_cast<SignedWide>(offset);
    const std::uint64_t step = std::max<std::uint64_t>(std::min<std::uint64_t>(8, rowBytes / 4), rowBytes / 64);
    // To the nearest multiple of the step.
    const SignedWide grain = static_cast<SignedWide>(step);
    begin += grain / 2;
    SignedWide rest = begin % grain;
    if (rest < 0) rest += grain;
    begin -= rest;
    SignedWide phase = begin % static_cast<SignedWide>(rowBytes);
    if (phase < 0) phase += static_cast<SignedWide>(rowBytes);
    return static_cast<std::uint64_t>(phase);
}

}  // namespace residue::gui
