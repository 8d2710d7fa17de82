#include "gui/views/analysis_bar.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/notes.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/flow.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

constexpr float kControl = 24;  // unscaled
constexpr const char* kDirections[] = {"top-down", "bottom-up"};

}  // namespace

float DrawAnalysisBar(ViewContext& context, float width, const AnalysisBar& bar) {
    AnalysisLook& look = *context.analysis;
    Flow flow(context, width);
    std::vector<std::string> labels;
    std::string helps = "By what it is summed up.";
    for (const analysis::MeasureInfo& info : analysis::MeasureTable()) {
        labels.emplace_back(info.label);
        helps += std::string("\n") + info.label + ": " + info.help;
    }
    int chosen = static_cast<int>(look.measure);
    const float wide = TextWidth(context.fonts->label, kDirections[0]) +
                       TextWidth(context.fonts->label, kDirections[1]) + 4 * context.Px(10) + context.Px(4);
    // Narrower where the direction then fits beside it.
    const float beside = flow.Whole() - wide - context.Px(8);
    const float choice = bar.direction && beside >= context.Px(110) ? std::min(context.Px(180), beside)
                                                                    : std::min(context.Px(180), flow.Whole());
    flow.Place(choice);
    if (Choice(context, "##measure", labels, chosen, choice))
        look.measure = analysis::MeasureTable()[static_cast<std::size_t>(chosen)].measure;
    Tooltip(context, helps, "Y");
    if (bar.direction) {
        int direction = static_cast<int>(look.direction);
        flow.Place(wide);
        ImGui::BeginGroup();
        if (Segmented(context, "direction", kDirections, 2, direction))
            look.direction = static_cast<analysis::Direction>(direction);
        ImGui::EndGroup();
        Tooltip(context, "From main on, or from whoever called the allocator on", "B");
    }
    if (context.session != nullptr && context.session->Analyst().Range() && !look.other) {
        flow.Place(TextWidth(context.fonts->label, "compare") + context.Px(30));
        Checkbox(context, "##compare", "compare", look.compared);
        Tooltip(context, "The end of the kept range against its beginning: what grew, what shrank", "C");
    }
    if (bar.search) {
        const float least = std::min(context.Px(150), flow.Whole());
        const float field =
            flow.Left() >= least ? std::min(flow.Left(), context.Px(420)) : std::min(flow.Whole(), context.Px(420));
        flow.Place(field);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        if (bar.focusSearch) ImGui::SetKeyboardFocusHere();
        TextField(context, "##find", look.search, "find functions", field, true);
        Tooltip(context, "Functions with this in their name light up, and their share is told", "/");
        const std::string_view status = bar.searchStatus;
        const float room = field -
                           TextWidth(context.fonts->label, look.search.empty() ? "find functions" : look.search) -
                           context.Px(24);
        if (!status.empty() && TextWidth(context.fonts->labelSmall, status) <= room) {
            DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->labelSmall,
                       {at, {at.x + field - context.Px(8), at.y + context.Px(kControl)}}, context.theme->duck, status,
                       Align::Right);
        }
    }
    flow.End();
    return flow.Height();
}

bool HandleAnalysisKey(ViewContext& context, const KeyPress& press) {
    if (press.ctrl || press.alt) return false;
    AnalysisLook& look = *context.analysis;
    const std::size_t count = analysis::MeasureTable().size();
    switch (press.key) {
        case Key::Y:
            look.measure =
                analysis::MeasureTable()[(static_cast<std::size_t>(look.measure) + (press.shift ? count - 1 : 1)) %
                                         count]
                    .measure;
            return true;
        case Key::B:
            look.direction = look.direction == analysis::Direction::TopDown ? analysis::Direction::BottomUp
                                                                            : analysis::Direction::TopDown;
            return true;
        case Key::C:
            if (look.other) {
                context.commands->Notice("It is compared with " + look.other->name + " already. Esc ends that.");
                return true;
            }
            if (!context.Ready() || !context.session->Analyst().Range()) {
                context.commands->Notice(
                    "There is no range to compare the ends of: A and Shift+A set them, or Shift and a drag over the "
                    "timeline.");
                return true;
            }
            look.compared = !look.compared;
            return true;
        default: return false;
    }
}

void DrawAnswerLine(ViewContext& context, float width, const session::Reply<session::ProfileAnswer>& reply) {
    if (reply.value == nullptr) return;
    const Theme& theme = *context.theme;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), height = context.Px(18);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    float right = at.x + width - pad;
    if (!reply.fresh) {
        std::string text = reply.failed ? "no memory for it" : "working…";
        if (!reply.failed && reply.progress > 0.01)
            text += " " + std::to_string(static_cast<int>(reply.progress * 100)) + " %";
        const float wide = TextWidth(context.fonts->labelSmall, text);
        DrawTextIn(draw, context.fonts->labelSmall, {{right - wide, at.y}, {right + 1, at.y + height}}, theme.accent,
                   text);
        right -= wide + pad;
    }
    const analysis::FlameTree& flame = reply.value->flame;
    std::string text = DescribeAnswer(*reply.value);
    if (!flame.nodes.empty()) {
        text += ": " + FormatValue(flame.measure, flame.nodes[0].value);
        const std::int64_t change = flame.nodes[0].value - flame.nodes[0].earlier;
        if (flame.compared) text += std::string(", ") + (change > 0 ? "+" : "") + FormatValue(flame.measure, change);
    }
    const auto& filter = context.session->Analyst().Filter();
    if (filter.Any()) text += " · filter " + DescribeHidden(reply.value->profile);
    if (flame.cut) text += " · small sites are cut short";
    DrawTextIn(draw, context.fonts->labelSmall, {{at.x + pad, at.y}, {right, at.y + height}}, theme.dim, text);
    ImGui::Dummy({width, height});
    Tooltip(context, text);
}

bool DrawNoAnswer(ViewContext& context, ImVec2 size, const session::Reply<session::ProfileAnswer>& reply) {
    if (reply.value == nullptr) {
        EmptyState(context, size, kIconTree, reply.failed ? "There is no memory for it" : "Working…",
                   "Every block of the log is looked at once.");
        return true;
    }
    const analysis::FlameTree& flame = reply.value->flame;
    if (context.session->View().Traces() == 0) {
        EmptyState(context, size, kIconTree, "No call traces here", WhyNoTrace(*context.session));
        return true;
    }
    if (flame.nodes.empty() || flame.nodes[0].children.empty()) {
        EmptyState(context, size, kIconTree, std::string("No ") + analysis::InfoOf(flame.measure).label + " here",
                   "Choose another measure (Y), step on, or press P for the peak.");
        return true;
    }
    return false;
}

}  // namespace residue::gui
