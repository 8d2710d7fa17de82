#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "events/detail/merge.hpp"
#include "events/lanes.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::events;

namespace {

Event Numbered(EventKind kind, std::uint64_t address) {
    Event event;
    event.kind = kind;
    event.address = address;
    return event;
}

struct Seen {
    std::vector<Event> records;
    Lanes::Deliver Deliver() {
        return [this](const Event* first, std::size_t count) { records.insert(records.end(), first, first + count); };
    }
    std::uint64_t Gaps() const {
        std::uint64_t dropped = 0;
        for (const Event& record : records) dropped += record.kind == EventKind::Gap ? record.Dropped() : 0;
        return dropped;
    }
};

// Lanes without threads, for orders made by hand.
struct ByHand {
    explicit ByHand(std::size_t lanes) {
        for (std::size_t i = 0; i < lanes; ++i) {
            slots.emplace_back(64);
            all.push_back(std::make_unique<detail::Lane<>>(slots.back().data(), 64));
            cursors.push_back({.lane = all.back().get()});
        }
    }
    void Emit(std::size_t lane, std::uint64_t stamp, Event event) {
        all[lane]->Begin([&] { return stamp; });
        REQUIRE(all[lane]->TryEmit(&event, 1, stamp, ThreadId{static_cast<std::uint32_t>(lane + 1)}));
    }
    std::vector<Event> Round(std::uint64_t now) {
        std::vector<Event> out;
        tally = merge.Round(cursors, now, [&](const Event* first, std::size_t n) {
            out.insert(out.end(), first, first + n);
        });
        return out;
    }
    std::vector<std::vector<Event>> slots;
    std::vector<std::unique_ptr<detail::Lane<>>> all;
    std::vector<detail::LaneCursor<detail::NativeSync>> cursors;
    detail::Merge<> merge;
    detail::Merge<>::Tally tally;
};

std::vector<std::uint64_t> Addresses(const std::vector<Event>& events) {
    std::vector<std::uint64_t> addresses;
    for (const Event& event : events) addresses.push_back(event.address);
    return addresses;
}

}  // namespace

TEST_CASE("one writer's events come out in order, with steps for stamps and its thread id") {
    Lanes lanes({});
    Seen seen;
    for (std::uint64_t i = 0; i < 100; ++i) EmitNow(lanes, Numbered(EventKind::Freed, i));
    CHECK(lanes.WorthDraining());
    CHECK(lanes.Drain(seen.Deliver()) == 100);
    CHECK_FALSE(lanes.WorthDraining());
    for (std::uint64_t i = 0; i < 100; ++i) {
        CHECK(seen.records[i].address == i);
        CHECK(seen.records[i].stamp == i + 1);
        CHECK(seen.records[i].thread == ThreadId{1});
    }
    const auto counted = lanes.Count();
    CHECK(counted.sent == 100);
    CHECK(counted.delivered == 100);
    CHECK(counted.dropped == 0);
    CHECK(counted.late == 0);
}

TEST_CASE("a single record comes with the next round, published batch or not") {
    Lanes lanes({});
    Seen seen;
    EmitNow(lanes, Numbered(EventKind::Freed, 5));
    CHECK(lanes.Drain(seen.Deliver()) == 1);
    CHECK(lanes.Drain(seen.Deliver()) == 0);
}

TEST_CASE("texts ride along whole and count as one event") {
    Lanes lanes({.stamps = StampSource::Ticks});
    Seen seen;
    const std::string text(200, 'q');
    EmitText(lanes, Numbered(EventKind::Marker, 0), text.data(), text.size());
    EmitNow(lanes, Numbered(EventKind::Freed, 9));
    CHECK(lanes.Drain(seen.Deliver()) == 6);
    CHECK(lanes.Count().sent == 2);
    CHECK(lanes.Count().delivered == 2);
    std::string got;
    for (std::size_t i = 1; i < 5; ++i) {
        Continuation part;
        std::memcpy(&part, &seen.records[i], sizeof part);
        REQUIRE(part.kind == EventKind::Continuation);
        got.append(part.bytes, part.used);
    }
    CHECK(got == text);
}

TEST_CASE("a full lane that drops says where and how many, exactly") {
    Lanes lanes({.capacity = 64, .policy = FullPolicy::DropAndCount});
    Seen seen;
    for (std::uint64_t i = 0; i < 100; ++i) EmitNow(lanes, Numbered(EventKind::Freed, i));
    CHECK(lanes.Fill() == 1.0);
    CHECK(lanes.Drain(seen.Deliver()) == 65);  // 64 and the gap, though the writer said nothing since
    REQUIRE(seen.records.size() == 65);
    CHECK(seen.records[64].kind == EventKind::Gap);
    CHECK(seen.records[64].Dropped() == 36);
    CHECK(seen.records[64].stamp == 65);  // when the first was lost
    CHECK(seen.records[64].error == 0);
    EmitNow(lanes, Numbered(EventKind::Freed, 100));
    CHECK(lanes.Drain(seen.Deliver()) == 1);  // the gap is not told twice
    CHECK(seen.records.back().address == 100);
    CHECK(lanes.Count().sent == 101);
    CHECK(lanes.Count().delivered == 65);
    CHECK(lanes.Count().dropped == 36);
}

TEST_CASE("two rows of drops between two rounds are two gaps, each in its place") {
    ByHand hand(1);
    const Event event = Numbered(EventKind::Freed, 1);
    for (std::uint64_t i = 0; i < 64; ++i) hand.Emit(0, 10 + i, event);
    const auto drop = [&](std::uint64_t stamp) {
        hand.all[0]->Begin([&] { return stamp; });
        CHECK_FALSE(hand.all[0]->TryEmit(&event, 1, stamp, ThreadId{1}));
        hand.all[0]->Drop(&event, 1, stamp);
    };
    drop(100);
    drop(101);
    CHECK(hand.Round(20).size() == 10);  // older than 20; the gap is younger
    for (std::uint64_t i = 0; i < 9; ++i) hand.Emit(0, 200 + i, event);  // the first brings its gap along
    drop(300);
    const auto rest = hand.Round(detail::kIdle);
    REQUIRE(rest.size() == 54 + 1 + 9 + 1);
    CHECK(rest[54].kind == EventKind::Gap);
    CHECK(rest[54].Dropped() == 2);
    CHECK(rest[54].stamp == 100);
    CHECK(rest.back().kind == EventKind::Gap);
    CHECK(rest.back().Dropped() == 1);
    CHECK(rest.back().stamp == 300);
}

TEST_CASE("lanes are merged by stamp") {
    ByHand hand(3);
    for (std::uint64_t i = 0; i < 30; ++i) hand.Emit(i * i % 3, 100 + i, Numbered(EventKind::Freed, i));
    const auto out = hand.Round(115);
    CHECK(out.size() == 15);
    CHECK(hand.Round(1000).size() == 15);
    for (std::uint64_t i = 0; i < out.size(); ++i) CHECK(out[i].address == i);
    CHECK(hand.tally.late == 0);
}

TEST_CASE("a busy writer holds back what is not older than it") {
    ByHand hand(2);
    hand.Emit(0, 5, Numbered(EventKind::Freed, 1));
    hand.all[1]->Begin([] { return std::uint64_t{7}; });
    hand.Emit(0, 7, Numbered(EventKind::Freed, 2));
    hand.Emit(0, 9, Numbered(EventKind::Freed, 3));
    CHECK(Addresses(hand.Round(100)) == std::vector<std::uint64_t>{1});
    const Event event = Numbered(EventKind::Freed, 4);
    CHECK(hand.all[1]->TryEmit(&event, 1, 7, ThreadId{2}));
    const auto rest = hand.Round(100);
    REQUIRE(rest.size() == 3);
    CHECK(rest[2].address == 3);
}

TEST_CASE("what comes too late is delivered and counted") {
    ByHand hand(2);
    hand.Emit(0, 50, Numbered(EventKind::Freed, 1));
    CHECK(hand.Round(100).size() == 1);
    hand.Emit(1, 40, Numbered(EventKind::Freed, 2));
    CHECK(hand.Round(100).size() == 1);
    CHECK(hand.tally.late == 1);
}

TEST_CASE("at equal stamps a free goes before an allocation of the same address, whichever lane it is in") {
    for (const std::size_t freeing : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
        ByHand hand(3);
        const std::size_t taking = (freeing + 1) % 3;
        const std::size_t other = (freeing + 2) % 3;
        hand.Emit(taking, 9, Numbered(EventKind::Allocated, 64));
        hand.Emit(freeing, 9, Numbered(EventKind::Allocated, 32));  // its run: the free is not at its head
        hand.Emit(freeing, 9, Numbered(EventKind::Freed, 64));
        hand.Emit(other, 9, Numbered(EventKind::Freed, 32));
        const auto order = Addresses(hand.Round(10));
        REQUIRE(order.size() == 4);
        // 32 is freed before it is allocated, that before 64 is freed (one lane), that before 64 is allocated.
        CHECK(order == std::vector<std::uint64_t>{32, 32, 64, 64});
    }
}

TEST_CASE("at equal stamps resizes, bulk frees and shrinking count as frees too") {
    const auto check = [](Event back, bool first) {
        ByHand hand(2);
        hand.Emit(0, 9, Numbered(EventKind::Allocated, 64));
        hand.Emit(1, 9, back);
        const auto out = hand.Round(10);
        CHECK((out.at(0).kind == back.kind) == first);
    };
    Event resized = Numbered(EventKind::ResizeEnds, 128);
    resized.argument = 64;
    check(resized, true);
    resized.error = 1;
    check(resized, false);
    Event bulk = Numbered(EventKind::BulkFreed, 0);
    bulk.size = 65;
    check(bulk, true);
    bulk.size = 64;
    check(bulk, false);
    bulk.kind = EventKind::RegionShrunk;
    bulk.size = 100;
    check(bulk, true);
}

TEST_CASE("two lanes that wait for each other at one stamp are delivered all the same") {
    ByHand hand(2);
    hand.Emit(0, 9, Numbered(EventKind::Allocated, 64));
    hand.Emit(0, 9, Numbered(EventKind::Freed, 32));
    hand.Emit(1, 9, Numbered(EventKind::Allocated, 32));
    hand.Emit(1, 9, Numbered(EventKind::Freed, 64));
    CHECK(hand.Round(10).size() == 4);
}

TEST_CASE("a blocked writer goes on when the reader makes room") {
    Lanes lanes({.capacity = 64, .stamps = StampSource::Ticks});
    std::thread writer([&] {
        for (std::uint64_t i = 0; i < 1000; ++i) EmitNow(lanes, Numbered(EventKind::Freed, i));
    });
    Seen seen;
    while (seen.records.size() < 1000) lanes.Drain(seen.Deliver());
    writer.join();
    for (std::uint64_t i = 0; i < 1000; ++i) CHECK(seen.records[i].address == i);
    CHECK(lanes.Count().dropped == 0);
}

TEST_CASE("closing frees a blocked writer; what comes after is dropped and told") {
    Lanes lanes({.capacity = 64});
    std::thread writer([&] {
        for (std::uint64_t i = 0; i < 100; ++i) EmitNow(lanes, Numbered(EventKind::Freed, i));
    });
    while (lanes.Fill() < 1.0) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    lanes.Close();
    writer.join();
    Seen seen;
    lanes.DrainAll(seen.Deliver());
    const auto counted = lanes.Count();
    CHECK(counted.sent == 100);
    CHECK(counted.delivered == 64);
    CHECK(counted.dropped == 36);
    CHECK(seen.Gaps() == 36);
}

TEST_CASE("a writer waits no longer than the limit for a reader that is gone, and then not again") {
    Lanes lanes({.capacity = 64, .blockLimitNanoseconds = 20'000'000});
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < 164; ++i) EmitNow(lanes, Numbered(EventKind::Freed, i));
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= std::chrono::milliseconds(19));
    CHECK(took < std::chrono::milliseconds(1000));  // 100 limits would be 2 seconds
    CHECK(lanes.Count().dropped == 100);
    Seen seen;
    lanes.Drain(seen.Deliver());
    EmitNow(lanes, Numbered(EventKind::Freed, 1));  // there is room again
    CHECK(lanes.Count().dropped == 100);
}

TEST_CASE("the policy may change while a writer waits") {
    Lanes lanes({.capacity = 64});
    std::thread writer([&] {
        for (std::uint64_t i = 0; i < 65; ++i) EmitNow(lanes, Numbered(EventKind::Freed, i));
    });
    while (lanes.Fill() < 1.0) std::this_thread::yield();
    lanes.SetPolicy(FullPolicy::DropAndCount);
    writer.join();
    CHECK(lanes.Count().dropped == 1);
}

TEST_CASE("a batch that can never fit is dropped, not waited for") {
    Lanes lanes({.capacity = 64});
    std::vector<Event> many(65, Numbered(EventKind::Freed, 1));
    lanes.Emit(many.data(), many.size(), lanes.Begin());
    CHECK(lanes.Count().dropped == 65);
    lanes.Emit(nullptr, 0, lanes.Begin());  // a pair without an event
    CHECK(lanes.Count().sent == 65);
    Seen seen;
    CHECK(lanes.DrainAll(seen.Deliver()) == 1);
}

TEST_CASE("after a dropped batch the gap comes first, though a single event would have had room") {
    Lanes lanes({.capacity = 64, .stamps = StampSource::Ticks});
    EmitNow(lanes, Numbered(EventKind::Freed, 1));
    std::vector<Event> many(65, Numbered(EventKind::Freed, 2));
    lanes.Emit(many.data(), many.size(), lanes.Begin());
    EmitNow(lanes, Numbered(EventKind::Freed, 3));
    const std::uint64_t stamp = lanes.Begin();
    const Event last = Numbered(EventKind::Freed, 4);
    lanes.Emit(&last, 1, stamp);
    Seen seen;
    REQUIRE(lanes.DrainAll(seen.Deliver()) == 4);
    CHECK(seen.records[0].address == 1);
    CHECK(seen.records[1].kind == EventKind::Gap);
    CHECK(seen.records[1].Dropped() == 65);
    CHECK(seen.records[2].address == 3);
    CHECK(seen.records[3].address == 4);
}

TEST_CASE("one thread may write to several lanes, one after the other and in turn") {
    Seen seen;
    for (int round = 0; round < 20; ++round) {
        Lanes a({.capacity = 64});
        Lanes b({.capacity = 64});
        for (std::uint64_t i = 0; i < 10; ++i) {
            EmitNow(a, Numbered(EventKind::Freed, i));
            EmitNow(b, Numbered(EventKind::Allocated, i));
        }
        CHECK(a.Drain(seen.Deliver()) == 10);
        CHECK(b.Drain(seen.Deliver()) == 10);
        CHECK(a.LaneCount() == 1);
    }
}

TEST_CASE("allocator ids are unique, and 0 when there are no more") {
    Lanes lanes({});
    CHECK(lanes.NextAllocatorId() == AllocatorId{1});
    for (int i = 0; i < 65534; ++i) lanes.NextAllocatorId();
    CHECK(lanes.NextAllocatorId() == AllocatorId{0});
}

namespace {

struct EmitsAtTheEnd {
    Lanes* lanes = nullptr;
    ~EmitsAtTheEnd() {
        if (lanes != nullptr) EmitNow(*lanes, Numbered(EventKind::Freed, 77));
    }
};
thread_local EmitsAtTheEnd atTheEnd;

}  // namespace

TEST_CASE("an event from a destructor at the end of a thread is delivered too") {
    Lanes lanes({.capacity = 64});
    for (int i = 0; i < 3; ++i) {
        std::thread([&] {
            atTheEnd.lanes = &lanes;  // made before the thread's lane, so it goes after it
            EmitNow(lanes, Numbered(EventKind::Freed, 1));
        }).join();
    }
    Seen seen;
    CHECK(lanes.DrainAll(seen.Deliver()) == 6);
    CHECK(lanes.LaneCount() == 1);
}
