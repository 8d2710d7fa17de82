#include "log/live_blocks.hpp"

#include <map>
#include <random>

#include "support/catch.hpp"

using namespace residue;
using log::LiveBlock;
using log::LiveBlocks;

namespace {

// What the tables and orders are held against.
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
    const LiveBlock* Nearest(std::uint64_t address) const {
        if (blocks.empty()) return nullptr;
        const auto upper = blocks.upper_bound(address);
        if (upper == blocks.begin()) return &upper->second;
        const LiveBlock& lower = std::prev(upper)->second;
        if (upper == blocks.end() || lower.end > address) return &lower;
        return address - (lower.end - 1) <= upper->first - address ? &lower : &upper->second;
    }
};

std::uint64_t IdOf(const LiveBlock* block) { return block == nullptr ? 0 : block->id.value; }
std::uint64_t IdOf(const std::optional<LiveBlock>& block) { return block ? block->id.value : 0; }

bool Same(const LiveBlock& a, const LiveBlock& b) {
    return a.begin == b.begin && a.end == b.end && a.address == b.address && a.id == b.id &&
           a.resizing == b.resizing && a.region == b.region;
}

void RequireAll(const std::vector<LiveBlock>& found, const Expected& expected, std::uint64_t begin, std::uint64_t end) {
    auto next = found.begin();
    for (const auto& [at, block] : expected.blocks) {
        if (block.end <= begin || at >= end) continue;
        REQUIRE(next != found.end());
        REQUIRE(Same(*next, block));
        ++next;
    }
    REQUIRE(next == found.end());
}

// What blocks there are, and where: each in its own way of lying.
struct Layout {
    std::uint64_t span;       // bytes of address space
    std::uint64_t grain;      // begins are multiples of it
    std::uint64_t mostBytes;  // of a block
    std::uint64_t mostBefore; // of its payload
};

}  // namespace

TEST_CASE("live blocks by address equal a map of the standard library", "[property]") {
    const Layout layout = GENERATE(Layout{40'000, 16, 40, 0},             // dense, as malloc's
                                   Layout{60'000, 8, 90, 24},             // with headers
                                   Layout{50'000, 1, 30, 8},              // anywhere
                                   Layout{4'000'000, 16, 5'000, 300},     // small ones and large ones side by side
                                   Layout{std::uint64_t{1} << 33, 8, 2'100, 0},
                                   Layout{std::uint64_t{1} << 33, 16, std::uint64_t{1} << 24, 0},
                                   Layout{std::uint64_t{1} << 62, 4096, 300, 0});  // over the whole address space
    CAPTURE(layout.span, layout.grain, layout.mostBytes);
    std::mt19937_64 random(layout.span + layout.mostBytes);
    LiveBlocks live;
    Expected expected;
    std::uint32_t id = 0;
    bool growing = true;
    for (int step = 0; step < 24'000; ++step) {
        if (step % 4000 == 0) growing = !growing || expected.blocks.empty();
        const std::uint64_t begin = 0x1000 + random() % (layout.span / layout.grain) * layout.grain;
        LiveBlock block;
        block.begin = begin;
        block.end = begin + 1 + random() % layout.mostBytes;
        block.address = begin + random() % std::min(block.end - begin, layout.mostBefore + 1);
        const std::uint64_t anywhere = begin + random() % 64;
        const LiveBlock* const touching = expected.FirstTouching(begin, block.end);
        REQUIRE(IdOf(live.FirstTouching(begin, block.end)) == IdOf(touching));
        REQUIRE(IdOf(live.Around(anywhere)) == IdOf(expected.Around(anywhere)));
        REQUIRE(IdOf(live.Nearest(anywhere)) == IdOf(expected.Nearest(anywhere)));
        const bool add = (random() % 4 == 0) != growing;
        if (add && touching == nullptr) {
            block.id = BlockId{++id};
            block.region = random() % 8 == 0;
            live.Insert(block);
            expected.blocks[begin] = block;
        } else if (!add && !expected.blocks.empty()) {
            auto victim = expected.blocks.lower_bound(begin);
            if (victim == expected.blocks.end()) victim = expected.blocks.begin();
            LiveBlock& there = victim->second;
            REQUIRE(IdOf(live.Find(there.address)) == there.id.value);
            if (there.address + 1 < there.end) REQUIRE(!live.Find(there.address + 1));
            if (random() % 3 == 0) {
                there.resizing = !there.resizing;
                live.Mark(there);
                REQUIRE(Same(*live.Find(there.address), there));
            } else {
                const auto removed = live.Remove(there.address);
                REQUIRE(removed);
                REQUIRE(Same(*removed, there));
                REQUIRE(!live.Remove(there.address));
                expected.blocks.erase(victim);
            }
        }
        REQUIRE(live.Count() == expected.blocks.size());
        if (step % 500 == 0)
            RequireAll(live.Touching(begin, begin + layout.span / 3), expected, begin, begin + layout.span / 3);
    }
    RequireAll(live.All(), expected, 0, ~std::uint64_t{0});
    live.Clear();
    CHECK(live.Count() == 0);
    CHECK(!live.Around(0x1000));
    CHECK(live.All().empty());
}

TEST_CASE("live blocks at the ends of the address space are found") {
    LiveBlocks live;
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    LiveBlock low, high;
    low.begin = 0, low.address = 8, low.end = 24, low.id = BlockId{1};
    high.begin = kLast - 15, high.address = high.begin, high.end = kLast, high.id = BlockId{2};
    live.Insert(low);
    live.Insert(high);
    CHECK(IdOf(live.Around(0)) == 1);
    CHECK(IdOf(live.Around(kLast - 1)) == 2);
    CHECK(!live.Around(kLast));
    CHECK(IdOf(live.Nearest(kLast)) == 2);
    CHECK(IdOf(live.Nearest(100)) == 1);
    CHECK(live.All().size() == 2);
    CHECK(IdOf(live.FirstTouching(24, kLast)) == 2);
}

TEST_CASE("a large block is found to touch small ones far away") {
    LiveBlocks live;
    for (std::uint64_t i = 0; i < 100; ++i) {
        LiveBlock block;
        block.begin = block.address = (i + 1) << 32;
        block.end = block.begin + 32;
        block.id = BlockId{static_cast<std::uint32_t>(i + 1)};
        live.Insert(block);
    }
    CHECK(IdOf(live.FirstTouching((std::uint64_t{50} << 32) + 32, std::uint64_t{90} << 32)) == 51);
    CHECK(live.Touching((std::uint64_t{50} << 32) + 32, std::uint64_t{90} << 32).size() == 39);
}
