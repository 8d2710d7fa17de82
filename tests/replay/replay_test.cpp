#include <fstream>
#include <filesystem>
#include <iterator>
#include <random>
#include <unordered_map>

#include "alloc/registry.hpp"
#include "replay/replay_support.hpp"

using namespace residue;
using namespace residue::replay;
using events::Event;
using events::EventKind;

namespace {

constexpr const char* kShort1 =
    "20000\n6\n12\n1\na 0 2040\na 1 2040\nf 1\na 2 48\na 3 4072\nf 3\na 4 4072\nf 0\nf 2\na 5 4072\nf 4\nf 5\n";

// Every kind of operation, legal or not, in a random order.
std::string RandomTrace(unsigned seed, int count) {
    std::mt19937 random(seed);
    std::string text = "0\n40\n" + std::to_string(count) + "\n0\n";
    for (int operation = 0; operation < count; ++operation) {
        const std::string id = std::to_string(random() % 40);
        const std::string size = std::to_string(random() % 8 == 0 ? random() % 5000 : random() % 200);
        switch (random() % 9) {
            case 0: case 1: case 2: text += "a " + id + " " + size + "\n"; break;
            case 3: case 4: case 5: text += "f " + id + "\n"; break;
            case 6: text += "r " + id + " " + size + "\n"; break;
            case 7: text += "w " + id + " 4\n"; break;
            default: text += random() % 2 == 0 ? "f -1\n" : "r " + id + " 0\n"; break;
        }
    }
    return text;
}

}  // namespace

TEST_CASE("short1-bal on first fit needs the heap that METRICS.md says") {
    const Replayed replayed = ReplayText(kShort1);
    CHECK(replayed.failure.empty());
    CHECK(replayed.figures.peakLiveBytes == 8144);
    CHECK(replayed.HeapBytes() == 10264);
    CHECK(replayed.Calls() == 12);
}

TEST_CASE("every operation is exactly one call, on every allocator and whatever the operation") {
    for (const alloc::Registration& entry : alloc::Registry()) {
        INFO(entry.name);
        const Replayed replayed = ReplayText(RandomTrace(7, 1500), {.allocator = entry.name});
        CHECK(replayed.failure.empty());
        CHECK(replayed.Calls() == 1500);
    }
}

TEST_CASE("the live bytes that the events leave are those of the trace's figures") {
    for (const char* allocator :
         {"first-fit", "next-fit", "best-fit", "worst-fit", "segregated-fit", "tlsf", "headerless", "default"}) {
        INFO(allocator);
        const Replayed replayed = ReplayText(RandomTrace(11, 3000), {.allocator = allocator});
        std::unordered_map<std::uint64_t, std::uint64_t> live;
        std::uint64_t zeros = 0;  // a request of 0 bytes becomes a block of 1
        for (const Event& event : replayed.events) {
            if (event.Failed()) continue;
            if (event.kind == EventKind::Freed) live.erase(event.address);
            if (event.kind == EventKind::ResizeEnds) live.erase(event.OldAddress());
            if (event.kind == EventKind::ResizeEnds || event.kind == EventKind::Allocated)
                live[event.address] = event.size;
        }
        std::uint64_t bytes = 0;
        for (const auto& [address, size] : live) {
            bytes += size;
            zeros += size == 1 ? 1 : 0;
        }
        CHECK(live.size() == replayed.figures.liveBlocks);
        CHECK(bytes >= replayed.figures.liveBytes);
        CHECK(bytes <= replayed.figures.liveBytes + zeros);
    }
}

TEST_CASE("two runs give the same events, at small addresses") {
    const std::string text = RandomTrace(3, 800);
    const Replayed first = ReplayText(text);
    const Replayed second = ReplayText(text);
    REQUIRE(first.events.size() == second.events.size());
    bool same = true;
    bool small = true;
    for (std::size_t index = 0; index < first.events.size(); ++index) {
        const Event& a = first.events[index];
        const Event& b = second.events[index];
        same = same && a.kind == b.kind && a.address == b.address && a.size == b.size && a.argument == b.argument;
        const bool hasAddress = a.kind == EventKind::Allocated || a.kind == EventKind::Freed;
        small = small && (!hasAddress || (a.address >= kFixedBase && a.address < kFixedBase + first.HeapBytes()));
    }
    CHECK(same);
    CHECK(small);
}

TEST_CASE("the end of the replay is not told: the heap stays as the trace left it") {
    for (const alloc::Registration& entry : alloc::Registry()) {
        const Replayed replayed = ReplayText("0\n2\n3\n0\na 0 60\na 1 60\nf 0\n", {.allocator = entry.name});
        CHECK(Kinds(replayed.Requests()) == "Allocated Allocated Freed");
    }
}

TEST_CASE("operations without effect are steps that carry their line") {
    const Replayed replayed = ReplayText("0\n2\n6\n0\nf -1\nr 0 0\na 1 8\nw 1 8\nf 0\nf 1\n");
    CHECK(Kinds(replayed.Requests()) == "Step Step Allocated Step FreeFailed Freed");
    CHECK(replayed.Requests()[0].Line() == 5);
    CHECK(replayed.Requests()[1].Line() == 6);
    CHECK(replayed.Requests()[3].Line() == 8);
    CHECK(replayed.Requests()[4].Error() == MemoryError::InvalidPointer);  // of an id that was never allocated
    CHECK(replayed.Requests()[3].EndsCall());
}

TEST_CASE("a second free of an id is a double free on the allocator, where that can do no harm") {
    const char* twice = "0\n1\n3\n0\na 0 64\nf 0\nf 0\n";
    for (const char* allocator : {"first-fit", "worst-fit", "default", "residue"}) {
        INFO(allocator);
        const auto requests = ReplayText(twice, {.allocator = allocator}).Requests();
        REQUIRE(Kinds(requests) == "Allocated Freed FreeFailed");
        CHECK(requests[2].Error() == MemoryError::DoubleFree);
        CHECK(requests[2].address == requests[0].address);
    }
    // malloc would not survive it.
    CHECK(Kinds(ReplayText(twice, {.allocator = "system"}).Requests()) == "Allocated Freed Step");
    // Another block has the address by now.
    CHECK(Kinds(ReplayText("0\n2\n4\n0\na 0 64\nf 0\na 1 64\nf 0\n").Requests()) == "Allocated Freed Allocated Step");
}

TEST_CASE("where an allocation failed, its id has no block; after a failed resize the old one is there") {
    const auto failed = ReplayText("0\n2\n6\n0\na 0 900\nr 0 2000\nf 0\nf 0\na 0 16\nf 0\n", {.capacity = 500});
    CHECK(failed.failure.empty());
    CHECK(Kinds(failed.Requests()) == "AllocateFailed Step Step Step Allocated Freed");
    CHECK(failed.Requests()[0].Error() == MemoryError::BufferTooLarge);

    const auto resized = ReplayText("0\n1\n4\n0\na 0 100\nr 0 4000\nr 0 120\nf 0\n", {.capacity = 500});
    CHECK(Kinds(resized.Requests()) == "Allocated ResizeBegins ResizeEnds ResizeBegins ResizeEnds Freed");
    CHECK(resized.Requests()[2].Failed());
    CHECK_FALSE(resized.Requests()[4].Failed());
    CHECK(resized.Calls() == 4);
}

TEST_CASE("a request that fragmentation forbids is told as such") {
    std::string text = "0\n21\n31\n0\n";
    for (int id = 0; id < 20; ++id) text += "a " + std::to_string(id) + " 40\n";
    for (int id = 0; id < 20; id += 2) text += "f " + std::to_string(id) + "\n";
    const auto requests = ReplayText(text + "a 20 200\n", {.capacity = 1000}).Requests();
    REQUIRE(requests.back().kind == EventKind::AllocateFailed);
    CHECK(requests.back().Error() == MemoryError::Fragmentation);
    CHECK(requests.back().LargestHole() < 200);
    CHECK(requests.back().FreeBytes() > 200);
}

TEST_CASE("a large block is resized without filling its memory, told as one resize") {
    // 100 MiB that cannot grow where it is: more than is worth copying.
    const auto requests = ReplayText("0\n2\n3\n0\na 0 104857600\na 1 8\nr 0 209715200\n").Requests();
    REQUIRE(Kinds(requests) == "Allocated Allocated ResizeBegins ResizeEnds");
    CHECK(requests[2].address == requests[0].address);
    CHECK(requests[2].size == 209715200);
    CHECK(requests[3].OldAddress() == requests[0].address);
    CHECK(requests[3].address > requests[1].address);
    CHECK(requests[3].size == 209715200);

    // Twenty times 40 MiB copied: the pages do not stay.
    const auto residentPages = [] {
        std::ifstream statm("/proc/self/statm");
        std::uint64_t pages = 0;
        statm >> pages >> pages;
        return pages;
    };
    const std::uint64_t before = residentPages();
    std::string text = "0\n21\n41\n0\n";
    for (int id = 0; id < 20; ++id) text += "a " + std::to_string(id) + " 41943040\n";
    text += "a 20 8\n";
    for (int id = 0; id < 20; ++id) text += "r " + std::to_string(id) + " 41943060\n";
    auto reader = import::OpenTraceBytes("t.rep", text);
    const auto figures = import::ReadFigures(**reader, nullptr);
    auto replay = Replay::Create(*figures, {});
    reader = import::OpenTraceBytes("t.rep", text);
    events::NullSink sink;
    const std::atomic<bool> cancelled = false;
    REQUIRE((*replay)->Run(**reader, sink, cancelled, nullptr));
    CHECK(residentPages() < before + (160U << 20) / 4096);
}

TEST_CASE("what cannot be replayed says why, and what would do") {
    CHECK(
        ReplayText(kShort1, {.allocator = "frist-fit"}).failure ==
        "allocator: there is none named 'frist-fit' (expected first-fit, next-fit, best-fit, worst-fit, arena, stack, "
        "pool, segregated-fit, tlsf, headerless, buddy, default, system, residue)");
    const char* giant = "0\n2\n2\n58432548578714005\na 0 58432548578713656\na 1 349\n";
    CHECK(ReplayText(giant).failure ==
          "needs 58432548578714005 bytes of heap (expected at most 17179869184 bytes, the largest heap)");
    CHECK(
        ReplayText("0\n2\n2\n0\na 0 18446744073709551615\na 1 5\n").failure.starts_with("needs more than 1844674407"));
    CHECK(ReplayText(kShort1, {.capacity = 0}).failure == "capacity: 0 bytes hold no heap (expected at least 1 byte)");
    CHECK(ReplayText(kShort1, {.allocator = "system", .capacity = 5000}).failure ==
          "capacity: 'system' has none: it takes memory from the system (expected no capacity, or another allocator)");
    // With a capacity of one's choice, giants are failed requests.
    const auto requests = ReplayText(giant, {.capacity = 4096}).Requests();
    CHECK(Kinds(requests) == "AllocateFailed Allocated");
}

TEST_CASE("a cancelled replay stops and says so") {
    auto reader = import::OpenTraceBytes("t.rep", kShort1);
    auto replay = Replay::Create({}, {});
    REQUIRE(replay);
    events::VectorSink sink;
    const std::atomic<bool> cancelled = true;
    const auto done = (*replay)->Run(**reader, sink, cancelled, nullptr);
    REQUIRE_FALSE(done);
    CHECK(done.error().what == "cancelled");
}

TEST_CASE("the shared traces replay on every policy, call for operation, none failing") {
    const std::filesystem::path folder = std::filesystem::path(RESIDUE_SHARED_TRACES) / "rep";
    if (!std::filesystem::exists(folder)) {
        WARN("the shared traces are not here: skipped");
        return;
    }
    for (const char* name : {"amptjp-bal.rep", "binary-bal.rep", "corners.rep", "ls.rep", "syn-mix-realloc.rep"}) {
        std::ifstream file(folder / name);
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        for (const char* allocator : {"first-fit", "next-fit", "best-fit", "worst-fit", "segregated-fit", "tlsf"}) {
            INFO(name << " on " << allocator);
            const Replayed replayed = ReplayText(text, {.allocator = allocator}, name);
            CHECK(replayed.Calls() == replayed.figures.operations);
            CHECK(replayed.HeapBytes() >= replayed.figures.peakLiveBytes);
            std::uint64_t failed = 0;
            for (const Event& event : replayed.events) failed += event.Failed() ? 1 : 0;
            CHECK(failed == 0);
        }
    }
}
