// What the parts of the heap panel share while one frame is drawn: the layout, the lines that can be seen, and where
// they are on the screen.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gui/view.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/heap_camera.hpp"
#include "gui/views/heap_layout.hpp"
#include "gui/widgets/text.hpp"
#include "model/heap_model.hpp"

namespace residue::gui {

// The part of a range of addresses that lies in one visible row.
struct Segment {
    Rect box;
    std::uint64_t begin = 0, last = 0;  // addresses, inclusive
    bool starts = false,
         ends = false;  // the range starts or ends here (it is not cut by the row's or the panel's edge)
};

struct HeapFrame {
    ViewContext& context;
    const model::HeapModel& heap;
    const log::LogView& log;
    AllocatorId allocator;
    bool known;  // regions were recorded
    const HeapLayout& layout;
    std::vector<HeapLayout::Line> rows, tears;  // that can be seen
    Rect area;                                  // of the rows
    std::int64_t top;                           // page line at area.min.y
    RowShape shape;
    ImDrawList* draw;
    const BlockColour& colour;
    Position now;
    std::map<std::uint32_t, std::uint64_t> siteBytes{};  // what was drawn, by trace or allocator id: for the legend

    const Theme& theme() const { return *context.theme; }
    const Fonts& fonts() const { return *context.fonts; }
    float RowY(const HeapLayout::Line& row) const { return area.min.y + static_cast<float>(row.y - top); }
    std::uint64_t FirstVisible() const { return rows.empty() ? 0 : rows.front().begin; }
    std::uint64_t LastVisible() const { return rows.empty() ? 0 : rows.back().last; }

    // Calls draw(const Segment&) for each visible row's part of [begin, end).
    template <class Visit>
    void ForSegments(std::uint64_t begin, std::uint64_t end, Visit visit) const {
        if (end <= begin) return;
        const std::uint64_t lastByte = end - 1;
        for (std::size_t i = FirstRowWith(begin); i < rows.size() && rows[i].begin <= lastByte; ++i) {
            Segment segment;
            segment.begin = begin > rows[i].begin ? begin : rows[i].begin;
            segment.last = lastByte < rows[i].last ? lastByte : rows[i].last;
            segment.starts = segment.begin == begin;
            segment.ends = segment.last == lastByte;
            const auto [from, to] = layout.Pixels(segment.begin, segment.last);
            const float y = RowY(rows[i]);
            segment.box = {{area.min.x + static_cast<float>(from), y},
                           {area.min.x + static_cast<float>(to), y + static_cast<float>(shape.bar)}};
            visit(segment);
        }
    }
    // The first visible row that reaches `address` or lies behind it.
    std::size_t FirstRowWith(std::uint64_t address) const;
};

// What stands out this frame: how a block is drawn besides its colour.
struct Emphasis {
    std::vector<BlockId> blockers;  // in the way of the failed request, sorted
    std::optional<BlockId> fading;  // came to life by the step that is moving
    float fade = 1;                 // its opacity
    std::optional<TraceId> trace;   // only blocks made within this trace keep their colour
    bool IsBlocker(BlockId block) const;
};

// heap_blocks.cpp: few blocks, each drawn with its parts.
void DrawBackground(HeapFrame& frame, bool hatch);
void DrawLater(HeapFrame& frame, std::uint64_t begin, std::uint64_t end);  // what the heap will grow to
void DrawFreeSpace(HeapFrame& frame, bool hatch);
void DrawDead(HeapFrame& frame);  // freed, and not to be had again before a reset
void DrawBlocks(HeapFrame& frame, const std::vector<model::Block>& blocks, const Emphasis& emphasis);

// heap_marks.cpp: what lies above the blocks.
void DrawTears(HeapFrame& frame);
void DrawAxis(HeapFrame& frame, float left);
void DrawGhosts(HeapFrame& frame);
void DrawLeaving(HeapFrame& frame);  // a block that the moving step takes away
void DrawFailure(HeapFrame& frame);
void DrawOutline(HeapFrame& frame, std::uint64_t begin, std::uint64_t end, ImU32 colour, float thickness);
void DrawSelection(HeapFrame& frame);
void DrawLegend(HeapFrame& frame, Rect strip, bool dense);

// heap_inside.cpp: what the allocator's inside is about.
void DrawInside(HeapFrame& frame);

// The range of addresses set aside for a block, live or not.
std::pair<std::uint64_t, std::uint64_t> RangeOf(const log::LogView& log, BlockId block);
// Several lines for a tooltip: id, address, size, life, site.
std::string DescribeBlock(const log::LogView& log, BlockId block, Position now);

}  // namespace residue::gui
