// A trace of ids and sizes, replayed through an allocator: read once for its figures, then replayed on a worker thread
// whose events cross a lane into the log.
#pragma once

#include <thread>

#include "import/trace.hpp"
#include "session/cursor.hpp"

namespace residue::session {

class TraceSession final : public CursorSession {
public:
    TraceSession(std::string path, OpenOptions options);
    ~TraceSession() override;

    void WaitUntilLoaded() override;
    bool IsLive() const override { return Status().phase == Phase::Loading; }
    std::optional<import::TraceFigures> Figures() const override;
    std::string TraceFile() const override { return Path(); }  // before it is read, too

private:
    void Load();
    // What is left to say at the end, or why it ended early.
    std::optional<Failure> Replay(const import::TraceHeader& header, const import::TraceFigures& figures);

    mutable std::mutex figuresLock_;
    std::optional<import::TraceFigures> figures_;
    std::thread worker_;
};

}  // namespace residue::session
