#include "session/series_follower.hpp"

#include <thread>

#include "log/appender.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

// Blocks of a malloc; of an allocator with a region where `region` is not 0.
void Write(log::EventLog& log, std::uint64_t rows, std::uint64_t region = 0) {
    log::Appender appender(log);
    events::Event event;
    event.kind = events::EventKind::AllocatorCreated;
    event.allocator = AllocatorId{1};
    event.address = region == 0 ? 0 : 0x1000;
    event.size = region;
    appender.Append(event, "heap");
    event = {};
    event.allocator = AllocatorId{1};
    for (std::uint64_t i = 1; i < rows; ++i) {
        event.kind = i % 3 == 2 ? events::EventKind::Freed : events::EventKind::Allocated;
        event.address = 0x1000 + 64 * (i % 3 == 2 ? i - 1 : i);
        event.size = event.kind == events::EventKind::Allocated ? i % 50 : 0;
        appender.Append(event, {});
    }
    appender.Flush();
    log.Close();
}

}  // namespace

TEST_CASE("a series follows the log while it is written", "[threads]") {
    log::EventLog log;
    analysis::Series series, expected;
    std::atomic<bool> cancelled{false};
    std::uint64_t seen = 0;
    {
        session::SeriesFollower follower(log, series, 1000, cancelled);
        std::thread writer([&] { Write(log, 60'000); });
        while (!log.Closed()) seen = std::max(seen, series.Built().value);  // what a window does
        writer.join();
        follower.Finish();
    }
    const log::LogView view = log.View();
    CHECK(series.Applied() == view.Rows());
    CHECK_FALSE(series.NeedsHeap());
    while (!expected.Extend(view, 10'000)) {}
    REQUIRE(series.Built() == expected.Built());
    CHECK(seen <= series.Built().value);
    CHECK(series.Run().peakLiveBytes == expected.Run().peakLiveBytes);
    CHECK(series.At(Position{31'234}).liveMax == expected.At(Position{31'234}).liveMax);
}

TEST_CASE("a series that follows stops at what needs a heap, in short logs, and when it is told to", "[threads]") {
    std::atomic<bool> cancelled{false};
    SECTION("a region") {
        log::EventLog log;
        analysis::Series series;
        session::SeriesFollower follower(log, series, 1000, cancelled);
        Write(log, 5000, 1 << 20);
        follower.Finish();
        CHECK(series.NeedsHeap());
        CHECK(series.Applied().value == 0);
    }
    SECTION("a short log") {
        log::EventLog log;
        analysis::Series series;
        session::SeriesFollower follower(log, series, 1000, cancelled);
        Write(log, 900);
        follower.Finish();
        CHECK(series.Applied().value == 0);
        CHECK_FALSE(series.NeedsHeap());
    }
    SECTION("cancelled, and given up, while nothing ends the log") {
        log::EventLog log;
        analysis::Series series, another;
        session::SeriesFollower follower(log, series, 1000, cancelled);
        session::SeriesFollower givenUp(log, another, 1000, cancelled);
        cancelled = true;
        follower.Finish();
        CHECK(series.Applied().value == 0);
    }
}
