// Where the panels lie, their frames and title bars, the splitters between them.
#include <algorithm>
#include <cmath>
#include <string>

#include "gui/app.hpp"
#include "gui/views/compare_bar.hpp"
#include "gui/views/key_sheet.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

constexpr float kMargin = 8;  // unscaled, as all here
constexpr float kTransportHeight = 42;
constexpr float kLeftLeast = 240, kRightLeast = 280, kHeapLeast = 340, kHeapBesideInside = 520, kBottomLeast = 112,
                kBodyLeast = 240;
constexpr TabName kTabs[] = {
    {"Block", "The block under the mouse or selected, and why a request failed", "Ctrl+1"},
    {"Calls", "Live bytes and other measures by call trace", "Ctrl+2"},
    {"Allocators", "Every allocator with its figures", "Ctrl+3"},
    {"Leaks", "What is still live, by the call trace that made it", "Ctrl+4"},
    {"Events", "Every event of the log", "Ctrl+5"},
    {"Profile", "Totals, sizes, lifetimes and the largest call sites", "Ctrl+6"},
};
constexpr TabName kCentreTabs[] = {
    {"Heap", "Every block where it lies", "Alt+1, V"},
    {"Flame graph", "Who allocates: functions as wide as their share", "Alt+2, V"},
    {"Lives", "Every block in time and address", "Alt+3, V"},
};
constexpr TabName kSandboxTabs[] = {
    {"Sandbox", "Allocate and free by hand, or let a workload do it", "I"},
    {"Inside", "The allocator's free structure, and what each call decided", "I"},
};
constexpr TabName kSourceTabs[] = {
    {"Source", "The scenario's text, with the statement under the playhead", "I"},
    {"Inside", "The allocator's free structure, and what each call decided", "I"},
};
constexpr TabName kStoryTabs[] = {
    {"Narration", "What the scenario tells at this statement", "O"},
    {"Console", "What it has printed so far", "O"},
};
constexpr float kStoryLeast = 96, kSourceLeast = 140;

bool Empty(const Rect& rect) {
    return rect.Width() <= 0 || rect.Height() <= 0;
}

}  // namespace

// What the source brings along: the sandbox's controls, a scenario's text.
bool App::HasControls() const {
    return session_ && (session_->GetSandbox() != nullptr || GetScenario() != nullptr ||
                        session_->GetProgram() != nullptr || GetLab() != nullptr);
}

// The left column holds that and the allocator's inside; of recordings of other allocators there is none.
bool App::HasLeft() const {
    if (HasControls()) return true;
    if (!session_ || !state_.inside || session_->Status().phase != session::Phase::Ready) return false;
    return !noInsideOf_ || session_->Shown() != noInsideOf_;
}

bool App::ShowsInside() const {
    return HasLeft() && (!HasControls() || insideTab_) && session_->Status().phase == session::Phase::Ready;
}

View& App::LeftView() {
    if (session_ && session_->GetProgram() != nullptr) return *program_;  // of its allocator no inside is known
    if (GetLab() != nullptr) return LabView();
    if (ShowsInside()) return *insideView_;
    if (GetScenario() != nullptr) return source_;
    return session_ && session_->GetSandbox() != nullptr ? *sandbox_ : *insideView_;
}

void App::Arrange(ImVec2 size) {
    const float scale = fonts_.scale;
    const auto px = [&](float unscaled) { return std::floor(unscaled * scale + 0.5f); };
    const float margin = px(kMargin), gap = px(kGap);
    const Rect all{{margin, margin}, {size.x - margin, size.y - margin}};
    rects_ = {};
    if (options_.only) {
        const Rect whole{{0, 0}, size};
        if (*options_.only == PanelId::Heap) rects_.heap = whole;
        if (*options_.only == PanelId::Right) rects_.right = whole;
        if (*options_.only == PanelId::Timeline) rects_.timeline = whole;
        if (*options_.only == PanelId::Left) rects_.left = whole;
        if (*options_.only == PanelId::Story) rects_.story = whole;
        return;
    }
    rects_.transport = {all.min, {all.max.x, all.min.y + px(kTransportHeight)}};
    const Rect body{{all.min.x, rects_.transport.max.y + gap}, all.max};
    if (maximised_) {
        if (*maximised_ == PanelId::Heap) rects_.heap = body;
        if (*maximised_ == PanelId::Right) rects_.right = body;
        if (*maximised_ == PanelId::Timeline) rects_.timeline = body;
        if (*maximised_ == PanelId::Left) rects_.left = body;
        if (*maximised_ == PanelId::Story) rects_.story = body;
        return;
    }
    if (!session_ || picker_) {
        rects_.heap = body;  // the welcome
        return;
    }
    const float bottom =
        std::clamp(px(state_.bottom), px(kBottomLeast), std::max(px(kBottomLeast), body.Height() - px(kBodyLeast)));
    rects_.timeline = {{body.min.x, body.max.y - bottom}, body.max};
    const float top = body.min.y, base = rects_.timeline.min.y - gap;
    // Columns give way to the heap, the wider one first.
    float left = HasLeft() ? std::max(px(state_.left), px(kLeftLeast)) : 0;
    float right = state_.rightFolded ? 0 : std::max(px(state_.right), px(kRightLeast));
    // The controls of the sandbox and a source need their width; the inside gives way to the heap.
    const float room = body.Width() - px(HasControls() ? kHeapLeast : kHeapBesideInside) - (left > 0 ? gap : 0) -
                       (right > 0 ? gap : 0);
    if (left + right > room) {
        right = right > 0 ? std::max(px(kRightLeast), std::min(right, room - left)) : 0;
        left = left > 0 ? std::max(px(kLeftLeast), std::min(left, room - right)) : 0;
    }
    if (left > 0) rects_.left = {{body.min.x, top}, {body.min.x + left, base}};
    if (left > 0 && GetScenario() != nullptr) {
        const float most = std::max(px(kStoryLeast), base - top - gap - px(kSourceLeast));
        const float story = std::clamp(px(state_.story), px(kStoryLeast), most);
        rects_.story = {{rects_.left.min.x, base - story}, rects_.left.max};
        rects_.left.max.y = rects_.story.min.y - gap;
    }
    if (right > 0) rects_.right = {{body.max.x - right, top}, {body.max.x, base}};
    const float heapLeft = left > 0 ? rects_.left.max.x + gap : body.min.x;
    const float heapRight = right > 0 ? rects_.right.min.x - gap : body.max.x;
    ViewContext context = Context();
    const float strip = NumbersView::Height(context, heapRight - heapLeft);
    rects_.numbers = {{heapLeft, base - strip}, {heapRight, base}};
    rects_.heap = {{heapLeft, top}, {heapRight, rects_.numbers.min.y - gap}};
    if (ShowsLanes()) {  // their figures stand above each
        rects_.numbers = {};
        rects_.heap.max.y = base;
    }
}

void App::DrawWindow() {
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    Arrange(size);
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(size);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
    ImGui::Begin("##residue", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse |
                     ImGuiWindowFlags_NoNav);
    ViewContext context = Context();
    if (!Empty(rects_.transport)) {
        DrawPanelFrame(context, rects_.transport, std::nullopt);
        ImGui::SetCursorScreenPos(rects_.transport.min);
        ImGui::PushID("transport");
        transport_.Draw(context, {rects_.transport.Width(), rects_.transport.Height()});
        ImGui::PopID();
    }
    DrawPanels(context);
    DrawSplitters(context);
    ImGui::End();
    ImGui::PopStyleVar();

    if (tour_.Running() && !dialog_.IsOpen() && !keySheet_) {
        tour_.Draw(context, size, rects_);
        if (!tour_.Running()) state_.tourDone = true;
    }
    if (const std::string chosen = dialog_.Draw(context, size); !chosen.empty()) {
        if (choosingOther_)
            CompareWith(chosen);
        else
            OpenPath(chosen);
    }
    DrawKeySheet(context, size, keySheet_);
    DrawNotice(context, size);
}

void App::DrawPanels(ViewContext& context) {
    if (!Empty(rects_.left)) DrawLeftPanel(context, rects_.left);
    if (!Empty(rects_.story)) DrawStoryPanel(context, rects_.story);
    if (!Empty(rects_.heap)) DrawHeapPanel(context, rects_.heap);
    if (!Empty(rects_.numbers)) {
        DrawPanelFrame(context, rects_.numbers, std::nullopt);
        ImGui::SetCursorScreenPos(rects_.numbers.min);
        ImGui::PushID("numbers");
        numbers_.Draw(context, {rects_.numbers.Width(), rects_.numbers.Height()});
        ImGui::PopID();
    }
    if (!Empty(rects_.right)) DrawRightPanel(context, rects_.right);
    if (!Empty(rects_.timeline)) DrawTimelinePanel(context, rects_.timeline);
}

void App::DrawPanelFrame(ViewContext& context, const Rect& rect, std::optional<PanelId> id) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const bool lit = showFocus_ && id && focused_ == *id;
    draw->AddRectFilled(rect.min, rect.max, theme_->panel, context.Px(kRadius));
    draw->AddRect(rect.min, rect.max, lit ? theme_->accent : theme_->line, context.Px(kRadius), 0,
                  std::max(1.0f, context.Px(kLine)));
}

// Returns what is left below the title bar. A click gives the panel the keyboard, a double click maximises it.
Rect App::DrawTitleBar(ViewContext& context, const Rect& rect, PanelId id, View& view, std::span<const TabName> tabs,
                       int* chosenTab) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kTitleHeight), pad = context.Px(kPad);
    const float line = std::max(1.0f, context.Px(kLine));
    const Rect bar{rect.min, {rect.max.x, rect.min.y + height}};
    draw->AddRectFilled({bar.min.x + line, bar.max.y - line}, {bar.max.x - line, bar.max.y}, theme_->line);
    const float centre = std::floor((bar.min.y + bar.max.y) / 2);
    float right = bar.max.x - pad;
    const float controls = view.DrawTitleControls(context, right, centre);
    if (controls < right) right = controls - pad;
    const std::string status = view.Status(context);
    float x = bar.min.x + pad;
    if (chosenTab != nullptr)
        x = DrawTabRow(context, {bar.min, {right, bar.max.y}}, id, tabs, *chosenTab);
    else
        x += DrawTextIn(draw, fonts_.labelBold, {{x, bar.min.y}, {right, bar.max.y}}, theme_->text, view.Title());
    const float titleFrom = chosenTab != nullptr ? x : bar.min.x;
    if (!status.empty()) {
        const float room = right - x - pad;
        const float width = std::min(TextWidth(fonts_.mono, status), room);
        if (width > context.Px(30)) {
            DrawTextIn(draw, fonts_.mono, {{right - width, bar.min.y}, {right + 1, bar.max.y}}, theme_->dim, status,
                       Align::Right);
            right -= width + pad;
        }
    }
    const std::string subtitle = view.Subtitle(context);
    if (!subtitle.empty() && right - x > context.Px(60)) {
        DrawTextIn(draw, fonts_.mono, {{x + context.Px(14), bar.min.y}, {right, bar.max.y}}, theme_->dim, subtitle);
    }
    ImGui::SetCursorScreenPos({titleFrom, bar.min.y});
    ImGui::PushID(view.Title());
    if (ImGui::InvisibleButton("title", {std::max(1.0f, right - titleFrom), height})) focused_ = id;
    if (ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && !options_.only) {
        if (maximised_)
            maximised_.reset();
        else
            maximised_ = id;
    }
    Tooltip(context, maximised_ ? "Double click: put back" : "Double click: maximise", maximised_ ? "Esc" : "Z");
    ImGui::PopID();
    return {{rect.min.x, bar.max.y}, rect.max};
}

void App::DrawInside(ViewContext& context, const char* id, const Rect& rect, View& view) {
    const float inset = std::max(1.0f, context.Px(kLine));
    const Rect inside{{rect.min.x + inset, rect.min.y}, {rect.max.x - inset, rect.max.y - inset - context.Px(1)}};
    if (Empty(inside)) return;
    ImGui::SetCursorScreenPos(inside.min);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {context.Px(8), 0});
    ImGui::BeginChild(id, {inside.Width(), inside.Height()}, false,
                      ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav |
                          ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
    view.Draw(context, {inside.Width(), inside.Height()});
    ImGui::EndChild();
    ImGui::PopStyleVar(2);
}

void App::DrawHeapPanel(ViewContext& context, const Rect& rect) {
    DrawPanelFrame(context, rect, PanelId::Heap);
    context.focused = focused_ == PanelId::Heap;
    const session::LoadStatus status = session_ ? session_->Status() : session::LoadStatus{};
    if (!session_ || picker_ || status.phase != session::Phase::Ready) {
        ImGui::SetCursorScreenPos(rect.min);
        ImGui::BeginChild("welcome", {rect.Width(), rect.Height()}, false, ImGuiWindowFlags_NoNav);
        ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
        const ImVec2 size{rect.Width(), rect.Height()};
        if (!session_ || picker_)
            DrawWelcome(context, size, welcome_);
        else if (status.phase == session::Phase::Loading)
            DrawLoading(context, size);
        else
            DrawFailed(context, size);
        ImGui::PopStyleVar();
        ImGui::EndChild();
        return;
    }
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && rect.Contains(ImGui::GetIO().MousePos))
        focused_ = PanelId::Heap;
    int chosen = static_cast<int>(centreTab_);
    View& view = CentreView();
    const Rect inside = DrawTitleBar(context, rect, PanelId::Heap, view, kCentreTabs, &chosen);
    // The filter and run until, over whichever view it is.
    ImGui::SetCursorScreenPos(inside.min);
    float used = DrawCompareBar(context, inside.Width());
    ImGui::SetCursorScreenPos({inside.min.x, inside.min.y + used});
    used += filter_.Draw(context, inside.Width());
    ImGui::SetCursorScreenPos({inside.min.x, inside.min.y + used});
    used += find_.Draw(context, inside.Width());
    ImGui::SetCursorScreenPos({inside.min.x, inside.min.y + used});
    used += laneBar_.Draw(context, lanes_, inside.Width());
    if (used > 0) {
        const float y = inside.min.y + used, line = std::max(1.0f, context.Px(kLine));
        ImGui::GetWindowDrawList()->AddRectFilled({inside.min.x + line, y}, {inside.max.x - line, y + line},
                                                  theme_->line);
        used += line;
    }
    const Rect rest{{inside.min.x, inside.min.y + used}, inside.max};
    if (ShowsLanes()) DrawLanes(context, rest);
    else DrawInside(context, view.Title(), rest, view);
    centreTab_ = static_cast<CentreTab>(chosen);  // from the next frame on
}

void App::DrawLeftPanel(ViewContext& context, const Rect& rect) {
    DrawPanelFrame(context, rect, PanelId::Left);
    context.focused = focused_ == PanelId::Left;
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && rect.Contains(ImGui::GetIO().MousePos))
        focused_ = PanelId::Left;
    if (GetLab() != nullptr) return DrawLabPanel(context, rect);
    View& view = LeftView();
    if (GetScenario() == nullptr && (session_ == nullptr || session_->GetSandbox() == nullptr)) {
        DrawInside(context, view.Title(), DrawTitleBar(context, rect, PanelId::Left, view), view);
        return;
    }
    int chosen = insideTab_ ? 1 : 0;
    const Rect inside =
        DrawTabs(context, rect, PanelId::Left, GetScenario() != nullptr ? kSourceTabs : kSandboxTabs, chosen);
    insideTab_ = chosen == 1;
    const float right = rect.max.x - context.Px(kPad / 2);
    LeftView().DrawTitleControls(context, right, std::floor((rect.min.y + inside.min.y) / 2));
    DrawInside(context, LeftView().Title(), inside, LeftView());
}

void App::DrawStoryPanel(ViewContext& context, const Rect& rect) {
    DrawPanelFrame(context, rect, PanelId::Story);
    context.focused = focused_ == PanelId::Story;
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && rect.Contains(ImGui::GetIO().MousePos)) {
        focused_ = PanelId::Story;
    }
    int chosen = consoleTab_ ? 1 : 0;
    const Rect inside = DrawTabs(context, rect, PanelId::Story, kStoryTabs, chosen);
    consoleTab_ = chosen == 1;
    StoryView().DrawTitleControls(context, rect.max.x - context.Px(kPad / 2),
                                  std::floor((rect.min.y + inside.min.y) / 2));
    DrawInside(context, StoryView().Title(), inside, StoryView());
}

void App::DrawRightPanel(ViewContext& context, const Rect& rect) {
    DrawPanelFrame(context, rect, PanelId::Right);
    context.focused = focused_ == PanelId::Right;
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && rect.Contains(ImGui::GetIO().MousePos))
        focused_ = PanelId::Right;
    int chosen = static_cast<int>(tab_);
    const Rect inside = DrawTabs(context, rect, PanelId::Right, kTabs, chosen);
    tab_ = static_cast<Tab>(chosen);
    float used = 0;
    if (context.Ready() && tab_ != Tab::Block && tab_ != Tab::Allocators) {
        ImGui::SetCursorScreenPos(inside.min);
        used = filter_.DrawChip(context, inside.Width(), "right");
    }
    DrawInside(context, kTabs[static_cast<std::size_t>(tab_)].name, {{inside.min.x, inside.min.y + used}, inside.max},
               ActiveTab());
}

// A panel's title bar made of tabs. Returns what is left below it.
Rect App::DrawTabs(ViewContext& context, const Rect& rect, PanelId id, std::span<const TabName> tabs, int& chosenTab) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kTitleHeight), line = std::max(1.0f, context.Px(kLine));
    draw->AddRectFilled({rect.min.x + line, rect.min.y + height - line}, {rect.max.x - line, rect.min.y + height},
                        theme_->line);
    DrawTabRow(context, {rect.min, {rect.max.x, rect.min.y + height}}, id, tabs, chosenTab);
    return {{rect.min.x, rect.min.y + height}, rect.max};
}

// Returns where the last tab ends.
float App::DrawTabRow(ViewContext& context, const Rect& rect, PanelId id, std::span<const TabName> tabs,
                      int& chosenTab) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = rect.Height();
    // Tabs share the width when they do not fit with their usual space.
    const auto widthIn = [&](const ImFont* face) {
        float sum = 0;
        for (const TabName& tab : tabs) sum += TextWidth(face, tab.name);
        return sum;
    };
    const float tight = context.Px(8) * static_cast<float>(tabs.size()) + context.Px(8);
    const ImFont* const font = widthIn(fonts_.label) + tight <= rect.Width() ? fonts_.label : fonts_.labelSmall;
    const float text = widthIn(font);
    const float pad =
        std::min(context.Px(10), (rect.Width() - context.Px(8) - text) / (2 * static_cast<float>(tabs.size())));
    float x = rect.min.x + context.Px(4);
    ImGui::PushID("tabs");
    for (int i = 0; i < static_cast<int>(tabs.size()); ++i) {
        const TabName& tab = tabs[static_cast<std::size_t>(i)];
        const float width = TextWidth(font, tab.name) + 2 * pad;
        const bool chosen = chosenTab == i;
        ImGui::SetCursorScreenPos({x, rect.min.y});
        ImGui::PushID(i);
        if (ImGui::InvisibleButton("tab", {std::max(width, 1.0f), height})) {
            chosenTab = i;
            focused_ = id;
        }
        const bool hovered = ImGui::IsItemHovered();
        if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && !options_.only) {
            if (maximised_)
                maximised_.reset();
            else
                maximised_ = id;
        }
        Tooltip(context, tab.help, tab.key);
        ImGui::PopID();
        DrawTextIn(draw, font, {{x, rect.min.y}, {x + width, rect.min.y + height}},
                   chosen || hovered ? theme_->text : theme_->dim, tab.name, Align::Centre);
        if (chosen) {
            draw->AddRectFilled({x + pad * 0.5f, rect.min.y + height - context.Px(2)},
                                {x + width - pad * 0.5f, rect.min.y + height}, theme_->accent);
        }
        x += width;
    }
    ImGui::PopID();
    return x;
}

void App::DrawTimelinePanel(ViewContext& context, const Rect& rect) {
    DrawPanelFrame(context, rect, PanelId::Timeline);
    context.focused = focused_ == PanelId::Timeline;
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && rect.Contains(ImGui::GetIO().MousePos))
        focused_ = PanelId::Timeline;
    const Rect inside = DrawTitleBar(context, rect, PanelId::Timeline, timeline_);
    const float legend =
        rect.min.x + context.Px(kPad) + TextWidth(fonts_.labelBold, timeline_.Title()) + context.Px(22);
    const float status = TextWidth(fonts_.mono, timeline_.Status(context)) + context.Px(2 * kPad);
    if (session_) timeline_.DrawLegend(context, legend, rect.max.x - status, (rect.min.y + inside.min.y) / 2);
    const float corner = context.Px(DuckView::Corner(inside.Width() / context.scale, inside.Height() / context.scale));
    timeline_.KeepFree(corner > 0 ? corner + context.Px(20) : 0);
    DrawInside(context, "timeline", inside, timeline_);
    if (corner > 0) {
        duck_.Draw(context, {{inside.max.x - corner - context.Px(2), inside.min.y},
                             {inside.max.x - context.Px(2), inside.max.y}});
    }
}

void App::DrawSplitters(ViewContext& context) {
    if (maximised_ || options_.only) return;
    const float scale = fonts_.scale, gap = context.Px(kGap);
    const auto splitter = [&](const char* id, Rect rect, bool vertical, float& value, float sign, float standard) {
        ImGui::SetCursorScreenPos(rect.min);
        ImGui::InvisibleButton(id, {std::max(1.0f, rect.Width()), std::max(1.0f, rect.Height())});
        const bool lit = ImGui::IsItemHovered() || ImGui::IsItemActive();
        if (ImGui::IsItemActive()) {
            const ImVec2 moved = ImGui::GetIO().MouseDelta;
            value += sign * (vertical ? moved.x : moved.y) / scale;
        }
        if (ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) value = standard;
        if (!lit) return;
        ImGui::SetMouseCursor(vertical ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
        const ImVec2 middle{std::floor((rect.min.x + rect.max.x) / 2), std::floor((rect.min.y + rect.max.y) / 2)};
        const float half = context.Px(20), thin = std::max(1.0f, context.Px(1));
        const Rect grip = vertical ? Rect{{middle.x - thin, middle.y - half}, {middle.x + thin, middle.y + half}}
                                   : Rect{{middle.x - half, middle.y - thin}, {middle.x + half, middle.y + thin}};
        ImGui::GetWindowDrawList()->AddRectFilled(grip.min, grip.max, theme_->accent, thin);
    };
    const SavedState standard;
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    if (!Empty(rects_.left)) {
        float left = rects_.left.Width() / scale;  // what it really is, so that dragging starts from there
        const float before = left;
        splitter("left", {{rects_.left.max.x, rects_.left.min.y}, {rects_.left.max.x + gap, rects_.left.max.y}}, true,
                 left, 1, standard.left);
        if (left != before) state_.left = std::clamp(left, kLeftLeast, size.x / scale);
    }
    if (!Empty(rects_.story)) {
        float story = rects_.story.Height() / scale;
        const float before = story;
        splitter("story",
                 {{rects_.story.min.x, rects_.story.min.y - gap}, {rects_.story.max.x, rects_.story.min.y}}, false,
                 story, -1, standard.story);
        if (story != before) state_.story = std::clamp(story, kStoryLeast, size.y / scale);
    }
    if (!Empty(rects_.right)) {
        float right = rects_.right.Width() / scale;
        const float before = right;
        splitter("right", {{rects_.right.min.x - gap, rects_.right.min.y}, {rects_.right.min.x, rects_.right.max.y}},
                 true, right, -1, standard.right);
        if (right != before) state_.right = std::clamp(right, kRightLeast, size.x / scale);
    }
    if (!Empty(rects_.timeline)) {
        float bottom = rects_.timeline.Height() / scale;
        const float before = bottom;
        splitter("bottom",
                 {{rects_.timeline.min.x, rects_.timeline.min.y - gap}, {rects_.timeline.max.x, rects_.timeline.min.y}},
                 false, bottom, -1, standard.bottom);
        if (bottom != before) state_.bottom = std::clamp(bottom, kBottomLeast, size.y / scale);
    }
}

void App::DrawNotice(ViewContext& context, ImVec2 screen) {
    if (noticeSince_ < 0) return;
    ImDrawList* draw = ImGui::GetForegroundDrawList();
    const float pad = context.Px(12), height = context.Px(30);
    const float width = std::min(TextWidth(fonts_.label, notice_), screen.x - context.Px(80)) + 2 * pad;
    const float x = std::floor((screen.x - width) / 2);
    const float bottom =
        rects_.timeline.Height() > 0 && rects_.timeline.min.y > height ? rects_.timeline.min.y : screen.y;
    const Rect box{{x, bottom - height - context.Px(16)}, {x + width, bottom - context.Px(16)}};
    draw->AddRectFilled(box.min, box.max, theme_->raised, context.Px(kRadius));
    draw->AddRect(box.min, box.max, theme_->accent, context.Px(kRadius));
    DrawTextIn(draw, fonts_.label, {{box.min.x + pad, box.min.y}, {box.max.x - pad + 1, box.max.y}}, theme_->text,
               notice_);
}

}  // namespace residue::gui
