// heaptrack's recordings, and their oddities.
#include "import/recording_support.hpp"

using namespace residue;
using namespace residue::import;

namespace {

constexpr std::string_view kRaw =
    "v 10400 3\n"
    "x 8 /bin/a b\n"
    "X ./a b\n"
    "I 1000 5e2990\n"
    "m 1 -\n"
    "m 1 x 1000 0 800 1000 400\n"
    "t 1010 0\n"
    "t 2020 1\n"
    "c 0\n"
    "R 100\n"
    "+ 10 2 5000\n"
    "+ 20 1 5020\n"
    "- 5000\n"
    "c a\n"
    "+ 8 0 5000\n"
    "# a comment\n"
    "c 14\n";

constexpr std::string_view kInterpreted =
    "v 10400 3\n"
    "X ./a\n"
    "I 1000 5e2990\n"
    "s 6 /bin/a\n"
    "s 4 main\n"
    "s 3 a.c\n"
    "s 5 inner\n"
    "i 1010 1 4 3 7 2 3 9\n"
    "i 2020 1\n"
    "t 1 0\n"
    "t 2 1\n"
    "a 10 2\n"
    "+ 0\n"
    "+ 0\n"
    "a 10 1\n"
    "+ 1\n"
    "- 0\n"
    "+ 0\n"
    "- 1\n";

}  // namespace

TEST_CASE("a raw recording has the true addresses, call traces, and times spread between those that were written") {
    const Recorded read(kRaw);
    REQUIRE(read.summary);
    CHECK(read.summary->format == "heaptrack v3, raw");
    CHECK(read.Warnings().empty());
    const log::LogView log = read.log.View();
    CHECK(LogText(log, false) ==
          "0 allocator created 0 0 'malloc'\n"
          "2500 allocated 0x5000 16 < 0x2020 < 0x1010\n"
          "5000 allocated 0x5020 32 < 0x1010\n"
          "7500 freed 0x5000 0\n"
          "15000 allocated 0x5000 8\n");
    CHECK(log.Source().clock == log::Clock::Ticks);
    CHECK(log.Source().ticksPerSecond == 1e6);
    CHECK_FALSE(log.Source().layoutSimulated);
    CHECK(log.TopFrame(TraceId{2}).function == "a b+0x1020");
    CHECK(log.Closed());
}

TEST_CASE("an interpreted recording has names, a layout that is simulated, and frees the youngest of equal blocks") {
    const Recorded read(kInterpreted);
    REQUIRE(read.summary);
    CHECK(read.summary->format == "heaptrack v3, interpreted");
    CHECK(read.Warnings().find("the layout is simulated") != std::string::npos);
    const log::LogView log = read.log.View();
    CHECK(LogText(log) ==
          "0 allocator created 0 0 'malloc'\n"
          "0 allocated 0x1000000000 16 < a:0x2020 < inner:7 < main:9\n"
          "0 allocated 0x1000000010 16 < a:0x2020 < inner:7 < main:9\n"
          "0 allocated 0x1000000020 16 < inner:7 < main:9\n"
          "0 freed 0x1000000010 0\n"
          "0 allocated 0x1000000010 16 < a:0x2020 < inner:7 < main:9\n"
          "0 freed 0x1000000020 0\n");
    CHECK(log.Source().layoutSimulated);
}

TEST_CASE("a command that goes over lines is passed over up to the line that follows it") {
    const Recorded read(
        "v 10400 3\nX python3 -c import x\ns = 3\n+ 1 2 3\nI am\n\nI 1000 20\ns 4 main\na 10 0\n+ 0\nQ\n");
    REQUIRE(read.summary);
    CHECK(TotalsOf(read.log.View()).allocations == 1);
    CHECK(read.Warnings().find("f:11: 'Q' is left out") != std::string::npos);  // lines are still counted
}

TEST_CASE("a string is as long as it says, blanks and line ends included") {
    const Recorded read("v 10400 3\nX a\nI 1 1\ns 8 one\ntwo \ns 1 f\ni 5 0 1 2 3\nt 1 0\na 8 1\n+ 0\n");
    REQUIRE(read.summary);
    const log::LogView log = read.log.View();
    CHECK(log.TopFrame(TraceId{1}).function == "one\ntwo ");
    CHECK(log.TopFrame(TraceId{1}).file == "f");
}

TEST_CASE("older versions have neither lengths nor classes") {
    const Recorded zero("X ./a\ns main\ni 10 0 1\nt 1 0\n+ 10 1 500\n- 500\n- 500\n");
    REQUIRE(zero.summary);
    CHECK(zero.summary->format == "heaptrack v0, interpreted");
    CHECK(TotalsOf(zero.log.View()).badFrees == 1);
    CHECK_FALSE(zero.log.View().Source().layoutSimulated);
    CHECK(zero.log.View().TopFrame(TraceId{1}).function == "main");

    const Recorded one("v 10200\nX ./a\ns my main\ni 10 0 1 0 0\nt 1 0\na 10 1\n+ 0\n- 0\n");
    REQUIRE(one.summary);
    CHECK(one.summary->format == "heaptrack v1, interpreted");
    CHECK(one.log.View().TopFrame(TraceId{1}).function == "my main");

    const Recorded module(
        "v 10200 2\nx /bin/my prog\nX a\nm x 1000 0 100\nm /lib/lib abc.so.6 7000 0 100\nt 7010 0\n+ 1 1 9\n");
    REQUIRE(module.summary);
    CHECK(module.log.View().TopFrame(TraceId{1}).function == "lib abc.so.6+0x10");
}

TEST_CASE("what a recording of heaptrack may not say is told with its line, and the rest is read") {
    const Recorded read(
        "v 10400 3\nX a\nI 1 1\na 10 0\n+ 5\n+ 0\n- 0\n- 0\n- 7\n+ 1 2 3\ni\nt 5\n+ zz\nc 5\nc 3\n+ 0\n? what\n+ 0");
    REQUIRE(read.summary);
    CHECK(TotalsOf(read.log.View()).allocations == 2);
    const std::string warnings = read.Warnings();
    for (const char* part : {"f:5: '+ 5' is left out", "f:8: a free of a block whose allocation is not recorded",
                             "f:9: '- 7'", "f:10: '+ 1 2 3'", "f:11: 'i'", "f:12: 't 5'", "f:13: '+ zz'",
                             "f:17: '? what'", "f:18: the last line has no end"}) {
        INFO(part);
        CHECK(warnings.find(part) != std::string::npos);
    }
}

TEST_CASE("an allocation over a live block frees it, with the line of the file") {
    const Recorded read("v 10400 3\nX a\nI 1 1\n+ 10 0 5000\n+ 10 0 5008\n- 9999\n");
    REQUIRE(read.summary);
    CHECK(read.Warnings() ==
          "f:5: a block at 0x5008 is allocated over the live one at 0x5000: taken as freed unseen\n"
          "f:6: a free of an address that is no live block, here only: it is a bad free, or its allocation is not in "
          "the recording\n");
    CHECK(log::testing::Illegal(read.log.View()).empty());
}

TEST_CASE("classes that follow events with addresses may lie over their blocks, which is told") {
    const Recorded read("v 10400 3\nX a\nI 1 1\n+ 10 0 1000000004\n+ 8 0 5000\na 10 0\n+ 0\n+ 0\n- 0\n");
    REQUIRE(read.summary);
    CHECK(TotalsOf(read.log.View()).allocations == 4);
    CHECK(read.Warnings().find("f:7: a block at 0x1000000000 is allocated over the live one at 0x1000000004") !=
          std::string::npos);
    CHECK(log::testing::Illegal(read.log.View()).empty());
}

TEST_CASE("sizes that no address space has are left out of a simulated layout") {
    const Recorded read("v 10400 3\nX a\nI 1 1\na ffffffffffffffff 0\n+ 0\n- 0\na 10000000000 0\n+ 1\na 0 0\n+ 2\n");
    REQUIRE(read.summary);
    CHECK(TotalsOf(read.log.View()).allocations == 2);
    CHECK(read.Warnings().find("f:5: '+ 0' is left out") != std::string::npos);
    CHECK(log::testing::Illegal(read.log.View()).empty());
}

TEST_CASE("more events than wait for one time are written without it, and none is lost") {
    std::string text = "v 10400 3\nX a\nI 1 1\na 10 0\nc 1\n";
    for (int i = 0; i < 70'000; ++i) text += "+ 0\n";
    text += "c 2\n";
    const Recorded read(text);
    REQUIRE(read.summary);
    const log::LogView log = read.log.View();
    CHECK(TotalsOf(log).allocations == 70'000);
    std::uint64_t before = 0;
    bool ordered = true;
    for (Row row{}; row < log.Rows(); ++row) {
        ordered = ordered && log.At(row).event.stamp >= before;
        before = log.At(row).event.stamp;
    }
    CHECK(ordered);
    CHECK(before < 2000);
}
