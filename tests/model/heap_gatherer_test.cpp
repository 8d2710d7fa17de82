#include "model/heap_gatherer.hpp"

#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using model::HeapGatherer;
using model::HeapModel;
using test::Stream;

namespace {

std::optional<HeapModel> Gathered(const log::LogView& log, Row row, std::uint64_t budget = 1'000'000) {
    HeapGatherer gatherer(log, row);
    while (!gatherer.Step(budget)) {}
    return gatherer.Take();
}

HeapModel Replayed(const log::LogView& log, Row row) {
    HeapModel heap;
    heap.Advance(log, row, row.value);
    return heap;
}

}  // namespace

TEST_CASE("a heap that is gathered is the one that is replayed, also when it is stepped on from there", "[property]") {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        Stream stream;
        test::RandomStream random(seed);
        if (seed % 2 == 0) stream.Created(3, 0, 0, 0, 0, "malloc");
        for (int i = 0; i < 1500; ++i) test::MallocStep(stream, random);
        const log::LogView log = stream.View();
        HeapModel replayed;
        for (std::uint64_t row = 0; row <= log.Rows().value; ++row) {
            CAPTURE(row);
            const auto gathered = Gathered(log, Row{row}, 1 + random.Below(3));
            REQUIRE(gathered);
            REQUIRE(*gathered == replayed);
            if (row % 500 == 250) {
                HeapModel there = *gathered, back = *gathered;
                REQUIRE(there.Advance(log, log.Rows(), log.Rows().value));
                CHECK(there == Replayed(log, log.Rows()));
                REQUIRE(back.Advance(log, Row{}, log.Rows().value));
                CHECK(back == HeapModel{});
            }
            if (row < log.Rows().value) replayed.Apply(log);
        }
    }
}

TEST_CASE("several allocators without regions are gathered too, each from its first row on") {
    Stream stream;
    stream.Allocated(7, 0x100, 8).Created(2, 0, 0, 0, 0, "b").Allocated(2, 0x100, 24).Freed(7, 0x100);
    stream.AllocateFailed(9, 5, MemoryError::InsufficientMemory, 0, 0).Allocated(9, 0x40, 0);
    const log::LogView log = stream.View();
    for (std::uint64_t row = 0; row <= log.Rows().value; ++row) {
        CAPTURE(row);
        const auto gathered = Gathered(log, Row{row});
        REQUIRE(gathered);
        CHECK(*gathered == Replayed(log, Row{row}));
    }
}

TEST_CASE("a program that became another one is gathered too, and stepped back into the first") {
    Stream stream;
    stream.Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 640).Allocated(1, 0x2000, 8).Freed(1, 0x2000);
    stream.Destroyed(1).Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 24).Allocated(1, 0x3000, 8);
    stream.Destroyed(1).Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 16);
    const log::LogView log = stream.View();
    for (std::uint64_t row = 0; row <= log.Rows().value; ++row) {
        CAPTURE(row);
        auto gathered = Gathered(log, Row{row});
        REQUIRE(gathered);
        CHECK(*gathered == Replayed(log, Row{row}));
        for (std::uint64_t back = row; back-- > 0;) {
            gathered->Unapply(log);
            CAPTURE(back);
            REQUIRE(*gathered == Replayed(log, Row{back}));
        }
    }
}

TEST_CASE("a log that is not plain is gathered up to where it is") {
    for (int kind = 0; kind < 5; ++kind) {
        CAPTURE(kind);
        Stream stream;
        stream.Created(1, 0, 0, 0, 0, "malloc").Allocated(1, 0x1000, 640);
        const Row plain = stream.View().Rows();
        switch (kind) {
            case 0: stream.Created(2, 0x8000, 64); break;
            case 1: stream.Created(2, 0, 0, 0, 1, "child"); break;
            case 2: stream.Grown(1, 0x4000, 64); break;
            case 3: stream.Shrunk(1, 0x4000, 64); break;
            default: stream.FreedStaysDead(1, 0x1000); break;
        }
        const log::LogView log = stream.View();
        const auto before = Gathered(log, plain);
        REQUIRE(before);
        CHECK(*before == Replayed(log, plain));
        CHECK_FALSE(Gathered(log, log.Rows()));
    }
}

TEST_CASE("the rare rows of a log are those that its rows say, and the first of each allocator") {
    Stream stream;
    test::RandomStream random(11);
    random.Begin(stream);
    for (int i = 0; i < 3000; ++i) random.Step(stream);
    const log::LogView log = stream.View();
    std::vector<std::uint64_t> expected, found;
    std::vector<bool> met(10);
    for (Row row{}; row < log.Rows(); ++row) {
        const events::Event event = log.At(row).event;
        const bool block = event.kind == events::EventKind::Allocated || event.kind == events::EventKind::ResizeEnds;
        bool rare = event.Has(events::EventFlag::Region) || event.Has(events::EventFlag::StaysDead);
        rare = rare || event.kind == events::EventKind::AllocatorCreated ||
               event.kind == events::EventKind::AllocatorDestroyed || event.kind == events::EventKind::RegionGrown ||
               event.kind == events::EventKind::RegionShrunk;
        if ((event.allocator || block) && !met[event.allocator.value]) rare = met[event.allocator.value] = true;
        if (rare) expected.push_back(row.value);
    }
    for (std::uint64_t i = 0; i < log.RareRows(); ++i) found.push_back(log.RareRow(i).value);
    CHECK(found == expected);
}

TEST_CASE("what gathering costs grows with the blocks there were, and more with those that live") {
    Stream stream;
    for (std::uint64_t i = 0; i < 1280; ++i) stream.Allocated(1, 0x1000 + 64 * i, 8);
    CHECK(HeapGatherer::CostInRows(stream.View(), 1280) == 660);
    CHECK(HeapGatherer::CostInRows(stream.View(), 0) == 20);
}
