#include "session/system_session.hpp"

#include <utility>

#include "lab/saved_run.hpp"
#include "lab/system_run.hpp"

namespace residue::session {

SystemSession::SystemSession(std::string path, OpenOptions options)
    : CursorSession(std::move(path), std::move(options)), worker_([this] { Guard([this] { Load(); }); }) {}

SystemSession::~SystemSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void SystemSession::WaitUntilLoaded() {
    if (worker_.joinable()) worker_.join();
}

std::optional<import::TraceFigures> SystemSession::Figures() const {
    const std::lock_guard lock(figuresLock_);
    return figures_;
}

void SystemSession::Load() {
    const lab::SystemMalloc& system = *lab::FindSystemMalloc(Options().allocator);
    const auto fail = [this](const Failure& failure) {
        log_.Close();
        Cancelled() ? SetPhase(Phase::Cancelled) : SetPhase(Phase::Failed, failure);
    };
    SetDoing("reading");
    auto reader = import::OpenTrace(Path());
    if (!reader) return fail(reader.error());
    const auto figures = import::ReadFigures(**reader, &cancelled_);
    if (!figures) return fail(figures.error());
    const auto trace = lab::ReadLabTrace(Path(), &cancelled_);
    if (!trace) return fail(trace.error());
    AddWarnings(trace->warnings);
    {
        const std::lock_guard lock(figuresLock_);
        figures_ = *figures;
    }
    SetDoing("running");
    SetSubtitle((*reader)->Header().format + " · " + system.title);
    lab::RaceOptions how;
    how.timing = false;
    how.cancelled = &cancelled_;
    const auto run = lab::RunSystem(system, *trace, how);
    if (!run) return fail(run.error());
    if (!run->whyNot.empty()) return fail({Options().allocator, run->whyNot, ""});
    if (Options().fork) {
        log::EventLog recorded;
        lab::WriteSystemLog(*trace, run->records, system.title, recorded);
        return LoadFork(recorded.View());
    }
    lab::WriteSystemLog(*trace, run->records, system.title, log_);
    log_.Close();
    SetDoing("indexing");
    SetPhase(ExtendToWhole() && !Cancelled() ? Phase::Ready : Phase::Cancelled);
}

}  // namespace residue::session
