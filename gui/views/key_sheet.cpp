#include "gui/views/key_sheet.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "gui/widgets/text.hpp"

namespace residue::gui {
namespace {

struct Line {
    const char* keys;  // null: a heading
    const char* what;
};

constexpr Line kLeft[] = {
    {nullptr, "In time"},
    {"Space", "play, pause"},
    {"← →", "one event"},
    {"Shift ← →", "one call"},
    {"Alt ← →", "one decision inside a call"},
    {"Ctrl ← →", "one source line"},
    {"PgUp PgDn", "100 events"},
    {"Home End", "beginning, end"},
    {"[ ]", "previous, next error"},
    {"P", "peak of live bytes"},
    {"Ctrl ↑ ↓", "play faster, slower"},
    {nullptr, "Files"},
    {"Ctrl O", "open a file"},
    {"Ctrl D", "compare with another recording"},
    {"Ctrl S", "save the recording, or an edited source"},
    {"Ctrl Shift S", "save what was done as a scenario"},
    {"Ctrl E", "save a picture of the window"},
    {"Ctrl Q", "leave"},
    {nullptr, "A lesson"},
    {"N, Shift N", "next, previous narration"},
    {"W", "why: the allocator's reasons"},
    {"G", "guess where requests land"},
    {"↑ ↓, Enter", "the guess: which hole (Shift: 8 bytes)"},
    {"E, Ctrl R", "edit the source, run it"},
    {"O", "narration or console"},
    {nullptr, "A student's allocator"},
    {"G, Shift G", "next, previous trace"},
    {"N, Shift N", "next, previous finding"},
    {"I", "lab, losses, source, bytes"},
};
constexpr Line kRight[] = {
    {nullptr, "Looking"},
    {"V, Alt 1…3", "heap, flame graph, lives"},
    {"F", "fit all of it"},
    {"J K , .", "go about in it; Enter zooms in, Esc out"},
    {"/", "search"},
    {"1 … 5", "colour by size, age, site, lifetime, allocator"},
    {"Tab", "next panel, then its own keys"},
    {"Z", "maximise the panel; Esc puts it back"},
    {"Ctrl 1 … 6", "block, calls, allocators, leaks, events, profile"},
    {"Ctrl B", "fold the right column"},
    {"I", "the allocator's inside"},
    {"T", "dark and light theme"},
    {nullptr, "Questions"},
    {"U", "run until a condition holds"},
    {"Ctrl U", "the next one (Shift: before)"},
    {"H, S", "next event of the block's address, site"},
    {"X", "the block's site in the flame graph"},
    {"R", "race or fork: another allocator beside it"},
    {"A, Shift A", "keep a range: from here, to here"},
    {"Alt A", "keep what the timeline shows"},
    {"Y, B, C", "measure, direction, compare"},
    {"Ctrl F", "filter (with Shift: clear it)"},
    {nullptr, "A program that is watched"},
    {"Ctrl PgUp PgDn", "another of its processes"},
    {nullptr, "The sandbox"},
    {"M", "open it; the others in its panel"},
    {"K R", "mark an arena, release back to the mark"},
    {"↑ ↓", "which mark"},
    {"Shift R", "reset the allocator"},
    {nullptr, "The duck"},
    {"D", "ask it about this event"},
    {"Shift D", "silence it"},
    {nullptr, "This sheet"},
    {"?", "show, hide"},
};

constexpr float kRow = 24, kAboveHeading = 10, kTitle = 54, kBelow = 16;  // unscaled

// Unscaled, of a column.
float HeightOf(std::span<const Line> lines) {
    const auto headings = std::count_if(lines.begin(), lines.end(), [](const Line& line) { return !line.keys; });
    return static_cast<float>(lines.size()) * kRow + static_cast<float>(headings - 1) * kAboveHeading;
}

// `squeeze`: 1, or less where the window is too low.
void Column(const ViewContext& context, ImDrawList* draw, ImVec2 at, float width, std::span<const Line> lines,
            float squeeze) {
    const float row = std::floor(context.Px(kRow) * squeeze), keys = context.Px(104);
    float y = at.y;
    for (const Line& line : lines) {
        if (line.keys == nullptr) {
            if (y > at.y) y += std::floor(context.Px(kAboveHeading) * squeeze);
            DrawTextIn(draw, context.fonts->labelBold, {{at.x, y}, {at.x + width, y + row}}, context.theme->accent,
                       line.what);
        } else {
            DrawTextIn(draw, context.fonts->mono, {{at.x, y}, {at.x + keys, y + row}}, context.theme->text, line.keys);
            DrawTextIn(draw, context.fonts->label, {{at.x + keys, y}, {at.x + width, y + row}}, context.theme->dim,
                       line.what);
        }
        y += row;
    }
}

}  // namespace

void DrawKeySheet(ViewContext& context, ImVec2 screen, bool& open) {
    if (!open) return;
    const Theme& theme = *context.theme;
    const float columns = std::max(HeightOf(kLeft), HeightOf(kRight));
    const ImVec2 size{std::min(screen.x - context.Px(40), context.Px(840)),
                      std::min(screen.y - context.Px(40), context.Px(kTitle + columns + kBelow))};
    const ImVec2 at{std::floor((screen.x - size.x) / 2), std::floor((screen.y - size.y) / 2)};
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(screen);
    ImGui::SetNextWindowFocus();
    ImGui::Begin("##keys", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoNav);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->AddRectFilled({0, 0}, screen, IM_COL32(0, 0, 0, 140));
    draw->AddRectFilled(at, {at.x + size.x, at.y + size.y}, theme.panel, context.Px(kRadius));
    draw->AddRect(at, {at.x + size.x, at.y + size.y}, theme.line, context.Px(kRadius));
    const float pad = context.Px(24);
    DrawText(draw, context.fonts->large, {at.x + pad, at.y + pad * 0.8f}, theme.text, "Keys");
    const float column = (size.x - 3 * pad) / 2 - context.Px(10);
    const float top = at.y + context.Px(kTitle);
    const float squeeze = std::clamp((size.y - context.Px(kTitle + kBelow)) / context.Px(columns), 0.0f, 1.0f);
    Column(context, draw, {at.x + pad, top}, column, kLeft, squeeze);
    Column(context, draw, {at.x + 2 * pad + column, top}, column + context.Px(20), kRight, squeeze);
    ImGui::SetCursorScreenPos({0, 0});
    if (ImGui::InvisibleButton("close", screen)) open = false;
    ImGui::End();
}

}  // namespace residue::gui
