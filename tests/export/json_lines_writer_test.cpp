// A log written as JSON Lines and read back is the same log, whatever it holds.
#include "export/json_lines_writer.hpp"

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "import/recording.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using namespace residue::log::testing;
using log::EventLog;

namespace {

struct Again {
    support::ScratchFolder folder;
    std::string text;
    EventLog log;
    std::vector<Warning> warnings;
    exports::WriteSummary summary;

    explicit Again(const log::LogView& first) {
        const std::string path = folder / "a.jsonl";
        const auto written = exports::WriteJsonLines(first, path, {nullptr, &summary});
        REQUIRE(written);
        text = support::ReadFile(path);
        auto read = import::ReadRecording(path, log);
        REQUIRE(read);
        warnings = std::move(read->warnings);
    }
};

std::string NamesDiffer(const log::LogView& a, const log::LogView& b) {
    if (a.Traces() != b.Traces()) return "traces";
    for (std::uint32_t id = 1; id <= a.Traces(); ++id) {
        const TraceId trace{id};
        const log::Frame x = a.TopFrame(trace), y = b.TopFrame(trace);
        const bool same = a.ParentTrace(trace) == b.ParentTrace(trace) && x.function == y.function &&
                          a.FrameAddress(trace) == b.FrameAddress(trace) && x.file == y.file && x.line == y.line;
        if (!same) return "trace " + std::to_string(id);
    }
    return {};
}

// Any events at all, as a hostile writer would send them; the appender makes a log of them.
void AppendNoise(log::Appender& appender, std::uint32_t seed) {
    std::mt19937_64 random(seed);
    const auto upTo = [&random](std::uint64_t most) { return random() % (most + 1); };
    constexpr std::uint64_t kMost = ~std::uint64_t{0};
    for (int i = 0; i < 400; ++i) {
        Event event;
        event.kind = static_cast<EventKind>(upTo(events::kKindCount - 2));
        event.stamp = upTo(20) == 0 ? random() : static_cast<std::uint64_t>(i);
        event.address = upTo(10) == 0 ? random() : 0x1000 + 16 * upTo(20);
        event.size = upTo(30) == 0 ? kMost - upTo(5) : upTo(40);
        event.argument = upTo(3) == 0 ? random() : 0x1000 + 16 * upTo(20);
        event.rounding = upTo(3);
        event.padding = static_cast<std::uint32_t>(upTo(2));
        event.slack = static_cast<std::uint32_t>(upTo(2));
        event.trace = TraceId{static_cast<std::uint32_t>(upTo(4))};
        event.thread = ThreadId{static_cast<std::uint32_t>(upTo(2))};
        event.header = static_cast<std::uint16_t>(upTo(2));
        event.allocator = AllocatorId{static_cast<std::uint16_t>(upTo(2))};
        event.error = static_cast<std::uint8_t>(upTo(9));
        event.alignmentLog2 = static_cast<std::uint8_t>(upTo(70));
        event.flags = static_cast<std::uint8_t>(random());
        event.flags = static_cast<std::uint8_t>(event.flags & ~Bit(EventFlag::HasText));
        std::string text;
        if (upTo(3) == 0) {
            for (std::uint64_t length = upTo(60); length > 0; --length)
                text += static_cast<char>(upTo(upTo(1) * 128 + 127));
        }
        appender.Append(event, text);
    }
}

}  // namespace

TEST_CASE("a log comes back from JSON Lines as it was: events, texts, traces, names, source") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        INFO(seed);
        EventLog first({.name = "n \"1\"\n", .provenance = "recorded \xc3\xa4 \xff", .clock = log::Clock::Ticks,
                        .ticksPerSecond = 1e9 / 3, .layoutSimulated = seed % 2 == 0,
                        .payloadsOnly = AllocatorId{static_cast<std::uint16_t>(seed % 3)}});
        first.AddTrace({}, 0xFFFFFFFF80001000);
        first.AddTrace(TraceId{1}, 7);
        first.AddTrace(TraceId{1}, 7);
        first.NameFrame(7, {"f(\"x\\\")\t", "dir/ä.c", 12});
        first.AddTrace(TraceId{3}, 0);
        log::Appender appender(first);
        AppendNoise(appender, seed);
        const Again again(first.View());
        CHECK(Difference(first.View(), again.log.View()) == "");
        CHECK(NamesDiffer(first.View(), again.log.View()) == "");
        CHECK(again.log.View().Source().name == first.View().Source().name);
        CHECK(again.log.View().Source().provenance == first.View().Source().provenance);
        CHECK(again.log.View().Source().clock == log::Clock::Ticks);
        CHECK(again.log.View().Source().ticksPerSecond == first.View().Source().ticksPerSecond);
        CHECK(again.log.View().Source().layoutSimulated == first.View().Source().layoutSimulated);
        CHECK(again.log.View().Source().payloadsOnly == first.View().Source().payloadsOnly);
        CHECK(again.summary.operations == first.View().Rows().value);
    }
}

TEST_CASE("each line is an object that any reader of JSON takes") {
    EventLog first;
    first.AddTrace({}, 0x401136);
    log::Appender appender(first);
    appender.Append(Make(EventKind::AllocatorCreated, 0x1000, 4096), "heap\x01\xf0\x9f\xa6\x86");
    Event block = Allocated(0x1010, 24);
    block.trace = TraceId{1};
    block.alignmentLog2 = 4;
    appender.Append(block, {});
    appender.Append(ResizeBegins(0x1010, 48), {});
    appender.Append(ResizeEnds(0x1010, 0x1080, 48), {});
    appender.Append(Freed(0x1010), {});
    const Again again(first.View());
    std::istringstream lines(again.text);
    std::vector<nlohmann::json> objects;
    for (std::string line; std::getline(lines, line);) objects.push_back(nlohmann::json::parse(line));
    REQUIRE(objects.size() == 7);
    CHECK(objects[0]["residue"] == "events");
    CHECK(objects[1]["text"] == "heap\x01\xf0\x9f\xa6\x86");
    CHECK(objects[2]["trace"] == 1);
    CHECK(objects[3] == nlohmann::json({{"event", "allocated"}, {"allocator", 1}, {"thread", 1}, {"address", "0x1010"},
                                        {"size", 24}, {"alignment", 16}, {"trace", 1}}));
    CHECK(objects[5]["old_address"] == "0x1010");
    CHECK(objects[6]["event"] == "free_failed");
    CHECK(objects[6]["error"] == "DoubleFree");
}

TEST_CASE("a file by somebody else needs no header, no allocator and no stamps") {
    EventLog log;
    const auto good = import::ReadRecordingBytes(
        "f",
        "{\"event\":\"allocated\",\"size\":\"0x18\",\"mine\":{\"a\":[1,\"}\"]},\"address\":4096}\n"
        "{ \"event\" : \"freed\", \"address\" : \"0x1000\" }\r\n"
        "\n"
        "{\"event\":\"exploded\"}\n"
        "{\"event\":\"allocated\",\"address\":\"far\"}\n"
        "{\"event\":\"allocated\",\"address\":1e3}\n"
        "[1]\n"
        "{\"trace\":9,\"frame\":5,\"function\":\"f\"}\n"
        "{\"event\":\"allocated\",\"address\":64,\"size\":1,\"trace\":9}",
        log);
    REQUIRE(good);
    CHECK(good->format == "JSON Lines");
    std::string warnings;
    for (const Warning& warning : good->warnings) warnings += warning.where + ";";
    CHECK(warnings == "f:4;f:5;f:6;f:7;");
    const log::LogView view = log.View();
    REQUIRE(view.Rows().value == 4);
    CHECK(view.Text(Row{0}) == "malloc");
    CHECK(view.At(Row{1}).event.size == 24);
    CHECK(view.At(Row{3}).event.stamp == 2);
    CHECK(view.TopFrame(view.At(Row{3}).event.trace).function == "f");
}

TEST_CASE("writing ends when it is cancelled, and leaves nothing") {
    EventLog first;
    log::Appender appender(first);
    appender.Append(Allocated(0x10, 1), {});
    const std::atomic<bool> cancelled{true};
    support::ScratchFolder folder;
    CHECK_FALSE(exports::WriteJsonLines(first.View(), folder / "a.jsonl", {&cancelled, nullptr}));
    CHECK_FALSE(std::filesystem::exists(folder / "a.jsonl"));
}
