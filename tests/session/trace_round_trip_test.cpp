// A trace that was replayed and written again from its log is the same trace, on every allocator: reader, replay,
// appender, log and writer agree.
#include <unistd.h>

#include <filesystem>

#include "alloc/registry.hpp"
#include "events/sinks.hpp"
#include "export/trace_writer.hpp"
#include "import/trace.hpp"
#include "log/appender.hpp"
#include "replay/replay.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

import::TraceFigures FiguresOf(const std::string& path) {
    auto reader = import::OpenTrace(path);
    REQUIRE(reader);
    const auto figures = import::ReadFigures(**reader, nullptr);
    REQUIRE(figures);
    CHECK((*reader)->Warnings().empty());
    return *figures;
}

log::LogView Replayed(const std::string& path, const import::TraceFigures& figures, const char* allocator,
                      log::EventLog& log) {
    auto reader = import::OpenTrace(path);
    REQUIRE(reader);
    replay::ReplayOptions options;
    options.allocator = allocator;
    auto replay = replay::Replay::Create(figures, options);
    REQUIRE(replay);
    events::VectorSink sink;
    const std::atomic<bool> cancelled = false;
    REQUIRE((*replay)->Run(**reader, sink, cancelled, nullptr));
    log::Appender appender(log);
    appender.Append(sink.Events().data(), sink.Events().size());
    appender.Flush();
    return log.View();
}

}  // namespace

TEST_CASE("trace to log to trace keeps every figure, on every allocator and every shipped trace") {
    const std::filesystem::path traces = std::filesystem::path(RESIDUE_SOURCE_DIR) / "scenarios" / "traces";
    const std::string written =
        (std::filesystem::temp_directory_path() / ("residue-round-" + std::to_string(::getpid()) + ".rep")).string();
    std::size_t seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(traces)) {
        if (entry.path().extension() != ".rep") continue;
        ++seen;
        const import::TraceFigures figures = FiguresOf(entry.path().string());
        for (const char* allocator : {"first-fit", "worst-fit", "default"}) {
            INFO(entry.path().string() << " on " << allocator);
            log::EventLog log;
            const log::LogView view = Replayed(entry.path().string(), figures, allocator, log);
            CHECK(view.Positions().value == figures.operations);
            CHECK(view.ErrorCount() == 0);
            REQUIRE(exports::WriteRep(view, written));
            const import::TraceFigures again = FiguresOf(written);
            CHECK(again.operations == figures.operations);
            CHECK(again.allocations == figures.allocations);
            CHECK(again.frees == figures.frees);
            CHECK(again.resizes == figures.resizes);
            CHECK(again.liveBytes == figures.liveBytes);
            CHECK(again.liveBlocks == figures.liveBlocks);
            CHECK(again.peakLiveBytes == figures.peakLiveBytes);
            CHECK(again.peakPosition == figures.peakPosition);
            CHECK(again.totalBytes == figures.totalBytes);
        }
    }
    CHECK(seen == 8);
    std::filesystem::remove(written);
}
