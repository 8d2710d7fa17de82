#include "session/lab_session.hpp"

#include <algorithm>
#include <utility>

#include "lab/problem_text.hpp"
#include "lab/saved_run.hpp"

namespace residue::session {

LabSession::LabSession(LabOptions options) : LabSession(std::make_shared<LabWork>(std::move(options)), nullptr) {}

LabSession::LabSession(std::shared_ptr<LabWork> work, std::shared_ptr<const LabPicture> picture)
    : CursorSession(work->Options().student, OpenOptions{}),
      work_(std::move(work)),
      state_(work_->State()),
      picture_(std::move(picture)) {
    SetDoing("building and running");
    loader_ = std::thread([this] { Guard([this] { Load(); }); });
}

LabSession::~LabSession() {
    Cancel();
    if (loader_.joinable()) loader_.join();
}

void LabSession::Load() {
    if (picture_ == nullptr) picture_ = work_->WaitForPicture(cancelled_);
    if (Cancelled()) return SetPhase(Phase::Cancelled);
    if (picture_ != nullptr) {
        const lab::TraceOutcome& outcome = picture_->outcome;
        const std::string problem =
            outcome.problem ? lab::ProblemText(picture_->trace, *outcome.problem) : outcome.notRun;
        lab::WriteLog(*picture_->operations, outcome.records, picture_->source, problem, log_);
        SetSubtitle(picture_->source + " on " + picture_->operations->name);
        AddWarnings(picture_->operations->warnings);
    }
    log_.Close();
    SetPhase(ExtendToWhole() ? Phase::Ready : Phase::Cancelled);
}

void LabSession::WaitUntilLoaded() {
    if (loader_.joinable()) loader_.join();
    work_->WaitUntilIdle();
    state_ = work_->State();
}

std::string LabSession::Title() const {
    return state_->source;
}

bool LabSession::Tick(double seconds, std::uint64_t budgetRows) {
    state_ = work_->State();
    return CursorSession::Tick(seconds, budgetRows);
}

bool LabSession::Working() const {
    return CursorSession::Working() || next_ != nullptr || work_->Busy() || state_ != work_->State();
}

const std::shared_ptr<const LabPicture>& LabSession::Picture() const {
    return Loaded() ? picture_ : none_;
}

void LabSession::ChooseTrace(std::size_t row, std::optional<std::uint64_t> op) {
    if (row >= state_->rows.size()) return;
    const bool isShown = Loaded() && picture_ != nullptr && picture_->trace == row;
    wanted_.reset();
    if (op && isShown)
        SeekTo(Position{*op + 1});
    else if (op)
        wanted_ = {row, *op};
    work_->Choose(row);
}

std::unique_ptr<Session> LabSession::TakeNewer() {
    if (!Loaded()) return nullptr;
    if (next_ == nullptr) {
        const auto newest = work_->Picture();
        const std::uint64_t own = picture_ == nullptr ? 0 : picture_->number;
        if (newest == nullptr || newest->number <= own) return nullptr;
        next_.reset(new LabSession(work_, newest));
    }
    if (!next_->Loaded()) return nullptr;
    next_->Tick(0, 0);  // what has been loaded can be sought in
    const bool isWanted = wanted_ && wanted_->first == next_->picture_->trace;
    next_->SeekTo(std::min(isWanted ? Position{wanted_->second + 1} : Now(), next_->End()));
    if (!isWanted) next_->wanted_ = wanted_;
    next_->SetSpeed(Speed());
    return std::move(next_);
}

}  // namespace residue::session
