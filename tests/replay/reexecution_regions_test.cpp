// Allocators whose regions come from another one are run again too: the log says where each region lay.
#include <optional>
#include <random>
#include <vector>

#include "alloc/os/system_allocator.hpp"
#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/pool_allocator.hpp"
#include "alloc/registry.hpp"
#include "alloc/tlsf_allocator.hpp"
#include "replay/reexecution.hpp"
#include "support/catch.hpp"
#include "support/log_sink.hpp"
#include "support/seen_inside.hpp"

using namespace residue;
using alloc::Allocator;
using alloc::HeapMemory;
using events::EventKind;
using support::Again, support::At, support::kNever, support::RequireSame, support::Seen;

namespace {

// Addresses as they are.
events::RebaseSink Plain(events::EventSink& sink) { return {sink, nullptr, 0}; }

// A workload on `allocator`, and what it looks like inside at every position of the log.
struct Watched {
    Watched(support::LogSink& log, Allocator& allocator) : log_(log), allocator_(allocator), plain_(Plain(log)) {
        Look();
    }

    // Only the parent did something since the last look: the inside is as it was.
    void Fill() {
        while (states.size() < log_.View().Positions().value) states.push_back(states.back());
    }

    void Look() {
        const std::uint64_t position = log_.View().Positions().value;
        states.resize(position);
        Seen seen(plain_);
        allocator_.options->Inspect(&allocator_, seen);
        states.emplace_back(std::move(seen));
    }

    void Work(int calls, std::mt19937& random, std::size_t most) {
        for (int i = 0; i < calls; ++i) {
            const auto what = random() % 100;
            if (live.empty() || what < 55) {
                // A few are larger than a region.
                const std::size_t bytes = 1 + random() % (random() % 50 == 0 ? 4 * most : most);
                if (const auto block = allocator_.Allocate(&allocator_, bytes, 8)) live.push_back(*block);
            } else if (what < 90) {
                std::swap(live[random() % live.size()], live.back());
                REQUIRE(allocator_.Free(&allocator_, live.back()));
                live.pop_back();
            } else if (what < 98) {
                void*& block = live[random() % live.size()];
                const auto moved = allocator_.options->Resize(&allocator_, block, 1 + random() % most, 8);
                if (moved) block = *moved;
            } else if (random() % 4 == 0) {
                REQUIRE(allocator_.options->Reset(&allocator_));
                live.clear();
            } else {
                (void)allocator_.Free(&allocator_, &allocator_);
            }
            if (leaf) Fill();
            Look();
        }
    }

    std::vector<std::optional<Seen>> states;  // by position; none within a call of its child
    std::vector<void*> live;
    bool leaf = true;  // no other allocator's regions are in it

private:
    support::LogSink& log_;
    Allocator& allocator_;
    events::RebaseSink plain_;
};

void CompareEverywhere(const support::LogSink& log, AllocatorId id, const std::vector<std::optional<Seen>>& states) {
    const log::LogView view = log.View();
    const auto again = Again(view, id);
    std::mt19937 random(3);
    for (int i = 0; i < 40; ++i) {
        const std::uint64_t position = random() % (states.size() - 4);
        for (const std::uint64_t step : {0, 1, 2, 3, 2, 1, 0}) {  // both ways
            INFO("position " << position + step);
            const auto inside = At(*again, view, position + step);
            if (states[position + step]) RequireSame(*inside.after, *states[position + step]);
        }
    }
    RequireSame(*At(*again, view, 0).after, *states[0]);
    RequireSame(*At(*again, view, states.size() - 1).after, *states.back());
}

}  // namespace

TEST_CASE("an allocator with regions from the system is the same inside when it is run again") {
    int tried = 0;
    for (const alloc::Registration& entry : alloc::Registry()) {
        if (entry.observed == nullptr || std::string_view(entry.title).starts_with("fixed buffer")) continue;
        INFO(entry.name);
        ++tried;
        support::LogSink log;
        alloc::SystemAllocator system;
        alignas(alloc::kAllocatorStorageAlignment) std::byte storage[alloc::kAllocatorStorageBytes];
        Allocator* const allocator = entry.Create(storage, {.parent = &system, .regionBytes = 3000});
        entry.Attach(allocator, &log, "it");
        Watched watched(log, *allocator);
        std::mt19937 random(11);
        // Regions far from each other: those of more than 128 KiB are mappings of their own.
        watched.Work(2500, random, 64);
        if (std::string_view(entry.name) != "pool") {
            if (const auto large = allocator->Allocate(allocator, 300'000, 8)) watched.live.push_back(*large);
            watched.Look();
        }
        watched.Work(500, random, 64);
        CompareEverywhere(log, AllocatorId{1}, watched.states);
        entry.Destroy(allocator);
        CHECK(At(*Again(log.View()), log.View(), log.View().Positions().value).after->ended);
    }
    CHECK(tried == 7);
}

TEST_CASE("an allocator inside another inside a third: each is known inside, also between the calls of one") {
    support::LogSink log;
    alignas(64) static std::byte buffer[256 << 10];
    auto outer = alloc::CreateFixedBufferAllocator(buffer, sizeof buffer, alloc::Placement::BestFit);
    outer.AttachSink(&log, "outer");
    auto middle = alloc::CreateTlsfAllocator(HeapMemory::From(&outer, 20'000));
    middle.AttachSink(&log, "middle", AllocatorId{1});
    auto inner = alloc::CreateArenaAllocator(HeapMemory::From(&middle, 2000));
    inner.AttachSink(&log, "inner", AllocatorId{2});
    Watched watchMiddle(log, middle), watchInner(log, inner);
    watchMiddle.leaf = false;
    std::mt19937 random(5);
    for (int i = 0; i < 400; ++i) {
        (random() % 3 == 0 ? watchMiddle : watchInner).Work(1, random, 80);
        if (random() % 20 == 0) {
            (void)inner.Mark();
            watchInner.Look();
        }
        watchMiddle.Look();
        watchInner.Fill();
        watchInner.Look();
    }
    REQUIRE(watchInner.states.size() == log.View().Positions().value + 1);
    CompareEverywhere(log, AllocatorId{2}, watchMiddle.states);
    CompareEverywhere(log, AllocatorId{3}, watchInner.states);
    CHECK(Again(log.View(), AllocatorId{1}) != nullptr);
    alloc::DestroyArenaAllocator(&inner);
    alloc::DestroyTlsfAllocator(&middle);
    alloc::DestroyFixedBufferAllocator(&outer);
}

TEST_CASE("a pool's slots are as large as those of the recorded one") {
    alloc::SystemAllocator system;
    for (const std::size_t slot : {24, 64, 200}) {
        support::LogSink log;
        auto pool = alloc::CreatePoolAllocator(HeapMemory::From(&system, 1000), slot);
        pool.AttachSink(&log, "pool");
        Watched watched(log, pool);
        std::mt19937 random(7);
        watched.Work(300, random, slot);
        CompareEverywhere(log, AllocatorId{1}, watched.states);
        alloc::DestroyPoolAllocator(&pool);
    }
}

TEST_CASE(
    "regions that a log makes up are refused: overlapping, misaligned, of another size, or larger than any memory") {
    support::LogSink log;
    alloc::SystemAllocator system;
    auto arena = alloc::CreateArenaAllocator(HeapMemory::From(&system, 1000));
    arena.AttachSink(&log, "arena");
    for (int i = 0; i < 100; ++i) (void)arena.Allocate(&arena, 200, 8);
    const log::LogView original = log.View();
    using Change = void (*)(events::Event&, std::uint64_t first);
    const Change changes[] = {
        [](events::Event& event, std::uint64_t first) { event.address = first + 16; },
        [](events::Event& event, std::uint64_t) { event.address += 1; },
        [](events::Event& event, std::uint64_t) { event.size += 8; },
        [](events::Event& event, std::uint64_t) { event.size = std::uint64_t{1} << 60; },
        [](events::Event& event, std::uint64_t) { event.size = 1; },
        [](events::Event& event, std::uint64_t) { event.address = ~std::uint64_t{0} - 500; },
    };
    for (const Change change : changes) {
        support::LogSink other;
        std::uint64_t first = 0;
        for (Row row{}; row < original.Rows(); ++row) {
            events::Event event = original.At(row).event;
            if (event.kind == EventKind::RegionGrown) {
                if (first != 0) change(event, first);
                if (first == 0) first = event.address;
            }
            other.Emit(&event, 1, row.value + 1);
        }
        const log::LogView view = other.View();
        const auto again = Again(view);
        CHECK_FALSE(again->At(view, view.Positions(), kNever, nullptr));
    }
    alloc::DestroyArenaAllocator(&arena);
}
