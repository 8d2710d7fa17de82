// Every format of recordings: the samples in scenarios/recordings as they are read, the shared recordings, compression,
// and files that stop anywhere.
#include <filesystem>
#include <map>

#include "import/recording_support.hpp"
#include "support/golden.hpp"

using namespace residue;
using namespace residue::import;

namespace {

const std::string kSamples = RESIDUE_SOURCE_DIR "/scenarios/recordings/";

const std::map<std::string, std::string> kFormats = {
    {"notes.heaptrack-raw.zst", "heaptrack v3, raw"},
    {"notes.heaptrack-interpreted.zst", "heaptrack v3, interpreted"},
    {"notes.mtrace", "glibc mtrace"},
    {"notes.ltrace", "ltrace"},
    {"notes.valgrind.log", "valgrind --trace-malloc"},
    {"notes.logalloc", "Mozilla logalloc"},
    {"notes.memory_replay", "Android memory_replay"},
    {"notes.jsonl", "JSON Lines"},
};

// allocations, frees, resizes, failed, bad frees, live bytes, live blocks, peak, bytes of all blocks
const std::map<std::string, LogTotals> kShared = {
    {"heaptrack/demo.raw.zst", {420, 396, 0, 0, 0, 1559, 24, 1165030, 1197892}},
    {"heaptrack/demo.zst", {420, 396, 0, 0, 0, 1559, 24, 1165030, 1197892}},
    {"heaptrack/ls_R.raw.zst", {15899, 15749, 0, 0, 0, 371669, 150, 546840, 40042501}},
    {"heaptrack/ls_R.zst", {15899, 15749, 0, 0, 0, 371669, 150, 546840, 40042501}},
    {"mtrace/demo.mtrace", {407, 384, 12, 2, 0, 1459, 23, 1092326, 1125188}},
    {"calls/demo.ltrace", {206, 204, 12, 2, 180, 626, 2, 1086184, 1119046}},
    {"calls/trace-malloc.demo.log", {407, 384, 12, 2, 0, 1459, 23, 1092326, 1125188}},
};

}  // namespace

TEST_CASE("every sample is read as it was when it was looked at") {
    for (const auto& [name, format] : kFormats) {
        INFO(name);
        const Recorded read(kSamples + name, 0);
        REQUIRE(read.summary);
        CHECK(read.summary->format == format);
        const log::LogView log = read.log.View();
        CHECK(log::testing::Illegal(log).empty());
        // The names of a raw recording come from the files of the machine that it is read on.
        std::string text = LogText(log, format != "heaptrack v3, raw") + "\n" + read.Warnings();
        for (std::size_t at; (at = text.find(kSamples)) != std::string::npos;) text.erase(at, kSamples.size());
        CHECK(support::Golden("import/golden/" + name + ".txt", text) == "");
    }
}

TEST_CASE("the same run has the same figures, whoever recorded it") {
    // heaptrack sees a resize as a free and an allocation, and one block of the C++ library; ltrace sees all, because
    // the program calls nothing that allocates for it.
    const LogTotals mtrace = TotalsOf(Recorded(kSamples + "notes.mtrace", 0).log.View());
    CHECK(TotalsOf(Recorded(kSamples + "notes.ltrace", 0).log.View()) == mtrace);
    CHECK(TotalsOf(Recorded(kSamples + "notes.jsonl", 0).log.View()) == mtrace);
    const LogTotals raw = TotalsOf(Recorded(kSamples + "notes.heaptrack-raw.zst", 0).log.View());
    CHECK(TotalsOf(Recorded(kSamples + "notes.heaptrack-interpreted.zst", 0).log.View()) == raw);
    CHECK(mtrace.liveBlocks > 0);
    CHECK(mtrace.failed == 2);
}

TEST_CASE("the shared recordings have the figures that were measured") {
    const std::filesystem::path root = RESIDUE_SHARED_TRACES;
    if (!std::filesystem::exists(root)) {
        WARN("the shared traces are not here: skipped");
        return;
    }
    for (const auto& [name, totals] : kShared) {
        INFO(name);
        if (!std::filesystem::exists(root / name)) continue;
        const Recorded read((root / name).string(), 0);
        REQUIRE(read.summary);
        const log::LogView log = read.log.View();
        const LogTotals found = TotalsOf(log);
        CHECK(found.allocations == totals.allocations);
        CHECK(found.frees == totals.frees);
        CHECK(found.resizes == totals.resizes);
        CHECK(found.failed == totals.failed);
        CHECK(found.badFrees == totals.badFrees);
        CHECK(found.liveBytes == totals.liveBytes);
        CHECK(found.liveBlocks == totals.liveBlocks);
        CHECK(found.peakBytes == totals.peakBytes);
        CHECK(found.allocatedBytes == totals.allocatedBytes);
        CHECK(log::testing::Illegal(log).empty());
    }
}

TEST_CASE("a recording opens up to wherever it stops") {
    for (const auto& [name, format] : kFormats) {
        INFO(name);
        const std::string bytes = support::ReadFile(kSamples + name);
        REQUIRE(Recorded(bytes).summary);
        for (std::size_t length = 0; length < bytes.size(); length += bytes.size() / 97 + 1) {
            INFO(length);
            const Recorded read(std::string_view(bytes).substr(0, length));
            if (read.summary) {
                CHECK(log::testing::Illegal(read.log.View()).empty());
            } else {
                CHECK_FALSE(read.summary.error().what.empty());
            }
        }
    }
}

TEST_CASE("what is no recording is told, and so is a file that is not there") {
    log::EventLog log;
    CHECK(ReadRecording("/nonexistent", log).error().what.find("cannot be opened") != std::string::npos);
    CHECK_FALSE(IsRecording("/nonexistent"));
    CHECK_FALSE(IsRecording("/"));
    CHECK(Recorded("hello\n").Warnings().starts_with("f: is no recording of a format that is known"));
}

TEST_CASE("a line that is longer than any should be is cut, and costs no memory") {
    std::string text = "= Start\n@ a:[0x1] + 0x10 0x8\n@ " + std::string(900'000, 'x') + " + 0x20 0x8\n- 0x10\n= End\n";
    const Recorded read(text);
    REQUIRE(read.summary);
    CHECK(TotalsOf(read.log.View()).allocations == 1);
    CHECK(TotalsOf(read.log.View()).frees == 1);
    CHECK(read.Warnings().starts_with("f:3: '@ xxxx"));
}

TEST_CASE("a reading that is cancelled ends") {
    std::atomic<bool> cancelled{true};
    log::EventLog log;
    const auto read = ReadRecording(kSamples + "notes.mtrace", log, &cancelled);
    REQUIRE_FALSE(read);
    CHECK(read.error().what == "cancelled");
    CHECK(log.Closed());
}

TEST_CASE("warnings are counted where there are too many") {
    std::string text = "= Start\n";
    for (int i = 0; i < 5000; ++i) text += "+ 0x10 0x8\nwhat\n";
    const Recorded read(text);
    REQUIRE(read.summary);
    CHECK(read.summary->warnings.size() <= 1001);
    const std::string warnings = read.Warnings();
    CHECK(warnings.find("more warnings") != std::string::npos);
}
