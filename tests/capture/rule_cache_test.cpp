#include "capture/detail/rule_cache.hpp"

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include "support/catch.hpp"

using namespace residue::capture::detail;

namespace {

UnwindRow Row(UnwindRow::Kind kind, std::int64_t cfaOffset, std::int64_t frameAt = 0, bool losesFrame = false) {
    UnwindRow row;
    row.kind = kind;
    row.cfaOffset = cfaOffset;
    row.frameAt = frameAt;
    row.losesFrame = losesFrame;
    return row;
}

// One for each place, and none for two.
PackedRule RuleOf(std::uintptr_t place) {
    const std::uint64_t mixed = place * 0x9E3779B97F4A7C15ull;
    return PackedRule(static_cast<std::uint32_t>(mixed >> 32) | 1);
}

}  // namespace

TEST_CASE("a row is packed whole, or not at all") {
    using Kind = PackedRule::Kind;
    using RowKind = UnwindRow::Kind;
    const auto pack = [](const UnwindRow& row) { return PackedRule::Of(row); };
    const PackedRule usual = pack(Row(RowKind::ByStack, 48, -32));
    CHECK(usual.WhichKind() == Kind::ByStack);
    CHECK(usual.CfaOffset() == 48);
    CHECK(usual.FrameBelowCfa() == 32);
    const PackedRule most = pack(Row(RowKind::ByFrame, 0xFFFF8, -0xFFF * 8));
    CHECK(most.WhichKind() == Kind::ByFrame);
    CHECK(most.CfaOffset() == 0xFFFF8);
    CHECK(most.FrameBelowCfa() == 0xFFF * 8);
    CHECK(pack(Row(RowKind::ByStack, 0x100000)).WhichKind() == Kind::Unpacked);
    CHECK(pack(Row(RowKind::ByStack, 0x200000, -0x8000)).WhichKind() == Kind::Unpacked);
    CHECK(pack(Row(RowKind::ByFrame, -8)).WhichKind() == Kind::Unpacked);
    CHECK(pack(Row(RowKind::ByStack, 16, 0, true)).WhichKind() == Kind::Unpacked);
    CHECK(pack(Row(RowKind::Nothing, 0)).WhichKind() == Kind::NoTable);
    CHECK(pack(Row(RowKind::Cannot, 8)).WhichKind() == Kind::Cannot);
    CHECK(pack(Row(RowKind::End, 8)).WhichKind() == Kind::End);
    CHECK(pack(Row(RowKind::Signal, 0)).CfaOffset() == 0);
    const PackedRule through = pack(Row(RowKind::ThroughFrame, -16));
    CHECK(through.WhichKind() == Kind::Special);
    CHECK(through.CfaOffset() == 16);
}

TEST_CASE("a rule is found for its own place or not at all") {
    const auto cache = std::make_unique<RuleCache>();
    std::mt19937_64 random(5);
    std::vector<std::uintptr_t> places;
    // Many that differ in their upper bits only, and so meet in one set.
    for (unsigned i = 0; i < 60'000; ++i) {
        places.push_back((random() % 3 == 0 ? 0x1234 + (random() << 15) : random()) % RuleCache::kPlaces);
    }
    unsigned found = 0;
    for (const std::uintptr_t place : places) {
        CHECK(cache->Find(place).Bits() == 0);
        cache->Put(place, RuleOf(place), cache->Generation());
        found += cache->Find(place).Bits() == RuleOf(place).Bits() ? 1 : 0;
    }
    CHECK(found == places.size());
    unsigned kept = 0;
    for (const std::uintptr_t place : places) {
        const std::uint32_t bits = cache->Find(place).Bits();
        if (bits != 0 && bits != RuleOf(place).Bits()) FAIL("a rule of another place");
        kept += bits != 0 ? 1 : 0;
    }
    CHECK(kept > places.size() / 3);
    cache->Forget();
    for (const std::uintptr_t place : places) REQUIRE(cache->Find(place).Bits() == 0);
}

TEST_CASE("what was learned before all was forgotten is not kept") {
    const auto cache = std::make_unique<RuleCache>();
    const std::uint64_t generation = cache->Generation();
    cache->Forget();
    cache->Put(0x5555, RuleOf(0x5555), generation);
    CHECK(cache->Find(0x5555).Bits() == 0);
    cache->Put(0x5555, RuleOf(0x5555), cache->Generation());
    CHECK(cache->Find(0x5555).Bits() != 0);
}

TEST_CASE("threads that put, find and forget at once never see a rule of another place", "[threads]") {
    const auto cache = std::make_unique<RuleCache>();
    std::atomic<unsigned> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned index = 0; index < 4; ++index) {
        threads.emplace_back([&, index] {
            std::mt19937_64 random(index);
            for (unsigned i = 0; i < 40'000; ++i) {
                const std::uintptr_t place = (random() % 7 << 15 | random() % 5) + 0x10000;
                const std::uint32_t bits = cache->Find(place).Bits();
                if (bits == 0) cache->Put(place, RuleOf(place), cache->Generation());
                else if (bits != RuleOf(place).Bits()) ++wrong;
                if (i % 1000 == 0 && index == 0) cache->Forget();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong.load() == 0);
}
