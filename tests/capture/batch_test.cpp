#include "capture/batch.hpp"

#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace residue;
using capture::Batch;
using capture::Record;
using capture::RecordKind;
using capture::Told;

namespace {

bool Same(const Told& a, const Told& b) {
    return a.record.stamp == b.record.stamp && a.record.address == b.record.address && a.record.size == b.record.size &&
           a.record.trace == b.record.trace && a.record.rounding == b.record.rounding && a.thread == b.thread;
}

void CheckSame(const Batch& batch, const std::vector<Told>& expected) {
    REQUIRE(batch.Size() == expected.size());
    std::size_t index = 0;
    for (const Told& told : batch) {
        INFO(index);
        REQUIRE(Same(told, expected[index]));
        ++index;
    }
    CHECK(index == expected.size());
}

// Any value, of any width.
std::uint64_t AnyOf(std::mt19937_64& random) { return random() >> random() % 64 >> random() % 2; }

}  // namespace

TEST_CASE("records come out of a batch as they went in, whatever is in them", "[property]") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 50; ++round) {
        Batch batch;
        std::vector<Told> expected;
        for (std::uint64_t i = random() % 2000; i > 0; --i) {
            const Told told{{AnyOf(random), AnyOf(random), AnyOf(random), static_cast<std::uint32_t>(AnyOf(random)),
                             static_cast<std::uint32_t>(AnyOf(random))},
                            static_cast<std::uint32_t>(AnyOf(random))};
            batch.Add(told.record, told.thread);
            expected.push_back(told);
        }
        CheckSame(batch, expected);
        CheckSame(batch.Copy(), expected);
        Batch moved = std::move(batch);
        CheckSame(moved, expected);
        moved.Clear();
        CHECK(moved.IsEmpty());
        CHECK(moved.begin() == moved.end());
    }
}

TEST_CASE("the largest of all values arrive") {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    Batch batch;
    std::vector<Told> expected;
    for (int i = 0; i < 3; ++i) {
        const Told told{{i == 1 ? 0 : kAll, kAll, i == 1 ? 0 : kAll, ~0u, ~0u}, ~0u};
        batch.Add(told.record, told.thread);
        expected.push_back(told);
    }
    CheckSame(batch, expected);
}

TEST_CASE("a batch that moved on begins anew, and a copy can be added to") {
    Batch batch;
    batch.Add({5, 0x1000, Record::Pack(RecordKind::Allocated, 8, 0), 3, 0}, 1);
    Batch copy = batch.Copy();
    const Batch taken = std::move(batch);
    batch.Add({7, 0x2000, Record::Pack(RecordKind::Freed, 0, 0), 0, 0}, 2);
    CheckSame(batch, {{{7, 0x2000, Record::Pack(RecordKind::Freed, 0, 0), 0, 0}, 2}});
    for (std::uint64_t i = 0; i < 100; ++i) copy.Add({6 + i, 0x1000, 0, 0, 0}, 1);
    REQUIRE(copy.Size() == 101);
    CHECK(copy.begin()->record.stamp == 5);
    CHECK(taken.Size() == 1);
}

TEST_CASE("what a program does all the time takes some ten bytes") {
    Batch batch;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint64_t address = 0x55d0'1234'0000 + i * 48 % 4096;
        batch.Add({1'000'000'000'000 + i * 300, address, Record::Pack(RecordKind::Allocated, 40, 0), 70'000, 8}, 1);
        batch.Add({1'000'000'000'100 + i * 300, address, Record::Pack(RecordKind::Freed, 0, 0), 0, 0}, 1);
    }
    CHECK(batch.Bytes() / batch.Size() < 11);
}
