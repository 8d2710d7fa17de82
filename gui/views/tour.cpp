#include "gui/views/tour.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "gui/widgets/controls.hpp"

namespace residue::gui {
namespace {

struct Step {
    Rect PanelRects::*panel;
    const char* title;
    const char* text;
};

constexpr Step kSteps[] = {
    {&PanelRects::heap, "The heap",
     "Every row is a stretch of addresses. Coloured blocks are in use, hatched gaps are free. The wheel zooms, "
     "dragging moves, F shows all of it again. V goes on to the flame graph and to the picture of all lives."},
    {&PanelRects::left, "Inside the allocator",
     "Its list of holes, in its own order, and what each request looked at. Alt with an arrow key walks one search, "
     "probe by probe. I closes and opens this."},
    {&PanelRects::transport, "Time goes both ways",
     "Space plays. The arrow keys take one call forward or back, and every step back is exact. P jumps to the peak, [ "
     "and ] to the errors."},
    {&PanelRects::timeline, "The whole run",
     "Live bytes over the size of the heap. Drag along the axis to move in time, drag across the picture to zoom in, "
     "click twice to see all again."},
    {&PanelRects::numbers, "Figures with a name",
     "There is no single \"fragmentation\". Rest the mouse on a figure to see its formula with the numbers of this "
     "moment."},
    {&PanelRects::right, "One selection",
     "Click a block: its card, its call trace and its life show here and on the timeline. The tabs lead to the call "
     "tree, leaks, events and a profile. Ctrl+F filters all of it, U runs until something holds."},
    {&PanelRects::timeline, "The duck",
     "Press D and it says what just happened. L shows all lessons, M opens a sandbox with a live allocator, Ctrl+O a "
     "file of yours, ? lists all keys."},
};

// At the left of a scenario.
constexpr Step kProgram = {&PanelRects::left, "The program",
                           "Its text, with the statement under the playhead. Ctrl with an arrow key goes by lines, N "
                           "from one narration to the "
                           "next. E edits it, Ctrl+R runs it again. The tab beside it shows the allocator's inside."};

}  // namespace

void Tour::Next() {
    if (++step_ >= std::size(kSteps)) End();
}

bool Tour::HandleKey(const KeyPress& press) {
    if (!running_) return false;
    if (press.Is(Key::Escape)) {
        End();
        return true;
    }
    if (press.Is(Key::Enter)) {
        Next();
        return true;
    }
    return false;
}

void Tour::Draw(ViewContext& context, ImVec2 screen, const PanelRects& panels) {
    if (!running_) return;
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    const bool scenario = context.session != nullptr && context.session->GetScenario() != nullptr;
    const Step& step = scenario && kSteps[step_].panel == &PanelRects::left ? kProgram : kSteps[step_];
    const Rect& shown = panels.*step.panel;
    const Rect& target = shown.Height() > 0 ? shown : panels.heap;  // what it speaks of may be closed
    const float width = context.Px(330), pad = context.Px(16), gap = context.Px(12);
    const float textHeight = DrawWrapped(nullptr, fonts.label, {}, width - 2 * pad, 0, step.text, 1.35f);
    const float height = pad + context.Px(26) + textHeight + context.Px(12) + context.Px(26) + pad;
    // Where it hides least of what it speaks of: in a tall panel's lower middle, beside a narrow one, else above or
    // below.
    ImVec2 at{(target.min.x + target.max.x - width) / 2, target.max.y - height - context.Px(28)};
    if (target.Height() >= height * 1.6f && target.Width() < width * 1.3f) {
        at.x = target.min.x > screen.x / 2 ? target.min.x - width - gap : target.max.x + gap;
    } else if (target.Height() < height * 1.6f) {
        at.y = target.min.y > screen.y / 2 ? target.min.y - height - gap : target.max.y + gap;
    }
    at.x = std::floor(std::clamp(at.x, gap, std::max(gap, screen.x - width - gap)));
    at.y = std::floor(std::clamp(at.y, gap, std::max(gap, screen.y - height - gap)));

    ImGui::SetNextWindowPos(at);
    ImGui::SetNextWindowSize({width, height});
    ImGui::Begin("##tour", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoFocusOnAppearing);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->PushClipRectFullScreen();  // the frame lies under the note
    draw->AddRect({target.min.x - 1, target.min.y - 1}, {target.max.x + 1, target.max.y + 1}, theme.accent,
                  context.Px(kRadius), 0, context.Px(2));
    draw->PopClipRect();
    draw->AddRectFilled(at, {at.x + width, at.y + height}, theme.raised, context.Px(kRadius));
    draw->AddRect(at, {at.x + width, at.y + height}, theme.accent, context.Px(kRadius));
    float y = at.y + pad;
    DrawText(draw, fonts.labelBold, {at.x + pad, y}, theme.text, step.title);
    y += context.Px(26);
    y +=
        DrawWrapped(draw, fonts.label, {at.x + pad, y}, width - 2 * pad, theme.text, step.text, 1.35f) + context.Px(12);
    const std::string count = std::to_string(step_ + 1) + " of " + std::to_string(std::size(kSteps));
    DrawTextIn(draw, fonts.mono, {{at.x + pad, y}, {at.x + width, y + context.Px(26)}}, theme.dim, count);
    const float button = context.Px(72);
    ImGui::SetCursorScreenPos({at.x + width - pad - 2 * button - context.Px(8), y});
    if (Button(context, "skip", "Skip", ButtonKind::Plain, button)) End();
    Tooltip(context, "End the tour", "Esc");
    ImGui::SameLine(0, context.Px(8));
    const bool last = step_ + 1 == std::size(kSteps);
    if (Button(context, "next", last ? "Done" : "Next", ButtonKind::Primary, button)) Next();
    Tooltip(context, last ? "End the tour" : "The next note", "Enter");
    ImGui::End();
}

}  // namespace residue::gui
