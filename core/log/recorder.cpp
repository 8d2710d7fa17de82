#include "log/recorder.hpp"

#include <new>
#include <optional>
#include <utility>

#include "events/lanes.hpp"
#include "log/native_file.hpp"
#include "log/pump.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::log {

namespace {
constexpr unsigned kTraceDepth = 32;
constexpr std::size_t kLaneRecords = 1 << 16;
constexpr std::uint32_t kTraceNodes = 1 << 20;
}  // namespace

struct Recorder::State {
    State(std::string path_, std::string name) : path(std::move(path_)) {
        if (name.empty()) name = path.substr(path.rfind('/') + 1);
        log.SetSource({.name = std::move(name), .provenance = "recorded", .clock = Clock::Ticks});
        log.SetSymbolizer(symbols::OwnProcess());
    }

    std::string path;
    events::TraceTable traces{kTraceNodes};
    events::Lanes lanes{{.capacity = kLaneRecords,
                         .stamps = events::StampSource::Ticks,
                         .traceDepth = kTraceDepth,
                         .traces = &traces}};
    EventLog log;
    Pump pump{lanes, log, {.traces = &traces, .afterRound = {}}};
    std::optional<Outcome<void>> saved;
};

Recorder::Recorder(std::string path, std::string name)
    : state_(std::make_unique<State>(std::move(path), std::move(name))) {}

Recorder::~Recorder() {
    state_->lanes.Close();
    state_->pump.Stop();
}

events::EventSink* Recorder::Sink() { return &state_->lanes; }

LogView Recorder::View() const { return state_->log.View(); }

Outcome<void> Recorder::Save() {
    if (!state_->saved) {
        state_->lanes.Close();
        state_->pump.Stop();
        try {
            state_->saved = WriteNative(state_->log.View(), state_->path);
        } catch (const std::bad_alloc&) {
            return Fail(OutOfMemory());
        }
        if (*state_->saved && state_->pump.RanOutOfMemory()) state_->saved = Fail(OutOfMemory());
    }
    return *state_->saved;
}

}  // namespace residue::log
