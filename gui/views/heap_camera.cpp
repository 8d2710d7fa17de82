#include "gui/views/heap_camera.hpp"

#include <algorithm>
#include <cmath>

namespace residue::gui {

namespace {

std::int64_t Scaled(double unscaled, const Viewport& viewport) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(unscaled * viewport.scale + 0.5)));
}

}  // namespace

RowShape RowShapeFor(int zoom, const Viewport& viewport) {
    // Bytes in an unscaled pixel decide: they say how wide a block is drawn.
    const double bytes = static_cast<double>(RowBytesOf(zoom)) * viewport.scale /
                         static_cast<double>(std::max<std::int64_t>(viewport.width, 1));
    if (bytes <= 0.34) return {Scaled(60, viewport), Scaled(44, viewport)};
    if (bytes <= 1) return {Scaled(44, viewport), Scaled(34, viewport)};
    if (bytes <= 4) return {Scaled(30, viewport), Scaled(24, viewport)};
    if (bytes <= 24) return {Scaled(20, viewport), Scaled(17, viewport)};
    return {Scaled(14, viewport), Scaled(12, viewport)};
}

std::int64_t TearHeight(const Viewport& viewport) {
    return Scaled(22, viewport);
}

HeapLayout::Geometry HeapCamera::GeometryFor(int level, std::uint64_t rowPhase, const Viewport& viewport) const {
    return {RowBytesOf(level), rowPhase, std::max<std::int64_t>(viewport.width, 1), RowShapeFor(level, viewport).pitch,
            TearHeight(viewport)};
}

int HeapCamera::FitZoom(const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout) const {
    for (int level = ZoomFor(32); level < kMaxZoom; ++level) {
        layout.Set(pieces, GeometryFor(level, pieces.front().begin % RowBytesOf(level), viewport));
        if (layout.Height() <= viewport.height) return level;
    }
    return kMaxZoom;
}

void HeapCamera::LayOut(const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout) {
    if (fit && !pieces.empty()) {
        zoom = FitZoom(pieces, viewport, layout);
        phase = pieces.front().begin % RowBytesOf(zoom);
        top = 0;
    }
    rows = RowShapeFor(zoom, viewport);
    layout.Set(pieces, GeometryFor(zoom, phase, viewport));
    if (fit) Stretch(pieces, viewport, layout);
    Clamp(viewport, layout);
}

// Gives the rows the height that is left below them, up to half as much again.
void HeapCamera::Stretch(const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout) {
    const auto count = static_cast<std::int64_t>(layout.RowCount());
    const std::int64_t spare = viewport.height - layout.Height();
    if (count <= 0 || spare < count) return;
    const std::int64_t more = std::min(spare / count, rows.pitch / 2);
    HeapLayout::Geometry geometry = layout.Shape();
    geometry.pitch = rows.pitch + more;
    const std::int64_t gap = rows.pitch - rows.bar;
    rows = {geometry.pitch, rows.bar + more - gap * more / (2 * rows.pitch)};
    layout.Set(pieces, geometry);
}

void HeapCamera::Clamp(const Viewport& viewport, const HeapLayout& layout) {
    const std::int64_t spare = layout.Height() - viewport.height;
    const std::int64_t beyond = spare > 0 ? viewport.height / 4 : 0;  // so that the page's ends can be zoomed around
    top = std::clamp(top, std::min<std::int64_t>(spare, 0) - beyond, std::max<std::int64_t>(spare, 0) + beyond);
}

void HeapCamera::PutAt(std::uint64_t address, std::int64_t x, std::int64_t y, std::int64_t inRow,
                       const std::vector<Piece>& pieces, const Viewport& viewport, HeapLayout& layout) {
    fit = false;
    rows = RowShapeFor(zoom, viewport);
    phase = HeapLayout::PhaseFor(address, x, RowBytesOf(zoom), viewport.width);
    layout.Set(pieces, GeometryFor(zoom, phase, viewport));
    top = layout.Nearest(address).y + inRow - y;
    Clamp(viewport, layout);
}

void HeapCamera::ZoomAt(int steps, std::int64_t x, std::int64_t y, const std::vector<Piece>& pieces,
                        const Viewport& viewport, HeapLayout& layout) {
    if (pieces.empty() || steps == 0) return;
    x = std::clamp<std::int64_t>(x, 0, std::max<std::int64_t>(viewport.width - 1, 0));
    const std::int64_t oldPitch = layout.Shape().pitch;
    // Over a tear or below the last row, the closest byte is held.
    std::int64_t line = std::clamp<std::int64_t>(y + top, 0, std::max<std::int64_t>(layout.Height() - 1, 0));
    auto address = layout.ToAddress(x, line);
    if (!address) {
        const auto lines = layout.Lines(line, 1);
        address = lines.empty() ? pieces.front().begin : lines.front().begin;
        if (const auto point = layout.ToPage(*address)) line = point->y;
    }
    const PagePoint before = layout.Nearest(*address);
    // Where the byte's left edge is, not where the pointer is within the byte.
    const std::int64_t anchor = std::clamp<std::int64_t>(before.x, 0, viewport.width);
    const std::int64_t inRow = std::clamp<std::int64_t>(line - before.y, 0, oldPitch - 1);

    HeapLayout probe;
    const int fitZoom = FitZoom(pieces, viewport, probe);
    const int wanted = std::clamp(zoom - steps, kMinZoom, kMaxZoom);
    if (wanted >= fitZoom && steps < 0) {
        fit = true;
        LayOut(pieces, viewport, layout);
        return;
    }
    zoom = wanted;
    const std::int64_t newPitch = RowShapeFor(zoom, viewport).pitch;
    PutAt(*address, anchor, line - top, inRow * newPitch / oldPitch, pieces, viewport, layout);
}

void HeapCamera::ScrollBy(std::int64_t pixels, const Viewport& viewport, const HeapLayout& layout) {
    const std::int64_t old = top;
    top += pixels;
    Clamp(viewport, layout);
    if (top != old) fit = false;
}

void HeapCamera::FitRange(std::uint64_t begin, std::uint64_t last, const std::vector<Piece>& pieces,
                          const Viewport& viewport, HeapLayout& layout) {
    if (pieces.empty()) return;
    const std::uint64_t bytes = SaturatingAdd(last - begin, 1);
    zoom = ZoomFor(std::max<std::uint64_t>(32, SaturatingAdd(bytes, bytes / 2)));
    // About half of what the row has to spare goes before the range; the row begins at a round address. There is a
    // third of the row to spare, so a grain of a sixteenth cannot push the range out of it.
    const std::uint64_t rowBytes = RowBytesOf(zoom);
    const std::uint64_t spare = rowBytes > bytes ? (rowBytes - bytes) / 2 : 0;
    std::uint64_t grain = 1;
    while (grain <= rowBytes / 32) grain *= 2;
    const std::uint64_t start = AlignDown(begin > spare ? begin - spare : 0, grain);
    fit = false;
    phase = start % rowBytes;
    rows = RowShapeFor(zoom, viewport);
    layout.Set(pieces, GeometryFor(zoom, phase, viewport));
    top = layout.Nearest(begin).y - (viewport.height - rows.bar) / 2;
    Clamp(viewport, layout);
}

void HeapCamera::Reveal(std::uint64_t address, const Viewport& viewport, const HeapLayout& layout) {
    const std::int64_t y = layout.Nearest(address).y;
    const std::int64_t pitch = layout.Shape().pitch;
    if (y < top) ScrollBy(y - pitch - top, viewport, layout);
    if (y + pitch > top + viewport.height) ScrollBy(y + 2 * pitch - top - viewport.height, viewport, layout);
}

}  // namespace residue::gui
