#include "gui/views/source.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "imgui_stdlib.h"

namespace residue::gui {
namespace {

using scenario::TokenClass;

constexpr float kCodeRow = 19;  // unscaled, as all here
constexpr float kNoteRow = 20;
constexpr std::size_t kMostProblems = 200;

ImU32 ColourOf(const Theme& theme, TokenClass tokenClass) {
    switch (tokenClass) {
        case TokenClass::Keyword: return theme.accent;
        case TokenClass::Type: return theme.good;
        case TokenClass::Procedure: return theme.dark ? theme.duck : theme.warn;
        case TokenClass::EnumCase: return theme.warn;
        case TokenClass::Number: return theme.warn;
        case TokenClass::String:
        case TokenClass::Hole: return theme.good;
        case TokenClass::Comment: return theme.dim;
        case TokenClass::Narration: return Mix(theme.dim, theme.accent, 0.45f);
        case TokenClass::Attribute: return theme.dim;
        case TokenClass::Operator: return Mix(theme.text, theme.dim, 0.5f);
        case TokenClass::Plain: break;
    }
    return theme.text;
}

std::vector<std::string_view> SplitLines(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
        at = end + 1;
    }
    return lines;
}

std::string HeatText(const session::LineHeat& heat) {
    std::string text = analysis::FormatBytes(heat.liveBytes) + " live in " + analysis::FormatCount(heat.liveBlocks) +
                       (heat.liveBlocks == 1 ? " block" : " blocks") + ", " + analysis::FormatCount(heat.allocations) +
                       (heat.allocations == 1 ? " allocation" : " allocations") + " so far";
    return text;
}

// The x of a byte column within a line.
float ColumnX(const ImFont* font, std::string_view line, std::uint32_t column) {
    return TextWidth(font, line.substr(0, std::min<std::size_t>(column == 0 ? 0 : column - 1, line.size())));
}

}  // namespace

std::string SourceView::Subtitle(ViewContext& context) {
    const session::Scenario* scenario = context.session == nullptr ? nullptr : context.session->GetScenario();
    const auto program = scenario == nullptr ? nullptr : scenario->Program();
    std::string name = path_;
    if (program != nullptr && file_ < program->Files().size() && file_ != 0) name = program->Files()[file_].name;
    name = name.substr(name.find_last_of('/') + 1);
    return Changed() ? name + " · changed" : name;
}

float SourceView::DrawTitleControls(ViewContext& context, float right, float centreY) {
    const float gap = context.Px(6), height = context.Px(24);
    const float run = context.Px(54), edit = context.Px(50);
    const float top = std::floor(centreY - height / 2);
    ImGui::SetCursorScreenPos({right - run, top});
    if (Button(context, "run", "Run", Changed() ? ButtonKind::Primary : ButtonKind::Plain, run)) {
        context.commands->RunScenario(text_);
    }
    Tooltip(context, "Run what stands here", "Ctrl+R");
    ImGui::SetCursorScreenPos({right - run - gap - edit, top});
    if (Button(context, "edit", editing_ ? "Done" : "Edit", editing_ ? ButtonKind::Active : ButtonKind::Plain, edit)) {
        Edit(!editing_);
    }
    Tooltip(context,
            editing_ ? "Back to reading; the text stays as it is here" : "Change the text; the file stays as it is",
            editing_ ? "Esc" : "E");
    return right - run - gap - edit;
}

void SourceView::Edit(bool edit) {
    editing_ = edit;
    focusEditor_ = edit;
}

// ---- what is shown -------------------------------------------------------------------------------------------------

void SourceView::SetShownText(const std::string& text) {
    if (text == shown_ && !lines_.empty()) return;
    shown_ = text;
    spans_ = scenario::Highlight(shown_);
    lines_.clear();
    std::uint32_t at = 0;
    for (const std::string_view line : SplitLines(shown_)) {
        const auto number = static_cast<std::uint32_t>(lines_.size() + 1);
        while (at < spans_.size() && spans_[at].line < number) ++at;
        Line made{line, at, 0};
        while (at < spans_.size() && spans_[at].line == number) ++at, ++made.spans;
        lines_.push_back(made);
    }
}

void SourceView::Follow(ViewContext& context) {
    session::Scenario* scenario = context.session == nullptr ? nullptr : context.session->GetScenario();
    if (scenario == nullptr) {
        session_ = nullptr;
        return;
    }
    const bool read = !scenario->Text().empty() || !scenario->Diagnostics().empty();
    if (session_ != context.session && read) {
        session_ = context.session;
        const bool another = path_ != session_->Path();
        path_ = session_->Path();
        // Changes that were kept from before are none of the file's.
        if (another || !session_->Options().scenario.text) saved_ = scenario->FileText();
        text_ = scenario->Text();
        if (another) editing_ = false;
        lines_.clear();
        notes_.clear();
        problems_.clear();
        notesOfEnd_ = false;
        followed_ = 0;
        file_ = 0;
        CollectNotes(*scenario);
    }
    if (session_ == nullptr) return;
    if (!notesOfEnd_ && scenario->Result() != nullptr) {
        notesOfEnd_ = true;
        CollectNotes(*scenario);
    }
    const auto program = scenario->Program();
    const session::ScenarioStep* const step = scenario->PresentStep();
    const std::uint32_t file = step == nullptr ? 0 : step->file;
    if (file != file_) {
        file_ = file;
        CollectNotes(*scenario);
    }
    const bool other = file_ != 0 && program != nullptr && file_ < program->Files().size();
    SetShownText(other ? program->Files()[file_].text : text_);
    const std::uint32_t line = step == nullptr ? 0 : step->line;
    if (line != followed_) {
        followed_ = line;
        scrollTo_ = std::max(line, 1u);
    }
}

void SourceView::CollectNotes(const session::Scenario& scenario) {
    notes_.clear();
    problems_.clear();
    const auto program = scenario.Program();
    const std::string file =
        program != nullptr && file_ < program->Files().size() ? program->Files()[file_].name : path_;
    const auto add = [&](const scenario::Place& place, bool error, const std::string& text) {
        if (problems_.size() >= kMostProblems) return;
        const bool here = place.file == file;
        std::string told = text;
        if (!here && !place.file.empty()) told = place.file + ":" + std::to_string(place.line) + ": " + told;
        problems_.emplace_back(here ? place.line : 0, std::move(told));
        if (here) notes_[place.line].push_back({place.column, place.length, error, text});
    };
    const auto addAll = [&](const std::vector<scenario::Diagnostic>& all) {
        for (const scenario::Diagnostic& each : all) {
            std::string text = each.message;
            if (!each.expected.empty()) text += " (expected " + each.expected + ")";
            if (!each.hint.empty()) text += ". " + each.hint;
            add(each.place, each.severity == scenario::Severity::Error, text);
        }
    };
    addAll(scenario.Diagnostics());
    const scenario::RunResult* const result = scenario.Result();
    if (result == nullptr) return;
    if (result->error && !result->errorExpected) addAll({*result->error});
    addAll(result->warnings);
    for (const scenario::ExpectationResult& each : result->expectations) {
        if (!each.met) add(each.expectation.place, true, each.text);
    }
}

// ---- reading -------------------------------------------------------------------------------------------------------

float SourceView::GutterWidth(const ViewContext& context) const {
    const auto digits = std::max<std::size_t>(2, std::to_string(lines_.size()).size());
    return context.Px(10) + static_cast<float>(digits) * TextWidth(context.fonts->mono, "0") + context.Px(22);
}

const session::LineHeat* SourceView::HeatOf(session::Scenario& scenario, std::uint32_t line) const {
    const auto& heat = scenario.Heat();
    const auto found = std::lower_bound(heat.begin(), heat.end(), std::pair(file_, line),
                                        [](const auto& h, const auto& key) { return std::pair(h.file, h.line) < key; });
    return found != heat.end() && found->file == file_ && found->line == line ? &*found : nullptr;
}

void SourceView::ClickLine(ViewContext& context, session::Scenario& scenario, std::uint32_t line) {
    Selection& selection = *context.selection;
    const std::pair here(file_, line);
    if (selection.line == here) {
        selection.line.reset();
        selection.lineTraces.clear();
        return;
    }
    selection.line = here;
    selection.lineTraces.clear();
    for (const session::ScenarioStep& step : scenario.Steps()) {
        if (step.file != file_ || step.line != line || !step.trace) continue;
        const auto known = std::find(selection.lineTraces.begin(), selection.lineTraces.end(), step.trace);
        if (known == selection.lineTraces.end() && selection.lineTraces.size() < 64)
            selection.lineTraces.push_back(step.trace);
    }
    if (selection.lineTraces.empty()) selection.line.reset();  // nothing was carried out there
}

void SourceView::DrawGutter(ViewContext& context, const session::LineHeat* heat, std::uint32_t line, Rect row,
                            bool current) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    if (heat != nullptr && heat->liveBytes > 0) {
        // Four steps of ten: a line with a few bytes and one with many are told apart, and the figure is beside it.
        const float share = std::min(1.0f, std::log2(static_cast<float>(heat->liveBytes) + 1) / 20);
        const float x = row.min.x + context.Px(3);
        draw->AddRectFilled({x, row.min.y + 1}, {x + context.Px(4), row.max.y - 1}, Viridis(0.25f + 0.75f * share), 1);
    }
    const float numbers = row.max.x - context.Px(16);
    DrawTextIn(draw, context.fonts->mono, {{row.min.x, row.min.y}, {numbers, row.max.y}},
               current ? theme.text : theme.faint, std::to_string(line), Align::Right);
    const float mark = numbers + context.Px(8), middle = std::floor((row.min.y + row.max.y) / 2);
    const auto notes = notes_.find(line);
    if (current) {
        const float r = context.Px(4);
        draw->AddTriangleFilled({mark - r, middle - r}, {mark - r, middle + r}, {mark + r, middle}, theme.accent);
    } else if (notes != notes_.end()) {
        const bool error =
            std::any_of(notes->second.begin(), notes->second.end(), [](const Note& n) { return n.error; });
        draw->AddCircleFilled({mark, middle}, context.Px(3), error ? theme.error : theme.warn);
    }
}

void SourceView::DrawLine(ViewContext& context, session::Scenario& scenario, std::uint32_t line, ImVec2 at,
                          float width) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kCodeRow), gutter = GutterWidth(context);
    const session::ScenarioStep* const step = scenario.PresentStep();
    const bool current = step != nullptr && step->file == file_ && step->line == line;
    const Line& shown = lines_[line - 1];

    ImGui::SetCursorScreenPos(at);
    ImGui::PushID(static_cast<int>(line));
    if (ImGui::InvisibleButton("line", {width, height})) ClickLine(context, scenario, line);
    const bool hovered = ImGui::IsItemHovered();
    ImGui::PopID();
    const Rect row{at, {at.x + width, at.y + height}};
    const bool selected = context.selection->line == std::pair(file_, line);
    const bool made = std::find(made_.begin(), made_.end(), line) != made_.end();
    if (made && !current) draw->AddRectFilled(row.min, row.max, WithAlpha(theme.duck, 0.16f));
    if (current) draw->AddRectFilled(row.min, row.max, WithAlpha(theme.accent, 0.14f));
    if (selected || hovered) draw->AddRectFilled(row.min, row.max, selected ? theme.rowSelected : theme.rowHover);

    const session::LineHeat* const heat = HeatOf(scenario, line);
    DrawGutter(context, heat, line, {row.min, {row.min.x + gutter, row.max.y}}, current);

    const float y = std::floor(at.y + (height - fonts.mono->FontSize) / 2), begin = at.x + gutter;
    float end = begin;
    for (std::uint32_t i = 0; i < shown.spans; ++i) {
        const scenario::HighlightSpan& span = spans_[shown.firstSpan + i];
        const float x = begin + ColumnX(fonts.mono, shown.text, span.column);
        const std::string_view text =
            shown.text.substr(std::min<std::size_t>(span.column - 1, shown.text.size()), span.length);
        end = x + DrawText(draw, fonts.mono, {x, y}, ColourOf(theme, span.tokenClass), text);
    }
    std::string tooltip;
    if (const auto notes = notes_.find(line); notes != notes_.end()) {
        for (const Note& note : notes->second) {
            const float from = begin + ColumnX(fonts.mono, shown.text, note.column);
            const float to =
                std::max(from + context.Px(6), begin + ColumnX(fonts.mono, shown.text, note.column + note.length));
            const float base = row.max.y - context.Px(2);
            draw->AddLine({from, base}, {to, base}, note.error ? theme.error : theme.warn, context.Px(1.5f));
            tooltip += (tooltip.empty() ? "" : "\n") + note.text;
        }
    }
    if (heat != nullptr && heat->liveBytes > 0) {
        const std::string figure = analysis::FormatBytes(heat->liveBytes);
        const float wide = TextWidth(fonts.monoSmall, figure) + context.Px(8);
        const float right = ImGui::GetWindowPos().x + ImGui::GetWindowWidth() - context.Px(10);
        if (right - wide > end + context.Px(8)) {
            DrawTextIn(draw, fonts.monoSmall, {{right - wide, row.min.y}, {right, row.max.y}}, theme.dim, figure,
                       Align::Right);
        }
        tooltip += (tooltip.empty() ? "" : "\n") + HeatText(*heat) + "\nClick: show these blocks";
    }
    if (hovered && !tooltip.empty()) TooltipNow(context, tooltip);
}

// The lines by which the block under the mouse, or selected, came to be.
void SourceView::FindMade(ViewContext& context) {
    made_.clear();
    const auto block = context.selection->Block();
    const log::LogView& view = context.session->View();
    if (!block || block->value == 0 || block->value > view.Blocks()) return;
    const auto program = context.session->GetScenario()->Program();
    if (program == nullptr || file_ >= program->Files().size()) return;
    for (const log::Frame& frame : view.Frames(view.Birth(*block).event.trace)) {
        if (frame.file == program->Files()[file_].name) made_.push_back(frame.line);
    }
}

void SourceView::DrawCode(ViewContext& context, session::Scenario& scenario, ImVec2 size) {
    FindMade(context);
    ImGui::BeginChild("code", size, false, ImGuiWindowFlags_HorizontalScrollbar | ImGuiWindowFlags_NoNav);
    const float height = context.Px(kCodeRow), pad = context.Px(6);
    if (scrollTo_ != 0) {
        // By pages that share some lines: what is shown depends on the line, not on the way that led there.
        const auto rows = static_cast<std::uint32_t>(std::max(1.0f, (ImGui::GetWindowHeight() - 2 * pad) / height));
        const std::uint32_t shared = std::min(rows / 3, 4u), page = rows - shared;
        const std::uint32_t first = scrollTo_ <= rows - shared / 2 ? 0 : (scrollTo_ - 1 - shared / 2) / page * page;
        ImGui::SetScrollY(std::floor(static_cast<float>(first) * height));
        scrollTo_ = 0;
    }
    std::size_t longest = 0;
    for (const Line& line : lines_) longest = std::max(longest, line.text.size());
    const float wide = GutterWidth(context) + static_cast<float>(longest + 2) * TextWidth(context.fonts->mono, "0");
    const float width = std::max(wide, ImGui::GetContentRegionAvail().x);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImGui::Dummy({wide, static_cast<float>(lines_.size()) * height + 2 * pad});
    const float top = ImGui::GetWindowPos().y, bottom = top + ImGui::GetWindowHeight();
    const float first = std::floor((top - origin.y - pad) / height),
                last = std::ceil((bottom - origin.y - pad) / height);
    for (float i = std::max(0.0f, first); i < std::min(last, static_cast<float>(lines_.size())); ++i) {
        DrawLine(context, scenario, static_cast<std::uint32_t>(i) + 1, {origin.x, origin.y + pad + i * height}, width);
    }
    ImGui::EndChild();
}

// ---- writing -------------------------------------------------------------------------------------------------------

void SourceView::DrawEditor(ViewContext& context, ImVec2 size) {
    ImGui::PushFont(context.fonts->mono);
    ImGui::PushStyleColor(ImGuiCol_FrameBg, context.theme->window);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {context.Px(10), context.Px(6)});
    if (focusEditor_) ImGui::SetKeyboardFocusHere();
    focusEditor_ = false;
    ImGui::InputTextMultiline("##editor", &text_, size, ImGuiInputTextFlags_AllowTabInput);
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
    ImGui::PopFont();
}

void SourceView::DrawNotes(ViewContext& context, ImVec2 size) {
    const Theme& theme = *context.theme;
    const std::size_t count = problems_.size();
    SectionTitle(context, count == 1 ? "1 thing to look at" : analysis::FormatCount(count) + " things to look at");
    const float top = ImGui::GetCursorScreenPos().y - ImGui::GetWindowPos().y;
    ImGui::BeginChild("notes", {size.x, std::max(1.0f, size.y - top)}, false, ImGuiWindowFlags_NoNav);
    const float height = context.Px(kNoteRow), pad = context.Px(kPad);
    int id = 0;
    for (const auto& [line, text] : problems_) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width = ImGui::GetContentRegionAvail().x;
        const std::string id_ = std::to_string(id++);
        bool hovered = false;
        if (ListRow(context, id_.c_str(), width, height, false, &hovered) && line != 0) {
            scrollTo_ = line;
            editing_ = false;
        }
        ImDrawList* draw = ImGui::GetWindowDrawList();
        float x = at.x + pad;
        if (line != 0) {
            x += DrawTextIn(draw, context.fonts->mono, {{x, at.y}, {x + context.Px(60), at.y + height}}, theme.dim,
                            std::to_string(line)) +
                 context.Px(8);
        }
        DrawTextIn(draw, context.fonts->label, {{x, at.y}, {at.x + width - pad, at.y + height}}, theme.text, text);
        if (hovered) TooltipNow(context, text);
    }
    ImGui::EndChild();
}

// ---- the panel -----------------------------------------------------------------------------------------------------

void SourceView::Draw(ViewContext& context, ImVec2 size) {
    session::Scenario* scenario = context.session == nullptr ? nullptr : context.session->GetScenario();
    if (scenario == nullptr || session_ == nullptr) {
        EmptyState(context, size, kIconFile, "No source", "A scenario (.iridis) shows its text here.");
        return;
    }
    if (!scenario->HeatSettled()) *context.again = true;
    float notes = 0;
    if (!problems_.empty()) {
        notes =
            std::min(size.y * 0.4f, context.Px(kTitleHeight) +
                                        static_cast<float>(problems_.size()) * context.Px(kNoteRow) + context.Px(8));
    }
    const ImVec2 top = ImGui::GetCursorScreenPos();
    const ImVec2 code{size.x, size.y - notes};
    if (editing_) {
        DrawEditor(context, code);
    } else {
        DrawCode(context, *scenario, code);
    }
    if (notes == 0) return;
    ImGui::SetCursorScreenPos({top.x, top.y + code.y});
    ImGui::BeginChild("problems", {size.x, notes}, false, ImGuiWindowFlags_NoNav);
    DrawNotes(context, {size.x, notes});
    ImGui::EndChild();
}

bool SourceView::HandleKey(ViewContext&, const KeyPress& press) {
    if (press.Is(Key::E)) {
        Edit(true);
        return true;
    }
    return false;
}

}  // namespace residue::gui
