#include "gui/views/inside_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/inside.hpp"
#include "gui/views/list.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

using alloc::FreeNode;
using alloc::FreeShape;
using replay::InsideBin;
using replay::InsideState;

constexpr float kNodeRow = 20;  // unscaled, as all here
constexpr float kPlot = 56;  // width of the column that shows where a node lies in the heap
constexpr float kTreeRow = 14;
constexpr float kMatrixRow = 11;
constexpr float kBinsHeight = 56;

// The addresses that the allocator's heap spans.
std::pair<std::uint64_t, std::uint64_t> SpanOf(ViewContext& context) {
    auto span = context.session->Heap().Span(context.session->Shown());
    if (span.second <= span.first) span = {0, 1};
    return span;
}

// For the pictures' axes: "512", "64 K", "8 M".
std::string AxisSize(std::uint64_t bytes) {
    static constexpr const char* kUnits[] = {"", " K", " M", " G"};
    std::size_t unit = 0;
    for (; unit < 3 && bytes >= 1024 && bytes % 1024 == 0; ++unit) bytes /= 1024;
    return analysis::FormatCount(bytes) + kUnits[unit];
}

// Rows for sizes that the whole heap has not are left out of the pictures, as long as nothing is in them.
std::size_t RowsToShow(ViewContext& context, const InsideState& state) {
    const bool matrix = state.structure.shape == FreeShape::Matrix;
    const std::size_t columns = matrix ? std::max<std::size_t>(1, state.structure.columns) : 1;
    const auto span = SpanOf(context);
    const std::uint64_t begin = span.first, end = span.second;
    std::size_t rows = (state.bins.size() + columns - 1) / columns;
    const auto empty = [&](std::size_t row) {
        for (std::size_t i = row * columns; i < std::min(state.bins.size(), (row + 1) * columns); ++i) {
            if (state.bins[i].count != 0) return false;
        }
        return true;
    };
    while (rows > 4 && state.bins[(rows - 1) * columns].sizes.least > end - begin && empty(rows - 1)) --rows;
    return rows;
}

std::string SizesOf(const InsideBin& bin) {
    const std::string least = analysis::FormatBytes(bin.sizes.least);
    if (bin.sizes.most == ~std::size_t{0}) return "from " + least;
    if (bin.sizes.most == bin.sizes.least) return least;
    return least + " … " + analysis::FormatBytes(bin.sizes.most);
}

std::string CountOf(const InsideBin& bin) {
    return analysis::FormatCount(bin.count) + (bin.count == 1 ? " block" : " blocks");
}

void BinTooltip(ViewContext& context, const InsideBin& bin) {
    TooltipNow(context, SizesOf(bin) + "\n" +
                            (bin.count == 0 ? "empty" : CountOf(bin) + ", " + analysis::FormatBytes(bin.bytes)));
    context.inside->nextHoveredBin = bin.sizes.bin;
}

bool IsLit(const InsideLook& look, const InsideState& state, const InsideBin& bin) {
    if (look.hoveredBin == bin.sizes.bin) return true;
    const alloc::Decision* last = look.Last();
    for (std::uint32_t i = 0; i < bin.count; ++i) {
        const FreeNode& node = state.nodes[bin.first + i];
        if (look.hovered == node.address || (last != nullptr && last->address == node.address)) return true;
        if (i > 64) break;
    }
    return false;
}

// ---- pictures of the whole -----------------------------------------------------------------------------------------

// A column a bin, its height by how many blocks are in it.
void DrawBins(ViewContext& context, const InsideState& state, ImVec2 size) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), label = context.Px(16);
    const float left = at.x + pad, width = size.x - 2 * pad;
    const float top = at.y + context.Px(6), bottom = at.y + size.y - label;
    const auto count = static_cast<float>(state.bins.size());
    std::uint32_t most = 1;
    for (const InsideBin& bin : state.bins) most = std::max(most, bin.count);
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const bool inside = ImGui::IsWindowHovered() && Rect{{left, top}, {left + width, bottom}}.Contains(mouse);
    for (std::size_t i = 0; i < state.bins.size(); ++i) {
        const InsideBin& bin = state.bins[i];
        const float x = std::floor(left + width * static_cast<float>(i) / count);
        const float next = std::floor(left + width * static_cast<float>(i + 1) / count);
        const float right = std::max(x + 1, next - 1);
        draw->AddRectFilled({x, bottom - context.Px(2)}, {right, bottom}, theme.line);
        if (bin.count > 0) {
            const float share = std::log2(1 + static_cast<float>(bin.count)) / std::log2(1 + static_cast<float>(most));
            const float height = std::max(context.Px(4), std::floor((bottom - top) * share));
            draw->AddRectFilled({x, bottom - height}, {right, bottom},
                                IsLit(*context.inside, state, bin) ? theme.accent : theme.live);
        }
        if (inside && mouse.x >= x && mouse.x < next) BinTooltip(context, bin);
    }
    const Rect labels{{left, bottom}, {left + width, at.y + size.y}};
    DrawTextIn(draw, context.fonts->monoSmall, labels, theme.dim, AxisSize(state.bins.front().sizes.least) + " B");
    DrawTextIn(draw, context.fonts->monoSmall, labels, theme.dim,
               analysis::FormatBytes(state.bins.back().sizes.least) + " and more", Align::Right);
}

// First level by second level: a row for each power of two, as the two bitmaps have it.
void DrawMatrix(ViewContext& context, const InsideState& state, ImVec2 size) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const std::size_t columns = std::max<std::size_t>(1, state.structure.columns);
    const std::size_t rows = RowsToShow(context, state);
    const float pad = context.Px(kPad), label = context.Px(50);
    const float left = at.x + pad + label, width = size.x - 2 * pad - label;
    const float top = at.y + context.Px(6);
    const float height = std::floor((size.y - context.Px(12)) / static_cast<float>(std::max<std::size_t>(rows, 1)));
    if (height < 3) return;
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const bool over = ImGui::IsWindowHovered();
    float labelled = -1e9f;
    for (std::size_t row = 0; row < rows; ++row) {
        const float y = top + height * static_cast<float>(row);
        bool any = false;
        for (std::size_t column = 0; column < columns && row * columns + column < state.bins.size(); ++column) {
            const InsideBin& bin = state.bins[row * columns + column];
            const float x = std::floor(left + width * static_cast<float>(column) / static_cast<float>(columns));
            const float next = std::floor(left + width * static_cast<float>(column + 1) / static_cast<float>(columns));
            const Rect box{{x, y}, {std::max(x + 1, next - 1), y + height - 1}};
            any = any || bin.count > 0;
            ImU32 fill = Mix(theme.panel, theme.line, 0.6f);
            if (bin.count > 0)
                fill = Mix(theme.panel, theme.live,
                           std::min(1.0f, 0.45f + 0.12f * std::log2(static_cast<float>(bin.count))));
            draw->AddRectFilled(box.min, box.max, fill);
            if (bin.count > 0 && IsLit(*context.inside, state, bin)) draw->AddRect(box.min, box.max, theme.accent);
            if (over && mouse.x >= x && mouse.x < next && mouse.y >= y && mouse.y < y + height)
                BinTooltip(context, bin);
        }
        // The first-level bit.
        const float side = std::min(context.Px(5), height - 2);
        const float middle = std::floor(y + (height - side) / 2);
        const ImVec2 dot{left - context.Px(10), middle};
        if (any)
            draw->AddRectFilled(dot, {dot.x + side, dot.y + side}, theme.accent);
        else
            draw->AddRect(dot, {dot.x + side, dot.y + side}, theme.line);
        if (y - labelled >= context.fonts->monoSmall->FontSize) {
            DrawTextIn(draw, context.fonts->monoSmall, {{at.x + pad, y}, {left - context.Px(14), y + height}},
                       any ? theme.text : theme.dim, AxisSize(state.bins[row * columns].sizes.least), Align::Right);
            labelled = y;
        }
    }
}

// A row for each size, the whole heap across: free blocks, blocks given out, and what was split further.
void DrawTree(ViewContext& context, const InsideState& state, ImVec2 size) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const auto span = SpanOf(context);
    const std::uint64_t begin = span.first, end = span.second;
    const float pad = context.Px(kPad), label = context.Px(42);
    const float left = at.x + pad + label, width = size.x - 2 * pad - label;
    const std::size_t rows = RowsToShow(context, state);
    const float top = at.y + context.Px(6);
    const float height = std::floor((size.y - context.Px(12)) / static_cast<float>(std::max<std::size_t>(rows, 1)));
    if (height < 3 || rows == 0) return;
    const auto place = [&](std::uint64_t address) {
        const double share = static_cast<double>(address - begin) / static_cast<double>(end - begin);
        return std::floor(left + width * static_cast<float>(std::clamp(share, 0.0, 1.0)));
    };
    // The largest on top.
    const auto rowOf = [&](std::size_t bin) { return top + height * static_cast<float>(rows - 1 - bin); };
    for (std::size_t i = 0; i < rows; ++i) {
        const float y = rowOf(i);
        if (height >= context.fonts->monoSmall->FontSize - 2 || i % 2 == 0) {
            DrawTextIn(draw, context.fonts->monoSmall, {{at.x + pad, y}, {left - context.Px(8), y + height}},
                       state.bins[i].count > 0 ? theme.text : theme.dim, AxisSize(state.bins[i].sizes.least),
                       Align::Right);
        }
        draw->AddRectFilled({left, y + height - 1}, {left + width, y + height}, Mix(theme.panel, theme.line, 0.7f));
    }
    const auto binOf = [&](std::uint64_t bytes) {
        std::size_t bin = 0;
        while (bin + 1 < rows && state.bins[bin].sizes.least < bytes) ++bin;
        return bin;
    };
    std::vector<float> lastAbove(rows, -1);
    // Above what is in use or free in a row, the blocks that it was split from.
    const auto mark = [&](std::uint64_t address, std::uint64_t bytes, ImU32 fill, bool free) {
        const std::size_t bin = binOf(bytes);
        for (std::size_t above = bin + 1; above < rows; ++above) {
            const std::uint64_t larger = state.bins[above].sizes.least;
            if (larger == 0) continue;
            const std::uint64_t from = begin + (address - begin) / larger * larger;
            if (from + larger > end) break;  // the heap is no power of two: it begins with several
            const float x = place(from), to = std::max(x + 1, place(from + larger) - 1);
            if (std::exchange(lastAbove[above], x) == x) continue;  // drawn just now
            draw->AddRectFilled({x, rowOf(above) + 1}, {to, rowOf(above) + height - 2},
                                Mix(theme.panel, theme.line, 0.75f));
        }
        const float x = place(address), to = std::max(x + 1, place(address + bytes) - 1);
        const Rect box{{x, rowOf(bin) + 1}, {to, rowOf(bin) + height - 2}};
        if (!free) {
            draw->AddRectFilled(box.min, box.max, fill);
        } else {
            draw->AddRectFilled(box.min, box.max, theme.window);
            draw->AddRect(box.min, box.max, fill);
        }
        return box;
    };
    std::size_t blocks = 0;
    context.session->Heap().VisitBlocks(context.session->Shown(), begin, end, [&](const model::Block& block) {
        (void)mark(block.begin, block.end - block.begin, theme.live, false);
        return ++blocks < kMostInTree;
    });
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const alloc::Decision* last = context.inside->Last();
    for (std::size_t i = 0; i < std::min(state.nodes.size(), kMostInTree); ++i) {
        const FreeNode& node = state.nodes[i];
        const bool lit = context.inside->hovered == node.address || (last != nullptr && last->address == node.address);
        const Rect box = mark(node.address, node.bytes, lit ? theme.accent : theme.good, true);
        if (ImGui::IsWindowHovered() && box.Contains(mouse)) {
            context.inside->nextHovered = node.address;
            TooltipNow(context,
                       "free, " + analysis::FormatBytes(node.bytes) + "\n" + analysis::FormatAddress(node.address));
        }
    }
}

// ---- the nodes, one by one -----------------------------------------------------------------------------------------

// A line of the list: the heading of a bin, or one of its nodes.
struct ListLine {
    const InsideBin* bin = nullptr;  // heading
    std::uint32_t node = 0;
};

// The list's lines, of which only those that can be seen are ever made: O(bins) to know where each bin's begin, and a
// search among them for a line, however many nodes there are.
class ListLines {
public:
    explicit ListLines(const InsideState& state) : headings_(state.bins.size() > 1) {
        for (const InsideBin& bin : state.bins) {
            if (bin.count == 0) continue;
            parts_.push_back({&bin, count_});
            count_ += bin.count + (headings_ ? 1u : 0u);
        }
    }

    std::size_t Count() const { return count_; }
    ListLine At(std::size_t line) const {
        const auto behind = std::upper_bound(parts_.begin(), parts_.end(), line,
                                             [](std::size_t value, const Part& part) { return value < part.first; });
        const Part& part = *std::prev(behind);
        std::size_t within = line - part.first;
        if (headings_ && within-- == 0) return {part.bin, 0};
        return {nullptr, part.bin->first + static_cast<std::uint32_t>(within)};
    }

private:
    struct Part {
        const InsideBin* bin;
        std::size_t first;  // line
    };
    bool headings_;
    std::vector<Part> parts_;
    std::size_t count_ = 0;
};

// Marks of an arena: what would go with each.
void DrawMarks(ViewContext& context, const InsideState& state, float width) {
    const Theme& theme = *context.theme;
    const float height = context.Px(kNodeRow), pad = context.Px(kPad);
    const std::uint64_t top = state.nodes.empty() ? 0 : state.nodes.front().address;
    SectionTitle(context, "marks", analysis::FormatCount(state.marks.size()));
    for (std::size_t i = state.marks.size(); i-- > 0;) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        bool hovered = false;
        ImGui::PushID(static_cast<int>(i));
        (void)ListRow(context, "##mark", width, height, false, &hovered);
        ImGui::PopID();
        const std::uint64_t address = state.marks[i].address;
        ImDrawList* draw = ImGui::GetWindowDrawList();
        DrawTextIn(draw, context.fonts->label, {{at.x + pad, at.y}, {at.x + width, at.y + height}}, theme.duck,
                   "mark " + analysis::FormatCount(i + 1));
        std::string since = top > address ? analysis::FormatBytes(top - address) + " since" : "nothing since";
        if (state.nodes.empty()) since.clear();  // full: where its top is, is not told
        DrawTextIn(draw, context.fonts->mono,
                   {{at.x + pad + context.Px(64), at.y}, {at.x + width - pad, at.y + height}}, theme.dim,
                   analysis::FormatAddress(address));
        DrawTextIn(draw, context.fonts->mono, {{at.x + pad, at.y}, {at.x + width - pad, at.y + height}}, theme.text,
                   since, Align::Right);
        if (hovered) context.inside->nextHovered = address;
    }
}

}  // namespace

const char* NameOf(FreeShape shape) {
    switch (shape) {
        case FreeShape::Top: return "free from the top";
        case FreeShape::List: return "free list";
        case FreeShape::Bins: return "free lists by size";
        case FreeShape::Tree: return "buddy tree";
        case FreeShape::Matrix: return "two-level lists";
    }
    return "";
}

float OverviewHeight(ViewContext& context, const InsideState& state) {
    const auto rows = [&](std::size_t count, float row) {
        return context.Px(12) + static_cast<float>(count) * context.Px(row);
    };
    if (state.bins.empty()) return 0;
    switch (state.structure.shape) {
        case FreeShape::Top:
        case FreeShape::List: return 0;
        case FreeShape::Bins: return context.Px(kBinsHeight);
        case FreeShape::Tree: return rows(RowsToShow(context, state), kTreeRow);
        case FreeShape::Matrix: return rows(RowsToShow(context, state), kMatrixRow);
    }
    return 0;
}

void DrawOverview(ViewContext& context, const InsideState& state, ImVec2 size) {
    switch (state.structure.shape) {
        case FreeShape::Bins: DrawBins(context, state, size); break;
        case FreeShape::Tree: DrawTree(context, state, size); break;
        case FreeShape::Matrix: DrawMatrix(context, state, size); break;
        default: break;
    }
}

void DrawNodes(ViewContext& context, const InsideState& state, ImVec2 size) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    InsideLook& look = *context.inside;
    const ScrollArea area("##nodes", size);
    const float width = area.Width(), pad = context.Px(kPad);
    if (state.nodes.empty()) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float used = DrawWrapped(ImGui::GetWindowDrawList(), fonts.label, {at.x + pad, at.y + context.Px(8)},
                                       width - 2 * pad, theme.dim,
                                       state.ended ? "This allocator has ended." : "Nothing is free.");
        ImGui::SetCursorScreenPos({at.x, at.y + used + context.Px(16)});
        if (!state.marks.empty()) DrawMarks(context, state, width);
        return;
    }
    const auto [begin, end] = SpanOf(context);
    const ListLines lines(state);
    const float height = context.Px(kNodeRow);
    const float plot = width >= context.Px(230) ? context.Px(kPlot) : 0;
    const float indexWidth = TextWidth(fonts.monoSmall, analysis::FormatCount(state.nodes.size())) + context.Px(8);
    const alloc::Decision* last = look.Last();
    const auto shareOf = [&, from = begin, to = end](std::uint64_t address) {
        return static_cast<float>(std::clamp(
            static_cast<double>(address - std::min(address, from)) / static_cast<double>(to - from), 0.0, 1.0));
    };
    const Rect clip{ImGui::GetWindowPos(), {ImGui::GetWindowPos().x + size.x, ImGui::GetWindowPos().y + size.y}};
    ImDrawList* draw = ImGui::GetWindowDrawList();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(lines.Count()), height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const ListLine line = lines.At(static_cast<std::size_t>(i));
            const ImVec2 at = ImGui::GetCursorScreenPos();
            const float right = at.x + width - pad;
            ImGui::PushID(i);
            bool hovered = false;
            if (line.bin != nullptr) {
                (void)ListRow(context, "##bin", width, height, look.hoveredBin == line.bin->sizes.bin, &hovered);
                if (hovered) look.nextHoveredBin = line.bin->sizes.bin;
                DrawTextIn(draw, fonts.labelBold, {{at.x + pad, at.y}, {right, at.y + height}}, theme.text,
                           SizesOf(*line.bin));
                DrawTextIn(draw, fonts.labelSmall, {{at.x + pad, at.y}, {right, at.y + height}}, theme.dim,
                           CountOf(*line.bin), Align::Right);
                ImGui::PopID();
                continue;
            }
            const FreeNode& node = state.nodes[line.node];
            const bool present = last != nullptr && last->address == node.address;
            const bool lit = look.hovered == node.address || look.hoveredBin == node.bin;
            if (ListRow(context, "##node", width, height, present || lit, &hovered)) {
                *context.heapRequest = {HeapRequest::Kind::FitRange, {}, node.address, node.address + node.bytes};
            }
            Tooltip(context, "Click: zoom to it");
            ImGui::PopID();
            if (hovered) look.nextHovered = node.address;
            const float middle = std::floor(at.y + height / 2);
            const ImU32 ink = present ? Describe(theme, *last).colour : lit ? theme.accent : theme.dim;
            float x = at.x + pad;
            DrawTextIn(draw, fonts.monoSmall, {{x, at.y}, {x + indexWidth, at.y + height}}, theme.dim,
                       analysis::FormatCount(line.node + 1));
            x += indexWidth;
            if (plot > 0) {
                // Where it lies in the heap, and the way to the next one in the list.
                const float radius = context.Px(2.5f), room = plot - 2 * radius;
                const ImVec2 here{x + radius + room * shareOf(node.address), middle};
                const std::size_t next = static_cast<std::size_t>(i) + 1;
                const ListLine after = next < lines.Count() ? lines.At(next) : line;
                if (next < lines.Count() && after.bin == nullptr) {
                    const float there = x + radius + room * shareOf(state.nodes[after.node].address);
                    draw->AddLine(here, {there, middle + height}, Mix(theme.panel, theme.dim, 0.6f));
                }
                draw->AddCircleFilled(here, radius, present || lit ? ink : theme.good, 8);
                x += plot + context.Px(8);
            }
            const std::string bytes = analysis::FormatBytes(node.bytes);
            const float used = TextWidth(fonts.mono, bytes) + context.Px(8);
            DrawTextIn(draw, fonts.mono, {{x, at.y}, {right - used, at.y + height}},
                       present || lit ? theme.text : theme.dim, analysis::FormatAddress(node.address));
            DrawTextIn(draw, fonts.mono, {{x, at.y}, {right, at.y + height}}, theme.text, bytes, Align::Right);
            if (middle > clip.min.y && middle < clip.max.y)
                look.anchors.push_back({node.address, {at.x + width - context.Px(2), middle}});
        }
    }
    if (!state.marks.empty()) DrawMarks(context, state, width);
}

}  // namespace residue::gui
