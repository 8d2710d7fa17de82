// What the parts of the heap panel share while one frame is drawn: the layout, the lines that can be seen, and where
// they are on the screen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gui/view.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/heap_camera.hpp"
#include "gui/views/heap_layout.hpp"
#include "gui/widgets/text.hpp"
#include "model/heap_model.hpp"
#include "model/nesting.hpp"

namespace residue::gui {

// The part of a range of addresses that lies in one visible row.
struct Segment {
    Rect box;
    std::uint64_t begin = 0, last = 0;  // addresses, inclusive
    bool starts = false,
         ends = false;  // the range starts or ends here (it is not cut by the row's or the panel's edge)
    std::size_t row = 0;  // of HeapFrame::rows
};

// A heap that lies in a block of another one, where it is wide enough to be drawn as a container.
struct HeapNest {
    static constexpr std::size_t kNone = ~std::size_t{0};
    model::Nest nest;                  // cut to what the outer ones are
    int outer = -1;                    // the nest around it, an index of HeapFrame::nests; -1: the heap that is shown
    std::size_t titleRow = kNone;      // the visible row with its name: the first that has room for it
    std::vector<model::Block> blocks;  // of the child, that can be seen; only zoomed in
};

// What is taken off a row's height at the top and the bottom, by the frames of the nests around.
struct Inset {
    float top = 0, bottom = 0;
};

struct HeapFrame {
    ViewContext& context;
    const model::HeapModel& heap;
    const log::LogView& log;
    AllocatorId allocator;  // whose blocks are drawn: the one shown, or within a scope the nest's child
    bool known;             // its regions were recorded
    std::vector<analysis::MappedRange> mapped;  // where not: those that were seen now and then; empty: none
    const HeapLayout& layout;
    std::vector<HeapLayout::Line> rows, tears;  // that can be seen
    Rect area;                                  // of the rows
    std::int64_t top;                           // page line at area.min.y
    RowShape shape;
    ImDrawList* draw;
    const BlockColour& colour;
    Position now;
    std::map<std::uint32_t, std::uint64_t> siteBytes{};  // what was drawn, by trace or allocator id: for the legend
    std::vector<HeapNest> nests{};                       // outer ones before those that lie in them
    std::vector<BlockId> containers{};                   // the blocks that hold them, sorted
    int scope = -1;                                      // the nest that is drawn into; -1: the heap that is shown
    bool crowded = false;                                // nested heaps are there that are too small to be told apart

    const Theme& theme() const { return *context.theme; }
    const Fonts& fonts() const { return *context.fonts; }
    float RowY(const HeapLayout::Line& row) const { return area.min.y + static_cast<float>(row.y - top); }
    // Within a scope, of it.
    std::uint64_t FirstVisible() const {
        const std::uint64_t first = rows.empty() ? 0 : rows.front().begin;
        return scope < 0 ? first : std::max(first, Scope().begin);
    }
    std::uint64_t LastVisible() const {
        const std::uint64_t last = rows.empty() ? 0 : rows.back().last;
        return scope < 0 ? last : std::min(last, Scope().end - 1);
    }
    const model::Nest& Scope() const { return nests[static_cast<std::size_t>(scope)].nest; }
    // Where the inside of a nest (-1: the heap that is shown) is, in a visible row.
    Inset InsetOf(int nest, std::size_t row) const;
    bool IsContainer(BlockId block) const { return std::binary_search(containers.begin(), containers.end(), block); }

    // Calls draw(const Segment&) for each visible row's part of [begin, end); within a scope, of what lies in it.
    template <class Visit>
    void ForSegments(std::uint64_t begin, std::uint64_t end, Visit visit) const {
        if (end <= begin || rows.empty()) return;
        const std::uint64_t firstByte = scope < 0 ? begin : std::max(begin, Scope().begin);
        const std::uint64_t lastByte = scope < 0 ? end - 1 : std::min(end, Scope().end) - 1;
        if (scope >= 0 && (end <= Scope().begin || firstByte > lastByte)) return;
        for (std::size_t i = FirstRowWith(firstByte); i < rows.size() && rows[i].begin <= lastByte; ++i) {
            Segment segment;
            segment.row = i;
            segment.begin = std::max(firstByte, rows[i].begin);
            segment.last = std::min(lastByte, rows[i].last);
            segment.starts = segment.begin == begin;
            segment.ends = segment.last == end - 1;
            const auto [from, to] = layout.Pixels(segment.begin, segment.last);
            const float y = RowY(rows[i]);
            const Inset inset = scope < 0 ? Inset{} : InsetOf(scope, i);
            segment.box = {{area.min.x + static_cast<float>(from), y + inset.top},
                           {area.min.x + static_cast<float>(to), y + static_cast<float>(shape.bar) - inset.bottom}};
            visit(segment);
        }
    }
    // The first visible row that reaches `address` or lies behind it.
    std::size_t FirstRowWith(std::uint64_t address) const;
};

// While it lives, a nest is drawn into: its child's blocks, inside its frame.
class NestScope {
public:
    NestScope(HeapFrame& frame, int nest)
        : frame_(frame), allocator_(frame.allocator), known_(frame.known), scope_(frame.scope) {
        frame_.scope = nest;
        frame_.allocator = frame_.Scope().child;
        frame_.known = true;  // a child's heap is told by its regions
    }
    ~NestScope() { frame_.allocator = allocator_, frame_.known = known_, frame_.scope = scope_; }
    NestScope(const NestScope&) = delete;
    NestScope& operator=(const NestScope&) = delete;

private:
    HeapFrame& frame_;
    AllocatorId allocator_;
    bool known_;
    int scope_;
};

// Draws what belongs to `owner`: into the heap that is shown, or into each nest of its. Outside of any scope.
template <class Draw>
void InHeapOf(HeapFrame& frame, AllocatorId owner, Draw draw) {
    if (owner == frame.allocator) return draw();
    for (std::size_t i = 0; i < frame.nests.size(); ++i) {
        if (frame.nests[i].nest.child != owner) continue;
        const NestScope scope(frame, static_cast<int>(i));
        draw();
    }
}

// What stands out this frame: how a block is drawn besides its colour.
struct Emphasis {
    std::vector<BlockId> blockers;  // in the way of the failed request, sorted
    std::optional<BlockId> fading;  // came to life by the step that is moving
    float fade = 1;                 // its opacity
    std::vector<TraceId> traces;    // only blocks made within one of these keep their colour; none: all do
    std::shared_ptr<const std::vector<bool>> traceSet;  // or, where it is given, of those that it has
    const session::Analyst* filter = nullptr;           // and only those that its filter lets through; null: all
    bool Keeps(const log::LogView& log, BlockId block, TraceId trace) const;
    bool Narrows() const { return !traces.empty() || traceSet != nullptr || filter != nullptr; }
    bool IsBlocker(BlockId block) const;
};

// heap_blocks.cpp: few blocks, each drawn with its parts.
void DrawBackground(HeapFrame& frame, bool hatch);
void DrawLater(HeapFrame& frame, std::uint64_t begin, std::uint64_t end);  // what the heap will grow to
void DrawFreeSpace(HeapFrame& frame, bool hatch);
void DrawDead(HeapFrame& frame);  // freed, and not to be had again before a reset
void DrawBlocks(HeapFrame& frame, const std::vector<model::Block>& blocks, const Emphasis& emphasis);

// The colour of a nest's frame.
ImU32 ColourOf(const HeapFrame& frame, const HeapNest& nest);

// heap_marks.cpp: what lies above the blocks.
void DrawTears(HeapFrame& frame);
void DrawAxis(HeapFrame& frame, float left);
void DrawGhosts(HeapFrame& frame);
void DrawLeaving(HeapFrame& frame);  // a block that the moving step takes away
void DrawFailure(HeapFrame& frame);
void DrawOutline(HeapFrame& frame, std::uint64_t begin, std::uint64_t end, ImU32 colour, float thickness);
void DrawSelection(HeapFrame& frame);
void DrawGuess(HeapFrame& frame);
void DrawLegend(HeapFrame& frame, Rect strip, bool dense);

// heap_inside.cpp: what the allocator's inside is about.
void DrawInside(HeapFrame& frame);

// The range of addresses set aside for a block, live or not.
std::pair<std::uint64_t, std::uint64_t> RangeOf(const log::LogView& log, BlockId block);
// Several lines for a tooltip: id, address, size, life, site.
std::string DescribeBlock(const log::LogView& log, BlockId block, Position now);

}  // namespace residue::gui
