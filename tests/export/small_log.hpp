// A small log with everything an exporter may meet: two threads, a call trace of three functions with names that need
// care, a resize, an error, a heap that is known, blocks that stay.
#pragma once

#include <fstream>
#include <string>

#include "log/appender.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

namespace residue::exports::testing {

using log::EventLog;
using log::testing::Allocated;
using log::testing::By;
using log::testing::Event;
using log::testing::EventKind;
using log::testing::Freed;
using log::testing::Make;
using log::testing::ResizeBegins;
using log::testing::ResizeEnds;

inline Event At(std::uint64_t stamp, std::uint32_t trace, Event event) {
    event.stamp = stamp;
    event.trace = TraceId{trace};
    return event;
}

// Calls: 1 allocates 100 B in main, 2 allocates 50 B in main;parse<a, b>, 3 frees the first, 4 fails with 9,000 B in
// main;parse;read, 5 resizes 50 to 80 B, 6 (thread 2) allocates 24 B without a call trace and 7 frees it, 8 allocates
// 30 B in main;parse;read. Left: 80 B and 30 B. The peak is 150 B after call 2. One tick is a microsecond.
inline void FillSmallLog(EventLog& log) {
    log.AddTrace({}, 0x10);
    log.AddTrace(TraceId{1}, 0x20);
    log.AddTrace(TraceId{2}, 0x30);
    log.NameFrame(0x10, {"main", "main.c", 3});
    log.NameFrame(0x20, {"parse<a, b>; \"x\"&", "parse.c", 7});
    log.NameFrame(0x30, {"read", "", 0});
    log::Appender appender(log);
    Event created = Make(EventKind::AllocatorCreated, 0x1000, 1024);
    created.stamp = 1000;
    appender.Append(created, "first <fit>");
    appender.Append(At(1001, 1, Allocated(0x1000, 100)), {});
    appender.Append(At(1002, 2, Allocated(0x1080, 50)), {});
    appender.Append(At(1003, 0, Freed(0x1000)), {});
    Event failed = At(1004, 3, Make(EventKind::AllocateFailed, 974, 9000));
    failed.error = static_cast<std::uint8_t>(MemoryError::BufferTooLarge);
    failed.argument = 974;
    appender.Append(failed, {});
    appender.Append(At(1005, 2, ResizeBegins(0x1080, 80)), {});
    appender.Append(At(1006, 2, ResizeEnds(0x1080, 0x1080, 80)), {});
    appender.Append(At(1007, 0, By(ThreadId{2}, Allocated(0x1200, 24))), {});
    appender.Append(At(1008, 0, By(ThreadId{2}, Freed(0x1200))), {});
    appender.Append(At(1009, 3, Allocated(0x1300, 30)), {});
    log.Close();
}

struct SmallLog {
    EventLog log{{.name = "demo", .provenance = "recorded", .clock = log::Clock::Ticks, .ticksPerSecond = 1e6}};
    support::ScratchFolder folder;
    log::LogView view;
    SmallLog() {
        FillSmallLog(log);
        view = log.View();
        REQUIRE(view.Positions().value == 8);
    }
};

}  // namespace residue::exports::testing
