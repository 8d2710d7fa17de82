#include "gui/views/story.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "analysis/why.hpp"
#include "gui/views/duck.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/scenario.hpp"

namespace residue::gui {
namespace {

session::Scenario* ScenarioOf(const ViewContext& context) {
    return context.session == nullptr ? nullptr : context.session->GetScenario();
}

std::string NameOf(const ViewContext& context, AllocatorId id) {
    for (const auto& allocator : context.session->Heap().Allocators()) {
        if (allocator.id == id && !allocator.name.empty()) return std::string(allocator.name);
    }
    return "the allocator";
}

// ---- narration -----------------------------------------------------------------------------------------------------

class NarrationView final : public View {
public:
    const char* Title() const override { return "Narration"; }
    std::string Status(ViewContext& context) override;
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    float DrawQuestion(ViewContext& context, session::Scenario& scenario, const session::PredictQuestion& question,
                       ImVec2 at, float width);
    float DrawVerdict(ViewContext& context, const session::PredictVerdict& verdict, ImVec2 at, float width);
    float DrawEnd(ViewContext& context, const scenario::RunResult& result, ImVec2 at, float width);
    float DrawWhy(ViewContext& context, ImVec2 at, float width);
    float DrawTitleControls(ViewContext& context, float right, float centreY) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;

    bool why_ = true;
};

std::string NarrationView::Status(ViewContext& context) {
    const session::Scenario* const scenario = ScenarioOf(context);
    if (scenario == nullptr || scenario->Score().answers == 0) return {};
    const session::PredictScore score = scenario->Score();
    return std::to_string(score.right) + " of " + std::to_string(score.answers) + " right";
}

std::string QuestionText(const ViewContext& context, const session::PredictQuestion& question) {
    std::string text = (question.resize ? "A block is about to be resized to " : "Next: a request of ") +
                       analysis::FormatBytes(question.bytes);
    if (question.alignment > 8) text += ", aligned to " + analysis::FormatCount(question.alignment);
    text += question.resize ? " by " : " to ";
    return text + NameOf(context, question.allocator) +
           ". Where will it land? Click there in the heap, or go there with ↑ ↓ and press Enter; "
           "or say that it fails:";
}

float NarrationView::DrawQuestion(ViewContext& context, session::Scenario& scenario,
                                  const session::PredictQuestion& question, ImVec2 at, float width) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float pad = context.Px(10), gap = context.Px(6), button = context.Px(24);
    const std::string text = QuestionText(context, question);
    const float inner = width - 2 * pad;
    const float words = DrawWrapped(nullptr, fonts.label, {}, inner, 0, text, 1.3f);
    // The buttons wrap as words do.
    std::vector<std::string> labels;
    for (const MemoryError error : session::kPredictErrors) labels.emplace_back(Name(error));
    labels.emplace_back("Show me");
    const auto place = [&](bool paint, float top) {
        float x = 0, y = top;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const float wide = TextWidth(fonts.label, labels[i]) + context.Px(24);
            if (x > 0 && x + wide > inner) x = 0, y += button + gap;
            if (paint) {
                ImGui::SetCursorScreenPos({at.x + pad + x, y});
                const bool show = i == std::size(session::kPredictErrors);
                if (Button(context, labels[i].c_str(), labels[i], show ? ButtonKind::Ghost : ButtonKind::Plain, wide)) {
                    if (show) {
                        scenario.Skip();
                    } else {
                        scenario.Answer({std::nullopt, session::kPredictErrors[i]});
                    }
                }
                Tooltip(context, show ? "Go on without an answer" : "It will fail with this error",
                        show ? "Enter" : std::to_string(6 + i));
            }
            x += wide + gap;
        }
        return y + button;
    };
    const float first = at.y + pad + words + gap;
    const float bottom = place(false, first) + pad;
    draw->AddRectFilled(at, {at.x + width, bottom}, theme.raised, context.Px(kRadius));
    draw->AddRect(at, {at.x + width, bottom}, theme.accent, context.Px(kRadius));
    DrawWrapped(draw, fonts.label, {at.x + pad, at.y + pad}, inner, theme.text, text, 1.3f);
    place(true, first);
    return bottom;
}

float NarrationView::DrawVerdict(ViewContext& context, const session::PredictVerdict& verdict, ImVec2 at, float width) {
    const Theme& theme = *context.theme;
    std::string text = verdict.right ? "Right. " : "Not this time. ";
    if (verdict.error) {
        text += "It failed with " + std::string(Name(*verdict.error)) + ".";
    } else {
        text += "It landed at " + analysis::FormatAddress(verdict.begin) + ", " +
                analysis::FormatBytes(verdict.end - verdict.begin) + " set aside.";
    }
    if (verdict.answer.address && !verdict.right)
        text += " You said " + analysis::FormatAddress(*verdict.answer.address) + ".";
    if (verdict.answer.error && !verdict.right) text += " You said " + std::string(Name(*verdict.answer.error)) + ".";
    return at.y + DrawWrapped(ImGui::GetWindowDrawList(), context.fonts->label, at, width,
                              verdict.right ? theme.good : theme.warn, text, 1.3f);
}

// At the very end: what held of what was expected, and what was left behind.
float NarrationView::DrawEnd(ViewContext& context, const scenario::RunResult& result, ImVec2 at, float width) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    std::size_t met = 0;
    for (const auto& each : result.expectations) met += each.met;
    std::string text;
    if (!result.expectations.empty()) {
        text = std::to_string(met) + " of " + std::to_string(result.expectations.size()) + " expectations hold. ";
    }
    if (result.ending == scenario::Ending::StepBudget) text += "It was stopped: it made more steps than it may. ";
    if (result.ending == scenario::Ending::MemoryBudget) text += "It was stopped: it wanted more memory than it may. ";
    if (result.ending == scenario::Ending::Error && !result.errorExpected) text += "An error ended it. ";
    std::uint64_t bytes = 0;
    for (const auto& leak : result.leaks) bytes += leak.bytes;
    if (!result.lived.empty()) {
        text += analysis::FormatCount(result.lived.size()) +
                (result.lived.size() == 1 ? " block was" : " blocks were") + " alive when it stopped. ";
    }
    if (!result.leaks.empty()) {
        text += analysis::FormatBytes(bytes) + " in " + analysis::FormatCount(result.leaks.size()) +
                (result.leaks.size() == 1 ? " block was" : " blocks were") + " never given back.";
    }
    if (text.empty()) text = "The end. Everything was given back.";
    return at.y +
           DrawWrapped(draw, context.fonts->label, at, width, result.Passed() ? theme.dim : theme.warn, text, 1.3f);
}

float NarrationView::DrawTitleControls(ViewContext& context, float right, float centreY) {
    const float width = context.Px(54), top = std::floor(centreY - context.Px(12));
    session::Scenario* const scenario = ScenarioOf(context);
    float x = right - width;
    ImGui::SetCursorScreenPos({x, top});
    if (Button(context, "why", "Why", why_ ? ButtonKind::Active : ButtonKind::Plain, width)) why_ = !why_;
    Tooltip(context, "The allocator's reasons at this event, in plain words", "W");
    if (scenario == nullptr) return x;
    x -= context.Px(6) + context.Px(64);
    ImGui::SetCursorScreenPos({x, top});
    if (Button(context, "predict", "Predict", scenario->AsksAll() ? ButtonKind::Active : ButtonKind::Plain,
               context.Px(64))) {
        context.commands->SwitchPredicting();
    }
    Tooltip(context, "From here on, say where each request will land before it does", "G");
    return x;
}

bool NarrationView::HandleKey(ViewContext&, const KeyPress& press) {
    if (!press.Is(Key::W)) return false;
    why_ = !why_;
    return true;
}

// What the duck says, and the search behind it. Returns the height.
float NarrationView::DrawWhy(ViewContext& context, ImVec2 at, float width) {
    if (!why_ || !context.Ready() || !context.session->Settled()) return 0;
    const auto row = context.session->PresentRow();
    if (!row) return 0;
    const session::InsideAnswer answer = context.session->PresentInside();
    std::string text = DescribeEvent(*context.session);
    const events::Event event = context.session->View().At(*row).event;
    if (answer.ready && answer.inside != nullptr && answer.inside->allocator == event.allocator) {
        const std::string why = analysis::ExplainDecisions(event, answer.inside->decisions, answer.inside->rule);
        if (!why.empty()) text += "\n" + why;
    } else if (!answer.ready && answer.unknown.empty()) {
        *context.again = true;
    }
    const float indent = context.Px(10);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height =
        DrawWrapped(draw, context.fonts->label, {at.x + indent, at.y}, width - indent, context.theme->dim, text, 1.35f);
    draw->AddRectFilled({at.x, at.y}, {at.x + context.Px(3), at.y + height}, context.theme->duck, 1);
    return height + context.Px(12);
}

void NarrationView::Draw(ViewContext& context, ImVec2 size) {
    session::Scenario* const scenario = ScenarioOf(context);
    const auto program = scenario == nullptr ? nullptr : scenario->Program();
    if (program == nullptr) {
        EmptyState(context, size, kIconFile, "Nothing to tell yet",
                   scenario == nullptr ? "A scenario (.iridis) tells its story here." : "The text above has errors.");
        return;
    }
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImGui::BeginChild("story", size, false, ImGuiWindowFlags_NoNav);
    const float pad = context.Px(kPad), width = ImGui::GetContentRegionAvail().x - 2 * pad;
    ImVec2 at = ImGui::GetCursorScreenPos();
    const float top = at.y;
    at.x += pad;
    at.y += context.Px(10);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const scenario::Narration* const narration = scenario->PresentNarration();
    const bool there = context.session->Now() == context.session->End();
    if (const auto question = scenario->Question(); question && there) {
        at.y = DrawQuestion(context, *scenario, *question, at, width) + context.Px(10);
    } else if (const auto& verdict = scenario->LastVerdict();
               verdict && context.session->Now() == verdict->question.position + 1) {
        at.y = DrawVerdict(context, *verdict, at, width) + context.Px(10);
    }
    if (narration == nullptr) {
        at.y += DrawWrapped(draw, fonts.labelBold, at, width, theme.text, program->Title(), 1.3f) + context.Px(6);
        at.y += DrawWrapped(draw, fonts.label, at, width, theme.text, program->Introduction(), 1.4f);
    } else {
        at.y += DrawWrapped(draw, fonts.large, at, width, theme.text, narration->text, 1.4f);
    }
    at.y += DrawWhy(context, {at.x, at.y + context.Px(12)}, width);
    const scenario::RunResult* const result = scenario->Result();
    if (result != nullptr && context.session->Now() == context.session->End()) {
        at.y = DrawEnd(context, *result, {at.x, at.y + context.Px(12)}, width);
    }
    ImGui::SetCursorScreenPos({at.x, top});
    ImGui::Dummy({1, at.y - top + context.Px(10)});
    ImGui::EndChild();
}

// ---- console -------------------------------------------------------------------------------------------------------

class ConsoleView final : public View {
public:
    const char* Title() const override { return "Console"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void FindLines(std::string_view text);

    const session::Session* session_ = nullptr;  // of the frame before, as is what follows
    std::size_t shown_ = 0;                      // bytes
    std::vector<std::size_t> starts_;            // of its lines
    std::size_t longest_ = 0;                    // bytes
};

void ConsoleView::FindLines(std::string_view text) {
    starts_.clear();
    longest_ = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        starts_.push_back(at);
        longest_ = std::max(longest_, end - at);
        at = end + 1;
    }
}

void ConsoleView::Draw(ViewContext& context, ImVec2 size) {
    session::Scenario* const scenario = ScenarioOf(context);
    if (scenario == nullptr || scenario->Console().empty()) {
        EmptyState(context, size, kIconKeyboard, "No output yet",
                   "What IO.Print and IO.Error write until the playhead stands here.");
        return;
    }
    const std::string_view text = scenario->Console();
    const bool changed = session_ != context.session || shown_ != text.size();
    if (changed) FindLines(text);
    session_ = context.session;
    shown_ = text.size();
    ImGui::BeginChild("console", size, false, ImGuiWindowFlags_HorizontalScrollbar | ImGuiWindowFlags_NoNav);
    const float pad = context.Px(kPad), height = context.Px(18), above = context.Px(6);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const auto all = static_cast<float>(starts_.size()) * height;
    ImGui::Dummy({2 * pad + static_cast<float>(longest_) * TextWidth(context.fonts->mono, "0"), all + 2 * above});
    const float top = ImGui::GetWindowPos().y - origin.y - above;
    auto i = static_cast<std::size_t>(std::max(0.0f, top / height));
    for (; i < starts_.size() && static_cast<float>(i) * height < top + ImGui::GetWindowHeight(); ++i) {
        const std::size_t end = std::min(text.find('\n', starts_[i]), text.size());
        DrawText(ImGui::GetWindowDrawList(), context.fonts->mono,
                 {origin.x + pad, origin.y + above + static_cast<float>(i) * height}, context.theme->text,
                 text.substr(starts_[i], end - starts_[i]));
    }
    if (changed) ImGui::SetScrollY(all);  // the newest line shows
    ImGui::EndChild();
}

}  // namespace

std::unique_ptr<View> MakeNarrationView() {
    return std::make_unique<NarrationView>();
}
std::unique_ptr<View> MakeConsoleView() {
    return std::make_unique<ConsoleView>();
}

bool AnswerPrediction(ViewContext& context, std::uint64_t address) {
    session::Scenario* const scenario = ScenarioOf(context);
    if (scenario == nullptr || !scenario->Question()) return false;
    if (context.session->Now() != context.session->End()) return false;  // the past is looked at
    scenario->Answer({address, std::nullopt});
    return true;
}

}  // namespace residue::gui
