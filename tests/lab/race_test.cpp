// Races over small traces whose every figure is known by hand, or by `residue report`'s own way of measuring.
#include "lab/race.hpp"

#include "analysis/series.hpp"
#include "events/lanes.hpp"
#include "lab/lab_support.hpp"
#include "lab/race_lanes.hpp"
#include "log/pump.hpp"
#include "model/heap_model.hpp"
#include "replay/replay.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

// METRICS.md's short1-bal: 8,144 bytes alive at most.
constexpr const char* kShort =
    "a 0 2040\na 1 2040\nf 1\na 2 48\na 3 4072\nf 3\na 4 4072\nf 0\nf 2\na 5 4072\nf 4\nf 5\n";

RaceResult RaceOf(const support::ScratchFolder& folder, const std::string& operations,
                  const std::vector<std::string>& names, std::optional<std::uint64_t> capacity = std::nullopt) {
    folder.Write("t.rep", "1 9 99 0\n" + operations);
    BuildOptions building;
    building.needsLandlock = HasLandlock();
    std::string messages;
    const auto entrants = MakeEntrants(names, building, messages);
    if (!entrants) FAIL(entrants.error().Text());
    RaceOptions options;
    options.timing = false;
    options.capacity = capacity;
    options.student.needsLandlock = HasLandlock();
    auto race = Race(folder / "t.rep", *entrants, options);
    if (!race) FAIL(race.error().Text());
    REQUIRE(race->lanes.size() == names.size() + 1);
    return std::move(*race);
}

struct Reported {
    analysis::RunMetrics run;
    analysis::Metrics atPeak;
};

// As the session of `residue report` does it.
Reported ReportOf(const std::string& path, const std::string& allocator) {
    auto reader = import::OpenTrace(path);
    REQUIRE(reader);
    const auto figures = import::ReadFigures(**reader, nullptr);
    REQUIRE(figures);
    auto replay = replay::Replay::Create(*figures, {allocator});
    REQUIRE(replay);
    reader = import::OpenTrace(path);
    log::EventLog log;
    events::Lanes lanes(events::LanesOptions{});
    log::Pump pump(lanes, log);
    const std::atomic<bool> never{false};
    REQUIRE((*replay)->Run(**reader, lanes, never, nullptr));
    pump.Stop();
    log.Close();
    analysis::Series series;
    series.Extend(log.View(), ~std::uint64_t{0});
    const analysis::RunMetrics run = series.Run();
    model::HeapModel heap;
    heap.Advance(log.View(), log.View().RowsAt(run.peakPosition), ~std::uint64_t{0});
    return {run, analysis::Measure(heap, AllocatorId{}, 0)};
}

const std::string kExample = std::string(RESIDUE_SOURCE_DIR) + "/scenarios/lab/mm.c";

}  // namespace

TEST_CASE("METRICS.md's vectors, side by side: first fit .793, an mm.c that never reuses .497, the bound 1") {
    const support::ScratchFolder folder;
    const RaceResult race = RaceOf(folder, kShort, {"first-fit", kExample});
    CHECK(race.operations == 12);
    const RaceLane &fit = race.lanes[0], &student = race.lanes[1], &bound = race.lanes[2];
    CHECK(fit.state == RaceLane::State::Ran);
    CHECK(fit.peakLive == 8144);
    CHECK(fit.heapPeak.value == 10264);
    CHECK(fit.utilisation.value == 8144.0 / 10264);
    CHECK(student.state == RaceLane::State::Ran);
    CHECK(student.heapPeak.value == 16392);
    CHECK(student.heapEnd.value == 16392);
    CHECK(student.utilisation.value == 8144.0 / 16392);
    CHECK(!student.externalFragmentation.value);
    CHECK(!student.externalFragmentation.reason.empty());
    CHECK(bound.isBound);
    CHECK(bound.heapPeak.value == 8144);
    CHECK(bound.utilisation.value == 1.0);
    // The fourth request takes the hole that operation 3 left; the mm.c goes on at the end: 2 x (2,040 + 8).
    REQUIRE(race.divergence);
    CHECK(race.divergence->operation == 4);
    CHECK(race.divergedAt == "malloc(48)");
    CHECK(race.divergence->offsets[0] == 2048u);
    CHECK(race.divergence->offsets[1] == 4096u);
    CHECK(!race.divergence->offsets[2]);
    // After operation 7 the mm.c has 2 x 2,048 + 56 + 2 x 4,080 bytes; first fit has 2,048 + 56 + 4,080. Operation 10
    // adds 4,080 to both, so it is as far apart, and later.
    REQUIRE(race.widestGap);
    CHECK(race.widestGap->operation == 7);
    CHECK(race.widestGap->smallest == 0);
    CHECK(race.widestGap->largest == 1);
    CHECK(race.widestGap->largestHeap == 12312);
    CHECK(race.widestGap->smallestHeap == 6184);
    CHECK(!race.failedFirst);
}

TEST_CASE("A registered lane's figures are those of the report") {
    const support::ScratchFolder folder;
    const std::string operations =
        std::string(kShort) + "a 6 100\na 7 3000\na 8 24\nf 7\na 7 900\nr 8 600\nf 6\na 6 8\n";
    for (const alloc::Registration& entry : alloc::Registry()) {
        INFO(entry.name);
        const RaceResult race = RaceOf(folder, operations, {entry.name});
        const Reported reported = ReportOf(folder / "t.rep", entry.name);
        const RaceLane& lane = race.lanes[0];
        CHECK(lane.peakLive == reported.run.peakLiveBytes);
        CHECK(lane.failures == reported.run.failedRequests);
        CHECK(lane.externalFragmentation.value == reported.atPeak.externalFragmentation);
        CHECK(lane.heapPeak.value.has_value() == reported.run.peakUtilisation.has_value());
        CHECK(lane.pageBytes.has_value() != lane.heapPeak.value.has_value());
        if (!lane.heapPeak.value) continue;
        CHECK(lane.utilisation.value == reported.run.peakUtilisation);
        CHECK(*lane.heapPeak.value == reported.run.peakHeap);
    }
}

TEST_CASE("The first failure is told with its operation, and a lane that failed is in no gap") {
    const support::ScratchFolder folder;
    // 64 + 8 and 128 + 8 bytes fit 256; the third does not, and the fourth has the first one's place.
    const RaceResult race =
        RaceOf(folder, "a 0 64\na 1 128\na 2 256\nf 0\na 3 8\nf 2\n", {"first-fit", "best-fit"}, 256);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        CHECK(race.lanes[i].failures == 1);
        REQUIRE(race.lanes[i].firstFailure);
        CHECK(race.lanes[i].firstFailure->operation == 3);
        CHECK(Contains(race.lanes[i].firstFailure->text, "malloc(256): "));
        CHECK(race.lanes[i].peakLive == 64 + 128);
    }
    CHECK(race.failedFirst == std::size_t{0});
    CHECK(!race.widestGap);
}

TEST_CASE("A failed request parts lanes, and what places alike does not") {
    const support::ScratchFolder folder;
    const RaceResult race = RaceOf(folder, "a 0 24\na 1 40\na 2 65\n", {"first-fit", "best-fit", "pool"});
    REQUIRE(race.pairs.size() == 3);
    CHECK(race.pairs[0].operation == 0);
    CHECK(race.pairs[1].operation == 2);  // a slot of 64 bytes is another place
    REQUIRE(race.divergence);
    CHECK(race.divergence->operation == 2);
    CHECK(race.lanes[2].failures == 1);
    CHECK(race.lanes[2].steps[2].offset == kNowhere);
    CHECK(race.lanes[0].steps[2].offset != kNowhere);
}

TEST_CASE("Perfect compaction: the largest sum of payloads so far, leaks counted, and what rounding adds") {
    // 10 + 24; 30 for 10; id 1 again, and the old 24 bytes leak.
    const LabTrace trace = TraceOf("a 0 10\na 1 24\nr 0 30\na 1 5\nf 0\nf 1\n");
    const RaceLane bound = PerfectCompaction(trace);
    std::vector<std::uint64_t> heaps;
    for (const RaceStep& step : bound.steps) heaps.push_back(step.heap);
    CHECK(heaps == std::vector<std::uint64_t>{10, 34, 54, 59, 59, 59});
    CHECK(bound.peakLive == trace.peakLive);
    CHECK(AlignedPeak(trace) == 32 + 24 + 8);
}

TEST_CASE("An mm.c that is invalid has a reason, its operation, and no figures") {
    const support::ScratchFolder folder;
    folder.Write("mm.c", Bump("", "if (size == 48) return NULL;"));
    const RaceResult race = RaceOf(folder, kShort, {folder / "mm.c", "first-fit"});
    const RaceLane& lane = race.lanes[0];
    CHECK(lane.state == RaceLane::State::Invalid);
    CHECK(lane.reason == "operation 4: mm_malloc failed.");
    CHECK(lane.failures == 1);
    CHECK(!lane.heapPeak.value);
    CHECK(!lane.utilisation.value);
    CHECK(race.failedFirst == std::size_t{0});
    CHECK(race.pairs.empty());
    CHECK(!race.divergence);
}

TEST_CASE("glibc's malloc runs on a heap of its own, measured by pages") {
    const support::ScratchFolder folder;
    const RaceResult race = RaceOf(folder, kShort, {"glibc", "first-fit"});
    const RaceLane& lane = race.lanes[0];
    INFO(lane.reason);
    REQUIRE(lane.state == RaceLane::State::Ran);
    CHECK(lane.peakLive == 8144);
    CHECK(lane.failures == 0);
    CHECK(!lane.heapPeak.value);
    CHECK(!lane.heapPeak.reason.empty());
    // 8,144 bytes cannot lie on one page; and a heap that reuses what was freed has no five.
    REQUIRE(lane.pageBytes);
    CHECK(*lane.pageBytes >= 2 * 4096);
    CHECK(*lane.pageBytes <= 5 * 4096);
    CHECK(lane.utilisation.value == 8144.0 / static_cast<double>(*lane.pageBytes));
    CHECK(lane.steps[0].offset == 0);
    CHECK(lane.steps[1].offset == 2048);  // 2,040 bytes and eight of glibc's
    CHECK(lane.steps[2].offset == kNowhere);
    const RaceResult again = RaceOf(folder, kShort, {"glibc"});
    for (std::size_t i = 0; i < lane.steps.size(); ++i) CHECK(again.lanes[0].steps[i].offset == lane.steps[i].offset);
}

TEST_CASE("A malloc that is not installed is a lane that says so") {
    const LabTrace trace = TraceOf(kShort);
    const SystemMalloc none{"none", "libresidue-none.so.9", "", "none"};
    RaceLane lane;
    REQUIRE(RunSystemMalloc(none, trace, {}, lane));
    CHECK(lane.state == RaceLane::State::NotRun);
    CHECK(Contains(lane.reason, "not installed: libresidue-none.so.9"));
    CHECK(lane.steps.empty());
    const SystemMalloc other{"other", "libm.so.6", "none_", "has no malloc"};
    RaceLane second;
    REQUIRE(RunSystemMalloc(other, trace, {}, second));
    CHECK(Contains(second.reason, "has no none_malloc"));
}

TEST_CASE("What cannot run says why") {
    const support::ScratchFolder folder;
    const RaceResult race = RaceOf(folder, "a 0 84000000000000000\n", {"first-fit", "glibc", kExample});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(race.lanes[i].state == RaceLane::State::NotRun);
        CHECK(Contains(race.lanes[i].reason, "needs 84000000000000000 bytes of heap"));
    }
}

TEST_CASE("Entrants are told by name, all that is wrong at once") {
    CHECK(CheckEntrants({"first-fit", "glibc", "./mm.c", "mm.c"}).empty());
    CHECK(CheckEntrants({}).size() == 1);
    CHECK(CheckEntrants({"frist-fit", "buddy", "buddy", ""}).size() == 3);
    CHECK(!CheckEntrants(std::vector<std::string>(kMostEntrants + 1, "a.c")).empty());
}

TEST_CASE("A race that is cancelled, or too much for sums, is a failure") {
    const support::ScratchFolder folder;
    folder.Write("t.rep", std::string("1 9 99 0\n") + kShort);
    std::string messages;
    const auto entrants = MakeEntrants({"first-fit"}, {}, messages);
    REQUIRE(entrants);
    const std::atomic<bool> cancelled{true};
    RaceOptions options;
    options.cancelled = &cancelled;
    const auto race = Race(folder / "t.rep", *entrants, options);
    REQUIRE(!race);
    CHECK(race.error().what == "cancelled");
    folder.Write("vast.rep", "1 2 2 0\na 0 18000000000000000000\na 1 18000000000000000000\n");
    const auto vast = Race(folder / "vast.rep", *entrants, {});
    REQUIRE(!vast);
    CHECK(Contains(vast.error().what, "bytes of heap"));
}
