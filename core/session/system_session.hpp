// A trace of ids and sizes through a malloc of the system, in a process of its own (lab/system_run.hpp): where its
// payloads lay. It tells nothing else, so of its heap nothing is known.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lab/entrants.hpp"
#include "session/cursor.hpp"

namespace residue::session {

class SystemSession final : public CursorSession {
public:
    // `options.allocator` names it: lab::FindSystemMalloc is not null.
    SystemSession(std::string path, OpenOptions options);
    ~SystemSession() override;

    void WaitUntilLoaded() override;
    bool IsLive() const override { return false; }
    std::optional<import::TraceFigures> Figures() const override;
    std::string TraceFile() const override { return Path(); }

private:
    void Load();

    mutable std::mutex figuresLock_;
    std::optional<import::TraceFigures> figures_;
    std::thread worker_;
};

}  // namespace residue::session
