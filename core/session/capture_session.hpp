// A real program, watched while it runs (capture/capture.hpp). The log follows it by about a millisecond while the
// machine keeps up; the series and the copies for far seeks are made on a thread of their own, so that neither waits.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "capture/capture.hpp"
#include "session/cursor.hpp"
#include "session/program.hpp"

namespace residue::session {

class CaptureSession final : public CursorSession, public LiveProgram {
public:
    // Starts it; what is wrong shows in Status().
    CaptureSession(std::vector<std::string> arguments, capture::CaptureOptions options);
    // One that runs already: a child of a program that is watched.
    CaptureSession(capture::Child child, const capture::CaptureOptions& options);
    // Watches one that runs already.
    CaptureSession(pid_t process, const capture::CaptureOptions& options);
    ~CaptureSession() override;  // a program that still runs goes on alone

    void Cancel() override;
    void WaitUntilLoaded() override;  // until the program has ended
    bool IsLive() const override { return !whole_.load(std::memory_order_acquire); }
    std::string Title() const override;
    LiveProgram* GetProgram() override { return this; }
    bool Tick(double seconds, std::uint64_t budgetRows) override;

    State ProgramState() const override { return state_; }
    void StopRecording() override;
    void EndProgram() override;
    std::vector<std::unique_ptr<Session>> TakeProcesses() override;
    Bytes LogBytes() const override { return {log_.ResidentBytes(), log_.SpilledBytes()}; }
    void StopAtLimit() override;

private:
    static constexpr std::size_t kMostProcesses = 1000;  // a session each, kept until the window lets them go

    void Begin(Outcome<std::unique_ptr<capture::Capture>> capture);
    void Follow();
    void FollowProcesses(const capture::CaptureOptions& options);

    const std::string name_;
    const std::shared_ptr<capture::ProgramName> childName_;  // null: it is none
    std::unique_ptr<capture::Capture> capture_;  // null: it could not be started
    std::atomic<bool> whole_{false};             // nothing more comes, and it is indexed
    State state_;
    double sinceRate_ = 0;
    std::uint64_t rateFrom_ = 0;
    std::thread follower_, processesFollower_;
    std::atomic<std::uint64_t> unfollowed_{0};  // of those that asked in vain here, not in the channel
    std::mutex processesLock_;
    std::vector<std::unique_ptr<Session>> newProcesses_;
};

}  // namespace residue::session
