// The lanes under load; also meant to run under ThreadSanitizer (-DRESIDUE_SANITIZE=thread).
// RESIDUE_STRESS_FACTOR in the environment multiplies the work: the goal of 10^8 events is a campaign of its own.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stress/exchange.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::events;
using residue::stress::Exchange;

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kScale = 1;
#else
constexpr std::uint64_t kScale = 10;
#endif

std::uint64_t Factor() {
    const char* const text = std::getenv("RESIDUE_STRESS_FACTOR");
    return kScale * (text == nullptr ? 1 : std::strtoull(text, nullptr, 10));
}

}  // namespace

TEST_CASE("addresses that go from thread to thread are merged into a legal order") {
    for (const unsigned threads : {2u, 4u}) {
        const auto result = Exchange({.capacity = 1 << 12, .stamps = StampSource::Ticks}, threads, 20'000 * Factor());
        INFO(result.events << " events");
        CHECK(result.illegal == 0);
        CHECK(result.counted.late == 0);
        CHECK(result.counted.dropped == 0);
        CHECK(result.counted.sent == result.counted.delivered);
        CHECK(result.events == result.counted.sent);
        CHECK(result.events > 100);
    }
}

TEST_CASE("steps are an order for many threads too") {
    const auto result = Exchange({.capacity = 1 << 12, .stamps = StampSource::Steps}, 3, 10'000 * Factor());
    CHECK(result.illegal == 0);
    CHECK(result.counted.late == 0);
    CHECK(result.counted.sent == result.counted.delivered);
}

TEST_CASE("when lanes drop, sent is delivered plus dropped, and the gaps tell all of it") {
    const auto result = Exchange(
        {.capacity = 64, .policy = FullPolicy::DropAndCount, .stamps = StampSource::Ticks}, 3, 20'000 * Factor());
    INFO(result.counted.dropped << " of " << result.counted.sent << " dropped");
    CHECK(result.counted.sent == result.counted.delivered + result.counted.dropped);
    CHECK(result.gaps == result.counted.dropped);
    CHECK(result.events == result.counted.delivered);
    CHECK(result.counted.late == 0);
}

TEST_CASE("with one thread the gaps stand exactly where events are missing") {
    Lanes lanes({.capacity = 64, .policy = FullPolicy::DropAndCount, .stamps = StampSource::Ticks});
    const std::uint64_t events = 200'000 * Factor();
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= events; ++i) {
            Event event;
            event.address = i;
            event.kind = EventKind::Freed;
            EmitNow(lanes, event);
            if (i % 1024 == 0) std::this_thread::yield();
        }
        done = true;
    });
    std::uint64_t last = 0;
    std::uint64_t missing = 0;
    std::uint64_t wrong = 0;
    const auto deliver = [&](const Event* records, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            if (records[i].kind == EventKind::Gap) {
                missing += records[i].Dropped();
                continue;
            }
            wrong += records[i].address != last + missing + 1;
            last = records[i].address;
            missing = 0;
        }
    };
    while (!done) lanes.Drain(deliver);
    writer.join();
    lanes.DrainAll(deliver);
    CHECK(wrong == 0);
    CHECK(last + missing == events);
}

TEST_CASE("texts of several threads stay whole") {
    Lanes lanes({.capacity = 64, .stamps = StampSource::Ticks});
    std::atomic<unsigned> running{3};
    std::vector<std::thread> writers;
    const std::uint64_t rounds = 500 * Factor();
    for (unsigned t = 0; t < 3; ++t) {
        writers.emplace_back([&, t] {
            const std::string text(60 * (t + 1), static_cast<char>('a' + t));
            Event event;
            event.kind = EventKind::Marker;
            for (std::uint64_t i = 0; i < rounds; ++i) EmitText(lanes, event, text.data(), text.size());
            --running;
        });
    }
    std::uint64_t wrong = 0;
    std::uint64_t texts = 0;
    char letter = 0;
    const auto deliver = [&](const Event* records, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            if (records[i].kind != EventKind::Continuation) {
                wrong += letter != 0;  // the text before had not ended
                letter = 1;
                continue;
            }
            Continuation part;
            __builtin_memcpy(&part, &records[i], sizeof part);
            if (letter == 1) letter = part.bytes[0];
            for (unsigned b = 0; b < part.used; ++b) wrong += part.bytes[b] != letter;
            if (part.last != 0) {
                letter = 0;
                ++texts;
            }
        }
    };
    while (running != 0) lanes.Drain(deliver);
    for (auto& writer : writers) writer.join();
    lanes.DrainAll(deliver);
    CHECK(wrong == 0);
    CHECK(texts == 3 * rounds);
}

TEST_CASE("threads that start and end by the hundred lose nothing and share a few lanes") {
    Lanes lanes({.capacity = 64, .stamps = StampSource::Ticks});
    std::atomic<bool> done{false};
    std::uint64_t seen = 0;
    std::uint32_t mostThread = 0;
    const auto deliver = [&](const Event* records, std::size_t count) {
        seen += count;
        for (std::size_t i = 0; i < count; ++i) mostThread = std::max(mostThread, records[i].thread.value);
    };
    std::thread starter([&] {
        for (int round = 0; round < 75; ++round) {
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; ++t) {
                threads.emplace_back([&] {
                    Event event;
                    event.kind = EventKind::Freed;
                    for (int i = 0; i < 100; ++i) EmitNow(lanes, event);
                });
            }
            for (auto& thread : threads) thread.join();
        }
        done = true;
    });
    while (!done) lanes.Drain(deliver);
    starter.join();
    lanes.DrainAll(deliver);
    CHECK(seen == 300 * 100);
    CHECK(lanes.Count().delivered == seen);
    CHECK(mostThread == 300);
    CHECK(lanes.LaneCount() <= 4);
    CHECK(lanes.Count().late == 0);
}

TEST_CASE("lanes may end before their threads do, again and again") {
    std::atomic<Lanes*> now{nullptr};
    std::atomic<int> turn{0};
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (int seen = 0; !stop;) {
            if (turn.load() == seen) {
                std::this_thread::yield();
                continue;
            }
            Event event;
            event.kind = EventKind::Freed;
            EmitNow(*now.load(), event);
            seen = turn.load();
            now = nullptr;
        }
    });
    for (int i = 1; i <= 200; ++i) {
        Lanes lanes({.capacity = 64});
        now = &lanes;
        turn = i;
        while (now.load() != nullptr) std::this_thread::yield();
        CHECK(lanes.DrainAll([](const Event*, std::size_t) {}) == 1);
    }
    stop = true;
    writer.join();
}

TEST_CASE("closing at any moment frees every writer and keeps the account") {
    std::mt19937 random(5);
    for (int round = 0; round < 20; ++round) {
        Lanes lanes({.capacity = 64, .stamps = StampSource::Ticks});
        std::vector<std::thread> writers;
        for (int t = 0; t < 3; ++t) {
            writers.emplace_back([&] {
                Event event;
                event.kind = EventKind::Freed;
                for (int i = 0; i < 2000; ++i) EmitNow(lanes, event);
            });
        }
        std::uint64_t seen = 0;
        std::uint64_t gaps = 0;
        const auto deliver = [&](const Event* records, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) {
                if (records[i].kind == EventKind::Gap) gaps += records[i].Dropped();
                else ++seen;
            }
        };
        for (auto i = random() % 20; i > 0; --i) lanes.Drain(deliver);
        lanes.Close();  // from here nobody drains until all are done: they must not need it
        for (auto& writer : writers) writer.join();
        lanes.DrainAll(deliver);
        CHECK(lanes.Count().sent == 6000);
        CHECK(lanes.Count().delivered == seen);
        CHECK(lanes.Count().dropped == gaps);
        CHECK(seen + gaps == 6000);
    }
}
