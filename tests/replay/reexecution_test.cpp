#include "replay/reexecution.hpp"

#include <optional>
#include <random>
#include <vector>

#include "alloc/bump_allocator.hpp"
#include "alloc/emitter.hpp"
#include "alloc/os/system_allocator.hpp"
#include "alloc/registry.hpp"
#include "events/rebase_sink.hpp"
#include "replay/address_range.hpp"
#include "support/catch.hpp"
#include "support/log_sink.hpp"
#include "support/seen_inside.hpp"

using namespace residue;
using alloc::Allocator;
using alloc::DecisionKind;
using events::EventKind;
using support::Again, support::At, support::kNever, support::RequireSame, support::Seen;

namespace {

// A run of an allocator of the registry, with what it looked like inside after every call.
struct Run {
    Run(const alloc::Registration& registration, std::optional<std::uint64_t> capacity, int calls, unsigned seed)
        : entry(registration), random(seed) {
        auto reserved = replay::AddressRange::Reserve(kReserved);
        REQUIRE(reserved);
        range = std::move(*reserved);
        rebase.emplace(log, range.Address(), range.Bytes(), replay::kFixedBase);
        allocator = entry.Create(storage, {range.Base(), kReserved, capacity});
        entry.Attach(allocator, &*rebase, "it");
        Look();
        while (static_cast<int>(states.size()) <= calls) Step();
    }
    ~Run() { entry.Destroy(allocator); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void Look() {
        Seen seen(*rebase);
        if (allocator->options->Inspect != nullptr) allocator->options->Inspect(allocator, seen);
        // A call that the log does not count as one changes what its position looks like.
        const std::uint64_t position = log.View().Positions().value;
        REQUIRE((position == states.size() || position + 1 == states.size()));
        states.erase(states.begin() + static_cast<std::ptrdiff_t>(position), states.end());
        states.push_back(std::move(seen));
    }

    void Step() {
        const auto what = random() % 100;
        const std::size_t alignment = std::size_t{1} << (random() % 20 == 0 ? random() % 10 : 3);
        if (live.empty() || what < 50) {
            const std::size_t bytes = random() % 10 == 0 ? 1 + random() % 3000 : 1 + random() % 64;
            if (const auto block = allocator->Allocate(allocator, bytes, alignment)) live.push_back(*block);
        } else if (what < 85) {
            std::swap(live[random() % live.size()], live.back());
            REQUIRE(allocator->Free(allocator, live.back()));
            freed = live.back();
            live.pop_back();
        } else if (what < 95 && allocator->options->Resize != nullptr) {
            void*& block = live[random() % live.size()];
            if (const auto moved = allocator->options->Resize(allocator, block, 1 + random() % 300, alignment)) {
                block = *moved;
            }
        } else if (what < 97) {
            (void)allocator->Free(allocator, static_cast<std::byte*>(live.front()) + 1);
        } else if (what < 98) {
            int elsewhere = 0;
            (void)allocator->Free(allocator, &elsewhere);
        } else if (what < 99 && random() % 20 == 0) {
            REQUIRE(allocator->options->Reset(allocator));
            live.clear();
        } else {
            return;
        }
        Look();
    }

    static constexpr std::size_t kReserved = std::size_t{4} << 20;
    const alloc::Registration& entry;
    std::mt19937 random;
    support::LogSink log;
    replay::AddressRange range;
    std::optional<events::RebaseSink> rebase;
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage[alloc::kAllocatorStorageBytes];
    Allocator* allocator = nullptr;
    std::vector<void*> live;
    void* freed = nullptr;
    std::vector<Seen> states;  // by position
};

}  // namespace

TEST_CASE("every observable allocator is the same inside when it is run again, at any position, in any order") {
    for (const alloc::Registration& entry : alloc::Registry()) {
        if (entry.observed == nullptr) continue;
        for (const bool grows : {false, true}) {
            INFO(entry.name << (grows ? ", growing" : ""));
            Run run(entry, grows ? std::nullopt : std::optional<std::uint64_t>(48 << 10), 9000, 11);
            const log::LogView view = run.log.View();
            const auto again = Again(view);
            std::mt19937 random(3);
            for (int i = 0; i < 12; ++i) {
                const std::uint64_t position = random() % (run.states.size() - 8);
                for (const std::uint64_t step : {0, 1, 2, 3, 2, 1, 0, 7}) {  // both ways
                    INFO("position " << position + step);
                    const auto inside = At(*again, view, position + step);
                    RequireSame(*inside.after, run.states[position + step]);
                    if (position + step > 0) RequireSame(*inside.before, run.states[position + step - 1]);
                }
            }
            REQUIRE(again->KeptBytes() > 0);
            RequireSame(*At(*again, view, 0).after, run.states[0]);
            RequireSame(*At(*again, view, run.states.size() - 1).after, run.states.back());
        }
    }
}

TEST_CASE("an allocator that goes on by another policy is the same inside when it is run again") {
    const alloc::Registration& entry = *alloc::FindRegistration("first-fit");
    REQUIRE(entry.GoOnAs != nullptr);
    Run run(entry, std::uint64_t{48 << 10}, 6000, 5);
    const auto kind = alloc::KindId(alloc::FindRegistration("best-fit")->observed->Kind());
    CHECK_FALSE(entry.GoOnAs(run.allocator, kind + 1));
    REQUIRE(entry.GoOnAs(run.allocator, kind));
    events::Event remark;
    remark.kind = EventKind::Marker;
    remark.allocator = AllocatorId{1};
    remark.size = kind;
    events::EmitText(*run.rebase, remark, "best fit", 8);
    const std::size_t at = run.states.size();
    while (run.states.size() < 12'000) run.Step();
    const log::LogView view = run.log.View();
    const auto again = Again(view);
    for (const std::uint64_t position :
         {at - 1, at, at + 1, at + 2000, std::size_t{10}, run.states.size() - 1, at - 5}) {
        INFO("position " << position << ", the policy changes after " << at - 1);
        RequireSame(*At(*again, view, position).after, run.states[position]);
    }
}

TEST_CASE("the decisions of a call are as many probes as its event counts, and end with the hole that was taken") {
    Run run(*alloc::FindRegistration("first-fit"), 48 << 10, 3000, 5);
    const log::LogView view = run.log.View();
    const auto again = Again(view);
    std::uint64_t searches = 0, longest = 0;
    for (std::uint64_t position = 1; position < run.states.size(); position += 7) {
        const Row end = view.RowsAt(Position{position});
        const events::Event event = view.At(end - 1).event;
        if (event.kind != EventKind::Allocated) continue;
        const auto inside = At(*again, view, position);
        std::uint64_t probes = 0;
        for (const alloc::Decision& decision : inside.decisions) {
            if (decision.kind != DecisionKind::Probe) continue;
            ++probes;
            const bool last = probes == event.Probes();
            REQUIRE((decision.verdict == alloc::ProbeVerdict::Taken) == last);
            if (last) REQUIRE((decision.address <= event.Begin() && event.End() <= decision.address + decision.bytes));
        }
        REQUIRE(probes == event.Probes());
        ++searches;
        longest = std::max(longest, probes);
    }
    REQUIRE(searches > 100);
    REQUIRE(longest > 5);
}

TEST_CASE("a log that grows is followed, also beyond the range that was reserved for it") {
    const alloc::Registration& entry = *alloc::FindRegistration("first-fit");
    auto range = replay::AddressRange::Reserve(std::uint64_t{256} << 20);
    REQUIRE(range);
    support::LogSink log;
    events::RebaseSink rebase(log, range->Address(), range->Bytes(), replay::kFixedBase);
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage[alloc::kAllocatorStorageBytes];
    Allocator* allocator =
        entry.Create(storage, {range->Base(), static_cast<std::size_t>(range->Bytes()), std::nullopt});
    entry.Attach(allocator, &rebase, "it");
    const auto again = Again(log.View());
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) {
        blocks.push_back(*allocator->Allocate(allocator, 1 << 20, 8));
        if (i % 2 == 1) REQUIRE(allocator->Free(allocator, blocks[blocks.size() - 2]));
        Seen seen(rebase);
        allocator->options->Inspect(allocator, seen);
        const log::LogView view = log.View();
        RequireSame(*At(*again, view, view.Positions().value).after, seen);
    }
    entry.Destroy(allocator);
    const log::LogView view = log.View();
    const auto ended = At(*again, view, view.Positions().value);
    REQUIRE(ended.after->ended);
    REQUIRE(ended.after->nodes.empty());
    REQUIRE_FALSE(At(*again, view, view.Positions().value - 1).after->ended);
}

TEST_CASE("where the log tells something else than what happens, the inside is not known from there on") {
    Run run(*alloc::FindRegistration("first-fit"), 48 << 10, 300, 5);
    // The same log, but one block lies elsewhere.
    const log::LogView original = run.log.View();
    support::LogSink other;
    std::uint64_t moved = 0;
    for (Row row{}; row < original.Rows(); ++row) {
        events::Event event = original.At(row).event;
        const bool here = moved == 0 && row.value > 150 && event.kind == EventKind::Allocated && event.rounding >= 1;
        if (here) event.address += 8, event.header = 16, moved = original.PositionOf(row).value;
        other.Emit(&event, 1, row.value + 1);
    }
    REQUIRE(moved > 0);
    const log::LogView view = other.View();
    const auto again = Again(view);
    for (int round = 0; round < 2; ++round) {
        const auto wrong = again->At(view, Position{moved + 20}, kNever, nullptr);
        REQUIRE_FALSE(wrong);
        CHECK(wrong.error().Text().find("running it again gives another place") != std::string::npos);
        CHECK(wrong.error().Text().find("event " + std::to_string(moved)) != std::string::npos);
        RequireSame(*At(*again, view, moved - 1).after, run.states[moved - 1]);
        REQUIRE_FALSE(again->At(view, Position{moved}, kNever, nullptr));
        RequireSame(*At(*again, view, moved - 30).after, run.states[moved - 30]);
    }
}

TEST_CASE("marks of an arena are run again, in a buffer at an address of the program's own") {
    alignas(64) static std::byte buffer[16 << 10];
    support::LogSink log;
    auto arena = alloc::CreateArenaAllocator(alloc::HeapMemory::Buffer(buffer));
    arena.AttachSink(&log, "mine");
    (void)arena.Allocate(&arena, 100, 8);
    const auto mark = arena.Mark();
    (void)arena.Allocate(&arena, 50, 8);
    (void)arena.Mark();
    (void)arena.Allocate(&arena, 50, 64);
    REQUIRE(arena.Release(*mark));
    (void)arena.Mark();
    const log::LogView view = log.View();
    const auto again = Again(view);
    REQUIRE(view.Positions().value == 7);
    const std::size_t marks[] = {0, 0, 1, 1, 2, 2, 0, 1};
    for (const std::uint64_t position : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 5u, 2u, 6u, 1u, 0u}) {
        REQUIRE(At(*again, view, position).after->marks.size() == marks[position]);
    }
    const auto last = At(*again, view, 7);
    REQUIRE(last.before->marks.empty());
    REQUIRE(last.after->marks[0].address >= reinterpret_cast<std::uintptr_t>(buffer));
    REQUIRE(last.after->marks[0].address < reinterpret_cast<std::uintptr_t>(buffer) + sizeof buffer);
    alloc::DestroyArenaAllocator(&arena);
}

TEST_CASE("an allocator of the system's memory says that its inside was not recorded") {
    support::LogSink log;
    alloc::SystemAllocator system;
    system.AttachSink(&log, "system");
    const auto again = replay::Reexecution::Create(log.View(), AllocatorId{1});
    REQUIRE_FALSE(again);
    CHECK(again.error().Text().find("was not recorded") != std::string::npos);
    CHECK_FALSE(replay::Reexecution::Create(log.View(), AllocatorId{9}));
}

TEST_CASE("a long way can be cancelled, and goes on later") {
    Run run(*alloc::FindRegistration("best-fit"), std::nullopt, 9000, 5);
    const log::LogView view = run.log.View();
    const auto again = Again(view);
    const std::atomic<bool> yes{true};
    REQUIRE_FALSE(again->At(view, Position{8000}, yes, nullptr));
    RequireSame(*At(*again, view, 8000).after, run.states[8000]);
}

TEST_CASE("what was decided speaks of the log's addresses, also where nothing is left of a region") {
    for (const char* name : {"stack", "arena", "first-fit"}) {
        INFO(name);
        const Run run(*alloc::FindRegistration(name), std::nullopt, 300, 7);  // grows by just what is missing
        const log::LogView view = run.log.View();
        const auto again = Again(view);
        std::uint64_t split = 0;
        for (std::uint64_t position = 1; position <= 300; ++position) {
            for (const alloc::Decision& each : At(*again, view, position).decisions) {
                REQUIRE(each.address >= replay::kFixedBase);
                REQUIRE(each.address + each.bytes <= replay::kFixedBase + Run::kReserved);
                if (each.kind != alloc::DecisionKind::Split) continue;
                REQUIRE(each.other == each.address + each.bytes);
                ++split;
            }
        }
        CHECK(split > 50);
    }
}
