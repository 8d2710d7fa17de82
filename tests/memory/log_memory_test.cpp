// Log, appender, model, figures, native file and recorder with every n-th allocation from the C++ heap failing.
#include <thread>
#include <vector>

#include "analysis/call_tree.hpp"
#include "analysis/series.hpp"
#include "log/appender.hpp"
#include "log/native_file.hpp"
#include "log/recorder.hpp"
#include "memory/failing_new.hpp"
#include "model/checkpoints.hpp"
#include "model/heap_model.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using namespace memory_tests;
using events::Event;
using events::EventKind;

namespace {

Event Make(EventKind kind, std::uint64_t address, std::uint64_t size, std::uint16_t allocator = 1) {
    Event event;
    event.kind = kind;
    event.address = address;
    event.size = size;
    event.allocator = AllocatorId{allocator};
    event.thread = ThreadId{1};
    return event;
}

// Something of everything: two nested allocators, texts, warnings, resizes, bulk frees, call traces, 600 calls.
void Write(log::EventLog& log) {
    log.SetSource({.name = "a name that is longer than a string has room for", .provenance = "made for this test"});
    log::Appender appender(log);
    TraceId trace{};
    for (std::uint64_t frame = 1; frame < 100; ++frame) trace = log.AddTrace(trace, frame << 4);
    log.NameFrame(16, {"a function with a long name, so that it needs memory", "file.cpp", 12});
    appender.Append(Make(EventKind::AllocatorCreated, 0x10000, 0x40000), "the outer allocator, by a long name");
    appender.Append(Make(EventKind::Allocated, 0x10000, 0x1000), {});
    Event child = Make(EventKind::AllocatorCreated, 0x10000, 0x1000, 2);
    child.header = 1;
    appender.Append(child, "the inner one");
    for (std::uint64_t i = 0; i < 300; ++i) {
        Event event = Make(EventKind::Allocated, 0x20000 + i * 64, 48);
        event.trace = TraceId{static_cast<std::uint32_t>(i % 99 + 1)};
        appender.Append(event, {});
        if (i % 3 == 0) appender.Append(Make(EventKind::Freed, 0x20000 + i * 64, 0), {});
        if (i % 50 == 7) appender.Append(Make(EventKind::Allocated, 0x20000 + i * 64 + 8, 8), {});  // over a live one
        if (i % 40 == 3) appender.Append(Make(EventKind::Marker, 0, 0), "a text that is some forty bytes long, or so");
        if (i % 60 == 5) appender.Append(Make(EventKind::Freed, 0x999, 0), {});  // was never given out
    }
    appender.Append(Make(EventKind::BulkFreed, 0x20000, 0x1000), {});
    appender.Append(Make(EventKind::RegionGrown, 0x80000, 0x1000), {});
    appender.Append(Make(EventKind::RegionShrunk, 0x80000, 0x1000), {});
    appender.Append(Make(EventKind::AllocatorDestroyed, 0, 0, 2), {});
}

// All there is to read, as one number. Nothing must be wrong with a log that was cut short by a failure.
std::uint64_t ReadAll(const log::LogView& log) {
    std::uint64_t sum = log.Rows().value * 1'000'003 + log.Blocks() + log.ErrorCount() * 17;
    for (Row row{}; row < log.Rows(); ++row) {
        const log::LoggedEvent logged = log.At(row);
        sum =
            sum * 31 + logged.event.address + logged.block.value + log.Text(row).size() + log.DiedTogether(row).size();
    }
    for (Row row{}; row < log.Rows(); ++row) {
        row = log.NextError(row);
        if (row.value == log::kNever) break;
        sum = sum * 31 + log.At(row).event.address;
    }
    return sum;
}

// Prepared once, never under a failing heap.
const log::EventLog& Prepared() {
    static log::EventLog* const log = [] {
        auto* made = new log::EventLog;
        Write(*made);
        made->Close();
        return made;
    }();
    return *log;
}

}  // namespace

TEST_CASE("a log that memory runs out for keeps its rows readable, and is gone without a loss") {
    const auto allocations = UntilNoneFails([](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        log::EventLog log;
        bool whole = true;
        try {
            Write(log);
        } catch (const std::bad_alloc&) {
            whole = false;
        }
        heap.Disarm();
        const std::uint64_t read = ReadAll(log.View());
        if (!whole) return std::nullopt;
        return read;
    });
    CHECK(allocations > 50);
}

TEST_CASE("a chunk that memory runs out for while it is sealed stays readable as it was") {
    const auto allocations = UntilNoneFails([](FailingNew& heap) -> std::optional<std::uint64_t> {
        log::EventLog log;
        log::LoggedEvent row;
        row.event = Make(EventKind::Step, 7, 0);
        for (std::uint64_t i = 1; i < log::kChunkRows; ++i) log.Append(row, i % 4096 == 0 ? "text" : "");
        heap.Arm();
        bool whole = true;
        try {
            for (int i = 0; i < 3; ++i) log.Append(row, "text");
        } catch (const std::bad_alloc&) {
            whole = false;
        }
        heap.Disarm();
        const log::LogView view = log.View();
        REQUIRE(view.Rows().value >= log::kChunkRows - 1);
        for (Row at{}; at < view.Rows(); ++at) {
            if (view.At(at).event.address != 7) FAIL("row " << at.value << " is not what was appended");
        }
        if (!whole) return std::nullopt;
        return view.Rows().value;
    });
    CHECK(allocations >= 5);
}

TEST_CASE("a heap model that memory runs out for is gone without a loss, forwards, backwards and copied") {
    const log::LogView log = Prepared().View();
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        model::HeapModel model;
        while (model.Applied() < log.Rows()) model.Apply(log);
        const model::HeapModel copy = model;
        std::uint64_t sum = model.Sum().payload * 31 + model.Sum().blocks;
        while (model.Applied().value > 0) model.Unapply(log);
        return sum + copy.Sum().payload + model.Sum().blocks;
    });
}

TEST_CASE("figures, leaks and call tree end in bad_alloc and nothing else") {
    const log::LogView log = Prepared().View();
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        analysis::Series series;
        model::Checkpoints checkpoints;
        while (!series.Extend(log, 50)) checkpoints.Offer(series.Head());
        std::uint64_t sum = series.Run().peakLiveBytes;
        std::vector<analysis::SeriesColumn> columns;
        series.Columns(Position{}, log.Positions(), 40, columns);
        for (const auto& column : columns) sum = sum * 31 + column.liveMax;
        for (const auto& leak : analysis::FindLeaks(log, series.Head())) sum = sum * 31 + leak.bytes;
        return sum + analysis::BuildCallTree(log, series.Head()).size();
    });
}

TEST_CASE("a native file that memory runs out for leaves the old one and no other; one read so is an error") {
    const support::ScratchFolder folder;
    const std::string path = folder / "run.residue";
    const log::LogView log = Prepared().View();
    REQUIRE(log::WriteNative(log, path));
    const auto files = [&] {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder.Path())) count += entry.exists();
        return count;
    };
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        const std::string copy = path;
        heap.Arm();
        std::optional<std::uint64_t> result;
        try {
            if (log::WriteNative(log, copy)) result = 1;
        } catch (const std::bad_alloc&) {
        }
        heap.Disarm();
        REQUIRE(files() == 1);
        return result;
    });
    const std::uint64_t expected = ReadAll(log);
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        log::EventLog again;
        const auto summary = log::ReadNative(path, again);
        if (!summary || !summary->whole) return std::nullopt;
        heap.Disarm();
        REQUIRE(ReadAll(again.View()) == expected);
        return expected;
    });
}

TEST_CASE("a recorder that memory runs out for lets the program go on, and says so when it saves") {
    const support::ScratchFolder folder;
    const std::string path = folder / "run.residue";
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        log::Recorder recorder(path, "a name that is longer than a string has room for");
        std::thread writer([&] {
            for (std::uint64_t i = 1; i <= 300; ++i) {
                Event event = Make(EventKind::Allocated, i << 12, 8);
                event.trace = recorder.Sink()->Capture(0);
                events::EmitNow(*recorder.Sink(), event);
            }
        });
        writer.join();
        const auto saved = recorder.Save();
        if (!saved) return std::nullopt;
        heap.Disarm();
        const log::LogView view = recorder.View();
        // Where there was no memory for a lane the events were dropped, counted, and are told as lost.
        if (view.ErrorCount() != 0) return std::nullopt;
        return view.Rows().value;
    });
}
