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
        lab::WriteLog(*picture_->operations, outcome.records, picture_->source, problem, log_,
                      outcome.problem ? outcome.problem->op : std::nullopt);
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

std::string LabSession::TraceFile() const {
    const std::size_t row = Loaded() && picture_ ? picture_->trace : state_->chosen;
    return work_->Options().traces[row];
}

std::string LabSession::Title() const {
    return state_->source;
}

bool LabSession::Tick(double seconds, std::uint64_t budgetRows) {
    state_ = work_->State();
    return CursorSession::Tick(seconds, budgetRows);
}

bool LabSession::Working() const {
    return CursorSession::Working() || next_ != nullptr || moment_.Busy() || work_->Busy() || state_ != work_->State();
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

// ---- the moment at the playhead ------------------------------------------------------------------------------------

std::shared_ptr<const MomentAnswer> LabSession::FindMoment(const lab::MomentQuestion& question,
                                                           const std::atomic<bool>& cancelled) {
    constexpr std::size_t kKept = 16;
    for (const auto& each : moments_) {
        if (each->question == question) return each;
    }
    if (!named_) names_ = lab::NamesOf(*picture_->built);
    named_ = true;
    lab::RunOptions how = work_->Options().settings.run;
    how.cancelled = &cancelled;
    auto moment = lab::LookAt(*picture_->built, *picture_->operations, question, how, names_.get());
    if (cancelled.load(std::memory_order_relaxed)) return nullptr;
    auto answer = std::make_shared<MomentAnswer>();
    answer->question = question;
    if (moment)
        answer->moment = std::move(*moment);
    else
        answer->failure = moment.error();
    moments_.push_front(answer);
    if (moments_.size() > kKept) moments_.pop_back();
    return answer;
}

std::shared_ptr<const MomentAnswer> LabSession::PresentMoment(bool& isPresent) {
    isPresent = false;
    if (Picture() == nullptr) return nullptr;
    const auto reply = moment_.Ask({Now().value, lookFrom_, lookBytes_});
    isPresent = reply.fresh;
    if (enterFirst_ && isPresent) {
        enterFirst_ = false;
        SeekToStep(0);
    }
    return reply.value;
}

std::size_t LabSession::PresentStep(const lab::Moment& moment) const {
    if (moment.steps.empty()) return 0;
    const std::size_t last = moment.steps.size() - 1;
    return step_ && stepOf_.value == moment.after ? std::min(*step_, last) : last;
}

void LabSession::StepLine(bool forward) {
    Play(false);
    bool isPresent = false;
    const auto answer = PresentMoment(isPresent);
    const bool has = isPresent && answer->moment && !answer->moment->steps.empty();
    if (has) {
        const std::size_t step = PresentStep(*answer->moment), count = answer->moment->steps.size();
        if (forward && step + 1 < count) return SeekToStep(step + 1);
        if (!forward && step > 0) return SeekToStep(step - 1);
    }
    step_.reset();
    enterFirst_ = forward && Now() < End();
    StepBy(forward ? 1 : -1);
}

}  // namespace residue::session
