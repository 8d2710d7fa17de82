#include "gui/views/file_dialog.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "analysis/format.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxEntries = 20'000;

std::string Lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

}  // namespace

bool LooksReadable(const std::string& name) {
    std::string lower = Lower(name);
    for (const std::string_view packed : {".gz", ".zst"}) {
        if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
    }
    for (const std::string_view known : {".rep", ".script", ".residue", ".jsonl", ".mtrace", ".ltrace", ".raw"}) {
        if (lower.ends_with(known)) return true;
    }
    // heaptrack.git.1234.zst, trace-malloc.git.log
    for (const std::string_view maker : {"heaptrack.", "mtrace.", "ltrace.", "logalloc", "trace-malloc"}) {
        if (lower.starts_with(maker)) return true;
    }
    return lower.find("trace") != std::string::npos && lower.find('.') == std::string::npos;  // MIT's: trace_c0_v1
}

void FileDialog::Open(const std::string& folder, const std::vector<std::string>& recent, const char* title) {
    title_ = title;
    open_ = true;
    recent_ = recent;
    std::error_code error;
    std::string start = folder;
    if (start.empty() || !fs::is_directory(start, error)) start = fs::current_path(error).string();
    if (start.empty()) start = "/";
    Enter(start);
}

void FileDialog::Enter(const std::string& folder) {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(folder, error);
    folder_ = error || whole.empty() ? folder : whole.string();
    filter_.clear();
    problem_.clear();
    entries_.clear();
    cursor_ = 0;
    focus_ = scroll_ = true;
    fs::directory_iterator at(folder_, fs::directory_options::skip_permission_denied, error);
    if (error) problem_ = "This folder cannot be read: " + error.message();
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
        if (entries_.size() >= kMaxEntries) {
            problem_ = "Only the first " + analysis::FormatCount(kMaxEntries) + " names are listed.";
            break;
        }
        Entry entry;
        entry.name = at->path().filename().string();
        if (entry.name.starts_with('.')) continue;
        std::error_code ignored;
        entry.folder = at->is_directory(ignored);
        if (!entry.folder) {
            entry.known = LooksReadable(entry.name);
            const auto bytes = at->file_size(ignored);
            entry.bytes = ignored ? 0 : bytes;
        }
        entries_.push_back(std::move(entry));
    }
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        if (a.folder != b.folder) return a.folder;
        return a.name < b.name;
    });
    Filter();
}

void FileDialog::Filter() {
    shown_.clear();
    const std::string wanted = Lower(filter_);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        if (!entry.folder && !entry.known && !all_) continue;
        if (!wanted.empty() && Lower(entry.name).find(wanted) == std::string::npos) continue;
        shown_.push_back(i);
    }
    filtered_ = filter_;
    filteredAll_ = all_;
    // A file is what one is looking for; folders come before it in the list.
    if (cursor_ >= shown_.size()) cursor_ = shown_.empty() ? 0 : shown_.size() - 1;
    scroll_ = true;
}

void FileDialog::Choose() {
    std::error_code error;
    if (filter_.find('/') != std::string::npos || filter_ == "~") {
        std::string typed = filter_;
        if (typed.starts_with("~")) {
            if (const char* home = std::getenv("HOME")) typed = home + typed.substr(1);
        }
        const fs::path path = fs::path(typed).is_absolute() ? fs::path(typed) : fs::path(folder_) / typed;
        if (fs::is_directory(path, error))
            Enter(path.string());
        else
            chosen_ = path.string();
        return;
    }
    if (cursor_ >= shown_.size()) return;
    const Entry& entry = entries_[shown_[cursor_]];
    const std::string path = (fs::path(folder_) / entry.name).string();
    if (entry.folder)
        Enter(path);
    else
        chosen_ = path;
}

bool FileDialog::HandleKey(ViewContext&, const KeyPress& press) {
    if (!open_) return false;
    const std::size_t last = shown_.empty() ? 0 : shown_.size() - 1;
    switch (press.key) {
        case Key::Escape: Close(); break;
        case Key::Up:
            cursor_ = cursor_ > 0 ? cursor_ - 1 : 0;
            scroll_ = true;
            break;
        case Key::Down:
            cursor_ = std::min(cursor_ + 1, last);
            scroll_ = true;
            break;
        case Key::PageUp:
            cursor_ = cursor_ > 12 ? cursor_ - 12 : 0;
            scroll_ = true;
            break;
        case Key::PageDown:
            cursor_ = std::min(cursor_ + 12, last);
            scroll_ = true;
            break;
        case Key::Enter: Choose(); break;
        case Key::Backspace:
            if (filter_.empty()) Enter(fs::path(folder_).parent_path().string());
            break;
        default: break;
    }
    return true;  // nothing reaches the window behind it
}

std::string FileDialog::Draw(ViewContext& context, ImVec2 screen) {
    if (!open_) return {};
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    const ImVec2 size{std::min(screen.x - context.Px(40), context.Px(760)),
                      std::min(screen.y - context.Px(40), context.Px(560))};
    const ImVec2 at{std::floor((screen.x - size.x) / 2), std::floor((screen.y - size.y) / 2)};
    const float pad = context.Px(16), row = context.Px(26);
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(screen);
    ImGui::Begin("##open", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoNav);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->AddRectFilled({0, 0}, screen, IM_COL32(0, 0, 0, 140));
    draw->AddRectFilled(at, {at.x + size.x, at.y + size.y}, theme.panel, context.Px(kRadius));
    draw->AddRect(at, {at.x + size.x, at.y + size.y}, theme.line, context.Px(kRadius));

    const float right = at.x + size.x - pad;
    float y = at.y + pad;
    DrawText(draw, fonts.large, {at.x + pad, y}, theme.text, title_);
    ImGui::SetCursorScreenPos({right - context.Px(64), y - context.Px(3)});
    if (Button(context, "cancel", "Close", ButtonKind::Plain, context.Px(64))) Close();
    Tooltip(context, "Close without opening anything", "Esc");
    y += context.Px(34);
    ImGui::SetCursorScreenPos({at.x + pad, y});
    if (IconButton(context, "up", kIconUp)) Enter(fs::path(folder_).parent_path().string());
    Tooltip(context, "The folder above", "Backspace");
    // The end of a path says more than its beginning.
    std::string shownFolder = folder_;
    const float folderRoom = right - at.x - pad - context.Px(40);
    while (TextWidth(fonts.mono, shownFolder) > folderRoom && shownFolder.size() > 4) {
        const std::size_t slash = shownFolder.find('/', shownFolder.starts_with("…/") ? 5 : 1);
        if (slash == std::string::npos) break;
        shownFolder = "…" + shownFolder.substr(slash);
    }
    DrawTextIn(draw, fonts.mono, {{at.x + pad + context.Px(40), y}, {right, y + row}}, theme.dim, shownFolder);
    y += context.Px(34);
    ImGui::SetCursorScreenPos({at.x + pad, y});
    if (focus_) {
        ImGui::SetKeyboardFocusHere();
        focus_ = false;
    }
    const float allWidth = context.Px(96);
    TextField(context, "##filter", filter_, "type to filter, or a path",
              right - at.x - pad - allWidth - context.Px(12));
    ImGui::SetCursorScreenPos({right - allWidth, y});
    Checkbox(context, "all", "all files", all_);
    Tooltip(context,
            "Also files whose name is none that traces and recordings mostly have:\nformats are told by content.");
    if (filter_ != filtered_ || all_ != filteredAll_) Filter();
    y += context.Px(34);

    const float bottom = at.y + size.y - pad - context.Px(22);
    ImGui::SetCursorScreenPos({at.x + 1, y});
    ImGui::BeginChild("list", {size.x - 2, bottom - y}, false, ImGuiWindowFlags_NoNav);
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    const float width = ImGui::GetContentRegionAvail().x;
    if (shown_.empty()) {
        EmptyState(
            context, {width, bottom - y}, kIconFolderOpen, problem_.empty() ? "Nothing to show here" : problem_,
            "Residue reads traces (.rep, .script) and recordings (.residue, .jsonl, of heaptrack, mtrace, ltrace, "
            "valgrind, ...). Switch on \"all files\" to see those with other names.");
    }
    if (scroll_ && !shown_.empty()) {
        const float top = static_cast<float>(cursor_) * row;
        if (top < ImGui::GetScrollY()) ImGui::SetScrollY(top);
        if (top + row > ImGui::GetScrollY() + (bottom - y)) ImGui::SetScrollY(top + row - (bottom - y));
    }
    scroll_ = false;
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(shown_.size()), row);
    bool choose = false;
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const auto index = static_cast<std::size_t>(i);
            const Entry& entry = entries_[shown_[index]];
            const ImVec2 line = ImGui::GetCursorScreenPos();
            ImGui::PushID(i);
            if (ListRow(context, "entry", width, row, index == cursor_)) {
                cursor_ = index;
                choose = true;
            }
            ImGui::PopID();
            ImDrawList* list = ImGui::GetWindowDrawList();
            const float x = line.x + pad;
            const ImU32 colour = entry.folder ? theme.accent : (entry.known ? theme.text : theme.dim);
            DrawTextIn(list, fonts.label, {{x, line.y}, {x + context.Px(20), line.y + row}},
                       entry.folder ? theme.accent : theme.dim, (entry.folder ? kIconFolder : kIconFile).Text(fonts));
            DrawTextIn(list, fonts.mono,
                       {{x + context.Px(24), line.y}, {line.x + width - context.Px(120), line.y + row}}, colour,
                       entry.folder ? entry.name + "/" : entry.name);
            if (!entry.folder) {
                DrawTextIn(list, fonts.mono,
                           {{line.x + width - context.Px(116), line.y}, {line.x + width - pad, line.y + row}},
                           theme.dim, analysis::FormatBytes(entry.bytes), Align::Right);
            }
        }
    }
    ImGui::PopStyleVar();
    ImGui::EndChild();
    if (choose) Choose();
    draw->AddRectFilled({at.x, bottom}, {at.x + size.x, bottom + 1}, theme.line);
    DrawTextIn(
        draw, fonts.labelSmall, {{at.x + pad, bottom + context.Px(6)}, {right, at.y + size.y - context.Px(6)}},
        problem_.empty() || shown_.empty() ? theme.dim : theme.warn,
        problem_.empty() || shown_.empty()
            ? "Up and Down choose, Enter opens, Backspace goes up a folder. Files can also be dropped onto the window."
            : std::string_view(problem_));
    ImGui::End();
    if (!chosen_.empty()) Close();
    return std::exchange(chosen_, {});
}

}  // namespace residue::gui
