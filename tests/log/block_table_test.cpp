#include "log/block_table.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "support/catch.hpp"

using residue::log::BlockTable;

TEST_CASE("births and deaths are told as they were, however far apart") {
    BlockTable table;
    std::vector<std::uint64_t> born, died;
    std::mt19937_64 random(5);
    std::uint64_t row = 0;
    for (std::size_t i = 0; i < 20'000; ++i) {
        // Now and then billions of rows lie between two births.
        row += i % 3000 == 2999 ? (std::uint64_t{1} << 32) + random() % 9 : 1 + random() % 5;
        table.Push(row);
        born.push_back(row);
        died.push_back(BlockTable::kAlive);
        const std::size_t which = random() % born.size();
        row += 1;
        table.Die(which, row);
        if (died[which] == BlockTable::kAlive) died[which] = row;  // it dies once
    }
    REQUIRE(table.Size() == born.size());
    bool same = true;
    for (std::size_t i = 0; i < born.size(); ++i) same &= table.Born(i) == born[i] && table.Died(i) == died[i];
    CHECK(same);
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t at = random() % (row + 10);
        const auto before = std::lower_bound(born.begin(), born.end(), at) - born.begin();
        REQUIRE(table.BornBefore(born.size(), at) == static_cast<std::size_t>(before));
    }
}

TEST_CASE("a life of as many rows as the marks stand for is told right") {
    constexpr std::uint64_t kMark = 0xFFFFFFFE;
    for (std::uint64_t length = kMark - 2; length <= kMark + 3; ++length) {
        CAPTURE(length);
        BlockTable table;
        table.Push(7);
        table.Push(7 + length);
        table.Die(0, 7 + length);
        CHECK(table.Born(1) == 7 + length);
        CHECK(table.Died(0) == 7 + length);
        CHECK(table.Died(1) == BlockTable::kAlive);
    }
}
