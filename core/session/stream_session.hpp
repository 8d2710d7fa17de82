// What a machine without an operating system sent over its serial port (import/event_stream.hpp).
#pragma once

#include <thread>

#include "session/cursor.hpp"

namespace residue::session {

class StreamSession final : public CursorSession {
public:
    StreamSession(std::string path, OpenOptions options);
    ~StreamSession() override;

    void WaitUntilLoaded() override;
    bool IsLive() const override { return Status().phase == Phase::Loading; }
    std::string RecordingFormat() const override { return "event stream"; }

private:
    void Load();

    std::thread worker_;
};

}  // namespace residue::session
