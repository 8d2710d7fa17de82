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
    LoadWhole([this](log::EventLog& log) { return import::ReadRecording(Path(), log, &cancelled_, &progress_); },
              [this](const log::SourceInfo& source, import::RecordingSummary& summary) {
                  SetSubtitle(summary.format + (source.layoutSimulated ? " · layout simulated" : ""));
                  const std::lock_guard lock(formatLock_);
                  format_ = std::move(summary.format);
              });
}

}  // namespace residue::session
