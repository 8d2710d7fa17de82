#include "log/spill.hpp"

#include <cstring>
#include <filesystem>
#include <random>

#include "log/appender.hpp"
#include "log/event_log.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"

using namespace residue;
using log::Spill;

namespace {

std::shared_ptr<Spill> Made(const log::SpillOptions& options = {.spare = 0}) {
    auto spill = Spill::Create(std::filesystem::current_path().string(), options);
    if (spill) return *spill;
    auto elsewhere = Spill::CreateAnywhere(options);
    INFO((elsewhere ? "" : elsewhere.error().Text()));
    REQUIRE(elsewhere);
    return *elsewhere;
}

// Blocks of mixed sizes that come and go, `calls` of them.
void Fill(log::EventLog& log, std::uint64_t calls) {
    log::Appender appender(log);
    std::mt19937_64 random(5);
    std::vector<std::uint64_t> live;
    for (std::uint64_t i = 0; i < calls; ++i) {
        events::Event event;
        event.allocator = AllocatorId{1};
        event.stamp = i * 7;
        if (live.size() > 100 && random() % 2 == 0) {
            std::swap(live[random() % live.size()], live.back());
            event.kind = events::EventKind::Freed;
            event.address = live.back();
            live.pop_back();
        } else {
            event.kind = events::EventKind::Allocated;
            event.address = 0x10000 + i * 64;
            event.size = random() % 64;
            live.push_back(event.address);
        }
        appender.Append(event, i % 1000 == 0 ? "text" : "");
    }
    appender.Flush();
    log.Close();
}

}  // namespace

TEST_CASE("what is taken of a spill is zero, one's own, and stays") {
    const auto spill = Made({.spare = 0, .slab = 1 << 16});
    std::vector<std::pair<std::byte*, std::size_t>> taken;
    std::mt19937 random(1);
    for (int i = 0; i < 200; ++i) {
        const std::size_t bytes = 1 + random() % (i % 10 == 0 ? 300'000 : 3'000);
        std::byte* const memory = spill->Take(bytes);
        REQUIRE(memory != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
        CHECK(std::all_of(memory, memory + bytes, [](std::byte byte) { return byte == std::byte{0}; }));
        std::memset(memory, i + 1, bytes);
        taken.emplace_back(memory, bytes);
    }
    int i = 0;
    for (const auto& [memory, bytes] : taken) {
        const auto mine = static_cast<std::byte>(++i);
        CHECK(std::all_of(memory, memory + bytes, [&](std::byte byte) { return byte == mine; }));
    }
    CHECK(spill->Bytes() % 4096 == 0);
    CHECK(spill->Take(0) == nullptr);
    CHECK_FALSE(spill->IsFull());
}

TEST_CASE("a spill without room says so, and nothing else happens") {
    SECTION("its own limit") {
        const auto spill = Made({.most = 1 << 16, .spare = 0, .slab = 1 << 16});
        CHECK(spill->Take(1000) != nullptr);
        CHECK(spill->Take(1 << 16) == nullptr);
        CHECK(spill->IsFull());
        CHECK(spill->Take(1) == nullptr);
    }
    SECTION("a disk that is to stay free") {
        const auto spill = Made({.spare = std::uint64_t{1} << 62});
        CHECK(spill->Take(1) == nullptr);
        CHECK(spill->Bytes() == 0);
    }
    SECTION("no such size") {
        const auto spill = Made();
        CHECK(spill->Take(~std::size_t{0}) == nullptr);
    }
}

TEST_CASE("a folder that a recording cannot spill to is told, with the reason") {
    const auto none = Spill::Create("/no/such/folder");
    REQUIRE_FALSE(none);
    CHECK_THAT(none.error().Text(), Catch::Contains("/no/such/folder") && Catch::Contains("No such file"));
    const auto memory = Spill::Create("/dev/shm");
    if (std::filesystem::exists("/dev/shm")) {
        REQUIRE_FALSE(memory);
        CHECK_THAT(memory.error().Text(), Catch::Contains("in memory"));
    }
    CHECK_FALSE(Spill::Create("/proc"));
}

TEST_CASE("a log that spills is the log that does not, for views that outlive it too") {
    constexpr std::uint64_t kCalls = 5 * log::kChunkRows + 1000;
    log::EventLog plain;
    Fill(plain, kCalls);
    CHECK(plain.SpilledBytes() == 0);
    const log::LogView expected = plain.View();
    log::LogView view;
    for (const std::uint64_t most : {std::uint64_t{1} << 40, std::uint64_t{3} << 20}) {  // with room for all, for some
        {
            log::EventLog spilled;
            const auto spill = Made({.most = most, .spare = 0, .slab = 1 << 20});
            spilled.SpillTo(spill, 0);
            Fill(spilled, kCalls);
            CHECK(spilled.SpilledBytes() > (1u << 20));
            CHECK(spill->IsFull() == (most < (std::uint64_t{1} << 40)));
            CHECK(spilled.ResidentBytes() < plain.ResidentBytes());
            view = spilled.View();
        }
        CHECK(log::testing::Illegal(view) == "");
        REQUIRE(view.Rows() == expected.Rows());
        REQUIRE(view.Blocks() == expected.Blocks());
        std::uint64_t different = 0;
        for (Row row{}; row < view.Rows(); ++row) {
            const log::LoggedEvent a = view.At(row), b = expected.At(row);
            different += std::memcmp(&a.event, &b.event, sizeof(a.event)) != 0 || a.block != b.block ||
                         view.Text(row) != expected.Text(row);
        }
        for (std::uint32_t id = 1; id <= view.Blocks(); ++id) {
            different += view.Life(BlockId{id}).died != expected.Life(BlockId{id}).died ||
                         view.Life(BlockId{id}).born != expected.Life(BlockId{id}).born;
        }
        CHECK(different == 0);
    }
}

TEST_CASE("a log spills only what is beyond the memory that it may take") {
    log::EventLog log;
    log.SpillTo(Made(), std::uint64_t{1} << 40);
    Fill(log, 3 * log::kChunkRows);
    CHECK(log.SpilledBytes() == 0);
}
