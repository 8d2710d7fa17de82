#include "gui/views/program.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/list.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/background.hpp"
#include "session/program.hpp"

namespace residue::gui {

namespace {

constexpr std::size_t kMostSource = 4 << 20;  // bytes of a source file
constexpr int kLinesAround = 400;
constexpr std::size_t kMostRows = 6;  // of processes; the others are scrolled to

constexpr Column kProcessColumns[] = {
    {"process", 46, Align::Right, "Its number", 2, false, true},
    {"program", 60, Align::Left, "A click shows it", 0, true, false},
    {"calls", 62, Align::Right, "Requests to malloc and its kin so far", 1, false, true},
    {"live", 74, Align::Right, "Bytes that are live at its end, or now", 0, false, true},
};

// How it stands, as a colour.
ImU32 ColourOf(const session::LiveProgram::State& state, const Theme& theme) {
    if (state.running) return theme.good;
    const bool fine = state.ended == "exit code 0" || state.ended == "ended";
    return fine ? theme.dim : theme.error;
}

// A source file's lines, read on a thread of its own.
struct SourceText {
    std::vector<std::string> lines;  // empty: it is not there, or no text
    std::size_t chosen = 0;          // of the files that were asked for: the first that is there
};

std::shared_ptr<SourceText> ReadSource(const std::string& path) {
    auto text = std::make_shared<SourceText>();
    std::ifstream file(path, std::ios::binary);
    std::string line;
    std::size_t bytes = 0;
    while (file && std::getline(file, line) && (bytes += line.size() + 1) <= kMostSource) {
        std::string shown;
        for (const char c : line) {
            if (c == '\t') shown.append(4 - shown.size() % 4, ' ');
            else if (c != '\r') shown.push_back(c);
        }
        text->lines.push_back(std::move(shown));
    }
    return text;
}

// The first of them that can be read.
std::shared_ptr<const SourceText> ReadFirst(const std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        auto text = ReadSource(paths[i]);
        text->chosen = i;
        if (!text->lines.empty()) return text;
    }
    return std::make_shared<const SourceText>();
}

class ProgramView final : public View {
public:
    const char* Title() const override { return "Program"; }
    std::string Status(ViewContext& context) override;
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawProcesses(ViewContext& context, float width);
    void DrawState(ViewContext& context, session::LiveProgram& program, float width);
    void DrawFlow(ViewContext& context, const session::LiveProgram::State& state, float width);
    void DrawSource(ViewContext& context, ImVec2 size);
    void FindFrames(ViewContext& context);

    session::Background<std::vector<std::string>, SourceText> source_{
        [](const std::vector<std::string>& paths, const std::atomic<bool>&, std::atomic<double>&) {
            return ReadFirst(paths);
        }};
    TraceId trace_{};
    // Of the call shown, innermost first: those with source lines, the language's own left out.
    std::vector<log::Frame> frames_;
    std::vector<std::string> files_;
    std::string shownAt_;  // file:line that was scrolled to
    std::size_t inView_ = ~std::size_t{0};  // the process whose row was scrolled to
};

std::string ProgramView::Status(ViewContext& context) {
    const session::LiveProgram* const program = context.session != nullptr ? context.session->GetProgram() : nullptr;
    if (program == nullptr) return {};
    const auto state = program->ProgramState();
    return state.running ? (state.recording ? "runs" : "runs, not recorded") : "ended";
}

// The program and those that it has started, where there are some.
void ProgramView::DrawProcesses(ViewContext& context, float width) {
    const session::Processes& processes = *context.processes;
    const std::size_t count = processes.Count();
    if (count < 2) return;
    const Theme& theme = *context.theme;
    SectionTitle(context, "Processes", analysis::FormatCount(count));
    const float height = context.Px(kRowHeight);
    const std::size_t rows = std::min(count, kMostRows);
    const Columns header(context, kProcessColumns, ImGui::GetCursorScreenPos().x, width);
    header.DrawHeader(context);
    const ScrollArea area("##processes", {width, static_cast<float>(rows) * height});
    if (inView_ != processes.Shown()) {
        inView_ = processes.Shown();
        ImGui::SetScrollY((static_cast<float>(inView_) - static_cast<float>(rows) / 2) * height);
    }
    const Columns columns(context, kProcessColumns, ImGui::GetCursorScreenPos().x, area.Width());
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(count), height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const auto index = static_cast<std::size_t>(i);
            const session::Processes::Process process = processes.At(index, *context.session);
            const ImVec2 at = ImGui::GetCursorScreenPos();
            ImGui::PushID(i);
            if (ListRow(context, "##row", area.Width(), height, index == processes.Shown())) {
                context.commands->ShowProcess(index);
            }
            Tooltip(context, process.name + ": " + (process.state.running ? "running" : process.state.ended),
                    "Ctrl+PgDn");
            ImGui::PopID();
            columns.Text(context, 0, at.y, height, theme.dim, std::to_string(process.state.process));
            columns.Text(context, 1, at.y, height, ColourOf(process.state, theme), process.name);
            columns.Text(context, 2, at.y, height, theme.text, analysis::FormatCount(process.calls));
            columns.Text(context, 3, at.y, height, theme.text, analysis::FormatBytes(process.liveBytes));
        }
    }
}

void ProgramView::DrawState(ViewContext& context, session::LiveProgram& program, float width) {
    const session::LiveProgram::State state = program.ProgramState();
    const Theme& theme = *context.theme;
    SectionTitle(context, "Process", std::to_string(state.process));
    const std::string how = state.running ? "running" : state.ended;
    const ImU32 colour = ColourOf(state, theme);
    KeyValue(context, "state", how, "Of the program, which is a process of its own", colour == theme.dim ? 0 : colour);
    if (state.unfollowed != 0) {
        KeyValue(context, "not followed", analysis::FormatCount(state.unfollowed),
                 "Processes that it started and that could not be watched", theme.warn);
    }
    if (state.others) {
        KeyValue(context, "others", "not watched", "It started processes that allocate: --follow watches them too");
    }
    if (state.midLife) {
        KeyValue(context, "recorded", "from mid-life on",
                 "It ran before: what it had allocated by then is not known, and sums leave it out");
    }
    KeyValue(context, "threads", analysis::FormatCount(state.threads), "That allocated or freed something so far");
    if (!state.seen && state.running) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + width - context.Px(kPad));
        ImGui::SetCursorScreenPos({at.x + context.Px(kPad), at.y + context.Px(4)});
        ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(theme.dim), "It has not allocated anything yet.");
        ImGui::PopTextWrapPos();
    }
    const float pad = context.Px(kPad), gap = context.Px(8), button = std::floor((width - 2 * pad - gap) / 2);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::SetCursorScreenPos({at.x + pad, at.y + context.Px(6)});
    if (Button(context, "##detach", "Stop recording", ButtonKind::Plain, button, state.recording)) {
        program.StopRecording();
    }
    Tooltip(context, "The program goes on alone; what was recorded stays");
    ImGui::SetCursorScreenPos({at.x + pad + button + gap, at.y + context.Px(6)});
    if (Button(context, "##end", "End program", ButtonKind::Danger, button, state.running)) program.EndProgram();
    Tooltip(context, "Asks it to end (SIGTERM)");
    ImGui::SetCursorScreenPos({at.x, at.y + context.Px(6 + 24 + 8)});
}

void ProgramView::DrawFlow(ViewContext& context, const session::LiveProgram::State& state, float width) {
    const Theme& theme = *context.theme;
    const auto rate = static_cast<std::uint64_t>(std::max(0.0, state.eventsPerSecond));
    SectionTitle(context, "Flow", analysis::FormatCount(rate) + " events/s");
    DrawFill(context, "lane fill", state.laneFill, width,
             "Of the fullest ring buffer between a thread of it and the recorder");
    KeyValue(context, "received", analysis::FormatCount(state.received), "Events taken from the program");
    KeyValue(context, "waiting", analysis::FormatCount(state.waiting), "Of these not in the log yet");
    KeyValue(context, "lost", analysis::FormatCount(state.lost),
             "Events for which there was no room, each loss a gap event in the log. With --wait the program would wait",
             state.lost != 0 ? theme.warn : 0);
    if (state.spilled != 0) {
        KeyValue(
            context, "on disk", analysis::FormatBytes(state.spilled),
            "Of the log: it takes no more memory, and what was seen longest ago is read from a file when asked for");
    }
    char waited[32];
    std::snprintf(waited, sizeof waited, "%.1f ms", state.waitedSeconds * 1e3);
    KeyValue(context, "program waited", waited,
             "In all, for the recorder: at most 50 ms, then events are lost instead. With --wait as long as it takes");
    ImGui::Dummy({width, context.Px(8)});
}

void ProgramView::FindFrames(ViewContext& context) {
    session::Session& session = *context.session;
    TraceId trace{};
    if (const auto block = context.selection->block; block && block->value <= session.View().Blocks()) {
        trace = session.View().Birth(*block).event.trace;
    }
    if (!trace) {
        if (const auto row = session.PresentRow()) trace = session.View().At(*row).event.trace;
    }
    if (!trace || trace == trace_) return;  // a free has none: the last one stays
    trace_ = trace;
    frames_.clear();
    files_.clear();
    for (const log::Frame& frame : session.View().Frames(trace)) {
        if (frame.file.empty() || frame.line == 0 || frame.file.starts_with("/usr/include/")) continue;
        frames_.push_back(frame);
        files_.push_back(frame.file);
    }
}

void ProgramView::DrawSource(ViewContext& context, ImVec2 size) {
    const Theme& theme = *context.theme;
    FindFrames(context);
    const auto reply = source_.Ask(files_);
    if (!reply.value || !reply.fresh) return SectionTitle(context, "Source");
    const log::Frame* const frame = reply.value->lines.empty() ? nullptr : &frames_[reply.value->chosen];
    if (frame == nullptr) {
        SectionTitle(context, "Source");
        const ImVec2 at = ImGui::GetCursorScreenPos();
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->label,
                   {{at.x + context.Px(kPad), at.y + context.Px(6)}, {at.x + size.x, at.y + context.Px(26)}}, theme.dim,
                   files_.empty() ? "The call shown has no source lines." : "Its source is not on this machine.");
        ImGui::Dummy({size.x, context.Px(30)});
        return;
    }
    const std::string where = frame->file.substr(frame->file.rfind('/') + 1) + ":" + std::to_string(frame->line);
    SectionTitle(context, "Source", where);
    const std::vector<std::string>& lines = reply.value->lines;
    const float line = std::floor(context.fonts->mono->FontSize * 1.35f), left = size.x;
    const float height = std::max(context.Px(80), size.y);
    const int shown = static_cast<int>(frame->line);
    const int first = std::max(1, shown - kLinesAround),
              last = std::min(static_cast<int>(lines.size()), shown + kLinesAround);
    const ScrollArea area("##source", {left, height});
    const std::string key = frame->file + where;
    if (key != shownAt_) {
        shownAt_ = key;
        ImGui::SetScrollY(std::max(0.0f, static_cast<float>(shown - first) * line - height / 2));
    }
    const float numbers = TextWidth(context.fonts->mono, std::to_string(last)) + context.Px(kPad);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float top = ImGui::GetWindowPos().y;
    for (int number = first; number <= last; ++number) {
        const float y = origin.y + static_cast<float>(number - first) * line;
        if (y + line < top || y > top + height) continue;
        if (number == shown) draw->AddRectFilled({origin.x, y}, {origin.x + left, y + line}, theme.raised);
        DrawTextIn(draw, context.fonts->mono, {{origin.x, y}, {origin.x + numbers - context.Px(4), y + line}},
                   number == shown ? theme.text : theme.faint, std::to_string(number), Align::Right);
        DrawText(draw, context.fonts->mono,
                 {origin.x + numbers + context.Px(6), y + (line - context.fonts->mono->FontSize) / 2},
                 number == shown ? theme.text : theme.dim, lines[static_cast<std::size_t>(number - 1)]);
    }
    ImGui::Dummy({left, static_cast<float>(last - first + 1) * line});
}

void ProgramView::Draw(ViewContext& context, ImVec2 size) {
    session::LiveProgram* const program = context.session != nullptr ? context.session->GetProgram() : nullptr;
    if (program == nullptr) {
        return EmptyState(context, size, kIconFlask, "No program is watched", "residue open -- PROGRAM starts one.");
    }
    const ImVec2 begin = ImGui::GetCursorScreenPos();
    DrawProcesses(context, size.x);
    DrawState(context, *program, size.x);
    DrawFlow(context, program->ProgramState(), size.x);
    const float used = ImGui::GetCursorScreenPos().y - begin.y;
    DrawSource(context, {size.x, size.y - used - context.Px(34)});
}

}  // namespace

std::unique_ptr<View> MakeProgramView() { return std::make_unique<ProgramView>(); }

}  // namespace residue::gui
