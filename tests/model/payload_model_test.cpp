#include "model/payload_model.hpp"

#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using model::PayloadModel;
using test::Stream;

namespace {

// Both models over the rows that the small one takes; how many these are.
std::uint64_t Compare(const log::LogView& log) {
    PayloadModel payload;
    model::HeapModel heap;
    bool none = false;  // the heap is known to be none
    while (payload.Applied() < log.Rows()) {
        const log::LoggedEvent logged = log.At(payload.Applied());
        if (!payload.Takes(logged)) break;
        payload.Apply(log, logged);
        heap.Apply(log);
        REQUIRE(payload.Applied() == heap.Applied());
        REQUIRE(payload.Payload() == heap.Sum().payload);
        if (logged.event.kind == events::EventKind::AllocatorDestroyed) none = true;
        if (logged.event.kind == events::EventKind::AllocatorCreated) none = false;
        REQUIRE(heap.Sum().heapKnown == none);
        REQUIRE(payload.Allocators().size() == heap.Allocators().size());
        for (std::size_t i = 0; i < payload.Allocators().size(); ++i) {
            const model::AllocatorState &a = payload.Allocators()[i], &b = heap.Allocators()[i];
            REQUIRE(a.id == b.id);
            REQUIRE(a.name == b.name);
            REQUIRE(a.alive == b.alive);
            REQUIRE(a.totals.payload == b.totals.payload);
            REQUIRE(b.totals.regionPayload == 0);
        }
    }
    return payload.Applied().value;
}

}  // namespace

TEST_CASE("live payload of a malloc is that of the whole model", "[property]") {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        if (seed % 2 == 0) stream.Created(3, 0, 0, 0, 0, "malloc");
        for (int i = 0; i < 3000; ++i) test::MallocStep(stream, random);
        CHECK(Compare(stream.View()) == stream.View().Rows().value);
    }
}

TEST_CASE("blocks of 4 GiB and more count in full") {
    Stream stream;
    constexpr std::uint64_t kFour = std::uint64_t{1} << 32;
    stream.Allocated(1, kFour, kFour).Allocated(1, 4 * kFour, kFour - 2).Allocated(1, 6 * kFour, kFour - 3);
    stream.Resized(1, kFour, 8 * kFour, 3 * kFour).Freed(1, 4 * kFour).Freed(1, 8 * kFour).Freed(1, 6 * kFour);
    CHECK(Compare(stream.View()) == stream.View().Rows().value);
}

TEST_CASE("a program that becomes another one begins anew, and its heap stays unknown") {
    Stream stream;
    stream.Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 64).Allocated(1, 0x2000, 8).Freed(1, 0x2000);
    stream.Destroyed(1).Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 24).Freed(1, 0x1000);
    CHECK(Compare(stream.View()) == stream.View().Rows().value);
}

TEST_CASE("what needs a heap is refused, and changes nothing") {
    for (int kind = 0; kind < 5; ++kind) {
        CAPTURE(kind);
        Stream stream;
        stream.Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 64);
        const std::uint64_t taken = stream.View().Rows().value;
        switch (kind) {
            case 0: stream.Created(2, 0, 0, 0, 0, "another"); break;
            case 1: stream.Created(1, 0x1000, 64); break;
            case 2: stream.Grown(1, 0x8000, 64); break;
            case 3: stream.FreedStaysDead(1, 0x1000); break;
            default: stream.Allocated(2, 0x2000, 1); break;
        }
        CHECK(Compare(stream.View()) == taken + (kind == 1 ? 1 : 0));  // the end of the first is taken
    }
}

TEST_CASE("of any log the payload is right as far as it is taken", "[property]") {
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        for (std::uint32_t i = 0; i < 100 * seed; ++i) test::MallocStep(stream, random);
        for (int i = 0; i < 200; ++i) random.Step(stream);
        const std::uint64_t taken = Compare(stream.View());
        CHECK(taken >= 100);
        CHECK(taken < stream.View().Rows().value);
    }
}
