#include "model/hole_sizes.hpp"

#include <map>
#include <random>

#include "support/catch.hpp"

using residue::model::HoleSizes;

TEST_CASE("sizes of holes are counted, small and large", "[property]") {
    std::mt19937_64 random(3);
    HoleSizes sizes;
    std::map<std::uint64_t, std::uint64_t> expected;
    for (int i = 0; i < 5000; ++i) {
        const std::uint64_t size = 1 + random() % (random() % 3 == 0 ? 100'000 : 200);
        if (random() % 9 < (i < 2500 ? 5 : 3)) {
            sizes.Add(size);
            ++expected[size];
        } else if (const auto at = expected.lower_bound(size); at != expected.end()) {
            sizes.Remove(at->first);
            if (--at->second == 0) expected.erase(at);
        }
        REQUIRE(sizes.Largest() == (expected.empty() ? 0 : expected.rbegin()->first));
        if (i % 50 != 0) continue;
        std::map<std::uint64_t, std::uint64_t> told;
        sizes.VisitAll([&](std::uint64_t s, std::uint64_t count) {
            CHECK((told.empty() || told.rbegin()->first < s));
            told[s] = count;
        });
        REQUIRE(told == expected);
    }
}

TEST_CASE("copies of sizes of holes go their own ways") {
    HoleSizes sizes;
    sizes.Add(100);
    sizes.Add(5000);
    HoleSizes copy = sizes;
    CHECK(copy == sizes);
    copy.Add(100);
    CHECK_FALSE(copy == sizes);
    copy.Remove(100);
    CHECK(copy == sizes);
    copy.Remove(5000);
    CHECK(copy.Largest() == 100);
    CHECK(sizes.Largest() == 5000);
}
