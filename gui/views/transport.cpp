#include "gui/views/transport.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/format.hpp"
#include "gui/widgets/controls.hpp"
#include "session/lab.hpp"
#include "session/scenario.hpp"

namespace residue::gui {
namespace {

constexpr double kFastest = 1e6;  // positions a second at the slider's mark before its end; the end: as fast as it can
constexpr float kControl = 24;    // height of the controls, unscaled
constexpr std::uint64_t kLineScan = 65'536;  // positions that a step of a line may pass

float SliderOf(double speed) {
    if (std::isinf(speed) || speed > kFastest) return 1;
    return static_cast<float>(std::log10(std::max(speed, 1.0)) / std::log10(kFastest) * 0.96);
}

double SpeedOf(float slider) {
    if (slider > 0.98f) return std::numeric_limits<double>::infinity();
    const double speed = std::pow(kFastest, std::min(1.0, static_cast<double>(slider) / 0.96));
    const double magnitude = std::pow(10, std::floor(std::log10(speed)));
    return std::max(1.0, std::round(speed / magnitude) * magnitude);  // one digit is exact enough to aim at
}

std::string SpeedText(double speed) {
    if (std::isinf(speed) || speed > kFastest) return "max";
    if (speed >= 1e6) return "1 M/s";
    if (speed >= 1e3) return analysis::FormatCount(static_cast<std::uint64_t>(speed / 1e3)) + " k/s";
    return analysis::FormatCount(static_cast<std::uint64_t>(speed)) + "/s";
}

// What a step of a line compares: the source line that the call came from, or the trace's own line.
struct Line {
    std::uint64_t line = 0;
    TraceId trace{};
    bool operator==(const Line&) const = default;
};

Line LineAt(const log::LogView& view, Position position) {
    const std::uint64_t rows = view.RowsAt(position).value;
    for (std::uint64_t row = rows; row > 0 && row + 8 > rows; --row) {
        const events::Event event = view.At(Row{row - 1}).event;
        if (event.kind == events::EventKind::Step) return {event.Line(), {}};
        if (event.trace) return {view.TopFrame(event.trace).line, event.trace};
    }
    return {};
}

}  // namespace

void TransportBar::Step(ViewContext& context, bool forward, session::StepUnit unit) {
    if (!context.Ready()) return;
    session::Session& session = *context.session;
    session.Play(false);
    session.FollowEnd(false);
    if (unit != session::StepUnit::Line) {
        session.StepBy(forward ? 1 : -1);
        return;
    }
    if (session::Scenario* const scenario = session.GetScenario()) {
        (void)scenario->StepLine(forward);
        return;
    }
    if (session::Lab* const lab = session.GetLab()) return lab->StepLine(forward);
    const log::LogView& view = session.View();
    const std::uint64_t end = session.End().value;
    const Line here = LineAt(view, session.Now());
    std::uint64_t at = session.Now().value;
    for (std::uint64_t i = 0; i < kLineScan && (forward ? at < end : at > 0); ++i) {
        at = forward ? at + 1 : at - 1;
        const Line there = LineAt(view, Position{at});
        if (there == Line{} || !(there == here)) break;
    }
    session.SeekTo(Position{at});
}

float TransportBar::DrawButtons(ViewContext& context, float x, float y) {
    session::Session* session = context.Ready() ? context.session : nullptr;
    const bool any = session != nullptr;
    const bool atStart = !any || session->Now().value == 0;
    const bool atEnd = !any || !(session->Now() < session->End());
    const bool playing = any && session->Playing();
    ImGui::SetCursorScreenPos({x, y});
    if (IconButton(context, "first", kIconFirst, ButtonKind::Plain, !atStart)) {
        session->FollowEnd(false);
        session->SeekTo(Position{0});
    }
    Tooltip(context, "To the beginning", "Home");
    ImGui::SameLine(0, context.Px(4));
    if (IconButton(context, "back", kIconBack, ButtonKind::Plain, !atStart)) Step(context, false);
    Tooltip(context, "One step back", "←");
    ImGui::SameLine(0, context.Px(4));
    if (IconButton(context, "play", playing ? kIconPause : kIconPlay, any ? ButtonKind::Primary : ButtonKind::Plain,
                   any)) {
        if (!playing && atEnd && !session->IsLive()) session->SeekTo(Position{0});
        session->Play(!playing);
    }
    Tooltip(context, playing ? "Pause" : "Play", "Space");
    ImGui::SameLine(0, context.Px(4));
    if (IconButton(context, "forward", kIconForward, ButtonKind::Plain, !atEnd)) Step(context, true);
    Tooltip(context, "One step forward", "→");
    ImGui::SameLine(0, context.Px(4));
    const bool live = any && session->IsLive();
    if (IconButton(context, "last", kIconLast, live && session->FollowsEnd() ? ButtonKind::Active : ButtonKind::Plain,
                   any && (!atEnd || live))) {
        if (live) session->FollowEnd(true);
        session->SeekTo(session->End());
    }
    Tooltip(context, live ? "To the end, and stay there as more comes" : "To the end", "End");
    return x + 5 * context.Px(30) + 4 * context.Px(4);
}

float TransportBar::DrawSpeed(ViewContext& context, float x, float y, float width) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kControl);
    const float name = TextWidth(fonts.label, "speed");
    DrawTextIn(draw, fonts.label, {{x, y}, {x + name, y + height}}, theme.dim, "speed");
    const double speed = context.session != nullptr ? context.session->Speed() : 8;
    float value = SliderOf(speed);
    ImGui::SetCursorScreenPos({x + name + context.Px(8), y});
    if (Slider(context, "speed", value, width) && context.session != nullptr) context.session->SetSpeed(SpeedOf(value));
    Tooltip(context, "Events a second when playing, from 1 to as fast as it can", "Ctrl+Up / Ctrl+Down");
    const float text = x + name + context.Px(16) + width;
    const float room = TextWidth(fonts.mono, "900 k/s");
    DrawTextIn(draw, fonts.mono, {{text, y}, {text + room, y + height}}, theme.text, SpeedText(speed));
    return text + room;
}

float TransportBar::DrawSearch(ViewContext& context, float right, float y, float width) {
    const float x = right - width;
    ImGui::SetCursorScreenPos({x, y});
    if (focusSearch_) {
        ImGui::SetKeyboardFocusHere();
        focusSearch_ = false;
    }
    const std::string hint = std::string(kIconSearch.Text(*context.fonts)) +
                             (width > context.Px(170) ? "  size, site, address…" : "  search");
    const bool entered = TextField(context, "##search", searchText_, hint.c_str(), width);
    const bool editing = ImGui::IsItemActive();
    Tooltip(context,
            "Go to an event (694), a block (#9), an address (0x1a40),\nthe next request of a size (48 B) or the next "
            "event of a site (any text).\nShift+Enter looks backward.",
            "/");
    if (!editing && searchText_.empty()) {
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->mono,
                   {{x, y}, {right - context.Px(10), y + context.Px(kControl)}}, context.theme->dim, "/", Align::Right);
    }
    if (entered) search_.Start(context, searchText_, ImGui::GetIO().KeyShift);
    if (search_.Step(context)) {
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->labelSmall,
                   {{x, y}, {right - context.Px(10), y + context.Px(kControl)}}, context.theme->accent, "looking…",
                   Align::Right);
    }
    return x;
}

void TransportBar::Draw(ViewContext& context, ImVec2 size) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float height = context.Px(kControl);
    const float y = std::floor(origin.y + (size.y - height) / 2);
    const bool wide = size.x > context.Px(1320);
    const float gap = context.Px(wide ? 20 : 12);

    float x = DrawButtons(context, origin.x + context.Px(10), y) + gap;
    x = DrawSpeed(context, x, y, context.Px(wide ? 108 : 72)) + context.Px(8);
    if (wide) {
        const float name = TextWidth(fonts.label, "step");
        DrawTextIn(draw, fonts.label, {{x, y}, {x + name, y + height}}, theme.dim, "step");
        x += name + context.Px(8);
    }
    static constexpr const char* kUnits[] = {"event", "call", "line"};
    int unit = static_cast<int>(unit_);
    ImGui::SetCursorScreenPos({x, y});
    ImGui::BeginGroup();
    if (Segmented(context, "unit", kUnits, 3, unit)) unit_ = static_cast<session::StepUnit>(unit);
    ImGui::EndGroup();
    Tooltip(context, "What the step buttons step by", "← →  Shift+← →  Ctrl+← →");
    x = ImGui::GetItemRectMax().x + gap;

    float right = DrawSearch(context, origin.x + size.x - context.Px(10), y, context.Px(wide ? 210 : 120)) - gap;
    if (context.session != nullptr) {
        session::Session& session = *context.session;
        // "event 41 of 58", the number bright.
        const std::string now = analysis::FormatCount(session.Now().value);
        const std::string of = " of " + analysis::FormatCount(session.End().value);
        const float widths[] = {wide ? TextWidth(fonts.mono, "event ") : 0, TextWidth(fonts.mono, now),
                                TextWidth(fonts.mono, of)};
        float at = right - widths[0] - widths[1] - widths[2];
        const float textY = y + (height - fonts.mono->FontSize) / 2;
        right = at - gap;
        if (wide) DrawText(draw, fonts.mono, {at, textY}, theme.dim, "event ");
        at += widths[0];
        DrawText(draw, fonts.mono, {at, textY}, theme.text, now);
        DrawText(draw, fonts.mono, {at + widths[1], textY}, theme.dim, of);
        if (session.IsLive()) {
            const bool loading = session.GetSandbox() == nullptr && session.GetProgram() == nullptr;
            const std::string live = std::string(kIconLive.Text(fonts)) + (loading ? " loading" : " live");
            const float width = TextWidth(fonts.label, live);
            DrawTextIn(draw, fonts.label, {{right - width, y}, {right + 1, y + height}},
                       session.FollowsEnd() ? theme.good : theme.dim, live);
            right -= width + gap;
        }
        // Title and what it is, centred in what is left.
        const std::string title = session.Title();
        const std::string subtitle = session.Subtitle();
        const float titleWidth = TextWidth(fonts.labelBold, title);
        const float subtitleWidth = TextWidth(fonts.label, subtitle);
        const float room = right - x;
        if (room < context.Px(40)) return;
        const float space = context.Px(14);
        const bool both = titleWidth + space + context.Px(90) < room;
        const float used = both ? std::min(room, titleWidth + space + subtitleWidth) : std::min(room, titleWidth);
        const float start = x + (room - used) / 2;
        DrawTextIn(draw, fonts.labelBold, {{start, y}, {std::min(start + titleWidth + 1, right), y + height}},
                   theme.text, title);
        if (both)
            DrawTextIn(draw, fonts.label, {{start + titleWidth + space, y}, {right, y + height}}, theme.dim, subtitle);
        ImGui::SetCursorScreenPos({start, y});
        ImGui::Dummy({used, height});
        Tooltip(context, subtitle.empty() ? title : title + "\n" + subtitle);
    } else {
        DrawTextIn(draw, fonts.label, {{x, y}, {right, y + height}}, theme.dim, "nothing is open", Align::Centre);
    }
}

}  // namespace residue::gui
