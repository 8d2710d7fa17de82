#include "base/parse_size.hpp"

#include <limits>

#include "support/catch.hpp"

using namespace residue;

TEST_CASE("sizes are read as people write them") {
    CHECK(ParseBytes("96") == 96);
    CHECK(ParseBytes(" 1,024 B ") == 1024);
    CHECK(ParseBytes("64K") == 65536);
    CHECK(ParseBytes("64 KiB") == 65536);
    CHECK(ParseBytes("1.5 MiB") == 1572864);
    CHECK(ParseBytes("2gb") == std::uint64_t{2} << 30);
    CHECK(ParseBytes("0x400") == 1024);
    CHECK(ParseBytes("0") == 0);
    CHECK(ParseBytes("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    for (const char* bad : {"", " ", "-1", "K", "1Q", "12 apples", "18446744073709551616", "99999999999999 TiB", "0x",
                            "1.5.2", "4 KKB"}) {
        INFO(bad);
        CHECK_FALSE(ParseBytes(bad));
    }
    CHECK(ParseWhole("0x1000'0190") == 0x10000190);
    CHECK_FALSE(ParseWhole("12a"));
}
