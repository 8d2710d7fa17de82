#include "log/live_blocks.hpp"

#include <map>
#include <random>

#include "support/catch.hpp"

using namespace residue;
using log::LiveBlock;
using log::LiveBlocks;

namespace {

struct Expected {
    std::map<std::uint64_t, LiveBlock> blocks;  // by begin

    const LiveBlock* Around(std::uint64_t address) const {
        auto at = blocks.upper_bound(address);
        if (at == blocks.begin()) return nullptr;
        --at;
        return at->second.end > address ? &at->second : nullptr;
    }
    const LiveBlock* FirstTouching(std::uint64_t begin, std::uint64_t end) const {
        if (const LiveBlock* around = Around(begin)) return around;
        const auto at = blocks.lower_bound(begin);
        return at != blocks.end() && at->first < end ? &at->second : nullptr;
    }
};

std::uint64_t IdOf(const LiveBlock* block) { return block == nullptr ? 0 : block->id.value; }

}  // namespace

TEST_CASE("live blocks by address equal a map of the standard library", "[property]") {
    // Dense, spread over some GiB, and over the whole address space.
    const std::uint64_t span = GENERATE(std::uint64_t{40'000}, std::uint64_t{1} << 33, std::uint64_t{1} << 62);
    std::mt19937_64 random(span);
    LiveBlocks live;
    Expected expected;
    std::uint32_t id = 0;
    const std::uint64_t grain = span / 2000;
    bool growing = true;
    for (int step = 0; step < 20'000; ++step) {
        if (step % 4000 == 0) growing = !growing || expected.blocks.empty();
        const std::uint64_t address = 0x1000 + random() % 2000 * grain + random() % std::min<std::uint64_t>(grain, 9);
        const std::uint64_t end = address + 1 + random() % std::min<std::uint64_t>(grain, 300);
        const LiveBlock* const touching = expected.FirstTouching(address, end);
        REQUIRE(IdOf(live.FirstTouching(address, end)) == IdOf(touching));
        REQUIRE(IdOf(live.Around(address)) == IdOf(expected.Around(address)));
        const bool add = (random() % 4 == 0) != growing;
        if (add && touching == nullptr) {
            LiveBlock block;
            block.begin = address;
            block.end = end;
            block.address = address;
            block.id = BlockId{++id};
            live.Insert(block);
            expected.blocks[address] = block;
        } else if (!add && !expected.blocks.empty()) {
            auto victim = expected.blocks.lower_bound(address);
            if (victim == expected.blocks.end()) victim = expected.blocks.begin();
            REQUIRE(IdOf(live.Find(victim->first)) == victim->second.id.value);
            live.Erase(victim->first);
            expected.blocks.erase(victim);
            REQUIRE(live.Count() == expected.blocks.size());
        }
    }
    auto next = expected.blocks.begin();
    live.VisitAll([&](const LiveBlock& block) {
        REQUIRE(next != expected.blocks.end());
        REQUIRE(block.id == next->second.id);
        ++next;
    });
    CHECK(next == expected.blocks.end());
    live.Clear();
    CHECK(live.Count() == 0);
    CHECK(live.Around(0x1000) == nullptr);
}
