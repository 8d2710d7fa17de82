#include "replay/fork.hpp"

#include <map>
#include <random>

#include "alloc/emitter.hpp"
#include "alloc/registry.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "replay/replay_support.hpp"

using namespace residue;
using namespace residue::replay;
using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

// Two holes, of 64 and of 24 bytes, each between live blocks; then a request for 24.
constexpr const char* kTwoHoles = "0\n6\n8\n1\na 0 64\na 1 32\na 2 24\na 3 32\nf 0\nf 2\na 4 24\nf 3\n";

Event LastAllocation(const std::vector<Event>& events) {
    Event last;
    for (const Event& event : events) {
        if (event.kind == EventKind::Allocated && event.EndsCall()) last = event;
    }
    return last;
}

// Where the trace's second and third block lie.
std::uint64_t AddressOf(const std::vector<Event>& events, std::size_t allocation) {
    for (const Event& event : events) {
        if (event.kind == EventKind::Allocated && event.EndsCall() && allocation-- == 0) return event.address;
    }
    return 0;
}

log::LogView Logged(const std::vector<Event>& events, log::EventLog& log) {
    log::Appender appender(log);
    appender.Append(events.data(), events.size());
    appender.Flush();
    return log.View();
}

std::string RandomTrace(unsigned seed, int count) {
    std::mt19937 random(seed);
    std::string text = "0\n60\n" + std::to_string(count) + "\n0\n";
    for (int i = 0; i < count; ++i) {
        const std::string id = std::to_string(random() % 60);
        const std::string size = std::to_string(1 + random() % 300);
        switch (random() % 5) {
            case 0: case 1: text += "a " + id + " " + size + "\n"; break;
            case 2: text += "r " + id + " " + size + "\n"; break;
            default: text += "f " + id + "\n"; break;
        }
    }
    return text;
}

}  // namespace

TEST_CASE("a fork between policies goes on with the heap as it is") {
    const Replayed first = ReplayText(kTwoHoles), best = ReplayText(kTwoHoles, {.allocator = "best-fit"});
    REQUIRE(LastAllocation(first.events).address == AddressOf(first.events, 0));
    REQUIRE(LastAllocation(best.events).address == AddressOf(best.events, 2));
    const Replayed forked = ReplayText(kTwoHoles, {.fork = Fork{6, "best-fit"}});
    CHECK(forked.failure.empty());
    CHECK(forked.Calls() == 8);
    CHECK(LastAllocation(forked.events).address == AddressOf(first.events, 2));
    std::size_t created = 0, markers = 0;
    for (const Event& event : forked.events) {
        created += event.kind == EventKind::AllocatorCreated;
        if (event.kind != EventKind::Marker) continue;
        ++markers;
        CHECK(event.size == alloc::KindId(alloc::FindRegistration("best-fit")->observed->Kind()));
    }
    CHECK(created == 1);
    CHECK(markers == 1);
    // After the request it changes nothing any more.
    CHECK(LastAllocation(ReplayText(kTwoHoles, {.fork = Fork{7, "best-fit"}}).events).address ==
          AddressOf(first.events, 0));
}

TEST_CASE("a fork to another family places what is live afresh, in order of allocation") {
    const Replayed forked = ReplayText(kTwoHoles, {.fork = Fork{6, "tlsf"}});
    CHECK(forked.failure.empty());
    CHECK(forked.Calls() == 8);
    log::EventLog log;
    const log::LogView view = Logged(forked.events, log);
    CHECK(log::testing::Illegal(view) == "");
    std::vector<std::uint64_t> moved;
    for (Row row{}; row < view.Rows(); ++row) {
        const Event event = view.At(row).event;
        if (event.kind == EventKind::Allocated && event.Has(EventFlag::NotACall)) moved.push_back(event.size);
    }
    CHECK(moved == std::vector<std::uint64_t>{32, 32});  // the second and the fourth
    CHECK(forked.remark == "forked here: 2 live blocks placed afresh in two-level segregated fit (TLSF), in order of "
                    "allocation");
    // At the fork's own position the old heap is seen, one call later the new one.
    CHECK(view.At(Row{view.RowsAt(Position{6}).value - 1}).event.allocator == AllocatorId{1});
    CHECK(view.At(Row{view.RowsAt(Position{7}).value - 1}).event.allocator == AllocatorId{2});
}

TEST_CASE("where a fork has too little memory, what is refused is told and later operations on it have no effect") {
    const Replayed forked = ReplayText(kTwoHoles, {.fork = Fork{6, "first-fit", 64}});
    CHECK(forked.failure.empty());
    CHECK(forked.Calls() == 8);
    log::EventLog log;
    const log::LogView view = Logged(forked.events, log);
    std::size_t failed = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        failed += view.At(row).event.kind == EventKind::AllocateFailed && view.At(row).event.Has(EventFlag::NotACall);
    }
    CHECK_THAT(forked.remark, Catch::Contains("1 live blocks placed afresh") && Catch::Contains("; 1 had no room"));
    CHECK(failed == 1);
    CHECK(view.At(Row{view.Rows().value - 1}).event.kind == EventKind::Step);  // "f 3", of the refused one
}

TEST_CASE("a fork at the beginning is a run of the other allocator, one at the end changes nothing") {
    const auto layout = [](const std::vector<Event>& events) {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> blocks;
        for (const Event& event : events) {
            if (event.kind == EventKind::Allocated && event.EndsCall()) blocks.emplace_back(event.address, event.size);
        }
        return blocks;
    };
    const std::string trace = RandomTrace(3, 400);
    for (const char* other : {"best-fit", "tlsf", "buddy", "segregated-fit"}) {
        INFO(other);
        CHECK(layout(ReplayText(trace, {.fork = Fork{0, other}}).events) ==
              layout(ReplayText(trace, {.allocator = other}).events));
        const Replayed late = ReplayText(trace, {.fork = Fork{399, other}});
        CHECK(late.failure.empty());
    }
    const Replayed none = ReplayText(trace, {.fork = Fork{400, "tlsf"}});
    CHECK(none.failure == "fork: after operation 400 (expected less than 400, as many as there are)");
}

TEST_CASE("every pair of allocators can be forked between, call for operation, and nothing that lives is lost") {
    const std::string trace = RandomTrace(9, 300);
    std::map<std::string, std::uint64_t> live;
    for (const alloc::Registration& from : alloc::Registry()) {
        for (const alloc::Registration& to : alloc::Registry()) {
            INFO(from.name << " to " << to.name);
            const Replayed forked = ReplayText(trace, {.allocator = from.name, .fork = Fork{150, to.name}});
            CHECK(forked.failure.empty());
            CHECK(forked.Calls() == 300);
            log::EventLog log;
            const log::LogView view = Logged(forked.events, log);
            CHECK(log::testing::Illegal(view) == "");
            std::uint64_t bytes = 0;
            bool refused = false;
            for (Row row{}; row < view.Rows(); ++row) refused |= view.At(row).event.Failed();
            for (std::uint32_t id = 1; id <= view.Blocks(); ++id) {
                if (view.Life(BlockId{id}).died.value == log::kNever) bytes += view.Birth(BlockId{id}).event.size;
            }
            if (!refused) CHECK(bytes == forked.figures.liveBytes);
        }
    }
}

TEST_CASE("forks that cannot be say why") {
    CHECK_THAT(ReplayText(kTwoHoles, {.fork = Fork{2, "no-such"}}).failure,
               Catch::Contains("there is none named 'no-such'"));
    CHECK_THAT(ReplayText(kTwoHoles, {.fork = Fork{2, "system", 64}}).failure, Catch::Contains("fork"));
    const auto parsed = ParseFork("500:tlsf:64K", "--fork");
    REQUIRE(parsed);
    CHECK(*parsed == Fork{500, "tlsf", 65536});
    CHECK(*ParseFork("0:best-fit", "--fork") == Fork{0, "best-fit", std::nullopt});
    CHECK(*ParseFork("7:best-fit:auto", "--fork") == Fork{7, "best-fit", std::nullopt});
    for (const char* wrong : {"", "500", ":tlsf", "x:tlsf", "-1:tlsf", "5:", "5:nothing", "5:tlsf:", "5:tlsf:0",
                              "5:tlsf:many", "99999999999999999999:tlsf", "5:tlsf:1:2"}) {
        INFO(wrong);
        const auto refused = ParseFork(wrong, "--fork");
        REQUIRE_FALSE(refused);
        CHECK(refused.error().where == "--fork");
    }
}
