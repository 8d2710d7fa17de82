#include "gui/views/welcome.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "analysis/format.hpp"
#include "gui/views/file_dialog.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

namespace fs = std::filesystem;

// A list of files as rows that open; returns the y below it.
float FileList(ViewContext& context, ImVec2 at, float width, std::string_view title,
               const std::vector<std::string>& files, std::size_t limit, bool folders) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float row = context.Px(26);
    DrawText(draw, fonts.labelSmall, at, theme.dim, title);
    float y = at.y + context.Px(22);
    for (std::size_t i = 0; i < std::min(files.size(), limit); ++i) {
        const fs::path path(files[i]);
        ImGui::SetCursorScreenPos({at.x, y});
        ImGui::PushID(files[i].c_str());
        if (ListRow(context, "file", width, row, false)) context.commands->OpenPath(files[i]);
        Tooltip(context, files[i]);
        ImGui::PopID();
        const float pad = context.Px(8);
        const std::string name = path.filename().string();
        const float used =
            DrawTextIn(draw, fonts.mono, {{at.x + pad, y}, {at.x + width - pad, y + row}}, theme.text, name);
        if (folders)
            DrawTextIn(draw, fonts.labelSmall, {{at.x + pad + used + context.Px(12), y}, {at.x + width - pad, y + row}},
                       theme.dim, path.parent_path().filename().string(), Align::Right);
        y += row;
    }
    return y;
}

}  // namespace

namespace {

constexpr float kLessonRow = 46;  // unscaled

ImU32 LevelColour(const Theme& theme, const std::string& level) {
    if (level == "first steps") return theme.good;
    return level == "advanced" ? theme.warn : theme.accent;
}

// A lesson: its title, its level, what one learns.
void LessonRow(ViewContext& context, const session::Lesson& lesson, Rect row, std::size_t number) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float pad = context.Px(10), middle = row.min.y + context.Px(25);
    const float left = row.min.x + pad + context.Px(28);
    DrawTextIn(draw, fonts.mono, {{row.min.x, row.min.y + context.Px(5)}, {left - context.Px(8), middle}}, theme.dim,
               std::to_string(number), Align::Right);
    float right = row.max.x - pad;
    if (!lesson.level.empty()) {
        const float wide = TextWidth(fonts.labelSmall, lesson.level);
        DrawTextIn(draw, fonts.labelSmall, {{right - wide, row.min.y + context.Px(5)}, {right + 1, middle}},
                   LevelColour(theme, lesson.level), lesson.level);
        right -= wide + pad;
    }
    DrawTextIn(draw, fonts.labelBold, {{left, row.min.y + context.Px(5)}, {right, middle}}, theme.text, lesson.title);
    DrawTextIn(draw, fonts.labelSmall, {{left, middle - context.Px(2)}, {row.max.x - pad, row.max.y - context.Px(3)}},
               theme.dim, lesson.learns);
}

void LessonList(ViewContext& context, ImVec2 at, ImVec2 size, WelcomeFiles& files) {
    DrawText(ImGui::GetWindowDrawList(), context.fonts->labelSmall, at, context.theme->dim, "Lessons");
    ImGui::SetCursorScreenPos({at.x, at.y + context.Px(22)});
    ImGui::BeginChild("lessons", {size.x, size.y - context.Px(22)}, false, ImGuiWindowFlags_NoNav);
    const float height = context.Px(kLessonRow), width = ImGui::GetContentRegionAvail().x - context.Px(4);
    for (std::size_t i = 0; i < files.lessons.size(); ++i) {
        const session::Lesson& lesson = files.lessons[i];
        const ImVec2 row = ImGui::GetCursorScreenPos();
        ImGui::PushID(static_cast<int>(i));
        const bool chosen = files.keyboard && files.chosen == i;
        bool hovered = false;
        if (ListRow(context, "lesson", width, height, chosen, &hovered)) context.commands->OpenPath(lesson.path);
        ImGui::PopID();
        if (hovered) TooltipNow(context, lesson.learns, "Enter");
        if (chosen && (row.y < ImGui::GetWindowPos().y ||
                       row.y + height > ImGui::GetWindowPos().y + ImGui::GetWindowHeight())) {
            ImGui::SetScrollFromPosY(row.y - ImGui::GetWindowPos().y, 0.5f);
        }
        LessonRow(context, lesson, {row, {row.x + width, row.y + height}}, i + 1);
    }
    ImGui::EndChild();
}

}  // namespace

bool HandleWelcomeKey(ViewContext& context, const KeyPress& press, WelcomeFiles& files) {
    if (files.lessons.empty() || press.ctrl || press.alt) return false;
    if (press.key == Key::Up || press.key == Key::Down) {
        if (files.keyboard) {
            const std::size_t last = files.lessons.size() - 1;
            files.chosen =
                press.key == Key::Down ? std::min(files.chosen + 1, last) : files.chosen - (files.chosen > 0);
        }
        files.keyboard = true;
        return true;
    }
    if (!press.Is(Key::Enter)) return false;
    context.commands->OpenPath(files.lessons[std::min(files.chosen, files.lessons.size() - 1)].path);
    return true;
}

void DrawWelcome(ViewContext& context, ImVec2 size, WelcomeFiles& files) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float width = std::min(size.x - context.Px(48), context.Px(940));
    const float x = std::floor(origin.x + (size.x - width) / 2);
    float y = std::floor(origin.y + std::max(context.Px(24), std::min(size.y * 0.08f, context.Px(72))));
    y += DrawWrapped(draw, fonts.large, {x, y}, width, theme.text,
                     "See what a memory allocator does, while it does it and ever after.");
    y += context.Px(8);
    y += DrawWrapped(
        draw, fonts.label, {x, y}, width, theme.dim,
        "Begin with a lesson, open a trace or a recording (or drop one here), or try an allocator with your "
        "own hands.");
    y += context.Px(14);
    ImGui::SetCursorScreenPos({x, y});
    const std::string open = std::string(kIconFolderOpen.Text(fonts)) + "  Open a file";
    const std::string sandbox = std::string(kIconFlask.Text(fonts)) + "  Sandbox";
    if (Button(context, "open", open, files.lessons.empty() ? ButtonKind::Primary : ButtonKind::Plain)) {
        context.commands->OpenDialog();
    }
    Tooltip(context, "Open a scenario, a trace or a recording", "Ctrl+O");
    ImGui::SameLine(0, context.Px(8));
    if (Button(context, "sandbox", sandbox)) context.commands->OpenSandbox();
    Tooltip(context, "A live allocator under your hands", "M");
    y += context.Px(46);
    const float gap = context.Px(32), bottom = origin.y + size.y - context.Px(20);
    const bool lists = !files.recent.empty() || !files.samples.empty();
    const bool both = lists && !files.lessons.empty() && width > context.Px(560);
    const float side = files.lessons.empty() ? width : context.Px(230);
    const auto room = [&](float from) {
        return static_cast<std::size_t>(std::max(0.0f, (bottom - from - context.Px(22)) / context.Px(26)));
    };
    if (!files.lessons.empty()) {
        LessonList(context, {x, y}, {both ? width - side - gap : width, std::max(context.Px(60), bottom - y)}, files);
        if (!both) return;
    }
    const float column = both ? x + width - side : x;
    float listY = y;
    if (!files.samples.empty()) {
        listY = FileList(context, {column, y}, side, "Shipped traces", files.samples,
                         std::min<std::size_t>(8, room(y)), false) + context.Px(16);
    }
    if (!files.recent.empty()) {
        FileList(context, {column, listY}, side, "Opened lately", files.recent,
                 std::min<std::size_t>(8, room(listY)), true);
    }
}

void DrawLoading(ViewContext& context, ImVec2 size) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const session::LoadStatus status = context.session->Status();
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float width = std::min(size.x - context.Px(48), context.Px(380));
    const float x = std::floor(origin.x + (size.x - width) / 2);
    float y = std::floor(origin.y + size.y * 0.42f);
    const std::string doing =
        (status.doing.empty() ? std::string("loading") : status.doing) + " " + context.session->Title();
    DrawTextIn(draw, fonts.label, {{x, y}, {x + width, y + context.Px(24)}}, theme.text, doing);
    const bool known = status.progress >= 0;
    std::string figure = known ? std::to_string(static_cast<int>(status.progress * 100)) + " %" : std::string();
    if (context.session->End().value > 0) {
        figure = analysis::FormatCount(context.session->End().value) + " calls" + (known ? ", " + figure : "");
    }
    y += context.Px(26);
    const float bar = context.Px(6);
    draw->AddRectFilled({x, y}, {x + width, y + bar}, theme.raised, bar / 2);
    if (known) {
        draw->AddRectFilled({x, y},
                            {x + std::max(bar, width * static_cast<float>(std::min(status.progress, 1.0))), y + bar},
                            theme.accent, bar / 2);
    } else {  // how far is not known: a piece that wanders
        const auto t = static_cast<float>(0.5 - 0.5 * std::cos(context.time * 2.5));
        draw->AddRectFilled({x + (width * 0.75f) * t, y}, {x + (width * 0.75f) * t + width * 0.25f, y + bar},
                            theme.accent, bar / 2);
    }
    y += context.Px(14);
    DrawTextIn(draw, fonts.mono, {{x, y}, {x + width - context.Px(90), y + context.Px(26)}}, theme.dim, figure);
    ImGui::SetCursorScreenPos({x + width - context.Px(84), y});
    if (Button(context, "cancel", "Cancel", ButtonKind::Plain, context.Px(84))) context.session->Cancel();
    Tooltip(context, "Stop loading", "Esc");
}

void DrawFailed(ViewContext& context, ImVec2 size) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const session::LoadStatus status = context.session->Status();
    const bool cancelled = status.phase == session::Phase::Cancelled;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float width = std::min(size.x - context.Px(48), context.Px(560));
    const float x = std::floor(origin.x + (size.x - width) / 2);
    float y = std::floor(origin.y + size.y * 0.24f);
    const float pad = context.Px(16);
    // Measured first, for the frame behind it.
    const auto body = [&](bool paint) {
        float at = y + pad;
        const float inner = width - 2 * pad;
        ImDrawList* list = paint ? draw : nullptr;
        if (paint) {
            const std::string title = std::string((cancelled ? kIconStop : kIconError).Text(fonts)) +
                                      (cancelled ? "  Loading was stopped" : "  ") +
                                      (cancelled ? "" : context.session->Title() + " could not be shown");
            DrawTextIn(draw, fonts.labelBold, {{x + pad, at}, {x + width - pad, at + context.Px(20)}},
                       cancelled ? theme.warn : theme.error, title);
        }
        at += context.Px(30);
        if (status.failure) {
            at += DrawWrapped(list, fonts.label, {x + pad, at}, inner, theme.text, status.failure->what, 1.3f);
            if (!status.failure->where.empty()) {
                at += DrawWrapped(list, fonts.mono, {x + pad, at}, inner, theme.dim, status.failure->where, 1.3f);
            }
            if (!status.failure->expected.empty()) {
                at += context.Px(6);
                at += DrawWrapped(list, fonts.label, {x + pad, at}, inner, theme.dim,
                                  "expected: " + status.failure->expected, 1.3f);
            }
        }
        if (const auto figures = context.session->Figures()) {
            at += context.Px(10);
            const std::string text = "What the trace itself says: " + analysis::FormatCount(figures->operations) +
                                     " operations, peak live " + analysis::FormatBytes(figures->peakLiveBytes) +
                                     " at event " + analysis::FormatCount(figures->peakPosition) + ", " +
                                     analysis::FormatBytes(figures->liveBytes) + " unfreed at the end.";
            at += DrawWrapped(list, fonts.label, {x + pad, at}, inner, theme.text, text, 1.3f);
        }
        at += context.Px(14);
        return at;
    };
    const float buttons = body(false);
    const float bottom = buttons + context.Px(26) + pad;
    draw->AddRectFilled({x, y}, {x + width, bottom}, cancelled ? theme.raised : theme.errorBack, context.Px(kRadius));
    draw->AddRect({x, y}, {x + width, bottom}, cancelled ? theme.line : theme.error, context.Px(kRadius));
    body(true);
    ImGui::SetCursorScreenPos({x + pad, buttons});
    if (Button(context, "another", "Open another file", ButtonKind::Primary)) context.commands->OpenDialog();
    Tooltip(context, "Choose another file", "Ctrl+O");
    if (!context.session->Path().empty()) {
        ImGui::SameLine(0, context.Px(8));
        if (Button(context, "again", "Try again")) context.commands->OpenPath(context.session->Path());
        Tooltip(context, "Read the same file once more");
    }
}

std::vector<session::Lesson> ShippedLessons() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
    const fs::path places[] = {program / ".." / "share" / "residue" / "scenarios", program / "scenarios",
                               fs::path(RESIDUE_SHIPPED_TRACES).parent_path()};
    for (const fs::path& place : places) {
        if (std::vector<session::Lesson> lessons = session::FindLessons(place.string()); !lessons.empty())
            return lessons;
    }
    return {};
}

std::vector<std::string> ShippedTraces() {
    std::vector<std::string> files;
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
    const fs::path places[] = {program / ".." / "share" / "residue" / "traces", program / "traces",
                               fs::path(RESIDUE_SHIPPED_TRACES)};
    for (const fs::path& place : places) {
        for (fs::directory_iterator at(place, error); !error && at != fs::directory_iterator(); at.increment(error)) {
            if (LooksReadable(at->path().filename().string())) files.push_back(at->path().lexically_normal().string());
        }
        error.clear();
        if (!files.empty()) break;
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace residue::gui
