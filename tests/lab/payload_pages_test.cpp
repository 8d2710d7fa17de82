#include "lab/payload_pages.hpp"

#include <set>

#include "support/catch.hpp"

using residue::lab::PayloadPages;

TEST_CASE("Pages that payloads lay on are counted once") {
    PayloadPages pages;
    pages.Add(4096, 0);
    CHECK(pages.Bytes() == 0);
    pages.Add(4000, 96);
    CHECK(pages.Bytes() == 4096);
    pages.Add(4000, 97);  // one byte on the next
    CHECK(pages.Bytes() == 2 * 4096);
    pages.Add(5 * 4096, 4096);
    CHECK(pages.Bytes() == 3 * 4096);
    pages.Add(0, 6 * 4096);  // all of them and what lies between
    CHECK(pages.Bytes() == 6 * 4096);
    pages.Add(~std::uint64_t{0} - 10, 100);  // wraps around: no payload
    CHECK(pages.Bytes() == 6 * 4096);
}

TEST_CASE("They are those of a plain set") {
    PayloadPages pages;
    std::set<std::uint64_t> plain;
    std::uint64_t random = 1;
    for (int i = 0; i < 2000; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const std::uint64_t address = (random >> 40) % 3'000'000, size = (random >> 20) % 20'000;
        pages.Add(address, size);
        for (std::uint64_t at = address / 4096; size > 0 && at <= (address + size - 1) / 4096; ++at) plain.insert(at);
        REQUIRE(pages.Bytes() == plain.size() * 4096);
    }
}
