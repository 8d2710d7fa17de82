// Chrome-trace counters: any reader of JSON takes them, and no peak is lost however few points are asked for.
#include "export/chrome_trace_writer.hpp"

#include <nlohmann/json.hpp>

#include "export/small_log.hpp"
#include "support/golden.hpp"

using namespace residue;
using namespace residue::exports::testing;
using Json = nlohmann::json;

namespace {

std::string Written(const log::LogView& view, std::uint64_t points, exports::WriteSummary* summary = nullptr) {
    support::ScratchFolder folder;
    const auto done = exports::WriteChromeTrace(view, folder / "a.trace.json", points, {nullptr, summary, nullptr});
    REQUIRE(done);
    return support::ReadFile(folder / "a.trace.json");
}

// Saw teeth of 64 B, one spike to `spike` bytes.
void FillSaw(EventLog& log, int calls, int spikeAt, std::uint64_t spike) {
    log::Appender appender(log);
    for (int i = 0; i < calls; i += 2) {
        appender.Append(Allocated(0x1000, i == spikeAt ? spike : 64), {});
        appender.Append(Freed(0x1000), {});
    }
}

}  // namespace

TEST_CASE("Chrome trace: the small log, as approved") {
    const SmallLog small;
    exports::WriteSummary summary;
    const std::string text = Written(small.view, 1000, &summary);
    CHECK(support::Golden("export/golden/small.trace.json", text) == "");
    CHECK(summary.operations == 9);
    const Json object = Json::parse(text);
    std::size_t marks = 0;
    for (const Json& event : object["traceEvents"]) {
        CHECK(event.contains("name"));
        CHECK(event["pid"] == 1);
        if (event["ph"] == "i") {
            ++marks;
            CHECK(event["name"] == "allocate failed: BufferTooLarge");
            CHECK(event["ts"] == 4.0);
            CHECK(event["s"] == "p");
        }
        if (event["ph"] == "C") {
            for (const auto& [key, value] : event["args"].items()) CHECK(value.is_number());
        }
    }
    CHECK(marks == 1);
}

TEST_CASE("Chrome trace: with few points the spike is there, exact, and the number of points is kept to") {
    EventLog log;
    FillSaw(log, 10'000, 6'242, 123'456);
    exports::WriteSummary summary;
    const Json object = Json::parse(Written(log.View(), 100, &summary));
    CHECK(summary.operations <= 101);
    std::uint64_t most = 0;
    double mostAt = 0, last = -1;
    for (const Json& event : object["traceEvents"]) {
        if (event["ph"] != "C" || event["name"] != "heap") continue;
        CHECK(event["ts"].get<double>() > last);  // in order
        last = event["ts"].get<double>();
        if (event["args"]["live"] > most) {
            most = event["args"]["live"];
            mostAt = last;
        }
    }
    CHECK(most == 123'456);
    CHECK(mostAt == 6'243);  // after that call; a microsecond each
}

TEST_CASE("Chrome trace: names are escaped, cancelling leaves nothing") {
    EventLog log({.name = "a\"b\\\n\xff", .provenance = ""});
    FillSaw(log, 10, -1, 0);
    const Json object = Json::parse(Written(log.View(), 100));
    CHECK(object["otherData"]["source"] == "a\"b\\\n\xef\xbf\xbd");
    const std::atomic<bool> cancelled{true};
    const support::ScratchFolder folder;
    CHECK_FALSE(exports::WriteChromeTrace(log.View(), folder / "a.json", 10, {&cancelled, nullptr, nullptr}));
    CHECK_FALSE(std::filesystem::exists(folder / "a.json"));
}
