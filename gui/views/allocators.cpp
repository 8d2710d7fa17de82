#include "gui/views/allocators.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "analysis/metrics.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr std::size_t kMostNested = 200;  // beyond it they are listed as they were made
constexpr float kWide = 660;  // unscaled pixels: from here on a table, below it cards

constexpr Column kColumns[] = {
    {"name", 120, Align::Left, "A click shows it in the heap panel", 0, true, false},
    {"base", 100, Align::Right, "Where its memory begins", 3, false, true},
    {"capacity", 84, Align::Right, "Bytes it had at its creation", 2, false, true},
    {"live (P)", 84, Align::Right, "P: live bytes, as requested", 0, false, true},
    {"set aside (B)", 84, Align::Right, "B: live blocks with header, padding, rounding and slack", 1, false, true},
    {"heap (H)", 84, Align::Right, "H: bytes it has from below", 0, false, true},
    {"holes", 60, Align::Right, "Maximal runs of free bytes", 0, false, true},
    {"ext. frag.", 64, Align::Right, "External fragmentation: 1 - largest hole / free bytes", 0, false, true},
    {"int. frag.", 64, Align::Right, "Internal fragmentation: 1 - P / B", 1, false, true},
};

// An allocator's figures as text; what is not known is a dash.
struct Figures {
    std::string base, capacity, live, setAside, heap, holes, fragmentation, internal;
};

Figures FiguresOf(const model::AllocatorState& state) {
    const model::Totals& totals = state.totals;
    const std::string unknown = "–";
    Figures figures;
    figures.base = state.base != 0 ? analysis::FormatAddress(state.base) : unknown;
    figures.capacity = state.capacity != 0 ? analysis::FormatBytes(state.capacity) : unknown;
    figures.live = analysis::FormatBytes(totals.payload);
    figures.setAside = analysis::FormatBytes(totals.SetAside());
    figures.heap = totals.heapKnown ? analysis::FormatBytes(totals.heap) : unknown;
    const bool holesKnown = totals.heapKnown && totals.partsTold;
    figures.holes = holesKnown ? analysis::FormatCount(totals.holes) : unknown;
    figures.fragmentation =
        holesKnown ? analysis::FormatFraction(analysis::ExternalFragmentation(totals.largestHole, totals.free))
                   : unknown;
    const bool partsKnown = holesKnown || totals.SetAside() != totals.payload;  // else only requests are recorded
    if (!partsKnown) figures.setAside = unknown;
    figures.internal = unknown;
    if (partsKnown) {
        figures.internal =
            analysis::FormatFraction(analysis::InternalFragmentation(totals.payload, totals.SetAside()));
    }
    return figures;
}

// Children behind their parents, each with how deep it is nested.
struct Nested {
    const model::AllocatorState* state;
    int depth;
};

std::vector<Nested> InNestingOrder(const std::vector<model::AllocatorState>& states) {
    constexpr int kDeepest = 32;
    std::vector<Nested> ordered;
    const auto isRoot = [&](const model::AllocatorState& state) {
        return std::none_of(states.begin(), states.end(), [&](const auto& other) { return other.id == state.parent; });
    };
    const auto add = [&](const auto& self, const model::AllocatorState& state, int depth) -> void {
        ordered.push_back({&state, depth});
        if (depth == kDeepest) return;
        for (const model::AllocatorState& child : states) {
            if (child.parent == state.id && child.id != state.id) self(self, child, depth + 1);
        }
    };
    if (states.size() <= kMostNested) {
        for (const model::AllocatorState& state : states) {
            if (isRoot(state)) add(add, state, 0);
        }
    }
    if (ordered.size() != states.size()) {  // too many to look for children, or parents that name each other
        ordered.clear();
        for (const model::AllocatorState& state : states) ordered.push_back({&state, 0});
    }
    return ordered;
}

std::string NameOf(const model::AllocatorState& state) {
    std::string name = state.name.empty() ? "allocator " + std::to_string(state.id.value) : state.name;
    if (!state.alive) name += " (ended)";
    return name;
}

class AllocatorsView final : public View {
public:
    const char* Title() const override { return "Allocators"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawCard(ViewContext& context, const Nested& nested, float width);
    void DrawTable(ViewContext& context, const std::vector<Nested>& states, float width);
};

void AllocatorsView::DrawCard(ViewContext& context, const Nested& nested, float width) {
    const model::AllocatorState& state = *nested.state;
    const Theme& theme = *context.theme;
    const bool shown = context.session->Shown() == state.id;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float pad = context.Px(kPad), line = context.Px(20), top = context.Px(8);
    const float height = 2 * top + 5 * line;
    if (ListRow(context, "##card", width, height, shown)) context.session->Show(state.id);
    Tooltip(context, shown ? "This one is shown in the heap panel" : "Click to show it in the heap panel");
    const Figures figures = FiguresOf(state);
    const BlockColour colours(theme, ColourMode::Allocator, context.session->View(), context.session->Now());
    const float indent = std::min(context.Px(14) * static_cast<float>(nested.depth), width / 3);
    const float side = context.Px(8), x = at.x + pad + indent;
    if (nested.depth > 0) {
        // It lives in blocks of the one above.
        const float bend = std::floor(at.y + top + line / 2), post = x - context.Px(9);
        draw->AddLine({post, at.y}, {post, bend}, theme.dim);
        draw->AddLine({post, bend}, {x - context.Px(3), bend}, theme.dim);
    }
    const float right = at.x + width - pad;
    float y = at.y + top;
    const float swatch = std::floor(y + (line - side) / 2);
    draw->AddRectFilled({x, swatch}, {x + side, swatch + side}, colours.OfAllocator(state.id), context.Px(2));
    const float shownWidth = shown ? TextWidth(context.fonts->labelSmall, "shown") + pad : 0;
    DrawTextIn(draw, context.fonts->labelBold, {{x + side + context.Px(6), y}, {right - shownWidth, y + line}},
               state.alive ? theme.text : theme.dim, NameOf(state));
    if (shown)
        DrawTextIn(draw, context.fonts->labelSmall, {{x, y}, {right, y + line}}, theme.dim, "shown", Align::Right);
    y += line;
    // Two columns of name and value; in the first are the longer ones. A value is made smaller before it is cut.
    const float gap = context.Px(12), first = std::floor((right - x - gap) * 0.54f);
    const auto pair = [&](int column, const char* name, const std::string& value) {
        const float from = column == 0 ? x : x + first + gap;
        const Rect box{{from, y}, {column == 0 ? x + first : right, y + line}};
        const float used = DrawTextIn(draw, context.fonts->labelSmall, box, theme.dim, name) + context.Px(4);
        const bool fits = TextWidth(context.fonts->mono, value) <= box.Width() - used;
        DrawTextIn(draw, fits ? context.fonts->mono : context.fonts->monoSmall, {{box.min.x + used, y}, box.max},
                   theme.text, value, Align::Right);
    };
    pair(0, "live (P)", figures.live), pair(1, "heap (H)", figures.heap);
    y += line;
    pair(0, "set aside (B)", figures.setAside), pair(1, "holes", figures.holes);
    y += line;
    pair(0, "int. frag.", figures.internal), pair(1, "ext. frag.", figures.fragmentation);
    y += line;
    pair(0, "base", figures.base), pair(1, "blocks", analysis::FormatCount(state.totals.blocks));
    draw->AddLine({at.x, at.y + height - 1}, {at.x + width, at.y + height - 1}, theme.line);
}

void AllocatorsView::DrawTable(ViewContext& context, const std::vector<Nested>& states, float width) {
    const Theme& theme = *context.theme;
    const Columns columns(context, kColumns, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    const float height = context.Px(kRowHeight);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(states.size()), height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const auto& [statePointer, depth] = states[static_cast<std::size_t>(i)];
            const model::AllocatorState& state = *statePointer;
            const ImVec2 at = ImGui::GetCursorScreenPos();
            ImGui::PushID(i);
            if (ListRow(context, "##row", width, height, context.session->Shown() == state.id)) {
                context.session->Show(state.id);
            }
            Tooltip(context, NameOf(state));
            ImGui::PopID();
            const Figures figures = FiguresOf(state);
            std::string name(static_cast<std::size_t>(2 * depth), ' ');
            name += (depth > 0 ? "└ " : "") + NameOf(state);
            columns.Text(context, 0, at.y, height, state.alive ? theme.text : theme.dim, name);
            const std::string* cells[] = {&figures.base, &figures.capacity, &figures.live,         &figures.setAside,
                                          &figures.heap, &figures.holes,    &figures.fragmentation,
                                          &figures.internal};
            std::size_t column = 1;
            for (const std::string* cell : cells) {
                columns.Text(context, column, at.y, height, column < 3 ? theme.dim : theme.text, *cell);
                ++column;
            }
        }
    }
}

void AllocatorsView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconCubes, "No allocators", "Open a trace with Ctrl+O, or start the sandbox.");
        return;
    }
    const auto& states = context.session->Heap().Allocators();
    if (states.empty()) {
        EmptyState(context, size, kIconCubes, "No allocator exists yet",
                   "At this position none was created. Step on with the right arrow.");
        return;
    }
    const ScrollArea area("##allocators", size);
    const float width = area.Width();
    if (const auto note = UncertainNote(*context.session)) DrawNote(context, width, *note);
    const std::vector<Nested> nested = InNestingOrder(states);
    if (width >= context.Px(kWide) || states.size() > kMostNested) {
        DrawTable(context, nested, width);
        return;
    }
    int index = 0;
    for (const Nested& each : nested) {
        ImGui::PushID(index++);
        DrawCard(context, each, width);
        ImGui::PopID();
    }
}

}  // namespace

std::unique_ptr<View> MakeAllocatorsView() {
    return std::make_unique<AllocatorsView>();
}

}  // namespace residue::gui
