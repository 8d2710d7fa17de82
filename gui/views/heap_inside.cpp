// The heap panel: the allocator's inside over its holes: the order of the free structure, the node under the mouse, and
// the decisions of the call that is being looked into.
#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/heap_frame.hpp"
#include "gui/views/inside.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

constexpr std::size_t kMostNumbers = 256;  // nodes whose place in the list is written into their holes
constexpr std::size_t kMostChain = 32;     // nodes of a list that are joined by a line
constexpr std::size_t kMostProbes = 128;

// The middle of what can be seen of a node.
std::optional<ImVec2> MiddleOf(const HeapFrame& frame, const alloc::FreeNode& node) {
    std::optional<ImVec2> middle;
    float width = -1;
    frame.ForSegments(node.address, node.address + node.bytes, [&](const Segment& segment) {
        if (segment.box.Width() <= width) return;
        width = segment.box.Width();
        middle = ImVec2{std::floor((segment.box.min.x + segment.box.max.x) / 2),
                        std::floor((segment.box.min.y + segment.box.max.y) / 2)};
    });
    return middle;
}

void Arrow(const HeapFrame& frame, ImVec2 from, ImVec2 to, ImU32 colour) {
    const float length = std::hypot(to.x - from.x, to.y - from.y);
    if (length < frame.context.Px(6)) return;
    const ImVec2 along{(to.x - from.x) / length, (to.y - from.y) / length};
    const float head = frame.context.Px(6);
    const float thick = std::max(1.0f, frame.context.Px(1.2f));
    frame.draw->AddLine(from, to, colour, thick);
    frame.draw->AddTriangleFilled(
        to, {to.x - head * along.x - head / 2 * along.y, to.y - head * along.y + head / 2 * along.x},
        {to.x - head * along.x + head / 2 * along.y, to.y - head * along.y - head / 2 * along.x}, colour);
}

// A list's order is not that of addresses: each hole says its place in it.
void DrawOrder(const HeapFrame& frame, const replay::InsideState& state) {
    if (state.structure.shape != alloc::FreeShape::List) return;
    const ImFont* font = frame.fonts().monoSmall;
    if (static_cast<float>(frame.shape.bar) < font->FontSize + 2) return;
    // Where no hole is as wide as a digit, none of them is looked at, however many there are.
    const HeapLayout::Geometry& shape = frame.layout.Shape();
    const double bytesOfPixel = static_cast<double>(shape.rowBytes) / static_cast<double>(shape.width);
    const double least = static_cast<double>(TextWidth(font, "1") + frame.context.Px(8)) * bytesOfPixel;
    const model::AllocatorState* heap = frame.heap.Find(frame.allocator);
    if (heap != nullptr && static_cast<double>(heap->totals.largestHole) < least - bytesOfPixel) return;
    std::size_t drawn = 0;
    for (std::size_t i = 0; i < state.nodes.size() && drawn < kMostNumbers; ++i) {
        const alloc::FreeNode& node = state.nodes[i];
        if (static_cast<double>(node.bytes) < least - bytesOfPixel) continue;  // a pixel for the rounding of edges
        if (node.address > frame.LastVisible() || node.address + node.bytes <= frame.FirstVisible()) continue;
        const std::string text = analysis::FormatCount(i + 1);
        bool first = true;
        frame.ForSegments(node.address, node.address + node.bytes, [&](const Segment& segment) {
            const float width = TextWidth(font, text) + frame.context.Px(6);
            if (!std::exchange(first, false) || segment.box.Width() < width + frame.context.Px(2)) return;
            // The hole's own size, in its middle, goes first.
            const float size = TextWidth(font, analysis::FormatBytes(node.bytes)) + frame.context.Px(8);
            if (segment.box.Width() >= size && (segment.box.Width() - size) / 2 < width) return;
            const Rect badge{{segment.box.min.x + 1, segment.box.min.y + 1},
                             {segment.box.min.x + width, segment.box.min.y + font->FontSize + 2}};
            frame.draw->AddRectFilled(badge.min, badge.max, Mix(frame.theme().window, frame.theme().accent, 0.25f),
                                      frame.context.Px(2));
            DrawTextIn(frame.draw, font, badge, frame.theme().text, text, Align::Centre);
            ++drawn;
        });
    }
}

// Through the holes around `at` in the order of its list.
void DrawChain(const HeapFrame& frame, const replay::InsideState& state, std::size_t at, ImU32 colour) {
    const std::uint32_t bin = state.nodes[at].bin;
    const std::size_t from = at > kMostChain / 2 ? at - kMostChain / 2 : 0;
    const std::size_t to = std::min(state.nodes.size(), from + kMostChain);
    std::optional<ImVec2> before;
    for (std::size_t i = from; i < to; ++i) {
        if (state.nodes[i].bin != bin) {
            before.reset();
            continue;
        }
        const auto middle = MiddleOf(frame, state.nodes[i]);
        if (middle && before) Arrow(frame, *before, *middle, WithAlpha(colour, i == at || i == at + 1 ? 1.0f : 0.35f));
        before = middle;
    }
}

// From the panel's line of a node to its hole, across both panels.
void DrawLink(const HeapFrame& frame, const InsideLook& look, const alloc::FreeNode& node, ImU32 colour) {
    const auto anchor = std::find_if(look.anchors.begin(), look.anchors.end(),
                                     [&](const InsideLook::Anchor& each) { return each.address == node.address; });
    std::optional<ImVec2> end;
    frame.ForSegments(node.address, node.address + node.bytes, [&](const Segment& segment) {
        if (!end) end = ImVec2{segment.box.min.x, std::floor((segment.box.min.y + segment.box.max.y) / 2)};
    });
    if (anchor == look.anchors.end() || !end) return;
    frame.draw->PushClipRect({0, 0}, ImGui::GetIO().DisplaySize, false);
    const float bend = std::max(frame.context.Px(20), (end->x - anchor->at.x) / 3);
    frame.draw->AddBezierCubic(anchor->at, {anchor->at.x + bend, anchor->at.y}, {end->x - bend, end->y}, *end,
                               WithAlpha(colour, 0.8f), std::max(1.0f, frame.context.Px(1.2f)));
    frame.draw->PopClipRect();
}

void Note(const HeapFrame& frame, std::uint64_t address, std::uint64_t bytes, ImU32 colour, const std::string& text) {
    std::optional<ImVec2> at;
    frame.ForSegments(address, address + std::max<std::uint64_t>(bytes, 1), [&](const Segment& segment) {
        if (!at) at = segment.box.min;
    });
    if (!at) return;
    const ImFont* font = frame.fonts().labelSmall;
    const float pad = frame.context.Px(5), height = font->FontSize + frame.context.Px(4);
    const float width = TextWidth(font, text) + 2 * pad;
    const float x = std::clamp(at->x, frame.area.min.x, std::max(frame.area.min.x, frame.area.max.x - width));
    const float y = std::max(frame.area.min.y - frame.context.Px(17), at->y - height);
    frame.draw->AddRectFilled({x, y}, {x + width, y + height}, frame.theme().raised, frame.context.Px(3));
    frame.draw->AddRect({x, y}, {x + width, y + height}, colour, frame.context.Px(3));
    DrawTextIn(frame.draw, font, {{x, y}, {x + width, y + height}}, frame.theme().text, text, Align::Centre);
}

// While the call is looked into, what it made is not there yet: the hole that it was made from is whole.
void HideResult(const HeapFrame& frame, const InsideLook& look) {
    const auto present = frame.context.session->PresentRow();
    if (!present) return;
    const log::LoggedEvent event = frame.log.At(*present);
    const bool born = event.event.kind == events::EventKind::Allocated ||
                      (event.event.kind == events::EventKind::ResizeEnds && !event.event.Failed());
    if (!born || event.event.allocator != look.Present()->allocator) return;
    const alloc::FreeNode* const node = look.NodeAround(event.event.Begin());  // of before the call
    if (node == nullptr) return;
    frame.ForSegments(node->address, std::max(node->address + node->bytes, event.event.End()),
                      [&](const Segment& segment) {
                          frame.draw->AddRectFilled(segment.box.min, segment.box.max, frame.theme().window);
                          Hatch(frame.draw, segment.box, frame.theme().hatch, frame.context.Px(5));
                          frame.draw->AddRect(segment.box.min, segment.box.max, frame.theme().line);
                      });
}

void DrawDecided(HeapFrame& frame, const InsideLook& look) {
    const replay::Inside& inside = *look.Present();
    HideResult(frame, look);
    const std::size_t from = look.shown > kMostProbes ? look.shown - kMostProbes : 0;
    std::optional<ImVec2> before;
    for (std::size_t i = from; i < look.shown; ++i) {
        const alloc::Decision& decision = inside.decisions[i];
        const bool last = i + 1 == look.shown;
        const DecisionText text = Describe(frame.theme(), decision);
        const std::uint64_t bytes = decision.bytes + decision.otherBytes;
        DrawOutline(frame, decision.address, decision.address + bytes, WithAlpha(text.colour, last ? 1.0f : 0.45f),
                    frame.context.Px(last ? 2 : 1));
        if (decision.kind == alloc::DecisionKind::Probe) {
            const auto middle = MiddleOf(frame, {decision.address, static_cast<std::size_t>(decision.bytes), 0});
            if (middle && before) Arrow(frame, *before, *middle, WithAlpha(frame.theme().accent, last ? 1.0f : 0.3f));
            before = middle;
        }
        if (!last) continue;
        if (decision.kind == alloc::DecisionKind::Split) {
            frame.ForSegments(decision.other, decision.other + 1, [&](const Segment& segment) {
                frame.draw->AddRectFilled({segment.box.min.x - 1, segment.box.min.y - frame.context.Px(3)},
                                          {segment.box.min.x + 1, segment.box.max.y + frame.context.Px(3)},
                                          text.colour);
            });
        }
        DrawLink(frame, look, {decision.address, static_cast<std::size_t>(decision.bytes), 0}, text.colour);
        Note(frame, decision.address, bytes, text.colour,
             analysis::FormatCount(i + 1) + ": " +
                 text.what.substr(text.what.find("  ") == std::string::npos ? 0 : text.what.find("  ") + 2) + ", " +
                 text.bytes);
    }
}

// An arena's marks, as posts in the heap.
void DrawMarks(const HeapFrame& frame, const replay::InsideState& state) {
    for (std::size_t i = 0; i < state.marks.size(); ++i) {
        frame.ForSegments(state.marks[i].address, state.marks[i].address + 1, [&](const Segment& segment) {
            const float x = segment.box.min.x, y = segment.box.min.y - frame.context.Px(4);
            frame.draw->AddRectFilled({x - 1, y}, {x + 1, segment.box.max.y + frame.context.Px(2)}, frame.theme().duck);
            frame.draw->AddTriangleFilled({x, y}, {x + frame.context.Px(7), y + frame.context.Px(3)},
                                          {x, y + frame.context.Px(7)}, frame.theme().duck);
        });
    }
}

}  // namespace

void DrawInside(HeapFrame& frame) {
    InsideLook& look = *frame.context.inside;
    const replay::InsideState* state = look.State();
    if (!look.open || look.Present() == nullptr || look.Present()->allocator != frame.allocator) return;
    DrawMarks(frame, *state);
    DrawOrder(frame, *state);
    if (look.Deciding()) DrawDecided(frame, look);
    const ImU32 accent = frame.theme().accent;
    if (look.hovered) {
        const alloc::FreeNode* node = look.NodeAround(*look.hovered);
        if (node != nullptr) {
            const auto index = static_cast<std::size_t>(node - state->nodes.data());
            if (state->structure.shape != alloc::FreeShape::Tree) DrawChain(frame, *state, index, accent);
            DrawOutline(frame, node->address, node->address + node->bytes, accent, frame.context.Px(2));
            DrawLink(frame, look, *node, accent);
        }
    }
    if (look.hoveredBin && *look.hoveredBin < state->bins.size()) {
        const replay::InsideBin& bin = state->bins[*look.hoveredBin];
        for (std::size_t i = 0; i < std::min<std::size_t>(bin.count, kMostNumbers); ++i) {
            const alloc::FreeNode& node = state->nodes[bin.first + i];
            DrawOutline(frame, node.address, node.address + node.bytes, accent, frame.context.Px(2));
        }
    }
}

}  // namespace residue::gui
