#include "lab/saved_run.hpp"

#include "analysis/formula.hpp"
#include "analysis/series.hpp"
#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;
using events::EventKind;

TEST_CASE("A run becomes a log: a call for each operation, addresses as they were, the heap as it grew") {
    const LabTrace trace = TraceOf("a 0 16\nr 0 32\nf -1\nf 0\n");
    const std::uint64_t a = kHeapBase, b = kHeapBase + 16;
    const std::vector<Record> records = {{a, a + 16}, {b, b + 32}, {0, b + 32}, {0, b + 32}};
    log::EventLog log;
    WriteLog(trace, records, "mm.c", "", log);
    const log::LogView view = log.View();
    CHECK(view.Positions().value == 4);
    std::vector<EventKind> kinds;
    for (std::uint64_t row = 0; row < view.Rows().value; ++row) kinds.push_back(view.KindAt(Row{row}));
    CHECK(kinds == std::vector{EventKind::AllocatorCreated, EventKind::RegionGrown, EventKind::Allocated,
                               EventKind::RegionGrown, EventKind::ResizeBegins, EventKind::ResizeEnds, EventKind::Step,
                               EventKind::Freed});
    CHECK(view.At(Row{2}).event.address == a);
    CHECK(view.At(Row{3}).event.address == a + 16);
    CHECK(view.At(Row{3}).event.size == 32);
    CHECK(view.At(Row{5}).event.address == b);
    CHECK(view.Text(Row{0}) == "mm.c");
    CHECK(view.Source().name == "test.rep");
}

TEST_CASE("A run's log says that only payloads are told: holes, fragmentation and parts of blocks are not known") {
    const LabTrace trace = TraceOf("a 0 16\na 1 16\nf 0\n");
    const std::vector<Record> records = {{kHeapBase + 8, kHeapBase + 24}, {kHeapBase + 32, kHeapBase + 48}, {}};
    log::EventLog log;
    WriteLog(trace, records, "mm.c", "", log);
    const log::LogView view = log.View();
    model::HeapModel heap;
    heap.Advance(view, view.Rows(), ~std::uint64_t{0});
    const analysis::Metrics metrics = analysis::Measure(heap, AllocatorId{1}, 16);
    CHECK(metrics.heap == 48u);
    CHECK_FALSE(metrics.holes);
    CHECK_FALSE(metrics.free);
    CHECK_FALSE(metrics.externalFragmentation);
    CHECK_FALSE(metrics.fragmentationIndex);
    CHECK(metrics.gaps == 1u);  // from the break's beginning to the second payload
    CHECK(metrics.largestGap == 32u);
    analysis::Series series;
    series.Extend(view, ~std::uint64_t{0});
    CHECK(series.HeapKnown());
    CHECK_FALSE(series.HolesKnown());
    CHECK(series.Run().peakUtilisation == 32.0 / 48);
    for (const char* key : {"internal_fragmentation", "header", "set_aside", "holes", "external_fragmentation"}) {
        CAPTURE(key);
        CHECK_FALSE(analysis::MetricValue(*analysis::FindMetric(key), metrics, series.Run()));
    }
    // Another that has been told all: the same rows, but for what the log says of them.
    log.SetSource({});
    model::HeapModel told;
    told.Advance(log.View(), view.Rows(), ~std::uint64_t{0});
    CHECK(analysis::Measure(told, AllocatorId{1}, 16).holes == 1u);
    CHECK_FALSE(told == heap);
}

TEST_CASE("A run that ended early ends with what went wrong, and odd records are no trouble") {
    const LabTrace trace = TraceOf("a 0 16\na 1 16\nr 1 8\nf 0\n");
    const std::vector<Record> records = {{kHeapBase, 0}, {kHeapBase, ~std::uint64_t{0}}, {~std::uint64_t{0}, 1}};
    log::EventLog log;
    WriteLog(trace, records, "mm.c", "ERROR: it is wrong", log);
    const log::LogView view = log.View();
    CHECK(view.Text(Row{view.Rows().value - 1}) == "ERROR: it is wrong");
    // The operation that failed is one that can be stood at.
    log::EventLog another;
    WriteLog(trace, records, "mm.c", "ERROR: it is wrong", another, 3);
    CHECK(another.View().Positions() == view.Positions() + 1);
    CHECK(another.View().Text(Row{another.View().Rows().value - 1}) == "ERROR: it is wrong");
}
