#include "gui/views/heap_map.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/checked.hpp"
#include "gui/views/changed_ranges.hpp"
#include "gui/widgets/controls.hpp"

namespace residue::gui {

namespace {

constexpr std::int64_t kFinest = 2;  // pixels of the finest line
constexpr std::int64_t kTear = 3;
constexpr float kUnknown = -1;  // a share that is to be worked out
constexpr int kShades = 16;  // so that neighbours join
constexpr std::size_t kMostNests = 32;  // that a line looks into; others count as plain blocks

}  // namespace

void HeapMap::Compute(const HeapFrame& frame, const std::vector<Piece>& pieces, std::int64_t height) {
    if (pieces != pieces_ || height != height_ || allocator_ != frame.allocator) {
        pieces_ = pieces;
        height_ = height;
        allocator_ = frame.allocator;
        applied_.reset();
        // The finest line that lets everything fit; zoom levels would leave up to a third of the column empty.
        std::uint64_t bytes = 0;
        for (const Piece& piece : pieces) bytes = SaturatingAdd(bytes, piece.end - piece.begin);
        const std::uint64_t most = static_cast<std::uint64_t>(std::max<std::int64_t>(height / kFinest, 1));
        std::uint64_t rowBytes = std::max<std::uint64_t>(1, bytes / most + (bytes % most != 0));
        for (int i = 0; i < 800; ++i) {
            layout_.Set(pieces, {rowBytes, pieces.front().begin % rowBytes, 1, kFinest, kTear});
            if (layout_.Height() <= height || rowBytes > (std::uint64_t{1} << 62)) break;
            rowBytes += rowBytes / 16 + 1;
        }
        lines_ = layout_.Lines(0, layout_.Height());
        shares_.assign(lines_.size(), 0);
    }
    const std::optional<Row> from = std::exchange(applied_, frame.heap.Applied());
    if (from == applied_) return;
    const bool told = from && VisitChanges(frame.log, *from, *applied_, [&](std::uint64_t begin, std::uint64_t end) {
        auto line = std::lower_bound(lines_.begin(), lines_.end(), begin,
                                     [](const HeapLayout::Line& l, std::uint64_t at) { return l.last < at; });
        for (; line != lines_.end() && line->begin < end; ++line) {
            shares_[static_cast<std::size_t>(line - lines_.begin())] = kUnknown;
        }
    });
    if (!told) shares_.assign(lines_.size(), kUnknown);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const HeapLayout::Line& line = lines_[i];
        if (line.tear || shares_[i] != kUnknown) continue;
        std::size_t nests = kMostNests;
        const std::uint64_t bytes =
            model::NestedBytes(frame.heap, frame.allocator, line.begin, SaturatingAdd(line.last, 1), nests);
        shares_[i] = static_cast<float>(static_cast<double>(bytes) / (static_cast<double>(line.last - line.begin) + 1));
    }
}

std::optional<std::uint64_t> HeapMap::Draw(HeapFrame& frame, Rect column, const std::vector<Piece>& pieces,
                                           const Emphasis& emphasis) {
    const Theme& theme = frame.theme();
    frame.draw->AddRectFilled(column.min, column.max, theme.window);
    const std::int64_t height = static_cast<std::int64_t>(column.Height());
    if (pieces.empty() || height < 8) return std::nullopt;
    Compute(frame, pieces, height);
    // The page is stretched to the column's height.
    const float stretch = column.Height() / static_cast<float>(std::max<std::int64_t>(layout_.Height(), 1));
    const auto screenY = [&](std::int64_t pageY) {
        return std::floor(column.min.y + static_cast<float>(pageY) * stretch);
    };
    const std::int64_t pitch = layout_.Shape().pitch;
    for (std::size_t i = 0; i < lines_.size();) {
        const auto shade = [&](std::size_t k) {
            return lines_[k].tear ? -1 : static_cast<int>(std::ceil(shares_[k] * static_cast<float>(kShades)));
        };
        std::size_t j = i + 1;
        const float y = screenY(lines_[i].y);
        if (lines_[i].tear) {
            frame.draw->AddLine({column.min.x, y + 1}, {column.max.x, y + 1}, theme.dim);
        } else {
            while (j < lines_.size() && shade(j) == shade(i)) ++j;
            if (shade(i) > 0) {
                const float t = 0.2f + 0.8f * static_cast<float>(shade(i)) / static_cast<float>(kShades);
                const float bottom = screenY(lines_[j - 1].y + pitch);
                frame.draw->AddRectFilled({column.min.x, y}, {column.max.x, std::min(bottom, column.max.y)},
                                          Mix(theme.window, theme.live, t));
            }
        }
        i = j;
    }
    const auto lineOf = [&](std::uint64_t address) { return screenY(layout_.Nearest(address).y); };
    const auto tick = [&](std::uint64_t address, ImU32 colour) {
        const float y = std::min(lineOf(address), column.max.y - 2);
        frame.draw->AddRectFilled({column.min.x, y}, {column.max.x, y + frame.context.Px(2)}, colour);
    };
    for (std::size_t i = 0; i < emphasis.blockers.size() && i < 32; ++i) {
        tick(RangeOf(frame.log, emphasis.blockers[i]).first, theme.warn);
    }
    if (const auto block = frame.context.selection->block; block && block->value <= frame.log.Blocks()) {
        const events::Event birth = frame.log.Birth(*block).event;
        if (model::IsWithin(frame.heap, birth.allocator, frame.allocator)) tick(birth.Begin(), theme.duck);
    }
    // What the panel shows.
    if (!frame.rows.empty()) {
        float from = lineOf(frame.FirstVisible());
        float to = std::min(screenY(layout_.Nearest(frame.LastVisible()).y + pitch), column.max.y);
        from = std::min(from, column.max.y - frame.context.Px(4));
        to = std::max(to, from + frame.context.Px(4));
        const float out = frame.context.Px(2);
        if (to - from < column.Height() - 2) {
            frame.draw->AddRectFilled({column.min.x - out, from}, {column.max.x + out, to},
                                      WithAlpha(theme.text, 0.10f));
        }
        frame.draw->AddRect({column.min.x - out, from}, {column.max.x + out, to}, WithAlpha(theme.text, 0.55f),
                            frame.context.Px(2));
    }

    ImGui::SetCursorScreenPos(column.min);
    ImGui::InvisibleButton("##map", {column.Width(), column.Height()});
    Tooltip(frame.context, "The whole heap. Drag to look elsewhere.", "J / K");
    if (!ImGui::IsItemActive()) return std::nullopt;
    const auto y = static_cast<std::int64_t>((ImGui::GetIO().MousePos.y - column.min.y) / stretch);
    const auto lines =
        layout_.Lines(std::clamp<std::int64_t>(y, 0, std::max<std::int64_t>(layout_.Height() - 1, 0)), 1);
    if (lines.empty()) return std::nullopt;
    return lines.front().begin;
}

}  // namespace residue::gui
