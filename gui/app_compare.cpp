// The present recording compared with another one, A: opened beside it, and handed to the analyses when it is read.
#include <filesystem>
#include <system_error>
#include <utility>

#include "gui/app.hpp"

namespace residue::gui {

void App::CompareDialog() {
    if (!session_) {
        Notice("Open a recording first: then another one to compare it with.");
        return;
    }
    choosingOther_ = true;
    dialog_.Open(state_.folder, state_.recent, "Compare with (the earlier run)");
}

void App::CompareWith(const std::string& path) {
    if (!session_) return;
    StopComparing();
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error);
    session::OpenOptions options = session_->Options();
    options.scenario = {};
    other_ = session::Session::Open(error ? path : absolute.lexically_normal().string(), std::move(options));
    analysis_.other = AnalysisLook::Other{other_->Title(), other_->Status(), 0};
}

void App::StopComparing() {
    if (session_ && comparing_) session_->Analyst().SetAgainst(std::nullopt);
    retired_.Take(std::move(other_));
    comparing_ = false;
    analysis_.other.reset();
    settledFrames_ = 0;
}

// Once a frame. Both are at their ends when the comparison begins, as `residue diff A B` has them.
void App::LookAtOther() {
    if (!other_ || !session_) return;
    analysis_.other->status = other_->Status();  // before the log is looked at: what is ready is all there
    if (!comparing_) other_->Tick(0);
    analysis_.other->calls = other_->End().value;
    using session::Phase;
    if (comparing_ || analysis_.other->status.phase != Phase::Ready || session_->Status().phase != Phase::Ready) return;
    comparing_ = true;
    session_->Analyst().SetAgainst(session::Against{other_->View(), other_->Title(), other_->End(),
                                                    other_->Series().Run().peakPosition});
    if (session_->Now().value == 0) session_->SeekTo(session_->End());
    ShowCentre(CentreTab::Flame);
    ShowTab(Tab::Profile);
}

}  // namespace residue::gui
