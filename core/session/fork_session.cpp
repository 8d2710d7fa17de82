#include "session/fork_session.hpp"

#include <utility>

namespace residue::session {

ForkSession::ForkSession(const Session& of, OpenOptions options)
    : CursorSession(of.Path(), std::move(options)), title_(of.Title()), format_(of.RecordingFormat()) {
    SetSubtitle(of.Subtitle());
    worker_ = std::thread([this, recorded = of.View()] { Guard([&] { LoadFork(recorded); }); });
}

ForkSession::~ForkSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void ForkSession::WaitUntilLoaded() {
    if (worker_.joinable()) worker_.join();
}

}  // namespace residue::session
