#include "log/pump.hpp"

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <utility>

#include "log/trace_store.hpp"

namespace residue::log {
namespace {

constexpr auto kNap = std::chrono::microseconds(500);

}  // namespace

struct Pump::State {
    State(events::Lanes& from, EventLog& to, PumpOptions chosen)
        : lanes(from), log(to), options(std::move(chosen)), appender(to) {}

    void CopyTraces() {
        if (options.traces == nullptr) return;
        // Count() has reached an id before the event with it was emitted, so this is enough for what was received.
        for (const std::uint32_t count = options.traces->Count(); copied < count;) {
            const auto node = options.traces->At(TraceId{++copied});
            log.AddTrace(node.parent, node.frame);
        }
    }

    // Once: from here on some events have no call trace, though they were to have one.
    void TellFullTable(std::uint64_t stamp) {
        if (toldFullTable || options.traces == nullptr || options.traces->Refused() == 0) return;
        toldFullTable = true;
        events::Event marker;
        marker.kind = events::EventKind::Marker;
        marker.stamp = stamp;
        appender.Append(marker, kNoRoomForTraces);
    }

    void Deliver(const events::Event* records, std::size_t count) {
        CopyTraces();
        // A text that is spread over records must stay together.
        if (records->kind != events::EventKind::Continuation) TellFullTable(records->stamp);
        appender.Append(records, count);
    }

    void Run() {
        try {
            Move();
        } catch (const std::bad_alloc&) {
            outOfMemory.store(true, std::memory_order_release);
            lanes.Close();
        }
        log.Close();
    }

    void Move() {
        const auto deliver = [this](const events::Event* records, std::size_t count) { Deliver(records, count); };
        while (!stop.load(std::memory_order_acquire)) {
            const std::size_t moved = lanes.Drain(deliver);
            if (moved > 0 && options.afterRound) options.afterRound();
            // Quiet lanes publish no batch: the nap bounds the delay of what is in them.
            if (!lanes.WorthDraining()) std::this_thread::sleep_for(kNap);
        }
        lanes.DrainAll(deliver);
        appender.Flush();
        if (options.afterRound) options.afterRound();
    }

    events::Lanes& lanes;
    EventLog& log;
    const PumpOptions options;
    Appender appender;
    std::uint32_t copied = 0;
    bool toldFullTable = false;
    std::atomic<bool> stop{false};
    std::atomic<bool> outOfMemory{false};
    std::thread thread;
};

Pump::Pump(events::Lanes& lanes, EventLog& log, PumpOptions options)
    : state_(std::make_unique<State>(lanes, log, std::move(options))) {
    state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

Pump::~Pump() { Stop(); }

void Pump::Stop() {
    if (!state_->thread.joinable()) return;
    state_->lanes.Close();
    state_->stop.store(true, std::memory_order_release);
    state_->thread.join();
}

bool Pump::RanOutOfMemory() const { return state_->outOfMemory.load(std::memory_order_acquire); }

Appender::Totals Pump::Counted() const { return state_->appender.Counted(); }

std::vector<Warning> Pump::Warnings() const { return state_->appender.Warnings(); }

}  // namespace residue::log
