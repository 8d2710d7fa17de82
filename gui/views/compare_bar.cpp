#include "gui/views/compare_bar.hpp"

#include <algorithm>
#include <string>

#include "analysis/format.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::FormatCount;

// What is compared: B is the recording that is open, up to where its playhead or its range is.
std::string Compared(const session::Session& session, const AnalysisLook::Other& other,
                     const std::optional<std::pair<Position, Position>>& range) {
    std::string text = "A  " + other.name + ", all of its " + FormatCount(other.calls) + " events";
    text += "   →   B  " + session.Title();
    if (range) {
        text += ", events " + FormatCount(range->first.value) + " … " + FormatCount(range->second.value);
    } else if (session.Now() == session.End()) {
        text += ", all of its " + FormatCount(session.End().value) + " events";
    } else {
        text += ", up to event " + FormatCount(session.Now().value);
    }
    return text;
}

std::string Describe(const session::Session& session, const AnalysisLook::Other& other,
                     const std::optional<std::pair<Position, Position>>& range) {
    using session::Phase;
    switch (other.status.phase) {
        case Phase::Ready: return Compared(session, other, range);
        case Phase::Loading: {
            std::string text = (other.status.doing.empty() ? "reading" : other.status.doing) + " " + other.name +
                               ", to compare with";
            if (other.status.progress >= 0)
                text += ": " + std::to_string(static_cast<int>(other.status.progress * 100)) + " %";
            return text;
        }
        default:
            return "There is nothing to compare with: " +
                   (other.status.failure ? other.status.failure->Text() : other.name + " was not read");
    }
}

}  // namespace

float DrawCompareBar(ViewContext& context, float width) {
    if (!context.analysis->other || context.session == nullptr) return 0;
    const Theme& theme = *context.theme;
    const AnalysisLook::Other& other = *context.analysis->other;
    const bool failed = other.status.phase == session::Phase::Failed || other.status.phase == session::Phase::Cancelled;
    const std::string text = Describe(*context.session, other, context.session->Analyst().Range());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), height = context.Px(32), side = context.Px(26);
    const float right = at.x + width - pad - side;
    DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->label,
               {{at.x + pad, at.y}, {right - context.Px(8), at.y + height}}, failed ? theme.error : theme.text, text);
    ImGui::PushID("compare");
    ImGui::SetCursorScreenPos(at);
    ImGui::InvisibleButton("##text", {std::max(right - at.x, 1.0f), height});
    Tooltip(context, text + "\nSites are the same where the names of their functions are.", "Ctrl+D");
    ImGui::SetCursorScreenPos({right, at.y + std::floor((height - side) / 2)});
    const bool stop = IconButton(context, "##stop", kIconError, ButtonKind::Ghost);
    Tooltip(context, "Back to one recording", "Esc");
    ImGui::PopID();
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({width, height});
    if (stop) context.commands->StopComparing();
    return height;
}

}  // namespace residue::gui
