// A fork of another session's log (replay/log_fork.hpp): of a student's run, a recording, a scenario's run, anything
// that is whole.
#pragma once

#include <string>
#include <thread>

#include "session/cursor.hpp"

namespace residue::session {

class ForkSession final : public CursorSession {
public:
    // `options` has a fork. `of` may go while this one lives: it keeps the log.
    ForkSession(const Session& of, OpenOptions options);
    ~ForkSession() override;

    void WaitUntilLoaded() override;
    std::string Title() const override { return title_; }
    bool IsLive() const override { return false; }
    std::string RecordingFormat() const override { return format_; }

private:
    const std::string title_, format_;
    std::thread worker_;
};

}  // namespace residue::session
