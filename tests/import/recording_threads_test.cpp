// Long recordings are read by several threads; that must not show in what comes out.
#include <zstd.h>

#include <thread>

#include "import/recording_support.hpp"
#include "log/appender.hpp"

using namespace residue;
using namespace residue::import;

namespace {

// Blocks that come and go, some of them over others, some freed twice, lines that are none, and names on the way.
std::string LongRecording(int events) {
    std::string text = "v 10400 3\nX a\nI 1 1\n";
    char line[64];
    for (int i = 0; i < events; ++i) {
        if (i % 1000 == 0) {
            std::snprintf(line, sizeof line, "t %x %x\nc %x\n", 0x1000 + i, i / 2000, i / 100);
            text += line;
        }
        if (i % 50'000 == 49'999) text += "A\nwhat is this\n- 7\n";
        const int address = 0x10000 + (i * 7919 % 4093) * 64 + (i % 30'011 == 0 ? 8 : 0);
        std::snprintf(line, sizeof line, i % 3 == 2 ? "- %x\n" : "+ %2$x %3$x %1$x\n", address, i % 60 + 1, i / 1000);
        text += line;
    }
    return text;
}

// Blocks of classes that come and go, without addresses.
std::string LongInterpreted(int events) {
    std::string text = "v 10400 3\nX a\nI 1 1\n";
    for (int i = 0; i < 200; ++i) text += "a " + std::to_string(1 + i * 7 % 90) + " 0\n";
    unsigned random = 1;
    for (int i = 0; i < events; ++i) {
        if (i % 3000 == 0) text += "c " + std::to_string(i / 3000) + "\n";
        if (i == events / 2) text += "A\n";
        random = random * 1664525 + 1013904223;
        char line[16];
        std::snprintf(line, sizeof line, "%c %x\n", (random >> 24) % 16 < 9 ? '+' : '-', (random >> 8) % 200);
        text += line;
    }
    return text;
}

}  // namespace

TEST_CASE("a long recording without addresses gives the log that its events give by themselves", "[threads]") {
    const Recorded read(LongInterpreted(300'000));
    REQUIRE(read.summary);
    const log::LogView log = read.log.View();
    CHECK(log.Rows().value > 250'000);
    CHECK(log::testing::Illegal(log).empty());
    log::EventLog again;
    {
        log::Appender appender(again);
        for (Row row{}; row < log.Rows(); ++row) appender.Append(log.At(row).event, log.Text(row));
        CHECK(appender.Warnings().empty());
    }
    CHECK(log::testing::Difference(log, again.View()) == "");
}

TEST_CASE("a long recording gives the same log and the same warnings each time, packed or not", "[threads]") {
    const std::string text = LongRecording(200'000);
    const Recorded first(text);
    REQUIRE(first.summary);
    const log::LogView log = first.log.View();
    CHECK(log::testing::Illegal(log).empty());
    CHECK(log.Positions().value > 200'000);
    CHECK(first.summary->warnings.size() > 20);
    CHECK(first.Warnings().find("what is this") != std::string::npos);

    std::string packed(ZSTD_compressBound(text.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
    const Recorded again(packed);
    REQUIRE(again.summary);
    CHECK(log::testing::Difference(log, again.log.View()) == "");
    CHECK(again.Warnings() == first.Warnings());

    // Cut off, and damaged in the middle.
    const Recorded cut(std::string_view(packed).substr(0, packed.size() / 2));
    REQUIRE(cut.summary);
    CHECK(cut.Warnings().find("cut off") != std::string::npos);
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    const Recorded damaged(packed);
    if (!damaged.summary) CHECK(damaged.summary.error().what.find("damaged") != std::string::npos);
    CHECK(damaged.log.Closed());
}

TEST_CASE("a long recording can be looked at while it is read, and be cancelled", "[threads]") {
    const std::string text = LongRecording(150'000);
    log::EventLog log;
    std::thread reader([&] { (void)ReadRecordingBytes("f", text, log); });
    std::uint64_t seen = 0;
    while (!log.Closed()) {
        const log::LogView view = log.View();
        if (view.Rows() == Row{}) continue;
        const TraceId trace = view.At(Row{view.Rows().value - 1}).event.trace;
        seen += view.Frames(trace).size();
    }
    reader.join();
    CHECK(seen > 0);
}
