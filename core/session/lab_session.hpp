// A run of a student's allocator on one trace, as a log; and the lab around it, which builds and runs again whenever
// the code is saved (session/lab_work.hpp). The log of a session never changes: a newer run is a session of its own,
// which TakeNewer gives out once it is loaded. Until then, and while the code does not build, this one stays as it is.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "session/cursor.hpp"
#include "session/lab.hpp"
#include "session/lab_work.hpp"

namespace residue::session {

class LabSession final : public CursorSession, public Lab {
public:
    explicit LabSession(LabOptions options);
    ~LabSession() override;

    void WaitUntilLoaded() override;  // until all traces have run
    std::string Title() const override;
    bool IsLive() const override { return false; }  // a log that is there is whole
    std::string RecordingFormat() const override { return "Residue lab"; }
    bool Tick(double seconds, std::uint64_t budgetRows) override;
    bool Working() const override;
    class Lab* GetLab() override { return this; }
    std::string TraceFile() const override;

    void WhenChanged(std::function<void()> tell) override { work_->WhenChanged(std::move(tell)); }
    const std::shared_ptr<const LabState>& State() const override { return state_; }
    const std::shared_ptr<const LabPicture>& Picture() const override;
    void ChooseTrace(std::size_t row, std::optional<std::uint64_t> op) override;
    std::unique_ptr<Session> TakeNewer() override;
    std::shared_ptr<const MomentAnswer> PresentMoment(bool& isPresent) override;
    void LookAtBytes(std::uint64_t from, std::uint64_t bytes) override { lookFrom_ = from, lookBytes_ = bytes; }
    std::size_t PresentStep(const lab::Moment& moment) const override;
    void SeekToStep(std::size_t step) override { step_ = step, stepOf_ = Now(); }
    void StepLine(bool forward) override;

private:
    LabSession(std::shared_ptr<LabWork> work, std::shared_ptr<const LabPicture> picture);
    void Load();
    bool Loaded() const { return Status().phase != Phase::Loading; }

    const std::shared_ptr<LabWork> work_;
    std::shared_ptr<const LabState> state_;
    std::shared_ptr<const LabPicture> picture_;  // the loader's until the session is loaded
    std::shared_ptr<const LabPicture> none_;
    std::unique_ptr<LabSession> next_;  // that is being loaded
    std::optional<std::pair<std::size_t, std::uint64_t>> wanted_;  // an operation of another trace
    std::thread loader_;

    // The moments' thread's: the last ones, so that going to and fro is cheap.
    std::shared_ptr<const MomentAnswer> FindMoment(const lab::MomentQuestion& question,
                                                   const std::atomic<bool>& cancelled);
    std::shared_ptr<symbols::Symbolizer> names_;
    bool named_ = false;
    std::deque<std::shared_ptr<const MomentAnswer>> moments_;

    std::uint64_t lookFrom_ = lab::kHeapBase, lookBytes_ = 4096;
    std::optional<std::size_t> step_;  // of the moment at stepOf_; none: the last one
    Position stepOf_{};
    bool enterFirst_ = false;  // the next moment is entered at its first line
    Background<lab::MomentQuestion, MomentAnswer> moment_{
        [this](const lab::MomentQuestion& question, const std::atomic<bool>& cancelled, std::atomic<double>&) {
            return FindMoment(question, cancelled);
        }};  // last: its thread reads what is above
};

}  // namespace residue::session
