// The pump: one thread per source that moves events from the lanes through the appender into the log, with the call
// traces they use. While the source lives an event reaches the log within about a millisecond; an idle pump sleeps.
//
//     Pump pump(lanes, log, {.traces = &traces, .afterRound = [&] { series.Extend(log.View(), ~0ull); }});
//     ... writers run ...
//     pump.Stop();                       // writers are done: drains everything that is left and closes the log
//
// Threads: made, stopped and destroyed by one thread; Warnings after Stop. Only the pump's thread writes the log.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "events/lanes.hpp"
#include "log/appender.hpp"
#include "log/event_log.hpp"

namespace residue::log {

struct PumpOptions {
    const events::TraceTable* traces = nullptr;  // the lanes' table; null: no call traces
    std::function<void()> afterRound;            // on the pump's thread, after each round that brought something
};

class Pump {
public:
    Pump(events::Lanes& lanes, EventLog& log, PumpOptions options = {});
    ~Pump();  // stops

    void Stop();  // idempotent. Lets the writers' last events through; the lanes are closed
    // Memory ran out: what is in the log is right up to there, and nothing more comes. The lanes are closed then, so
    // that no writer waits. Any thread.
    bool RanOutOfMemory() const;
    Appender::Totals Counted() const;          // after Stop
    std::vector<Warning> Warnings() const;     // after Stop

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::log
