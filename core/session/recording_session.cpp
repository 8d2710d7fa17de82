#include "session/recording_session.hpp"

#include <utility>

#include "import/recording.hpp"

namespace residue::session {

RecordingSession::RecordingSession(std::string path, OpenOptions options)
    : CursorSession(std::move(path), std::move(options)), worker_([this] { Guard([this] { Load(); }); }) {}

RecordingSession::~RecordingSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void RecordingSession::WaitUntilLoaded() {
    if (worker_.joinable()) worker_.join();
}

std::string RecordingSession::RecordingFormat() const {
    const std::lock_guard lock(formatLock_);
    return format_;
}

void RecordingSession::Load() {
    SetDoing("reading");
    auto summary = import::ReadRecording(Path(), log_, &cancelled_, &progress_);
    if (Cancelled()) return SetPhase(Phase::Cancelled);
    if (!summary) return SetPhase(Phase::Failed, summary.error());
    AddWarnings(std::move(summary->warnings));
    SetSubtitle(summary->format + (log_.View().Source().layoutSimulated ? " · layout simulated" : ""));
    {
        const std::lock_guard lock(formatLock_);
        format_ = std::move(summary->format);
    }
    SetDoing("indexing");
    if (!ExtendToWhole()) return SetPhase(Phase::Cancelled);
    SetPhase(Phase::Ready);
}

}  // namespace residue::session
