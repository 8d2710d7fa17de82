// The log and the pump under several threads; these also run under ThreadSanitizer.
#include <atomic>
#include <chrono>
#include <thread>

#include "events.hpp"
#include "events/lanes.hpp"
#include "events/trace_table.hpp"
#include "log/appender.hpp"
#include "log/event_log.hpp"
#include "log/pump.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log;
using namespace residue::log::testing;

TEST_CASE("readers follow a writer", "[threads]") {
    EventLog log;
    std::atomic<std::uint64_t> mistakes{0};
    std::atomic<bool> done{false};
    const auto read = [&] {
        std::uint64_t seen = 0;
        while (!done.load(std::memory_order_acquire)) {
            const LogView view = log.View();
            const std::uint64_t rows = view.Rows().value;
            if (rows < seen) ++mistakes;
            seen = rows;
            if (rows == 0) continue;
            for (std::uint64_t i = rows > 50 ? rows - 50 : 0; i < rows; ++i) {
                const LoggedEvent row = view.At(Row{i});
                if (row.event.kind == EventKind::Allocated && view.Birth(row.block).event.stamp != row.event.stamp) {
                    ++mistakes;
                }
                if (row.event.kind == EventKind::Marker && view.Text(Row{i}) != std::to_string(row.event.stamp)) {
                    ++mistakes;
                }
                if (view.PositionOf(Row{i}).value > view.Positions().value + 1) ++mistakes;
            }
            if (view.RowsAt(view.Positions()) > view.Rows()) ++mistakes;
            for (std::uint32_t id = 1; id <= std::min(view.Blocks(), 50u); ++id) {
                const BlockLife life = view.Life(BlockId{id});
                if (life.born >= view.Rows()) ++mistakes;
            }
            if (view.Blocks() > 0 && view.Life(BlockId{view.Blocks()}).born >= view.Rows()) ++mistakes;
            if (view.ErrorCount() > 0 && view.PreviousError(view.Rows()) >= view.Rows()) ++mistakes;
            view.Frames(TraceId{view.Traces()});
            std::this_thread::sleep_for(std::chrono::microseconds(50));  // leaves the writer its turn
        }
    };
    std::thread first(read);
    std::thread second(read);
    {
        Appender appender(log);
        for (std::uint64_t i = 0; i < kChunkRows + 5000; ++i) {
            Event event = i % 4 == 0   ? Allocated(0x1000 + i % 64 * 16, 16)
                          : i % 4 == 1 ? Freed(0x1000 + (i - 1) % 64 * 16)
                          : i % 4 == 2 ? Make(EventKind::Marker)
                                       : Freed(1);
            event.stamp = i;
            appender.Append(event, i % 4 == 2 ? std::to_string(i) : std::string());
            if (i % 100 == 0) log.AddTrace(TraceId{static_cast<std::uint32_t>(i / 200)}, i);
        }
    }
    log.Close();
    done.store(true, std::memory_order_release);
    first.join();
    second.join();
    CHECK(mistakes == 0);
    CHECK(Illegal(log.View()).empty());
}

namespace {

void EmitPair(events::Lanes& lanes, std::uint64_t address, TraceId trace) {
    Event event = Allocated(address, 16);
    event.thread = {};
    event.trace = trace;
    events::EmitNow(lanes, event);
    event = Freed(address);
    event.thread = {};
    events::EmitNow(lanes, event);
}

// Waits until `done`, at most a minute (machines are busy).
template <class Done>
bool Becomes(Done done) {
    for (int i = 0; i < 60000; ++i) {
        if (done()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

}  // namespace

TEST_CASE("the pump brings everything from several writers, with its traces", "[threads]") {
    events::TraceTable traces(1 << 12);
    events::Lanes lanes({.capacity = 256, .stamps = events::StampSource::Ticks});
    EventLog log;
    std::atomic<std::uint64_t> rounds{0};
    PumpOptions options;
    options.traces = &traces;
    options.afterRound = [&] { rounds.fetch_add(1); };
    Pump pump(lanes, log, options);
    constexpr std::uint64_t pairs = 5000;
    const auto write = [&](std::uint64_t base) {
        for (std::uint64_t i = 0; i < pairs; ++i) {
            const std::uintptr_t frames[] = {base + i % 10, 77};
            EmitPair(lanes, base + i % 64 * 16, traces.Intern(frames, 2));
        }
    };
    std::thread first(write, 0x10000);
    std::thread second(write, 0x20000);
    first.join();
    second.join();
    pump.Stop();
    pump.Stop();
    CHECK(log.Closed());
    CHECK(rounds > 0);
    const LogView view = log.View();
    REQUIRE(view.Rows() == Row{4 * pairs});
    CHECK(pump.Counted().inferredFrees == 0);
    CHECK(pump.Counted().rewrittenFrees == 0);
    CHECK(pump.Warnings().empty());
    CHECK(Illegal(view) == "");
    std::uint64_t wrong = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        const Event event = view.At(row).event;
        if (event.kind != EventKind::Allocated) continue;
        const std::uint64_t base = event.address & ~0xFFFFull;
        const std::uint64_t frame = view.FrameAddress(event.trace);
        wrong += frame < base || frame >= base + 10 || view.FrameAddress(view.ParentTrace(event.trace)) != 77;
    }
    CHECK(wrong == 0);
}

TEST_CASE("the pump brings a single event while the source lives", "[threads]") {
    events::Lanes lanes({.capacity = 256});
    EventLog log;
    Pump pump(lanes, log);
    EmitPair(lanes, 0x1000, {});
    CHECK(Becomes([&] { return log.View().Rows() == Row{2}; }));
    CHECK_FALSE(log.Closed());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // it sleeps by now
    EmitPair(lanes, 0x1000, {});
    CHECK(Becomes([&] { return log.View().Rows() == Row{4}; }));
}

TEST_CASE("a text that is cut off at the end still arrives", "[threads]") {
    events::Lanes lanes({.capacity = 256});
    EventLog log;
    Pump pump(lanes, log);
    Event event = Make(EventKind::Output);
    event.flags = Bit(EventFlag::HasText);
    events::EmitNow(lanes, event);
    pump.Stop();
    CHECK(log.View().Rows() == Row{1});
}

TEST_CASE("when there is no room for more call traces, the log says so once", "[threads]") {
    events::TraceTable traces(4);
    events::Lanes lanes({.capacity = 1024, .traceDepth = 16, .traces = &traces});
    EventLog log;
    {
        Pump pump(lanes, log, {.traces = &traces, .afterRound = {}});
        for (std::uint64_t i = 0; i < 200; ++i) {
            Event event = Allocated(0x1000 + i * 64, 16);
            const std::uintptr_t frames[] = {i * 16 + 1};  // a stack that is new each time
            event.trace = traces.Intern(frames, 1);
            events::EmitNow(lanes, event);
        }
        pump.Stop();
    }
    CHECK(traces.Refused() > 100);
    const LogView view = log.View();
    int told = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        if (view.KindAt(row) == EventKind::Marker && view.Text(row).find("call traces") != std::string_view::npos)
            ++told;
    }
    CHECK(told == 1);
    CHECK(view.Blocks() == 200);
}
