#include "model/rank_set.hpp"

#include <random>
#include <set>

#include "support/catch.hpp"

using residue::model::kNoRank;
using residue::model::RankSet;

namespace {

std::uint64_t WeightOf(std::uint32_t rank) { return rank % 97 + 1; }

// A rank near an edge of a word, a leaf or a group as often as anywhere.
std::uint32_t ARank(std::mt19937& random) {
    constexpr std::uint32_t kMost = 5 * RankSet::kGroupRanks;
    const std::uint32_t edges[] = {64, RankSet::kLeafRanks, RankSet::kGroupRanks};
    const auto anywhere = static_cast<std::uint32_t>(random() % kMost);
    if (random() % 2 == 0) return anywhere;
    const std::uint32_t edge = edges[random() % 3];
    const std::uint32_t at = anywhere / edge * edge + static_cast<std::uint32_t>(random() % 3);
    return at == 0 ? 0 : at - 1;
}

void CheckSame(const RankSet& set, const std::set<std::uint32_t>& expected, std::mt19937& random) {
    REQUIRE(set.Count() == expected.size());
    for (int i = 0; i < 20; ++i) {
        const std::uint32_t rank = ARank(random);
        CAPTURE(rank);
        REQUIRE(set.Has(rank) == (expected.count(rank) != 0));
        const auto next = expected.lower_bound(rank);
        REQUIRE(set.Next(rank) == (next == expected.end() ? kNoRank : *next));
        REQUIRE(set.Previous(rank) == (next == expected.begin() ? kNoRank : *std::prev(next)));
    }
}

}  // namespace

TEST_CASE("a set of ranks equals one of the standard library", "[property]") {
    for (const std::uint32_t bias : {2u, 3u, 5u}) {  // of every `bias` steps, bias - 1 are the same way
        std::mt19937 random(bias);
        RankSet set;
        std::set<std::uint32_t> expected;
        bool filling = true;
        for (int step = 0; step < 3000; ++step) {
            if (step % 700 == 0) filling = !filling || expected.empty();
            const std::uint32_t rank = ARank(random);
            const bool add = (random() % bias == 0) != filling;
            if (add && expected.insert(rank).second) set.Set(rank, WeightOf(rank));
            if (!add && !expected.empty()) {
                auto victim = expected.lower_bound(rank);
                if (victim == expected.end()) victim = expected.begin();
                set.Clear(*victim, WeightOf(*victim));
                expected.erase(victim);
            }
            if (step % 10 == 0) CheckSame(set, expected, random);
            if (step % 100 == 0) {
                std::uint64_t sum = 0;
                for (const std::uint32_t member : expected) sum += member < rank ? WeightOf(member) : 0;
                REQUIRE(set.WeightBefore(rank, WeightOf) == sum);
                // Near and far: within a word, a leaf and a group, and across them.
                for (const std::uint32_t end : {rank, rank + 40, rank + 1500, rank + 50'000, ARank(random)}) {
                    CAPTURE(rank, end);
                    std::uint64_t between = 0;
                    for (const std::uint32_t member : expected) {
                        between += member >= rank && member < end ? WeightOf(member) : 0;
                    }
                    REQUIRE(set.WeightBetween(rank, end, WeightOf) == between);
                }
            }
        }
    }
}

TEST_CASE("copies of a set of ranks go their own ways, and share what neither changed") {
    RankSet set;
    for (std::uint32_t rank = 0; rank < 3 * RankSet::kGroupRanks; rank += 7) set.Set(rank, 1);
    RankSet copy = set;
    const std::uint64_t before = residue::model::bytesOfNodesMade;
    copy.Clear(7 * 1000, 1);
    const std::uint64_t made = residue::model::bytesOfNodesMade - before;
    CHECK(made > 0);
    CHECK(made < 4096);  // a leaf and a group
    CHECK(set.Has(7 * 1000));
    CHECK_FALSE(copy.Has(7 * 1000));
    CHECK_FALSE(set == copy);
    copy.Set(7 * 1000, 1);
    CHECK(set == copy);
}

TEST_CASE("the leaves of a set of ranks hold all of its weight, in order") {
    RankSet set;
    std::uint64_t all = 0;
    for (std::uint32_t rank = 100; rank < 2 * RankSet::kGroupRanks; rank += 1000) {
        set.Set(rank, WeightOf(rank));
        if (rank >= 20'000 / RankSet::kLeafRanks * RankSet::kLeafRanks) all += WeightOf(rank);
    }
    std::uint64_t sum = 0;
    std::uint32_t reached = 0;
    set.VisitLeaves(20'000, [&](std::uint32_t first, std::uint32_t last, std::uint64_t weight) {
        CHECK(first >= reached);
        CHECK(first / RankSet::kLeafRanks == last / RankSet::kLeafRanks);
        CHECK(set.Has(first));
        CHECK(set.Has(last));
        reached = last + 1;
        sum += weight;
        return true;
    });
    CHECK(sum == all);
    int visits = 0;
    set.VisitLeaves(0, [&](std::uint32_t, std::uint32_t, std::uint64_t) { return ++visits < 3; });
    CHECK(visits == 3);
}
