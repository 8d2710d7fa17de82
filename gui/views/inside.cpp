#include "gui/views/inside.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/inside_shapes.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

using alloc::Decision;
using alloc::DecisionKind;
using alloc::ProbeVerdict;

constexpr float kDecisionRow = 20;      // unscaled, as all here
constexpr float kMostDecisions = 7.5f;  // rows shown at once: half a row says that there is more
constexpr float kLeastNodes = 120;

// "allocate 142 B, aligned to 64"
std::string CallText(const events::Event& event) {
    const std::string aligned = event.alignmentLog2 > 3
                                    ? ", aligned to " + analysis::FormatCount(std::uint64_t{1} << event.alignmentLog2)
                                    : std::string();
    switch (event.kind) {
        case events::EventKind::Allocated: return "allocate " + analysis::FormatBytes(event.size) + aligned;
        case events::EventKind::AllocateFailed:
            return "allocate " + analysis::FormatBytes(event.size) + aligned + ", refused";
        case events::EventKind::Freed: return "free " + analysis::FormatAddress(event.address);
        case events::EventKind::FreeFailed: return "free " + analysis::FormatAddress(event.address) + ", refused";
        case events::EventKind::ResizeEnds: return "resize to " + analysis::FormatBytes(event.size) + aligned;
        case events::EventKind::BulkFreed:
            return event.argument != 0 ? "release mark " + analysis::FormatCount(event.argument) : "reset";
        case events::EventKind::Marker: return "set mark " + analysis::FormatCount(event.argument);
        default: return events::Info(event.kind).text;
    }
}

// "7 probes", or what else there was to decide.
std::string Summary(const replay::Inside& inside) {
    const std::uint64_t probes = inside.Probes();
    if (probes != 0 && inside.decisionsLeftOut != 0) return "more than " + analysis::FormatCount(probes) + " probes";
    if (probes != 0) return analysis::FormatCount(probes) + (probes == 1 ? " probe" : " probes");
    const std::size_t steps = inside.decisions.size();
    if (steps == 0) return "nothing to decide";
    return analysis::FormatCount(steps) + (steps == 1 ? " step" : " steps");
}

class InsideView final : public View {
public:
    const char* Title() const override { return "Inside"; }
    std::string Status(ViewContext& context) override;
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;

private:
    float DrawCall(ViewContext& context, const replay::Inside& inside, float width);
    void DrawDecisions(ViewContext& context, const replay::Inside& inside, ImVec2 size);
    void DrawStructure(ViewContext& context, const replay::InsideState& state, ImVec2 size);

    Position scrolledAt_{log::kNever};
    std::size_t scrolledTo_ = 0;
};

std::string InsideView::Status(ViewContext& context) {
    const InsideLook& look = *context.inside;
    if (look.answer.inside == nullptr) return {};
    const std::string position = analysis::FormatCount(look.answer.inside->position.value);
    if (!look.answer.ready) return "as of " + position;
    return look.Deciding() ? position + "." + analysis::FormatCount(look.shown) : position;
}

// The call, its step buttons, how long it searched. Returns the height used.
float InsideView::DrawCall(ViewContext& context, const replay::Inside& inside, float width) {
    const auto present = context.session->PresentRow();
    const bool ours = present && context.session->View().At(*present).event.allocator == inside.allocator;
    SectionTitle(context, ours ? CallText(context.session->View().At(*present).event) : "Search",
                 inside.decisions.empty() ? std::string() : Summary(inside));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad);
    if (inside.decisions.empty()) {
        const char* why = inside.position.value == 0 ? "Nothing has happened yet. Step on with the right arrow."
                          : ours                     ? "This call had nothing to look for."
                                                     : "This call was not one of this allocator's.";
        const float height = DrawWrapped(ImGui::GetWindowDrawList(), context.fonts->label,
                                         {at.x + pad, at.y + context.Px(8)}, width - 2 * pad, context.theme->dim, why);
        ImGui::SetCursorScreenPos({at.x, at.y + height + context.Px(16)});
        return height + context.Px(16);
    }
    InsideLook& look = *context.inside;
    const float height = context.Px(36);
    ImGui::SetCursorScreenPos({at.x + pad, at.y + context.Px(6)});
    if (IconButton(context, "back", kIconBack)) (void)StepDecision(look, false);
    Tooltip(context, "One decision back", "Alt+←");
    ImGui::SameLine(0, context.Px(4));
    if (IconButton(context, "forward", kIconForward)) (void)StepDecision(look, true);
    Tooltip(context, "One decision on", "Alt+→");
    const std::string where = look.Deciding() ? "step " + analysis::FormatCount(look.shown) + " of " +
                                                    analysis::FormatCount(inside.decisions.size())
                                              : "done, " + analysis::FormatCount(inside.decisions.size()) +
                                                    (inside.decisions.size() == 1 ? " step" : " steps");
    DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->mono,
               {{at.x + pad + context.Px(74), at.y}, {at.x + width - pad, at.y + height}}, context.theme->dim, where);
    ImGui::SetCursorScreenPos({at.x, at.y + height});
    return height;
}

void InsideView::DrawDecisions(ViewContext& context, const replay::Inside& inside, ImVec2 size) {
    InsideLook& look = *context.inside;
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    const ScrollArea area("##decisions", size);
    const float width = area.Width(), height = context.Px(kDecisionRow), pad = context.Px(kPad);
    const std::size_t told = look.Deciding() ? look.shown : inside.decisions.size();
    // What looks for the best hole takes several on its way.
    std::size_t taken = inside.decisions.size();
    while (taken > 0 && !(inside.decisions[taken - 1].kind == DecisionKind::Probe &&
                          inside.decisions[taken - 1].verdict == ProbeVerdict::Taken)) {
        --taken;
    }
    // The decision that was told last stays in sight.
    if (scrolledAt_ != inside.position || scrolledTo_ != told) {
        scrolledAt_ = inside.position;
        scrolledTo_ = told;
        const float bottom = static_cast<float>(told) * height;
        if (bottom > ImGui::GetScrollY() + size.y || bottom - height < ImGui::GetScrollY()) {
            ImGui::SetScrollY(std::max(0.0f, bottom - size.y / 2));
            *context.again = true;
        }
    }
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(inside.decisions.size()), height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const Decision& decision = inside.decisions[static_cast<std::size_t>(i)];
            const bool last = look.Deciding() && static_cast<std::size_t>(i) + 1 == look.shown;
            const bool yet = static_cast<std::size_t>(i) < told;
            const ImVec2 at = ImGui::GetCursorScreenPos();
            ImGui::PushID(i);
            bool hovered = false;
            if (ListRow(context, "##row", width, height, last, &hovered)) look.shown = static_cast<std::size_t>(i) + 1;
            ImGui::PopID();
            if (hovered) look.nextHovered = decision.address;
            DecisionText text = Describe(theme, decision);
            if (decision.kind == DecisionKind::Probe && decision.verdict == ProbeVerdict::Taken &&
                static_cast<std::size_t>(i) + 1 < taken) {
                text.what = analysis::FormatAddress(decision.address) + "  best so far";
            }
            const float index = TextWidth(fonts.monoSmall, "0000 ");
            ImDrawList* draw = ImGui::GetWindowDrawList();
            DrawTextIn(draw, fonts.monoSmall, {{at.x + pad, at.y}, {at.x + pad + index, at.y + height}},
                       yet ? theme.dim : theme.faint, analysis::FormatCount(static_cast<std::uint64_t>(i) + 1));
            const float right = at.x + width - pad;
            const float used = TextWidth(fonts.mono, text.bytes) + context.Px(8);
            DrawTextIn(draw, fonts.mono, {{at.x, at.y}, {right, at.y + height}}, yet ? theme.text : theme.faint,
                       text.bytes, Align::Right);
            const float side = context.Px(7), middle = std::floor(at.y + height / 2);
            const float x = at.x + pad + index;
            draw->AddRectFilled({x, middle - std::floor(side / 2)}, {x + side, middle - std::floor(side / 2) + side},
                                WithAlpha(text.colour, yet ? 1.0f : 0.3f), context.Px(2));
            DrawTextIn(draw, fonts.label, {{x + side + context.Px(7), at.y}, {right - used, at.y + height}},
                       yet ? theme.text : theme.faint, text.what);
        }
    }
}

void InsideView::DrawStructure(ViewContext& context, const replay::InsideState& state, ImVec2 size) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    std::uint64_t bytes = 0;
    for (const replay::InsideBin& bin : state.bins) bytes += bin.bytes;
    const std::uint64_t nodes = state.nodes.size() + state.nodesLeftOut;
    std::string status =
        analysis::FormatCount(nodes) + (nodes == 1 ? " node, " : " nodes, ") + analysis::FormatBytes(bytes);
    if (state.ended) status = "ended";
    SectionTitle(context, NameOf(state.structure.shape), status);
    for (const std::string& broken : state.broken) DrawNote(context, size.x, "broken: " + broken);
    if (state.nodesLeftOut != 0) {
        DrawNote(context, size.x, "The last " + analysis::FormatCount(state.nodesLeftOut) + " nodes are left out.");
    }
    const model::AllocatorState* heap = context.session->Heap().Find(context.session->Shown());
    const std::uint64_t blocks = heap == nullptr ? 0 : heap->totals.blocks;
    if (state.structure.shape == alloc::FreeShape::Tree && std::max<std::uint64_t>(nodes, blocks) > kMostInTree) {
        DrawNote(context, size.x, "The tree shows the lowest " + analysis::FormatCount(kMostInTree) +
                                      " blocks and as many free ones: there are more.");
    }
    float left = size.y - (ImGui::GetCursorScreenPos().y - at.y);
    const float overview = std::min(OverviewHeight(context, state), left - context.Px(60));
    if (overview >= context.Px(24)) {
        const ImVec2 top = ImGui::GetCursorScreenPos();
        DrawOverview(context, state, {size.x, overview});
        ImGui::SetCursorScreenPos({top.x, top.y + overview});
        left -= overview;
    }
    DrawNodes(context, state, {size.x, left});
}

void InsideView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready() && (context.session == nullptr || !context.session->IsLive())) {
        EmptyState(context, size, kIconTree, "The allocator's inside",
                   "Open a trace with Ctrl+O: its free lists, bins or trees show here, and how each request searched.");
        return;
    }
    const InsideLook& look = *context.inside;
    if (!look.answer.unknown.empty()) {
        EmptyState(context, size, kIconTree, "Not known", look.answer.unknown);
        return;
    }
    if (look.answer.inside == nullptr) {
        const int percent = static_cast<int>(100 * look.answer.progress);
        EmptyState(context, size, kIconTree, "Running it again",
                   percent > 0 ? "The calls up to here are run again: " + std::to_string(percent) + " %."
                               : "The calls up to here are run again to find out.");
        return;
    }
    const replay::Inside& inside = *look.answer.inside;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    (void)DrawCall(context, inside, size.x);
    if (!inside.decisions.empty()) {
        const float rows = std::min(static_cast<float>(inside.decisions.size()), kMostDecisions);
        const float room = size.y - (ImGui::GetCursorScreenPos().y - origin.y) - context.Px(kLeastNodes);
        const float height = std::max(context.Px(kDecisionRow), std::min(rows * context.Px(kDecisionRow), room));
        const ImVec2 at = ImGui::GetCursorScreenPos();
        DrawDecisions(context, inside, {size.x, height});
        ImGui::SetCursorScreenPos({at.x, at.y + height + context.Px(6)});
    }
    const float left = size.y - (ImGui::GetCursorScreenPos().y - origin.y);
    if (left > context.Px(40)) DrawStructure(context, *look.State(), {size.x, left});
}

bool InsideView::HandleKey(ViewContext& context, const KeyPress& press) {
    if (press.ctrl || press.alt) return false;
    if (press.key == Key::Period || press.key == Key::Comma) {
        (void)StepDecision(*context.inside, press.key == Key::Period);
        return true;
    }
    return false;
}

}  // namespace

std::unique_ptr<View> MakeInsideView() {
    return std::make_unique<InsideView>();
}

DecisionText Describe(const Theme& theme, const Decision& decision) {
    DecisionText text;
    text.bytes = analysis::FormatBytes(decision.bytes);
    const std::string at = analysis::FormatAddress(decision.address);
    switch (decision.kind) {
        case DecisionKind::Probe:
            switch (decision.verdict) {
                case ProbeVerdict::Taken: text.what = at + "  take it", text.colour = theme.good; break;
                case ProbeVerdict::TooSmall: text.what = at + "  too small", text.colour = theme.error; break;
                case ProbeVerdict::TooSmallAligned:
                    text.what = at + "  too small once aligned", text.colour = theme.error;
                    break;
                case ProbeVerdict::AnotherIsBetter:
                    text.what = at + "  another is better", text.colour = theme.warn;
                    break;
            }
            break;
        case DecisionKind::Split:
            text.what = "split at " + analysis::FormatAddress(decision.other);
            text.bytes = analysis::FormatBytes(decision.bytes) + " + " + analysis::FormatBytes(decision.otherBytes);
            text.colour = theme.duck;
            if (decision.otherBytes == 0) {
                text.what = at + "  all of it";
                text.bytes = analysis::FormatBytes(decision.bytes);
            }
            break;
        case DecisionKind::Coalesce:
            text.what = "join with " + analysis::FormatAddress(decision.other);
            text.bytes = analysis::FormatBytes(decision.bytes) + " + " + analysis::FormatBytes(decision.otherBytes);
            text.colour = theme.duck;
            if (decision.otherBytes == 0) {
                text.what = at + "  free again";
                text.bytes = analysis::FormatBytes(decision.bytes);
            }
            break;
        case DecisionKind::Insert: text.what = at + "  inserted", text.colour = theme.accent; break;
        case DecisionKind::Remove: text.what = at + "  removed", text.colour = theme.accent; break;
    }
    return text;
}

bool StepDecision(InsideLook& look, bool forward) {
    const std::size_t all = look.Decisions();
    if (look.Present() == nullptr || all == 0) return false;
    if (!look.Deciding()) {
        if (forward) return false;
        look.shown = all;
        return true;
    }
    if (!forward && look.shown == 0) return false;
    if (forward && look.shown == all) {
        look.shown = InsideLook::kSettled;
        return true;
    }
    look.shown += forward ? 1 : std::size_t(-1);
    return true;
}

}  // namespace residue::gui
