// What another tool recorded of a program (import/recording.hpp).
#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "session/cursor.hpp"

namespace residue::session {

class RecordingSession final : public CursorSession {
public:
    RecordingSession(std::string path, OpenOptions options);
    ~RecordingSession() override;

    void WaitUntilLoaded() override;
    bool IsLive() const override { return Status().phase == Phase::Loading; }
    std::string RecordingFormat() const override;  // once it is read

private:
    void Load();

    mutable std::mutex formatLock_;
    std::string format_ = "recording";
    std::thread worker_;
};

}  // namespace residue::session
