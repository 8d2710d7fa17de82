#include "gui/views/lab.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/lab_losses.hpp"
#include "gui/views/list.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/lab.hpp"

namespace residue::gui {
namespace {

using analysis::FormatCount;
using session::LabState;
using LabPhase = LabState::Phase;
using RunState = lab::TraceOutcome::State;

constexpr float kWide = 900;  // unscaled: from here on there is room for the losses, too
constexpr float kStateHeight = 50;

constexpr Column kColumns[] = {
    {"", 18, Align::Right, "The trace's number", 2},
    {"trace", 90, Align::Left, "Click: show its run", 0, true},
    {"valid", 34, Align::Left, "Nothing was found wrong", 0},
    {"util", 58, Align::Right, "Largest sum of payloads by largest heap", 0},
    {"Kops", 52, Align::Right, "Thousand operations a second", 1},
};
enum : std::size_t { kNumber, kName, kValid, kUtil, kKops };

std::string Formatted(const char* format, double value) {
    char text[48];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string Plural(std::size_t count, const char* one, const char* many) {
    return FormatCount(count) + (count == 1 ? one : many);
}

class LabPanel final : public View {
public:
    const char* Title() const override { return "Lab"; }
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;

private:
    void DrawState(ViewContext& context, const LabState& state, float width);
    void DrawMessages(ViewContext& context, const LabState& state, float width);
    void DrawTraces(ViewContext& context, const LabState& state, float width);
    void DrawFindings(ViewContext& context, const LabState& state, float width);

    session::Lab* lab_ = nullptr;  // while drawing
};

struct StateText {
    std::string title;
    ImU32 colour;
};

StateText TextOf(const Theme& theme, const LabState& state) {
    switch (state.phase) {
        case LabPhase::Building: return {"Building", theme.accent};
        case LabPhase::DoesNotBuild: return {"Does not build", theme.error};
        case LabPhase::Failed: return {"Nothing could be built", theme.error};
        case LabPhase::Running:
            return {"Running trace " + FormatCount(state.running) + ", " + FormatCount(state.Ran()) + " of " +
                        FormatCount(state.rows.size()) + " done",
                    theme.accent};
        case LabPhase::Done: break;
    }
    if (state.Findings() > 0) return {Plural(state.Findings(), " finding", " findings"), theme.error};
    const auto ran = static_cast<std::size_t>(std::count_if(
        state.rows.begin(), state.rows.end(), [](const auto& row) { return row.state == RunState::Valid; }));
    if (ran == 0) return {"No trace could be run", theme.warn};
    return {"Valid on " + Plural(ran, " trace", " traces"), theme.good};
}

// What is under way or came of it; below, whose it is, and which build is shown where it is not the last one.
void LabPanel::DrawState(ViewContext& context, const LabState& state, float width) {
    const Theme& theme = *context.theme;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), row = context.Px(22), radius = context.Px(4);
    const auto [title, colour] = TextOf(theme, state);
    const float top = at.y + context.Px(4), x = at.x + pad + 2 * radius + context.Px(8);
    draw->AddCircleFilled({at.x + pad + radius, std::floor(top + row / 2)}, radius, colour);
    DrawTextIn(draw, context.fonts->labelBold, {{x, top}, {at.x + width - pad, top + row}}, theme.text, title);
    std::string below = state.source;
    if (!state.generation.empty()) below += " · " + state.generation;
    const auto& picture = lab_->Picture();
    const bool isOld = picture != nullptr && picture->build != state.builds;
    if (isOld) below = "Shown: build " + FormatCount(picture->build) + ", the last one that ran";
    DrawTextIn(draw, context.fonts->label, {{x, top + row - context.Px(2)}, {at.x + width - pad, top + 2 * row}},
               isOld ? theme.warn : theme.dim, below);
    ImGui::Dummy({width, context.Px(kStateHeight)});
    if (ImGui::IsItemHovered()) {
        Tooltip(context, "Build " + FormatCount(state.builds) + " of " + context.session->Path() +
                             "\nIt is built and run again whenever it is saved.");
    }
}

// The compiler's words as they are.
void LabPanel::DrawMessages(ViewContext& context, const LabState& state, float width) {
    const std::string text = state.failure ? state.failure->Text() : state.messages;
    if (text.empty()) return;
    const Theme& theme = *context.theme;
    const bool isError = state.phase == LabPhase::DoesNotBuild || state.phase == LabPhase::Failed;
    SectionTitle(context, state.failure ? "Why" : isError ? "Compiler" : "Warnings");
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), line = std::floor(context.fonts->monoSmall->FontSize * 1.4f);
    constexpr std::size_t kMostLines = 200;
    float y = at.y + context.Px(6);
    const auto lines = WrapWords(context.fonts->monoSmall, text, width - 2 * pad);
    for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i, y += line) {
        const bool bad = lines[i].find("error") != std::string_view::npos;
        DrawText(draw, context.fonts->monoSmall, {at.x + pad, y}, bad ? theme.error : theme.text, lines[i]);
    }
    ImGui::Dummy({width, y - at.y + context.Px(8)});
}

void LabPanel::DrawTraces(ViewContext& context, const LabState& state, float width) {
    const Theme& theme = *context.theme;
    SectionTitle(context, "Traces");
    const Columns columns(context, kColumns, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    const float height = context.Px(kRowHeight);
    for (std::size_t i = 0; i < state.rows.size(); ++i) {
        const LabState::Row& row = state.rows[i];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImGui::PushID(static_cast<int>(i));
        bool hovered = false;
        const bool clicked = ListRow(context, "##trace", width, height, state.chosen == i, &hovered);
        ImGui::PopID();
        const bool known = row.ran || row.state != RunState::NotRun, valid = row.state == RunState::Valid;
        columns.Text(context, kNumber, at.y, height, theme.dim, std::to_string(i));
        columns.Text(context, kName, at.y, height, known ? theme.text : theme.dim, row.name);
        const char* const word = !known ? "" : valid ? "yes" : row.state == RunState::Invalid ? "no" : "-";
        columns.Text(context, kValid, at.y, height,
                     valid ? theme.good : row.state == RunState::Invalid ? theme.error : theme.dim, word);
        if (known) {
            columns.Text(context, kUtil, at.y, height, theme.text,
                         valid ? Formatted("%.2f%%", row.utilisation * 100) : "-");
            const bool timed = valid && row.seconds > 0;
            columns.Text(context, kKops, at.y, height, theme.text,
                         timed ? Formatted("%.0f", static_cast<double>(row.ops) / row.seconds / 1e3) : "-");
        }
        if (hovered) {
            std::string tip = row.name;
            if (row.ops > 0) tip += "\n" + FormatCount(row.ops) + " operations";
            if (row.seconds > 0) tip += " in " + Formatted("%.6f s", row.seconds);
            if (!row.notRun.empty()) tip += "\nnot run: " + row.notRun;
            if (!row.output.empty()) tip += "\nprinted: " + row.output.substr(0, 400);
            TooltipNow(context, tip, "G");
        }
        if (clicked) lab_->ChooseTrace(i);
    }
    std::string index = "Perf index: when all have run";
    if (state.phase == LabPhase::Done) index = lab::IndexText(state.score, state.allValid);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), top = context.Px(6);
    const float used = DrawWrapped(ImGui::GetWindowDrawList(), context.fonts->label, {at.x + pad, at.y + top},
                                   width - 2 * pad, state.phase == LabPhase::Done ? theme.text : theme.dim, index);
    ImGui::Dummy({width, used + 2 * top});
}

void LabPanel::DrawFindings(ViewContext& context, const LabState& state, float width) {
    const std::size_t count = state.Findings();
    if (count == 0) return;
    const Theme& theme = *context.theme;
    SectionTitle(context, "Findings", FormatCount(count));
    const float pad = context.Px(kPad);
    const ImFont* const font = context.fonts->label;
    const float text = width - 2 * pad;
    for (std::size_t i = 0; i < state.rows.size(); ++i) {
        const auto& problem = state.rows[i].problem;
        if (!problem) continue;
        std::string where = "Trace " + FormatCount(i);
        if (problem->op) where += ", operation " + FormatCount(*problem->op + 1);
        std::string more = problem->hint;
        for (std::size_t c = 0; c < std::min<std::size_t>(problem->calls.size(), 4); ++c) {
            const symbols::Frame& frame = problem->calls[c];
            more += (more.empty() ? "" : "\n") + std::string(c == 0 ? "in " : "called by ") + frame.function;
            if (const std::string place = PlaceOf(frame); !place.empty()) more += ", " + place;
        }
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float line = std::floor(font->FontSize * 1.35f), top = context.Px(5);
        const float message = DrawWrapped(nullptr, font, {}, text, 0, problem->message);
        const float rest = more.empty() ? 0 : DrawWrapped(nullptr, font, {}, text, 0, more);
        const float height = 2 * top + line + message + rest;
        ImGui::PushID(static_cast<int>(i));
        bool hovered = false;
        if (ListRow(context, "##finding", width, height, false, &hovered)) lab_->ChooseTrace(i, problem->op);
        ImGui::PopID();
        if (hovered) {
            const std::string pass = problem->pass.empty() ? "" : "Found in the pass: " + problem->pass + "\n";
            TooltipNow(context, pass + "Click: go there", "N");
        }
        ImDrawList* const draw = ImGui::GetWindowDrawList();
        DrawText(draw, context.fonts->labelBold, {at.x + pad, at.y + top}, theme.error, where);
        DrawWrapped(draw, font, {at.x + pad, at.y + top + line}, text, theme.text, problem->message);
        if (rest > 0) DrawWrapped(draw, font, {at.x + pad, at.y + top + line + message}, text, theme.dim, more);
    }
}

void LabPanel::Draw(ViewContext& context, ImVec2 size) {
    lab_ = context.session == nullptr ? nullptr : context.session->GetLab();
    if (lab_ == nullptr) {
        return EmptyState(context, size, kIconFlask, "No lab", "residue lab mm.c traces/ --window opens one.");
    }
    const LabState& state = *lab_->State();
    const bool wide = size.x >= context.Px(kWide);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float gap = context.Px(kPad), left = wide ? std::floor((size.x - gap) / 2) : size.x;
    {
        const ScrollArea area("##lab", {left, size.y}, true);
        const float width = area.Width();
        DrawState(context, state, width);
        DrawMessages(context, state, width);
        DrawTraces(context, state, width);
        DrawFindings(context, state, width);
    }
    if (!wide || lab_->Picture() == nullptr) return;
    ImGui::SetCursorScreenPos({at.x + left + gap, at.y});
    const ScrollArea area("##run", {size.x - left - gap, size.y}, true);
    DrawRun(context, *lab_->Picture(), area.Width());
}

// Up and down: the traces, as in any list.
bool LabPanel::HandleKey(ViewContext& context, const KeyPress& press) {
    session::Lab* const lab = context.session == nullptr ? nullptr : context.session->GetLab();
    if (lab == nullptr || press.ctrl || press.alt) return false;
    const std::size_t count = lab->State()->rows.size(), chosen = lab->State()->chosen;
    if (press.key == Key::Up && chosen > 0) lab->ChooseTrace(chosen - 1);
    if (press.key == Key::Down && chosen + 1 < count) lab->ChooseTrace(chosen + 1);
    return press.key == Key::Up || press.key == Key::Down;
}

}  // namespace

std::unique_ptr<View> MakeLabView() {
    return std::make_unique<LabPanel>();
}

}  // namespace residue::gui
