#include "model/ordered_chunks.hpp"

#include <map>
#include <random>

#include "support/catch.hpp"

using namespace residue::model;

namespace {

struct Entry {
    std::uint64_t key = 0, weight = 0;
    std::uint64_t Key() const { return key; }
    std::uint64_t Weight() const { return weight; }
    friend bool operator==(const Entry&, const Entry&) = default;
};
using Set = OrderedChunks<Entry>;

void RequireSame(const Set& set, const std::map<std::uint64_t, std::uint64_t>& truth) {
    REQUIRE(set.Count() == truth.size());
    Set::Place at;
    std::uint64_t sum = 0;
    for (const auto& [key, weight] : truth) {
        const Entry* entry = set.Get(at);
        REQUIRE(entry);
        REQUIRE(*entry == Entry{key, weight});
        set.Next(at);
        sum += weight;
    }
    REQUIRE(set.Get(at) == nullptr);
    REQUIRE(set.Weight() == sum);
    for (auto it = truth.rbegin(); it != truth.rend(); ++it) REQUIRE(set.Back(at)->key == it->first);
    REQUIRE(set.Back(at) == nullptr);
}

}  // namespace

TEST_CASE("an ordered set equals std::map under random inserts, erases and replacements", "[property]") {
    std::mt19937_64 random(7);
    Set set, kept;
    std::map<std::uint64_t, std::uint64_t> truth, keptTruth;
    for (int round = 0; round < 24000; ++round) {
        const bool shrinking = (round / 6000) % 2 == 1;
        const std::uint64_t key = random() % 20000;
        const auto at = set.Locate(key);
        auto place = at;
        const Entry* found = set.Get(place);
        const bool exists = found && found->key == key;
        REQUIRE(exists == (truth.count(key) != 0));
        if (exists && (shrinking || random() % 3 == 0)) {
            set.Erase(place);
            truth.erase(key);
        } else if (exists) {
            set.Replace(place, {key, static_cast<unsigned>(round)});
            truth[key] = static_cast<unsigned>(round);
        } else if (!shrinking || random() % 8 == 0) {
            set.Insert(at, {key, key % 100});
            truth[key] = key % 100;
        }
        if (round % 3000 == 0) {
            RequireSame(set, truth);
            RequireSame(kept, keptTruth);  // a copy stays as it was
            kept = set;
            keptTruth = truth;
            std::uint64_t before = 0;
            for (const auto& [k, weight] : truth) {
                if (k < key) before += weight;
            }
            REQUIRE(set.WeightBefore(key) == before);
        }
    }
}

TEST_CASE("an ordered set filled upwards, emptied downwards, holds nothing") {
    Set set;
    for (std::uint64_t key = 0; key < 20000; ++key) set.Insert(set.Locate(key), {key, 1});
    CHECK(set.WeightBefore(12345) == 12345);
    CHECK(set.AtWeight(777)->key == 777);
    CHECK(set.AtWeight(20000) == nullptr);
    for (std::uint64_t key = 20000; key-- > 0;) set.Erase(set.Locate(key));
    CHECK(set.Count() == 0);
    CHECK(set.Last() == nullptr);
    set.Insert(set.Locate(5), {5, 1});
    CHECK(set.Last()->key == 5);
}
