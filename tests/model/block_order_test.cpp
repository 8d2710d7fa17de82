#include "model/block_order.hpp"

#include <algorithm>
#include <vector>

#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using model::BlockOrder;

namespace {

struct Known {
    std::uint16_t allocator;
    std::uint64_t begin;
    std::uint32_t id;
    auto operator<=>(const Known&) const = default;
};

void CheckOrder(const log::LogView& log) {
    const auto order = BlockOrder::Build(log);
    REQUIRE(order);
    CHECK(order->Rows() == log.Rows());
    std::vector<Known> expected;
    for (std::uint32_t id = 1; id <= log.Blocks(); ++id) {
        const auto birth = log.Birth(BlockId{id}).event;
        if (birth.SetAside() > 0) expected.push_back({birth.allocator.value, birth.Begin(), id});
        else CHECK(order->RankOf(id) == model::kNoRank);
    }
    std::sort(expected.begin(), expected.end());
    for (std::uint32_t rank = 0; rank < expected.size(); ++rank) {
        CAPTURE(rank, expected[rank].id);
        REQUIRE(order->IdAt(rank) == expected[rank].id);
        REQUIRE(order->RankOf(expected[rank].id) == rank);
        REQUIRE(order->Begin(rank) == expected[rank].begin);
        REQUIRE(order->End(rank) == log.Birth(BlockId{expected[rank].id}).event.End());
        REQUIRE(order->AllocatorOf(rank).value == expected[rank].allocator);
        REQUIRE(order->Entry(rank).id == expected[rank].id);
        const auto span = order->Of(AllocatorId{expected[rank].allocator});
        REQUIRE(span.first <= rank);
        REQUIRE(rank < span.last);
        const std::uint32_t found = order->LowerBound(span, expected[rank].begin);
        REQUIRE(found <= rank);
        REQUIRE((found == span.first || order->Begin(found - 1) < expected[rank].begin));
        // From anywhere before it.
        for (const std::uint32_t back : {0u, 1u, 2u, 7u, 100u, 1u << 31}) {
            const std::uint32_t from = found - std::min(found - span.first, back);
            REQUIRE(order->LowerBoundFrom(from, span.last, expected[rank].begin) == found);
        }
        REQUIRE(order->LowerBoundFrom(found, span.last, ~std::uint64_t{0}) == span.last);
    }
    CHECK(order->RankOf(log.Blocks() + 1) == model::kNoRank);
}

}  // namespace

TEST_CASE("every block has its place by allocator, address and birth", "[property]") {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        test::Stream stream;
        test::RandomStream random(seed);
        random.Begin(stream);
        for (int i = 0; i < 3000; ++i) random.Step(stream);
        CheckOrder(stream.View());
    }
}

TEST_CASE("blocks far apart and huge ones have their place") {
    test::Stream stream;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        stream.Allocated(1, 0x1000 + i * 0x10000'0000, 100);
        stream.Allocated(2, 0x7fff'0000'0000 - i * 64, 32);
    }
    stream.Allocated(1, 0x4000'0000'0000'0000, 0x1234'5678'9abc);
    CheckOrder(stream.View());
}

TEST_CASE("an order of nothing, and one that is cancelled") {
    const auto none = BlockOrder::Build(log::LogView());
    REQUIRE(none);
    CHECK(none->RankOf(1) == model::kNoRank);
    CHECK(none->Of(AllocatorId{1}).first == none->Of(AllocatorId{1}).last);
    test::Stream stream;
    for (std::uint64_t i = 0; i < 100; ++i) stream.Allocated(1, 0x1000 + i * 64, 32);
    const std::atomic<bool> cancelled{true};
    CHECK_FALSE(BlockOrder::Build(stream.View(), &cancelled));
}
