#include "analysis/format.hpp"

#include <limits>

#include "support/catch.hpp"

using namespace residue::analysis;

TEST_CASE("bytes are exact below 10 KiB and have one decimal from there on") {
    CHECK(FormatBytes(0) == "0 B");
    CHECK(FormatBytes(1024) == "1,024 B");
    CHECK(FormatBytes(10239) == "10,239 B");
    CHECK(FormatBytes(10240) == "10.0 KiB");
    CHECK(FormatBytes(12697) == "12.4 KiB");
    CHECK(FormatBytes(1023 * 1024 + 512) == "1023.5 KiB");
    CHECK(FormatBytes(1024 * 1024 - 1) == "1.0 MiB");
    CHECK(FormatBytes(1024 * 1024 * 3 / 2) == "1.5 MiB");
    CHECK(FormatBytes(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
    CHECK(FormatBytesExact(12697) == "12,697 B");
}

TEST_CASE("counts have commas") {
    CHECK(FormatCount(0) == "0");
    CHECK(FormatCount(999) == "999");
    CHECK(FormatCount(1000) == "1,000");
    CHECK(FormatCount(1234567) == "1,234,567");
}

TEST_CASE("addresses are in groups of four digits, at least two of them") {
    CHECK(FormatAddress(0x190) == "0x0000'0190");
    CHECK(FormatAddress(0xDEADBEEF) == "0xdead'beef");
    CHECK(FormatAddress(0x7F1234567890) == "0x7f12'3456'7890");
    CHECK(FormatAddress(0xFFFF800000000010) == "0xffff'8000'0000'0010");
}

TEST_CASE("fractions have three digits and no zero before the point") {
    CHECK(FormatFraction(.875) == ".875");
    CHECK(FormatFraction(0) == ".000");
    CHECK(FormatFraction(1) == "1.000");
    CHECK(FormatFraction(.9999) == "1.000");
    CHECK(FormatFraction(-1) == "\u22121.000");
    CHECK(FormatFraction(-.333) == "\u2212.333");
    CHECK(FormatFraction(-.0001) == ".000");
    CHECK(FormatFraction(std::numeric_limits<double>::quiet_NaN()) == "?");
}
