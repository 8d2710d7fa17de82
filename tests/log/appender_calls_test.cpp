// Many ordinary calls at once: the same log as an event for each of them gives.
#include <cstring>
#include <random>

#include "events.hpp"
#include "log/appender.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log;
using namespace residue::log::testing;

namespace {

constexpr AllocatorId kHeap{1};

Event EventOf(const PlainCall& call) {
    const bool freed = call.size == PlainCall::kFreed;
    Event event;
    event.stamp = call.stamp;
    event.address = call.address;
    event.size = freed ? 0 : call.size;
    event.rounding = call.rounding;
    event.trace = call.trace;
    event.thread = call.thread;
    event.allocator = kHeap;
    event.kind = freed ? EventKind::Freed : EventKind::Allocated;
    event.alignmentLog2 = call.alignmentLog2;
    return event;
}

PlainCall Call(std::uint64_t address, std::uint64_t size) {
    PlainCall call;
    call.address = address;
    call.size = size;
    return call;
}

void CheckSame(const EventLog& a, const EventLog& b) {
    const LogView one = a.View(), other = b.View();
    REQUIRE(one.Rows() == other.Rows());
    REQUIRE(one.Blocks() == other.Blocks());
    REQUIRE(one.Positions() == other.Positions());
    REQUIRE(one.RareRows() == other.RareRows());
    REQUIRE(one.ErrorCount() == other.ErrorCount());
    for (Row row{}; row < one.Rows(); ++row) {
        INFO("row " << row.value);
        const LoggedEvent left = one.At(row), right = other.At(row);
        REQUIRE(std::memcmp(&left, &right, sizeof(left)) == 0);
    }
    for (std::uint32_t id = 1; id <= one.Blocks(); ++id) {
        REQUIRE(one.Life(BlockId{id}).born == other.Life(BlockId{id}).born);
        REQUIRE(one.Life(BlockId{id}).died == other.Life(BlockId{id}).died);
    }
    CHECK(Illegal(one).empty());
}

// Calls as they may come when some were lost, and some never were: few addresses, so that blocks meet. From the first
// free of what is not live on, allocations are taken one by one: in half of the rounds there is none.
std::vector<PlainCall> Calls(std::mt19937_64& random, std::size_t count, bool frees) {
    std::vector<PlainCall> calls;
    std::vector<std::uint64_t> given;
    const std::uint64_t span = std::uint64_t{1} << (10 + random() % 10);
    const std::uint64_t most = std::uint64_t{1} << (3 + random() % 13);
    for (std::size_t i = 0; i < count; ++i) {
        PlainCall call;
        call.stamp = i;
        call.thread = ThreadId{static_cast<std::uint32_t>(random() % 3)};
        if (frees && !given.empty() && random() % 2 == 0) {
            call.address = given[random() % given.size()];
            call.size = PlainCall::kFreed;
        } else {
            call.address = 0x10'0000 + random() % span / 8 * 8;
            if (random() % 50 == 0) call.address += random() % 8;
            call.size = random() % 40 == 0 ? 0 : random() % most;
            call.rounding = static_cast<std::uint32_t>(random() % 3 == 0 ? 0 : random() % 16);
            call.trace = TraceId{static_cast<std::uint32_t>(random() % 5)};
            call.alignmentLog2 = static_cast<std::uint8_t>(random() % 6);
            given.push_back(call.address);
        }
        calls.push_back(call);
    }
    return calls;
}

}  // namespace

TEST_CASE("many ordinary calls at once make the rows that an event for each of them makes", "[property]") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 60; ++round) {
        INFO("round " << round);
        const auto calls = Calls(random, round == 0 ? 100'000 : 1 + random() % 4000, round % 2 == 0);
        EventLog fast, slow;
        Appender many(fast), each(slow);
        for (std::size_t at = 0; at < calls.size();) {
            const std::size_t piece = std::min<std::size_t>(1 + random() % 1500, calls.size() - at);
            many.Append(kHeap, std::span(calls).subspan(at, piece));
            at += piece;
        }
        for (const PlainCall& call : calls) each.Append(EventOf(call), {});
        CheckSame(fast, slow);
        CHECK(many.Counted().inferredFrees == each.Counted().inferredFrees);
        CHECK(many.Counted().rewrittenFrees == each.Counted().rewrittenFrees);
        const auto warnings = many.Warnings(), expected = each.Warnings();
        REQUIRE(warnings.size() == expected.size());
        for (std::size_t i = 0; i < warnings.size(); ++i) {
            CHECK(warnings[i].where == expected[i].where);
            CHECK(warnings[i].text == expected[i].text);
        }
    }
}

TEST_CASE("ordinary calls among others: resizes under way, regions and large blocks") {
    EventLog fast, slow;
    Appender many(fast), each(slow);
    const auto both = [&](const Event& event) {
        many.Append(event, {});
        each.Append(event, {});
    };
    const auto calls = [&](std::vector<PlainCall> list) {
        many.Append(kHeap, list);
        for (const PlainCall& call : list) each.Append(EventOf(call), {});
    };
    calls({Call(0x1000, 64), Call(0x100'0000, 1 << 20), Call(0x2000, 100)});
    both(ResizeBegins(0x1000, 200));
    calls({Call(0x1000, 64), Call(0x100'8000, 8)});  // over the one that moves, and inside the large one
    both(ResizeEnds(0x1000, 0x3000, 200));
    calls({Call(0x2000, PlainCall::kFreed), Call(0x3000, PlainCall::kFreed), Call(0x3000, PlainCall::kFreed)});
    calls({Call(0, 16), Call(~std::uint64_t{7}, 8), Call(~std::uint64_t{0} - 63, 64), Call(0x4000, 0),
           Call(0x4000, PlainCall::kFreed), Call(0x4001, 3), Call(0x4000, 8)});
    CheckSame(fast, slow);
    CHECK(fast.View().Rows().value > 12);
}
