// A real program, watched while it runs (capture/capture.hpp). The log follows it by about a millisecond while the
// machine keeps up; the series and the copies for far seeks are made on a thread of their own, so that neither waits.
#pragma once

#include <memory>
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

private:
    void Begin(Outcome<std::unique_ptr<capture::Capture>> capture);
    void Follow();

    const std::string name_;
    std::unique_ptr<capture::Capture> capture_;  // null: it could not be started
    std::atomic<bool> whole_{false};             // nothing more comes, and it is indexed
    State state_;
    double sinceRate_ = 0;
    std::uint64_t rateFrom_ = 0;
    std::thread follower_;
};

}  // namespace residue::session
