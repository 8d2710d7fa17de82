#include "session/native_session.hpp"

#include <utility>

#include "log/native_file.hpp"

namespace residue::session {

NativeSession::NativeSession(std::string path, OpenOptions options)
    : CursorSession(std::move(path), std::move(options)), worker_([this] { Guard([this] { Load(); }); }) {}

NativeSession::~NativeSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void NativeSession::WaitUntilLoaded() {
    if (worker_.joinable()) worker_.join();
}

void NativeSession::Load() {
    LoadWhole([this](log::EventLog& log) { return log::ReadNative(Path(), log, &cancelled_, &progress_); },
              [this](const log::SourceInfo& source, const auto&) {
                  const std::string& provenance = source.provenance;
                  if (provenance == capture::kFromMidLife) {
                      AddWarnings({{source.name, std::string(capture::kMidLifeWarning)}});
                  }
                  SetSubtitle(provenance.empty() ? "Residue recording" : "Residue recording · " + provenance);
              });
}

}  // namespace residue::session
