#include "replay/log_fork.hpp"

#include <random>

#include "alloc/registry.hpp"
#include "analysis/series.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "replay/replay_support.hpp"

using namespace residue;
using namespace residue::replay;
using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

const std::atomic<bool> kGoOn{false};

// What some other allocator was recorded to have done: requests alone, nothing of its heap.
struct Recording {
    log::EventLog log;
    log::Appender appender{log};
    std::uint64_t stamp = 0;

    Recording& Add(EventKind kind, std::uint64_t address, std::uint64_t size = 0, std::uint64_t argument = 0) {
        Event event;
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.address = address;
        event.size = size;
        event.argument = argument;
        event.stamp = stamp += 10;
        event.thread = ThreadId{3};
        appender.Append(event, {});
        return *this;
    }
    Recording& Allocate(std::uint64_t address, std::uint64_t size) { return Add(EventKind::Allocated, address, size); }
    Recording& Free(std::uint64_t address) { return Add(EventKind::Freed, address); }
    log::LogView View() {
        appender.Flush();
        return log.View();
    }
};

struct Forked {
    log::EventLog log;
    std::string change, failure;
    explicit Forked(const log::LogView& of, const Fork& fork) {
        const auto done = ForkLog(of, fork, log, kGoOn, nullptr);
        if (done) change = *done;
        else failure = done.error().Text();
    }
    log::LogView View() const { return log.View(); }
    model::HeapModel At(std::uint64_t position) const {
        model::HeapModel heap;
        heap.Advance(View(), View().RowsAt(Position{position}), ~std::uint64_t{0});
        return heap;
    }
    std::string Texts() const {
        std::string texts;
        for (Row row{}; row < View().Rows(); ++row) {
            if (View().KindAt(row) == EventKind::Marker) texts += std::string(View().Text(row)) + "\n";
        }
        return texts;
    }
};

std::uint64_t LiveAt(const log::LogView& view, std::uint64_t position) {
    model::HeapModel heap;
    heap.Advance(view, view.RowsAt(Position{position}), ~std::uint64_t{0});
    return heap.Sum().payload;
}

}  // namespace

TEST_CASE("a recording goes on under another allocator: as recorded until there, then placed afresh") {
    Recording recording;
    recording.Add(EventKind::AllocatorCreated, 0);
    recording.Allocate(0x5000'1000, 100).Allocate(0x7000'2000, 50).Free(0x5000'1000).Allocate(0x5000'1000, 20);
    recording.Add(EventKind::ResizeBegins, 0x7000'2000, 500);
    recording.Add(EventKind::ResizeEnds, 0x9000'0000, 500, 0x7000'2000);
    recording.Free(0x9000'0000);
    const log::LogView of = recording.View();
    REQUIRE(of.Positions() == Position{6});
    const Forked forked(of, {.after = 3, .allocator = "tlsf"});
    REQUIRE(forked.failure.empty());
    CHECK(forked.change == "from event 3 on two-level segregated fit (TLSF)");
    CHECK(forked.View().Positions() == Position{6});
    for (std::uint64_t position = 0; position <= 6; ++position) {
        INFO(position);
        CHECK(LiveAt(forked.View(), position) == LiveAt(of, position));
    }
    // At the fork's own position the old heap is seen, one call later the new one.
    CHECK(forked.At(3).BlockAt(AllocatorId{1}, 0x7000'2000).has_value());
    CHECK_FALSE(forked.At(3).Sum().heapKnown);
    const model::HeapModel after = forked.At(4);
    CHECK(after.Find(AllocatorId{1})->totals.blocks == 0);
    CHECK_FALSE(after.Find(AllocatorId{1})->alive);
    CHECK(after.Find(AllocatorId{2})->totals.blocks == 2);
    CHECK(after.Sum().heapKnown);
    CHECK(forked.Texts() ==
          "forked here: 1 live blocks placed afresh in two-level segregated fit (TLSF), in order of allocation\n");
    // Calls keep their stamps and threads.
    const Event last = forked.View().At(Row{forked.View().Rows().value - 1}).event;
    CHECK(last.kind == EventKind::Freed);
    CHECK(last.stamp == recording.stamp);
    CHECK(last.thread == ThreadId{3});
    // Of the heap nothing was known at first: so nothing of the whole run is told of it.
    analysis::Series series;
    series.Extend(forked.View(), ~std::uint64_t{0});
    CHECK_FALSE(series.HeapKnown());
    CHECK_FALSE(series.Run().peakUtilisation);
    CHECK(series.Run().peakLiveBytes == 520);
}

TEST_CASE("from the beginning on a fork of a recording is the other allocator's own run") {
    const std::string trace = "0\n6\n8\n1\na 0 64\na 1 32\na 2 24\na 3 32\nf 0\nf 2\na 4 24\nr 3 900\n";
    const Replayed recorded = ReplayText(trace, {.allocator = "buddy"});
    log::EventLog log;
    log::Appender appender(log);
    appender.Append(recorded.events.data(), recorded.events.size());
    appender.Flush();
    const Forked forked(log.View(), {.after = 0, .allocator = "best-fit"});
    REQUIRE(forked.failure.empty());
    const Replayed own = ReplayText(trace, {.allocator = "best-fit"});
    REQUIRE(forked.View().Rows().value == own.events.size());
    for (std::size_t i = 0; i < own.events.size(); ++i) {
        INFO(i);
        const Event event = forked.View().At(Row{i}).event;
        CHECK(event.kind == own.events[i].kind);
        CHECK(event.address == own.events[i].address);
        CHECK(event.SetAside() == own.events[i].SetAside());
    }
}

TEST_CASE("of whatever was recorded every call stays one call, to any allocator, from anywhere") {
    std::mt19937 random(7);
    std::string trace = "0\n40\n200\n0\n";
    for (int i = 0; i < 200; ++i) {
        const std::string id = std::to_string(random() % 40), size = std::to_string(random() % 300);
        const auto what = random() % 5;
        if (what < 2) trace += "a " + id + " " + size + "\n";
        else trace += what == 2 ? "r " + id + " " + size + "\n" : "f " + id + "\n";
    }
    const Replayed recorded = ReplayText(trace, {.allocator = "first-fit", .capacity = 4000});  // some are refused
    log::EventLog log;
    log::Appender appender(log);
    appender.Append(recorded.events.data(), recorded.events.size());
    appender.Flush();
    for (const alloc::Registration& to : alloc::Registry()) {
        for (const std::uint64_t after : {0u, 1u, 77u, 199u}) {
            INFO(to.name << " from " << after);
            const Forked forked(log.View(), {.after = after, .allocator = to.name});
            REQUIRE(forked.failure.empty());
            REQUIRE(forked.View().Positions() == Position{200});
            // What was refused is granted now and goes back at once: only at its own position more is live.
            if (to.inBuffer && std::string(to.name) != "pool") {
                const std::uint64_t live = LiveAt(forked.View(), 200);
                CHECK(live >= LiveAt(log.View(), 200));
            }
        }
    }
}

TEST_CASE("where a fork of a recording has too little memory, that is told") {
    Recording recording;
    recording.Allocate(0x1000, 600).Allocate(0x2000, 900).Free(0x2000).Free(0x1000);
    const Forked forked(recording.View(), {.after = 2, .allocator = "first-fit", .capacity = 1000});
    REQUIRE(forked.failure.empty());
    CHECK_THAT(forked.Texts(), Catch::Contains("1 live blocks placed afresh") && Catch::Contains("; 1 had no room"));
    CHECK(LiveAt(forked.View(), 3) == 600);  // freeing what had no room has no effect
    CHECK(LiveAt(forked.View(), 4) == 0);
}

TEST_CASE("what a fork of a recording cannot be is a failure") {
    Recording recording;
    recording.Allocate(0x1000, 600).Free(0x1000);
    CHECK(Forked(recording.View(), {.after = 2, .allocator = "tlsf"}).failure ==
          "fork: after event 2 (expected less than 2, as many as there are)");
    CHECK_THAT(Forked(recording.View(), {.after = 1, .allocator = "nobody"}).failure, Catch::Contains("nobody"));
    CHECK_THAT(Forked(recording.View(), {.after = 1, .allocator = "system", .capacity = 10}).failure,
               Catch::Contains("capacity"));
    log::EventLog into;
    const std::atomic<bool> cancelled{true};
    const auto stopped = ForkLog(recording.View(), {.after = 1, .allocator = "tlsf"}, into, cancelled, nullptr);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().what == "cancelled");
}

TEST_CASE("only the part before the fork of a student's run is one of payloads alone") {
    Recording recording;
    recording.log.SetSource({.name = "a.rep", .provenance = "lab", .payloadsOnly = AllocatorId{1}});
    recording.Add(EventKind::AllocatorCreated, 0x1000).Add(EventKind::RegionGrown, 0x1000, 256);
    recording.Allocate(0x1008, 100).Allocate(0x1080, 100).Free(0x1008).Free(0x1080);
    const Forked forked(recording.View(), {.after = 2, .allocator = "first-fit"});
    REQUIRE(forked.failure.empty());
    CHECK(forked.View().Source().payloadsOnly == AllocatorId{1});
    CHECK_FALSE(forked.At(2).Sum().partsTold);
    CHECK(forked.At(3).Sum().partsTold);
    CHECK(forked.At(3).Sum().heapKnown);
    analysis::Series series;
    series.Extend(forked.View(), ~std::uint64_t{0});
    CHECK(series.HeapKnown());
    CHECK_FALSE(series.HolesKnown());
    CHECK_FALSE(Forked(recording.View(), {.after = 0, .allocator = "first-fit"}).View().Source().payloadsOnly);
    // And back again.
    model::HeapModel heap = forked.At(4);
    const model::HeapModel earlier = forked.At(2);
    while (heap.Applied() > earlier.Applied()) heap.Unapply(forked.View());
    CHECK(heap == earlier);
}
