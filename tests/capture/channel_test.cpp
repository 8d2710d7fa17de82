#include "capture/channel.hpp"

#include <cstring>
#include <memory>
#include <random>

#include "support/catch.hpp"

using namespace residue;
using capture::Channel;
using capture::LaneHeader;
using capture::Plan;
using capture::Record;
using capture::RecordKind;
using capture::Batch;
using capture::Told;

namespace {

constexpr Plan kSmall{.largeLanes = 2, .largeRecords = 64, .smallLanes = 2, .smallRecords = 16, .traceNodes = 100};

// Memory as a program would write into it.
struct Memory {
    Plan plan = kSmall;
    std::unique_ptr<std::byte[]> bytes = std::make_unique<std::byte[]>(kSmall.Bytes() + 4096);
    char* begin = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(bytes.get()) + 4095) / 4096 * 4096);
    Channel channel{{.plan = kSmall}, begin};

    capture::Header& Header() { return *reinterpret_cast<capture::Header*>(begin); }
    LaneHeader& Lane(std::uint32_t lane) { return *reinterpret_cast<LaneHeader*>(begin + plan.LaneAt(lane)); }
    Record& At(std::uint32_t lane, std::uint64_t index) {
        auto* const records = reinterpret_cast<Record*>(begin + plan.LaneAt(lane) + Plan::RecordsAt(0));
        return records[index % plan.RecordsIn(lane)];
    }
    void Write(std::uint32_t lane, std::uint64_t stamp, RecordKind kind = RecordKind::Allocated,
               std::uint64_t size = 8, std::uint64_t address = 0x1000) {
        LaneHeader& header = Lane(lane);
        const std::uint64_t index = header.written.load();
        At(lane, index) = {stamp, address, Record::Pack(kind, size, 0), 0, 0};
        header.written.store(index + 1);
        header.mark.store(capture::kIdle);
        if (Header().lanesUsed.load() <= lane) Header().lanesUsed.store(lane + 1);
    }
    std::vector<Told> Take(bool all = true, std::size_t most = 1000) {
        Batch told;
        channel.Take(told, most, all);
        return {told.begin(), told.end()};
    }
};

std::vector<std::uint64_t> StampsOf(const std::vector<Told>& told) {
    std::vector<std::uint64_t> stamps;
    for (const Told& each : told) stamps.push_back(each.record.stamp);
    return stamps;
}

}  // namespace

TEST_CASE("records of all lanes come by stamp, with their threads") {
    Memory memory;
    memory.Write(0, 1, RecordKind::ThreadBegins, 1);
    memory.Write(1, 2, RecordKind::ThreadBegins, 2);
    for (const std::uint64_t stamp : std::initializer_list<std::uint64_t>{3, 6, 7}) memory.Write(0, stamp);
    for (const std::uint64_t stamp : std::initializer_list<std::uint64_t>{4, 5, 8}) memory.Write(1, stamp);
    const auto told = memory.Take();
    CHECK(StampsOf(told) == std::vector<std::uint64_t>{3, 4, 5, 6, 7, 8});
    CHECK(told[0].thread == 1);
    CHECK(told[1].thread == 2);
    CHECK(memory.Lane(0).consumed.load() == 4);
    CHECK(memory.Take().empty());
    CHECK(memory.channel.Count().taken == 6);
}

TEST_CASE("at equal stamps what gives memory back comes first") {
    Memory memory;
    memory.Write(0, 5, RecordKind::Allocated);
    memory.Write(1, 5, RecordKind::Freed);
    const auto told = memory.Take();
    REQUIRE(told.size() == 2);
    CHECK(told[0].record.Kind() == RecordKind::Freed);
}

TEST_CASE("what continues a record comes directly behind it, at its stamp, in one round") {
    Memory memory;
    const RecordKind created = capture::ToldKind(events::EventKind::AllocatorCreated);
    memory.Write(1, 5, created);
    memory.Write(1, 5, RecordKind::Detail);
    memory.Write(1, 77, RecordKind::Text);  // no honest program's
    memory.Write(0, 5, RecordKind::Freed);  // at the same moment
    memory.Write(0, 6, RecordKind::Allocated);
    const auto told = memory.Take(true, 2);
    REQUIRE(told.size() == 4);  // a round may have a little more than it is asked for
    CHECK(told[0].record.Kind() == RecordKind::Freed);
    CHECK(told[1].record.Kind() == created);
    CHECK(told[2].record.Kind() == RecordKind::Detail);
    CHECK(told[3].record.Kind() == RecordKind::Text);
    CHECK(told[3].record.stamp == 5);
    CHECK(memory.Take().size() == 1);
}

TEST_CASE("what may still be under way holds back what is newer") {
    Memory memory;
    memory.Header().fenced.store(1);
    memory.Write(0, 5);
    memory.Write(1, 4);
    memory.Lane(1).mark.store(4);  // busy since 4: something of 4 or later may come
    CHECK(memory.Take(false).empty());
    memory.Lane(1).mark.store(6);
    CHECK(StampsOf(memory.Take(false)) == std::vector<std::uint64_t>{4, 5});
    memory.Write(0, ~std::uint64_t{0} - 5);  // later than now
    CHECK(memory.Take(false).empty());
    CHECK(memory.Take(true).size() == 1);
}

TEST_CASE("without a fence only what is some time ago is taken") {
    Memory memory;
    memory.Write(0, 1);
    (void)memory.Take(false);
    memory.Write(0, 2);
    CHECK(StampsOf(memory.Take(false)) == std::vector<std::uint64_t>{2});
}

TEST_CASE("what was lost stands where the first of it was, once") {
    Memory memory;
    for (const std::uint64_t stamp : std::initializer_list<std::uint64_t>{1, 2, 9}) memory.Write(0, stamp);
    memory.Lane(0).dropStamp.store(5);
    memory.Lane(0).dropped.store(7);
    auto told = memory.Take();
    REQUIRE(told.size() == 4);
    CHECK(told[2].record.Kind() == RecordKind::Gap);
    CHECK(told[2].record.Size() == 7);
    CHECK(told[2].record.stamp == 5);
    CHECK(memory.Lane(0).dropsSeen.load() == 7);
    CHECK(memory.Take().empty());
    memory.Header().homeless.store(3);
    memory.Header().nested.store(2);
    told = memory.Take();
    REQUIRE(told.size() == 1);
    CHECK(told[0].record.Size() == 5);
    CHECK(memory.channel.Count().dropped == 12);
}

TEST_CASE("a round takes at most what it is told to, and the next goes on") {
    Memory memory;
    for (std::uint64_t i = 0; i < 60; ++i) memory.Write(static_cast<std::uint32_t>(i % 2), i + 1);
    Batch told;
    while (memory.channel.Take(told, 7, true) != 0) {}
    REQUIRE(told.Size() == 60);
    std::uint64_t stamp = 0;
    for (const Told& each : told) CHECK(each.record.stamp == ++stamp);
}

TEST_CASE("traces are followed within the table only") {
    Memory memory;
    auto* const words = reinterpret_cast<std::uint64_t*>(memory.begin + Plan::TracesAt());
    const std::uint64_t nodes = kSmall.traceNodes;
    words[1] = 0xabc;                       // frame 1
    words[nodes + 1 + 1] = 1;               // node 1: outermost, frame 1
    words[nodes + 1 + 2] = 1ull << 32 | 1;  // node 2: of node 1
    words[nodes + 1 + 3] = 3ull << 32 | 1;  // of itself
    words[nodes + 1 + 4] = 1ull << 32 | 101;  // no such frame
    CHECK(memory.channel.TraceAt(1).frame == 0xabc);
    CHECK(memory.channel.TraceAt(2).parent == 1);
    for (const std::uint32_t wrong : {0u, 3u, 4u, 5u, 101u, 0xffffffffu})
        CHECK(memory.channel.TraceAt(wrong).frame == 0);
}

TEST_CASE("whatever is in the memory, reading it ends and gives records that can be", "[property]") {
    std::mt19937_64 random(7);
    for (int round = 0; round < 300; ++round) {
        Memory memory;
        // Nonsense all over what a program may write; the recorder's own Header::plan among it.
        for (int i = 0; i < 400; ++i) {
            const std::uint64_t at = random() % (kSmall.Bytes() / 8) * 8;
            const std::uint64_t value = random() % 3 == 0 ? random() : random() % 70;
            std::memcpy(memory.begin + at, &value, 8);
        }
        if (round % 2 == 0) memory.Header().lanesUsed.store(static_cast<std::uint32_t>(random()));
        for (std::uint32_t lane = 0; lane < kSmall.Lanes(); ++lane) {
            if (random() % 2 == 0) memory.Lane(lane).written.store(random() % 100);
        }
        Batch told;
        std::uint64_t last = 0;
        for (int i = 0; i < 10; ++i) memory.channel.Take(told, 100, random() % 2 == 0);
        for (const Told& each : told) {
            const bool known = capture::MayBe(each.record.Kind()) || each.record.Kind() == RecordKind::Gap;
            REQUIRE(known);
            REQUIRE(each.record.stamp >= last);
            last = each.record.stamp;
            (void)memory.channel.TraceAt(each.record.trace);
        }
        for (const auto& module : memory.channel.NewModules()) REQUIRE(module.path.size() < capture::Module::kPath);
        REQUIRE(memory.channel.Fill() <= 1.0);
    }
}

TEST_CASE("the memory that is shared has no name and belongs to its owner alone") {
    auto channel = Channel::Make({.plan = kSmall});
    REQUIRE(channel);
    CHECK((*channel)->Path().starts_with("/proc/"));
    CHECK_FALSE((*channel)->Attached());
}
