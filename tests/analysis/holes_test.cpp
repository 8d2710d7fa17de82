#include "analysis/holes.hpp"

#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using analysis::NextPlace;
using test::Stream;

namespace {

model::HeapModel AtEnd(const Stream& stream) {
    model::HeapModel heap;
    heap.Advance(stream.View(), stream.View().Rows(), ~std::uint64_t{0});
    return heap;
}

}  // namespace

TEST_CASE("a cursor goes over the holes of a heap and its end, and stops there") {
    constexpr AllocatorId kId{1};
    Stream stream;
    stream.Created(1, 1024, 512);
    for (std::uint64_t i = 0; i < 8; ++i) stream.Allocated(1, 1024 + 64 * i, 64);
    for (const std::uint64_t i : {1u, 4u}) stream.Freed(1, 1024 + 64 * i);
    const model::HeapModel heap = AtEnd(stream);
    CHECK(NextPlace(heap, kId, std::nullopt, true) == 1088);
    CHECK(NextPlace(heap, kId, std::nullopt, false) == 1088);
    CHECK(NextPlace(heap, kId, 1088, true) == 1280);
    CHECK(NextPlace(heap, kId, 1100, true) == 1280);  // from within a hole
    CHECK(NextPlace(heap, kId, 1280, true) == 1536);  // the end
    CHECK_FALSE(NextPlace(heap, kId, 1536, true));
    CHECK(NextPlace(heap, kId, 1536, false) == 1280);
    CHECK(NextPlace(heap, kId, 1300, false) == 1280);
    CHECK(NextPlace(heap, kId, 1280, false) == 1088);
    CHECK_FALSE(NextPlace(heap, kId, 1088, false));
    CHECK_FALSE(NextPlace(heap, AllocatorId{9}, std::nullopt, true));
}

TEST_CASE("a heap that has only its beginning yet is a place too") {
    Stream stream;
    stream.Created(1, 65536, 0);
    CHECK(NextPlace(AtEnd(stream), AllocatorId{1}, std::nullopt, true) == 65536);
    CHECK_FALSE(NextPlace(AtEnd(stream), AllocatorId{1}, 65536, true));
}
