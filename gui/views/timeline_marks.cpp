// What stands on the timeline: the playhead, the kept range, a block's life, narrations, lost events.
#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/timeline.hpp"
#include "gui/widgets/controls.hpp"
#include "session/analyst.hpp"
#include "session/scenario.hpp"

namespace residue::gui {

void TimelineView::DrawUncertain(ViewContext& context, const Rect& plot, const Scale& scale) {
    const auto from = context.session->Series().UncertainFrom();
    if (!from) return;
    const float x = std::max(std::floor(scale.X(static_cast<double>(from->value))), plot.min.x);
    if (x >= plot.max.x) return;
    // A dashed line over all that follows, and what it says.
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImU32 colour = context.theme->warn;
    const float dash = context.Px(8), height = context.Px(2), y = plot.min.y;
    for (float at = x; at < plot.max.x; at += 2 * dash) {
        draw->AddRectFilled({at, y}, {std::min(at + dash, plot.max.x), y + height}, colour);
    }
    constexpr const char* kText = "uncertain: events were lost";
    const float width = TextWidth(context.fonts->labelSmall, kText) + context.Px(10), tall = context.Px(18);
    const float left = std::max(plot.min.x, std::min(x + context.Px(4), plot.max.x - width));
    const Rect box{{left, y + context.Px(4)}, {left + width, y + context.Px(4) + tall}};
    if (box.max.x > plot.max.x || box.max.y > plot.max.y) return;
    draw->AddRectFilled(box.min, box.max, context.theme->warnBack, context.Px(3));
    DrawTextIn(draw, context.fonts->labelSmall, box, colour, kText, Align::Centre);
}

// Small flags at the foot of the plot, between the calls where a scenario tells something.
void TimelineView::DrawNarrations(ViewContext& context, const Rect& plot, const Scale& scale) {
    session::Scenario* const scenario = context.session->GetScenario();
    if (scenario == nullptr) return;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float high = context.Px(9), wide = context.Px(5), thin = std::max(1.0f, context.Px(1));
    const ImU32 colour = Mix(context.theme->dim, context.theme->accent, 0.45f);
    float free = plot.min.x;
    for (const Position position : scenario->NarrationPositions()) {
        const float x = std::floor(scale.X(static_cast<double>(position.value) + 1));
        if (x < free || x > plot.max.x) continue;
        free = x + wide + context.Px(2);
        draw->AddRectFilled({x, plot.max.y - high}, {x + thin, plot.max.y}, colour);
        draw->AddTriangleFilled({x + thin, plot.max.y - high}, {x + wide, plot.max.y - high + context.Px(2.5f)},
                                {x + thin, plot.max.y - high + context.Px(5)}, colour);
    }
}

void TimelineView::DrawLife(ViewContext& context, const Rect& plot, const Scale& scale) {
    const auto block = context.selection->Block();
    if (!block || block->value == 0 || block->value > context.session->View().Blocks()) return;
    const log::LogView& view = context.session->View();
    const log::BlockLife life = view.Life(*block);
    const double born = static_cast<double>(view.PositionOf(life.born).value);
    const double died = life.died.value == log::kNever ? static_cast<double>(context.session->End().value) + 1
                                                       : static_cast<double>(view.PositionOf(life.died).value);
    const float x0 = std::max(scale.X(born), plot.min.x), x1 = std::min(scale.X(std::max(died, born + 1)), plot.max.x);
    if (x1 <= plot.min.x || x0 >= plot.max.x) return;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = context.Px(4);
    draw->AddRectFilled({x0, plot.max.y + context.Px(1)}, {std::max(x1, x0 + context.Px(2)), plot.max.y + height},
                        context.theme->duck);
}

// The kept range: its ends, named, and what is not in it paler.
void TimelineView::DrawRange(ViewContext& context, const Rect& plot, const Scale& scale) {
    const auto& range = context.session->Analyst().Range();
    if (!range) return;
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float thin = std::max(1.0f, context.Px(1));
    const auto clamped = [&](Position position) {
        return std::floor(std::clamp(scale.X(static_cast<double>(position.value) + 0.5), plot.min.x, plot.max.x));
    };
    const float a = clamped(range->first), b = clamped(range->second);
    const ImU32 veil = WithAlpha(theme.panel, 0.55f);
    if (a > plot.min.x) draw->AddRectFilled(plot.min, {a, plot.max.y}, veil);
    if (b < plot.max.x) draw->AddRectFilled({b, plot.min.y}, plot.max, veil);
    draw->AddRectFilled({a, plot.min.y}, {b, plot.min.y + context.Px(2)}, theme.accent);
    const auto end = [&](Position position, float x, const char* name, bool left) {
        const double at = static_cast<double>(position.value);
        if (at < scale.from || at > scale.to) return;
        draw->AddRectFilled({x, plot.min.y}, {x + thin, plot.max.y}, theme.accent);
        const float side = context.Px(13);
        const Rect flag{{left ? x - side : x, plot.min.y}, {left ? x + thin : x + side, plot.min.y + side}};
        draw->AddRectFilled(flag.min, flag.max, theme.accent, context.Px(2));
        DrawTextIn(draw, context.fonts->labelSmall, flag, theme.onFill, name, Align::Centre);
    };
    end(range->first, a, "A", true);
    end(range->second, b, "B", false);
}

void TimelineView::DrawPlayhead(ViewContext& context, const Rect& plot, const Scale& scale) {
    const double now = static_cast<double>(context.session->Now().value);
    if (now < scale.from || now > scale.to) return;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    // In the middle of its step where steps are wide, so that it stands in what it shows.
    const float x = std::floor(std::min(scale.X(now + std::min(0.5, (scale.to - scale.from) / 2)), plot.max.x - 1));
    const float half = std::max(1.0f, context.Px(1));
    draw->AddRectFilled({x, plot.min.y - context.Px(4)}, {x + half, plot.max.y + context.Px(4)}, context.theme->text);
    const float r = context.Px(5);
    draw->AddTriangleFilled({x + half / 2 - r, plot.min.y - context.Px(9)},
                            {x + half / 2 + r, plot.min.y - context.Px(9)}, {x + half / 2, plot.min.y - context.Px(1)},
                            context.theme->text);
}

// The kept range, with a cross that lets go of it.
float TimelineView::DrawTitleControls(ViewContext& context, float right, float centreY) {
    if (!context.Ready() || !context.session->Analyst().Range()) return right;
    const auto range = *context.session->Analyst().Range();
    const std::string text = "range " + analysis::FormatCount(range.first.value) + " … " +
                             analysis::FormatCount(range.second.value) + "  " + kIconError.Text(*context.fonts);
    const float width = TextWidth(context.fonts->label, text) + context.Px(16), height = context.Px(24);
    ImGui::SetCursorScreenPos({right - width, std::floor(centreY - height / 2)});
    if (Button(context, "##range", text, ButtonKind::Plain, width)) context.session->Analyst().SetRange(std::nullopt);
    Tooltip(context, "Flame graph, calls and profile are about this range. Click to let go of it.", "Esc");
    return right - width;
}

}  // namespace residue::gui
