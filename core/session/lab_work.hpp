// What the sessions of one lab share: builds the student's code again whenever it is saved, runs it over the traces,
// and has the newest state and picture. Builds and runs on a thread of its own; nothing here waits for them but the
// Wait... functions and the destructor, which ends what is under way first.
//
// Order of work: the chosen trace first, without timing, so that its picture is there soon; then every trace as
// `residue lab` runs it. A save or another choice ends what is under way.
//
// Thread: any.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "session/file_watch.hpp"
#include "session/lab.hpp"

namespace residue::session {

class LabWork {
public:
    explicit LabWork(LabOptions options);
    ~LabWork();
    LabWork(const LabWork&) = delete;
    LabWork& operator=(const LabWork&) = delete;

    const LabOptions& Options() const { return options_; }
    std::shared_ptr<const LabState> State() const;      // never null
    std::shared_ptr<const LabPicture> Picture() const;  // the newest; null: none yet
    bool Busy() const;                                  // the state will change by itself
    void WhenChanged(std::function<void()> tell);       // as Lab's
    void Choose(std::size_t row);
    void Rebuild();  // as if it had been saved

    // Until there is a picture, or none to come: the code does not build. `stop` is looked at now and then.
    std::shared_ptr<const LabPicture> WaitForPicture(const std::atomic<bool>& stop) const;
    void WaitUntilIdle() const;

private:
    enum class Job : std::uint8_t { None, Build, Show, Grade };
    void Work();
    Job NextJob() const;  // lock_ is held
    void BuildIt();
    void ShowChosen();
    void GradeNext();
    void Finish();
    void Interrupt();  // lock_ is held
    void Tell();       // what has changed, to those who wait in here and to the one outside
    std::shared_ptr<const lab::LabTrace> Trace(std::size_t row);
    template <class Change>
    void Alter(Change change);
    void Fill(LabState::Row& row, const lab::TraceOutcome& outcome);

    const LabOptions options_;
    mutable std::mutex lock_;
    mutable std::condition_variable changed_;
    std::mutex tellLock_;  // while it is called, too; never taken with lock_ held
    std::function<void()> tell_;
    std::shared_ptr<const LabState> state_;
    std::shared_ptr<const LabPicture> picture_;
    bool dirty_ = true;     // saved since the last build began
    bool working_ = false;  // a job is under way
    bool stopping_ = false;
    std::atomic<bool> interrupted_{false};  // the job under way is to end

    // The worker's.
    std::shared_ptr<const SourceLines> lines_;  // of built_
    std::shared_ptr<const lab::Built> built_;  // null: it does not build
    std::vector<std::shared_ptr<const lab::LabTrace>> traces_;
    std::uint64_t pictures_ = 0;
    std::optional<std::size_t> shown_;  // the trace that was shown, or cannot be, with this build

    std::thread worker_;
    std::optional<FileWatch> watch_;  // last: it calls
};

}  // namespace residue::session
