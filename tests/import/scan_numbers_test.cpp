// Numbers as the tools write them.
#include "import/scan_numbers.hpp"

#include <cstdio>
#include <string>

#include "support/catch.hpp"

using namespace residue::import;

TEST_CASE("hexadecimal numbers of every length up to 64 bits, and what ends them") {
    const auto scanned = [](const std::string& text) {
        const char* at = text.c_str();
        std::uint64_t value = 0;
        if (!ScanHex(at, value)) return std::string("none");
        char number[20];
        std::snprintf(number, sizeof number, "%llx", static_cast<unsigned long long>(value));
        return std::string(number) + at;
    };
    std::string digits;
    for (const char digit : std::string("123456789abcdef1")) {
        digits += digit;
        CHECK(scanned(digits + "\n") == digits + "\n");
        CHECK(scanned(digits + "g") == digits + "g");
    }
    CHECK(scanned(digits + "0\n") == "none");
    CHECK(scanned("000" + digits + " ") == digits + " ");
    CHECK(scanned("\n") == "none");
    CHECK(scanned("FF,") == "ff,");
}

TEST_CASE("numbers as tools write them") {
    const auto number = [](const char* text) {
        std::uint64_t value = 0;
        return ScanNumber(text, value) ? std::to_string(value) + text : std::string("none");
    };
    CHECK(number("0x1F,") == "31,");
    CHECK(number("31)") == "31)");
    CHECK(number("-1 ") == "18446744073709551615 ");
    CHECK(number("(nil)x") == "0x");
    CHECK(number("nil") == "0");
    CHECK(number("18446744073709551615\n") == "18446744073709551615\n");
    CHECK(number("18446744073709551616\n") == "none");
    CHECK(number("0x0000000000000000000000001\n") == "1\n");
    CHECK(number("0x12345678123456789\n") == "none");
    CHECK(number("0x\n") == "none");
    CHECK(number("x") == "none");
    CHECK(number("-\n") == "none");
}
