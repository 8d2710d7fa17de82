#include "analysis/blockers.hpp"

#include <tuple>

#include "analysis/holes.hpp"
#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using analysis::Blockers;
using test::Stream;

namespace {

model::HeapModel At(const Stream& stream, std::uint64_t rows) {
    model::HeapModel heap;
    heap.Advance(stream.View(), Row{rows}, ~std::uint64_t{0});
    return heap;
}
model::HeapModel AtEnd(const Stream& stream) { return At(stream, stream.View().Rows().value); }

// Every run of neighbouring blocks is tried, and every place for the payload in the hole that it leaves.
std::optional<Blockers> TryAll(const model::HeapModel& heap, AllocatorId id, std::uint64_t need,
                               std::uint64_t alignment, std::uint64_t header) {
    const auto fits = [&](std::uint64_t begin, std::uint64_t end) {
        for (std::uint64_t at = begin; at + need <= end; ++at) {
            if ((at + header) % alignment == 0) return true;
        }
        return false;
    };
    std::optional<Blockers> best;
    for (const model::Region& region : heap.Regions(id)) {
        std::vector<model::Block> blocks;
        heap.VisitBlocks(id, region.begin, region.end, [&](const model::Block& block) {
            if (block.begin != block.end) blocks.push_back(block);
            return true;
        });
        for (std::size_t first = 0; first <= blocks.size(); ++first) {
            for (std::size_t end = first; end <= blocks.size(); ++end) {
                const std::uint64_t from = first == 0 ? region.begin : std::max(region.begin, blocks[first - 1].end);
                const std::uint64_t to = end == blocks.size() ? region.end : std::min(region.end, blocks[end].begin);
                if (from > to || !fits(from, to)) continue;
                Blockers b;
                for (std::size_t i = first; i < end; ++i) {
                    b.blocks.push_back(blocks[i]);
                    b.bytes += blocks[i].end - blocks[i].begin;
                }
                b.holeBegin = from;
                b.holeEnd = to;
                const auto rank = [](const Blockers& x) { return std::tuple(x.bytes, x.blocks.size(), x.holeBegin); };
                if (!best || rank(b) < rank(*best)) best = b;
            }
        }
    }
    if (best && best->blocks.empty()) return std::nullopt;
    return best;
}

// The mock's heap: 1,024 bytes, eight blocks of 64 (16 header, 48 payload), a hole of 64 before each.
void Combed(Stream& stream) {
    stream.Created(1, 0, 1024);
    for (std::uint64_t i = 0; i < 16; ++i) stream.Allocated(1, 64 * i + 16, 48, {16});
    for (std::uint64_t i = 0; i < 16; i += 2) stream.Freed(1, 64 * i + 16);
}

}  // namespace

TEST_CASE("blockers are the fewest bytes, then the fewest blocks, then the lowest address", "[property]") {
    std::uint64_t found = 0;
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        random.Begin(stream);
        for (int i = 0; i < 90; ++i) random.Step(stream);
        const model::HeapModel heap = AtEnd(stream);
        for (const auto& state : heap.Allocators()) {
            for (int round = 0; round < 6; ++round) {
                const std::uint64_t need = 1 + random.Below(400), alignment = std::uint64_t{1} << random.Below(8);
                const std::uint64_t header = 8 * random.Below(3);
                CAPTURE(seed, state.id.value, need, alignment, header);
                const auto told = analysis::FindBlockers(heap, state.id, need, alignment, header);
                const auto expected = TryAll(heap, state.id, need, alignment, header);
                REQUIRE(told.has_value() == expected.has_value());
                if (!told) continue;
                ++found;
                REQUIRE(told->bytes == expected->bytes);
                REQUIRE(told->holeBegin == expected->holeBegin);
                REQUIRE(told->holeEnd == expected->holeEnd);
                REQUIRE(told->blocks.size() == expected->blocks.size());
                REQUIRE(told->blocks.front().id == expected->blocks.front().id);
            }
        }
    }
    CHECK(found > 100);
}

TEST_CASE("a request that fits, or never could, has no blockers") {
    Stream stream;
    Combed(stream);
    CHECK_FALSE(analysis::FindBlockers(AtEnd(stream), AllocatorId{1}, 64));
    CHECK_FALSE(analysis::FindBlockers(AtEnd(stream), AllocatorId{1}, 1025));
    CHECK_FALSE(analysis::FindBlockers(AtEnd(stream), AllocatorId{1}, ~std::uint64_t{0}, 4096, 16));
    CHECK(analysis::FindBlockers(AtEnd(stream), AllocatorId{1}, 1024)->blocks.size() == 8);
    CHECK_FALSE(analysis::FindBlockers(AtEnd(stream), AllocatorId{9}, 8));
}

TEST_CASE("a fragmentation failure is explained in plain words") {
    Stream stream;
    Combed(stream);
    stream.AllocateFailed(1, 96, MemoryError::Fragmentation, 512, 64, 4);
    const auto report = analysis::ExplainFailure(stream.View(), At(stream, 25), Row{25});
    REQUIRE(report);
    CHECK(report->need == 112);
    CHECK(report->free == 512);
    CHECK(report->largestHole == 64);
    REQUIRE(report->blockers);
    CHECK(report->blockers->blocks.front().id == BlockId{2});
    CHECK(report->sentence ==
          "96 B asked, 512 B free, but the largest hole is 64 B. Block #2 (48 B) is in the way.");
}

TEST_CASE("what a request needs beyond its bytes is told where that makes the difference") {
    Stream stream;
    Combed(stream);
    stream.AllocateFailed(1, 56, MemoryError::Fragmentation, 512, 64, 3);
    const auto report = analysis::ExplainFailure(stream.View(), At(stream, 25), Row{25});
    CHECK(report->sentence ==
          "56 B asked (72 B with header and rounding), 512 B free, but the largest hole is 64 B. "
          "Block #2 (48 B) is in the way.");
}

TEST_CASE("without a header to learn of, the request needs what it asked for") {
    Stream stream;
    stream.Created(1, 0, 128).Allocated(1, 56, 16).AllocateFailed(1, 96, MemoryError::Fragmentation, 112, 56);
    const auto report = analysis::ExplainFailure(stream.View(), At(stream, 2), Row{2});
    CHECK(report->sentence ==
          "96 B asked, 112 B free, but the largest hole is 56 B. Block #1 (16 B) is in the way.");
}

TEST_CASE("a hole that is too small once aligned is told so") {
    Stream stream;
    stream.Created(1, 8, 200).Allocated(1, 8, 8).Allocated(1, 120, 8);
    stream.AllocateFailed(1, 100, MemoryError::Fragmentation, 184, 104, 6);
    const auto report = analysis::ExplainFailure(stream.View(), At(stream, 3), Row{3});
    REQUIRE(report->blockers);
    CHECK(report->sentence.find("once aligned to 64") != std::string::npos);
    CHECK(report->blockers->blocks.front().id == BlockId{2});
}

TEST_CASE("the other reasons are told apart") {
    Stream stream;
    stream.Created(1, 0x100, 1024).AllocateFailed(1, 2048, MemoryError::BufferTooLarge, 1024, 1024);
    stream.Allocated(1, 0x100, 1000).AllocateFailed(1, 96, MemoryError::InsufficientMemory, 24, 24).Freed(1, 0x100);
    const auto at = [&](std::uint64_t row) {
        return analysis::ExplainFailure(stream.View(), At(stream, row), Row{row});
    };
    CHECK(at(1)->sentence == "2,048 B asked, more than this allocator could ever give (it has 1,024 B).");
    CHECK(at(3)->sentence == "96 B asked, but only 24 B free.");
    CHECK_FALSE(at(1)->blockers);
    CHECK_FALSE(at(2));
    CHECK_FALSE(analysis::ExplainFailure(stream.View(), AtEnd(stream), Row{99}));
}

TEST_CASE("a list of holes is by address or by size, and only as long as asked") {
    Stream stream;
    stream.Created(1, 0x100, 100).Allocated(1, 0x100 + 10, 1).Allocated(1, 0x100 + 41, 1).Allocated(1, 0x100 + 52, 1);
    const model::HeapModel heap = AtEnd(stream);  // holes of 10, 30, 10, 47
    const auto byAddress = analysis::ListHoles(heap, AllocatorId{1}, analysis::HoleOrder::ByAddress, 2);
    REQUIRE(byAddress.size() == 2);
    CHECK(byAddress[1].Bytes() == 30);
    const auto bySize = analysis::ListHoles(heap, AllocatorId{1}, analysis::HoleOrder::BySize, 3);
    REQUIRE(bySize.size() == 3);
    CHECK(bySize[0].Bytes() == 47);
    CHECK(bySize[1].Bytes() == 30);
    CHECK(bySize[2].begin == 0x100);  // of two equals the lower one
    const auto counts = analysis::CountHoles(heap, AllocatorId{1});
    REQUIRE(counts.size() == 3);
    CHECK(counts[0].count == 2);
}
