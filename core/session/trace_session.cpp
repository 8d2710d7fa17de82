#include "session/trace_session.hpp"

#include <utility>

#include "alloc/registry.hpp"
#include "events/lanes.hpp"
#include "log/pump.hpp"
#include "replay/replay.hpp"

namespace residue::session {

TraceSession::TraceSession(std::string path, OpenOptions options)
    : CursorSession(std::move(path), std::move(options)), worker_([this] { Guard([this] { Load(); }); }) {}

TraceSession::~TraceSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void TraceSession::WaitUntilLoaded() {
    if (worker_.joinable()) worker_.join();
}

std::optional<import::TraceFigures> TraceSession::Figures() const {
    const std::lock_guard lock(figuresLock_);
    return figures_;
}

void TraceSession::Load() {
    SetDoing("reading");
    auto reader = import::OpenTrace(Path());
    if (!reader) return SetPhase(Phase::Failed, reader.error());
    const auto figures = import::ReadFigures(**reader, &cancelled_);
    AddWarnings((*reader)->Warnings());
    if (Cancelled()) return SetPhase(Phase::Cancelled);
    if (!figures) return SetPhase(Phase::Failed, figures.error());
    {
        const std::lock_guard lock(figuresLock_);
        figures_ = *figures;
    }
    const auto failure = Replay((*reader)->Header(), *figures);
    log_.Close();
    if (Cancelled()) return SetPhase(Phase::Cancelled);
    SetPhase(failure ? Phase::Failed : Phase::Ready, failure);
}

std::optional<Failure> TraceSession::Replay(const import::TraceHeader& header, const import::TraceFigures& figures) {
    SetDoing("replaying");
    auto replay = replay::Replay::Create(figures, {Options().allocator, Options().capacity, Options().fork});
    if (!replay) return replay.error();
    std::string through = alloc::FindRegistration(Options().allocator)->title;
    if (const auto& fork = Options().fork) {
        through += ", from event " + std::to_string(fork->after) + " on " +
                   alloc::FindRegistration(fork->allocator)->title;
        if (fork->capacity) through += " of " + std::to_string(*fork->capacity) + " B";
    }
    SetSubtitle(header.format + " · " + through);
    log_.SetSource({.name = Title(), .provenance = "replayed through " + through, .layoutSimulated = true});

    auto reader = import::OpenTrace(Path());  // from the start again; its warnings are known
    if (!reader) return reader.error();
    events::Lanes lanes(events::LanesOptions{.capacity = 1 << 14,
                                             .policy = events::FullPolicy::Block,
                                             .stamps = events::StampSource::Steps});
    log::Pump pump(lanes, log_, log::PumpOptions{.afterRound = [this] { ExtendSeries(); }});
    const auto ran = (*replay)->Run(**reader, lanes, cancelled_, &progress_);
    pump.Stop();
    if (pump.RanOutOfMemory()) return OutOfMemory();
    SetDoing("indexing");
    if (!ExtendToWhole() || Cancelled()) return std::nullopt;
    AddWarnings(pump.Warnings());
    if (!ran) return ran.error();
    return std::nullopt;
}

}  // namespace residue::session
