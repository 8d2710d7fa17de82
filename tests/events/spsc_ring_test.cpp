#include <cstdint>
#include <thread>
#include <vector>

#include "events/spsc_ring.hpp"
#include "support/catch.hpp"

using residue::events::kPublishEvery;
using residue::events::SpscRing;

namespace {

struct Small {
    explicit Small(std::size_t capacity) : slots(capacity), ring(slots.data(), capacity) {}
    bool Write(std::size_t count = 1) {
        return ring.TryWrite(count, [&](std::size_t, std::uint64_t& slot) { slot = next++; });
    }
    std::vector<std::uint64_t> ReadAll(std::uint64_t end) {
        std::vector<std::uint64_t> got;
        ring.Read(end, [&](std::uint64_t value) { got.push_back(value); });
        return got;
    }
    std::vector<std::uint64_t> slots;
    SpscRing<std::uint64_t> ring;
    std::uint64_t next = 0;
};

}  // namespace

TEST_CASE("a ring takes exactly its capacity, and gives it back in order") {
    Small small(8);
    for (int i = 0; i < 8; ++i) CHECK(small.Write());
    CHECK_FALSE(small.Write());
    CHECK(small.ReadAll(small.ring.Written()) == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(small.ReadAll(small.ring.Written()).empty());
    CHECK(small.Write());
}

TEST_CASE("a batch is written whole or not at all, across the end of the memory too") {
    Small small(8);
    CHECK(small.Write(6));
    CHECK_FALSE(small.Write(3));
    CHECK(small.next == 6);
    CHECK(small.ReadAll(small.ring.Written()).size() == 6);
    CHECK(small.Write(8));  // wraps
    CHECK(small.ReadAll(small.ring.Written()) == std::vector<std::uint64_t>{6, 7, 8, 9, 10, 11, 12, 13});
    CHECK_FALSE(small.Write(9));
}

TEST_CASE("taking slots over leaves alone what waits to be read, wherever the ring wraps") {
    Small small(1024);
    std::uint64_t expected = 0;
    for (std::size_t step = 1; step < 1024; step += 37) {
        while (small.Write()) {
        }
        CHECK(small.ring.WrittenWaiting() == 1024);
        small.ring.Read(small.ring.Next() + step, [&](std::uint64_t value) { CHECK(value == expected++); });
        CHECK(small.ring.HasRoom(step));
        CHECK_FALSE(small.ring.HasRoom(step + 1));
    }
}

TEST_CASE("published moves with every 16th record, written with each") {
    Small small(64);
    for (std::uint64_t i = 1; i <= 40; ++i) {
        REQUIRE(small.Write());
        CHECK(small.ring.Written() == i);
        CHECK(small.ring.Published() == i / kPublishEvery * kPublishEvery);
    }
    CHECK(small.ring.PublishedWaiting() == 32);
    CHECK(small.ring.WrittenWaiting() == 40);
    small.ring.Publish();
    CHECK(small.ring.Published() == 40);
}

TEST_CASE("slots come back in batches while a long read is still going on") {
    Small small(256);
    REQUIRE(small.Write(200));
    std::uint64_t seen = 0;
    small.ring.Read(200, [&](std::uint64_t value) {
        CHECK(value == seen++);
        if (seen == 66) CHECK(small.ring.HasRoom(56 + 64));
    });
    CHECK(seen == 200);
}

TEST_CASE("two threads hand every record over once, in order, with either index", "[threads]") {
    for (const bool flush : {false, true}) {
        Small small(64);
        constexpr std::uint64_t kRecords = 200'000;
        std::thread writer([&] {
            while (small.next < kRecords) {
                if (!small.Write()) std::this_thread::yield();
            }
            small.ring.Publish();
        });
        std::uint64_t expected = 0;
        bool inOrder = true;
        while (expected < kRecords) {
            const std::uint64_t end = flush ? small.ring.Written() : small.ring.Published();
            if (end == small.ring.Next()) std::this_thread::yield();
            small.ring.Read(end, [&](std::uint64_t value) { inOrder = inOrder && value == expected++; });
        }
        writer.join();
        CHECK(inOrder);
    }
}
