#include "analysis/call_tree.hpp"

#include "model/stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using test::Stream;

namespace {

// main (1) calls Load (2) and Parse (3); Load calls Read (4).
void Traces(Stream& stream) {
    const TraceId main = stream.Log().AddTrace(TraceId{}, 0x10);
    const TraceId load = stream.Log().AddTrace(main, 0x20);
    stream.Log().AddTrace(main, 0x30);
    stream.Log().AddTrace(load, 0x40);
}
test::Parts From(std::uint32_t trace) { return {8, 0, 0, 0, 1, trace}; }

model::HeapModel AtEnd(const Stream& stream) {
    model::HeapModel heap;
    heap.Advance(stream.View(), stream.View().Rows(), ~std::uint64_t{0});
    return heap;
}

}  // namespace

TEST_CASE("a call tree sums live blocks from the innermost frame up to main") {
    Stream stream;
    Traces(stream);
    stream.Created(1, 0x1000, 4096).Allocated(1, 0x1010, 100, From(4)).Allocated(1, 0x1100, 30, From(3));
    stream.Allocated(1, 0x1200, 5, From(2)).Allocated(1, 0x1300, 7, From(0)).Allocated(1, 0x1400, 1000, From(3));
    stream.Freed(1, 0x1400);
    const auto nodes = analysis::BuildCallTree(stream.View(), AtEnd(stream));
    REQUIRE(nodes.size() == 5);
    CHECK(nodes[0].liveBytes == 142);
    CHECK(nodes[0].liveBlocks == 4);
    CHECK(nodes[0].ownBytes == 7);
    REQUIRE(nodes[0].children.size() == 1);
    const auto& main = nodes[nodes[0].children[0]];
    CHECK(main.liveBytes == 135);
    CHECK(main.ownBytes == 0);
    REQUIRE(main.children.size() == 2);
    CHECK(nodes[main.children[0]].trace == TraceId{2});  // Load has more
    CHECK(nodes[main.children[0]].liveBytes == 105);
    CHECK(nodes[main.children[0]].ownBytes == 5);
    CHECK(nodes[main.children[1]].trace == TraceId{3});
    CHECK(nodes[main.children[1]].liveBytes == 30);
}

TEST_CASE("a call tree of nothing is its root") {
    const auto nodes = analysis::BuildCallTree(log::LogView(), model::HeapModel());
    REQUIRE(nodes.size() == 1);
    CHECK(nodes[0].liveBytes == 0);
}

TEST_CASE("leaks are live blocks by call trace, the largest sum first, without a child's region") {
    Stream stream;
    Traces(stream);
    stream.Created(1, 0x1000, 4096).Allocated(1, 0x1010, 10, From(4)).Allocated(1, 0x1100, 40, From(3));
    stream.Allocated(1, 0x1200, 20, From(4)).Allocated(1, 0x1300, 15, From(4)).Allocated(1, 0x1400, 45, From(2));
    stream.Allocated(1, 0x1500, 500, From(2)).Created(2, 0x1500, 500, 0, 1).Allocated(2, 0x1510, 3, From(4));
    const auto leaks = analysis::FindLeaks(stream.View(), AtEnd(stream));
    REQUIRE(leaks.size() == 4);
    CHECK(leaks[0].bytes == 45);
    CHECK(leaks[0].blocks == 3);  // as many bytes as trace 2's one block, and more blocks
    CHECK(leaks[0].trace == TraceId{4});
    CHECK(leaks[0].first == BlockId{1});
    CHECK(leaks[1].trace == TraceId{2});
    CHECK(leaks[1].bytes == 45);
    CHECK(leaks[2].bytes == 40);
    CHECK(leaks[3].allocator == AllocatorId{2});
}
