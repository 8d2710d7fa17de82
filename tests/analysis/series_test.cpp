#include "analysis/series.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "analysis/size_histogram.hpp"
#include "model/block_order.hpp"
#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using analysis::Series;
using analysis::SeriesColumn;
using test::Stream;

namespace {

// Every position's figures, from a model at the rows that the log gives for it.
std::vector<SeriesColumn> Scan(const log::LogView& log) {
    std::vector<SeriesColumn> all(log.Positions().value + 1);
    model::HeapModel heap;
    for (std::uint64_t p = 0; p < all.size(); ++p) {
        heap.Advance(log, log.RowsAt(Position{p}), ~std::uint64_t{0});
        const model::Totals sum = heap.Sum();
        SeriesColumn& c = all[p];
        c.any = true;
        c.liveMin = c.liveMax = sum.payload;
        c.heapMin = c.heapMax = sum.heapKnown ? sum.heap : 0;
        const double fragmentation = analysis::ExternalFragmentation(sum.largestHole, sum.free);
        c.fragmentationMin = c.fragmentationMax = sum.heapKnown ? static_cast<float>(fragmentation) : 0;
    }
    for (Row row{}; row < log.Rows(); ++row) {
        const events::Event e = log.At(row).event;
        const bool error = e.kind == events::EventKind::AllocateFailed || e.kind == events::EventKind::FreeFailed ||
                           e.kind == events::EventKind::AccessFailed || e.kind == events::EventKind::Gap ||
                           (e.kind == events::EventKind::ResizeEnds && e.Failed());
        if (error && log.PositionOf(row).value < all.size()) ++all[log.PositionOf(row).value].errors;
    }
    return all;
}

SeriesColumn Merge(const std::vector<SeriesColumn>& all, std::uint64_t from, std::uint64_t to) {
    SeriesColumn m;
    for (std::uint64_t p = from; p < std::min<std::uint64_t>(to, all.size()); ++p) {
        const SeriesColumn& c = all[p];
        if (!m.any) {
            const std::uint32_t errors = m.errors;
            m = c;
            m.errors += errors;
            continue;
        }
        m.liveMin = std::min(m.liveMin, c.liveMin);
        m.liveMax = std::max(m.liveMax, c.liveMax);
        m.heapMin = std::min(m.heapMin, c.heapMin);
        m.heapMax = std::max(m.heapMax, c.heapMax);
        m.fragmentationMin = std::min(m.fragmentationMin, c.fragmentationMin);
        m.fragmentationMax = std::max(m.fragmentationMax, c.fragmentationMax);
        m.errors += c.errors;
    }
    return m;
}

void RequireSame(const SeriesColumn& a, const SeriesColumn& b) {
    REQUIRE(a.any == b.any);
    REQUIRE(a.liveMin == b.liveMin);
    REQUIRE(a.liveMax == b.liveMax);
    REQUIRE(a.heapMin == b.heapMin);
    REQUIRE(a.heapMax == b.heapMax);
    REQUIRE(a.fragmentationMin == b.fragmentationMin);
    REQUIRE(a.fragmentationMax == b.fragmentationMax);
    REQUIRE(a.errors == b.errors);
}

}  // namespace

TEST_CASE("no column differs from a full scan", "[property]") {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        Stream stream;
        test::RandomStream random(seed);
        if (seed == 2) stream.Created(1, 0x100, 0xE00);  // one heap, known throughout
        else random.Begin(stream);
        for (int i = 0; i < 4000; ++i) random.Step(stream);
        if (seed == 3) stream.Of(events::EventKind::ResizeBegins, 1);  // a call that has not ended
        const log::LogView log = stream.View();
        Series series;
        while (!series.Extend(log, 97)) {}
        const auto all = Scan(log);
        REQUIRE(series.Built() == log.Positions());
        for (std::uint64_t p = 0; p < all.size(); ++p) RequireSame(series.At(Position{p}), all[p]);
        CHECK_FALSE(series.At(Position{all.size()}).any);
        for (int round = 0; round < 60; ++round) {
            const std::uint64_t from = random.Below(all.size() + 10), to = from + random.Below(all.size() + 10);
            const std::size_t count = 1 + random.Below(300);
            CAPTURE(seed, from, to, count);
            std::vector<SeriesColumn> columns;
            series.Columns(Position{from}, Position{to}, count, columns);
            REQUIRE(columns.size() == count);
            for (std::size_t i = 0; i < count && from < to; ++i) {
                const std::uint64_t a = from + (to - from) * i / count, b = from + (to - from) * (i + 1) / count;
                RequireSame(columns[i], Merge(all, a, std::max(a + 1, b)));
            }
        }
        CHECK(series.MaxLive() == Merge(all, 0, all.size()).liveMax);
        CHECK(series.Run().peakLiveBytes == series.MaxLive());
    }
}

TEST_CASE("a series that began without a heap is the same as one with it", "[property]") {
    // How much of the log tells of a malloc alone, before all kinds of things happen: nothing, some, all.
    const int alone = GENERATE(0, 700, 3000);
    Stream stream;
    test::RandomStream random(5);
    stream.Created(3, 0, 0, 0, 0, "malloc");
    for (int i = 0; i < alone; ++i) {
        if (random.Below(3) == 0) stream.Freed(3, random.AGiven().address);
        else random.Allocate(stream, 3);
        if (random.Below(20) == 0) stream.Resized(3, random.AGiven().address, random.Somewhere(3), random.Below(90));
    }
    for (int i = alone; i < 3000; ++i) random.Step(stream);
    const log::LogView log = stream.View();
    Series expected;
    while (!expected.Extend(log, 97)) {}
    Series series;
    series.BeginWithPayload();
    while (!series.Extend(log, 97) && !series.NeedsHeap()) {}
    CHECK(series.NeedsHeap() == (alone < 3000));
    CHECK((series.Applied() < log.Rows()) == (alone < 3000));
    if (series.NeedsHeap()) {
        series.Begin(log, model::BlockOrder::Build(log));
        CHECK_FALSE(series.NeedsHeap());
        while (!series.Extend(log, 97)) {}
        CHECK(series.Head().Applied() == log.Rows());
    }
    series.Settle();
    REQUIRE(series.Built() == expected.Built());
    for (Position p{}; p <= log.Positions(); ++p) RequireSame(series.At(p), expected.At(p));
    const analysis::RunMetrics a = series.Run(), b = expected.Run();
    CHECK(a.peakLiveBytes == b.peakLiveBytes);
    CHECK(a.peakPosition == b.peakPosition);
    CHECK(a.temporaryAllocations == b.temporaryAllocations);
    CHECK(a.medianRequest == b.medianRequest);
    CHECK(a.peakUtilisation == b.peakUtilisation);
    const auto ranges = series.BandRanges(Position{}, log.Positions()),
               expectedRanges = expected.BandRanges(Position{}, log.Positions());
    CHECK(*ranges.first == *expectedRanges.first);
    REQUIRE(ranges.second.size() == expectedRanges.second.size());
    for (std::size_t i = 0; i < ranges.second.size(); ++i) {
        CHECK(ranges.second[i].min == expectedRanges.second[i].min);
        CHECK(ranges.second[i].max == expectedRanges.second[i].max);
    }
}

TEST_CASE("the last position takes in what trails it when it comes") {
    Stream stream;
    Series series;
    CHECK(series.Built() == Position{0});
    stream.Created(1, 0x1000, 512);
    series.Extend(stream.View(), 100);
    CHECK(series.At(Position{0}).heapMax == 512);
    stream.Allocated(1, 0x1000, 64);
    series.Extend(stream.View(), 100);
    CHECK(series.At(Position{1}).heapMax == 512);
    stream.Created(2, 0x8000, 100);  // trails position 1
    series.Extend(stream.View(), 100);
    CHECK(series.Built() == Position{1});
    CHECK(series.At(Position{1}).heapMax == 612);
    CHECK(series.At(Position{0}).heapMax == 512);
    CHECK(series.MaxHeap() == 612);
}

TEST_CASE("readers see whole positions while the series is built", "[threads]") {
    Stream stream;
    stream.Created(1, 0x1000, 1 << 22);
    for (std::uint64_t i = 0; i < 20000; ++i) stream.Allocated(1, 0x1000 + 64 * i, 1);  // live bytes == position
    const log::LogView log = stream.View();
    Series series;
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::thread reader([&] {
        std::vector<SeriesColumn> columns;
        while (!done.load()) {
            const std::uint64_t built = series.Built().value;
            if (built == 0) continue;
            series.Columns(Position{0}, Position{built + 1}, 7, columns);
            for (std::size_t i = 0; i < 7; ++i) {
                if (columns[i].liveMin != (built + 1) * i / 7) ++wrong;
            }
            if (series.At(Position{built}).liveMax != built) ++wrong;
            if (series.Run().peakLiveBytes < built) ++wrong;
        }
    });
    while (!series.Extend(log, 61)) {}
    done = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(series.Built() == Position{20000});
}

TEST_CASE("the median is exact, and close when there are too many sizes to keep") {
    std::mt19937_64 random(3);
    analysis::SizeHistogram exact, coarse(100);
    CHECK(exact.Median() == 0);
    std::vector<std::uint64_t> sizes;
    for (int i = 0; i < 5001; ++i) {
        sizes.push_back(random() % 100000);
        exact.Add(sizes.back());
        coarse.Add(sizes.back());
    }
    std::sort(sizes.begin(), sizes.end());
    const std::uint64_t median = sizes[2500];
    CHECK(exact.Exact());
    CHECK(exact.Median() == median);
    CHECK_FALSE(coarse.Exact());
    CHECK(coarse.Median() <= median);
    CHECK(coarse.Median() >= median - median / 128 - 1);
}
