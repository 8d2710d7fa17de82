// A student's allocator in the window: its panel, its keys, and the newer run that takes the place of the one shown.
#include <algorithm>
#include <string>
#include <utility>

#include "gui/app.hpp"
#include "gui/widgets/controls.hpp"

namespace residue::gui {
namespace {

constexpr TabName kLabTabs[] = {
    {"Lab", "The build, the traces, what was wrong with the runs", "I"},
    {"Losses", "Utilisation over time, where it was lost, what cost most", "I"},
    {"Source", "The lines that the call at the playhead went through", "I"},
    {"Bytes", "The heap's bytes at the playhead", "I"},
};

}  // namespace

void App::OpenLab() {
    KeepDraft();
    Replace(session::Session::OpenLab(*options_.lab));
    GetLab()->WhenChanged([this] { platform_.Wake(); });  // a save of the code is no input
    colour_ = ColourMode::Size;
}

// What was looked at stays: the panel, the position, the colours. Only blocks are other ones.
void App::TakeNewerRun() {
    session::Lab* const lab = GetLab();
    if (lab == nullptr) return;
    auto newer = lab->TakeNewer();
    if (newer == nullptr) return;
    // Lanes stay beside another run on the same trace.
    const bool same = newer->TraceFile() == session_->TraceFile();
    auto lanes = same ? std::exchange(lanes_, {}) : session::Lanes();
    auto looks = same ? std::exchange(laneLooks_, {}) : std::vector<LaneLook>();
    const bool open = laneBar_.IsOpen();
    Replace(std::move(newer));
    if (!same) return;
    lanes_ = std::move(lanes);
    laneLooks_ = std::move(looks);
    if (open) laneBar_.Open();
}

// The finding after (before) the trace that is chosen; around the ends.
void App::StepFinding(session::Lab& lab, bool forward) {
    const session::LabState& state = *lab.State();
    const std::size_t count = state.rows.size();
    for (std::size_t i = 1; i <= count; ++i) {
        const std::size_t row = (state.chosen + (forward ? i : count - i)) % count;
        const auto& problem = state.rows[row].problem;
        if (problem) return lab.ChooseTrace(row, problem->op);
    }
    Notice("Nothing was found wrong so far.");
}

// G: the next trace. N: the next finding. I: the panel's other tabs.
bool App::HandleLab(const KeyPress& press) {
    session::Lab* const lab = GetLab();
    if (lab == nullptr || press.ctrl || press.alt) return false;
    const std::size_t count = lab->State()->rows.size(), chosen = lab->State()->chosen;
    switch (press.key) {
        case Key::G: lab->ChooseTrace((chosen + (press.shift ? count - 1 : 1)) % count); return true;
        case Key::N: StepFinding(*lab, !press.shift); return true;
        case Key::I: {
            const int tabs = static_cast<int>(labViews_.size());
            labTab_ = (labTab_ + (press.shift ? tabs - 1 : 1)) % tabs;
            return true;
        }
        default: return false;
    }
}

void App::DrawLabPanel(ViewContext& context, const Rect& rect) {
    const Rect inside = DrawTabs(context, rect, PanelId::Left, kLabTabs, labTab_);
    DrawInside(context, LabView().Title(), inside, LabView());
}

}  // namespace residue::gui
