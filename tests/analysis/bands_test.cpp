#include "analysis/bands.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "analysis/series.hpp"
#include "log/trace_store.hpp"
#include "model/random_stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using analysis::BandColumn;
using analysis::BandList;
using analysis::BandShares;
using analysis::ByteRange;
using analysis::Series;
using analysis::SeriesColumn;
using test::Stream;

namespace {

using Shares = std::map<std::uint16_t, std::uint64_t>;  // allocator -> live bytes of its own; 0 left out

// Every position's shares, from a model at the rows that the log gives for it.
std::vector<Shares> Scan(const log::LogView& log) {
    std::vector<Shares> all(log.Positions().value + 1);
    model::HeapModel heap;
    for (std::uint64_t p = 0; p < all.size(); ++p) {
        heap.Advance(log, log.RowsAt(Position{p}), ~std::uint64_t{0});
        std::uint64_t sum = 0;
        for (const model::AllocatorState& state : heap.Allocators()) {
            const std::uint64_t own = state.totals.payload - state.totals.regionPayload;
            if (own > 0) all[p][state.id.value] = own;
            sum += own;
        }
        REQUIRE(sum == heap.Sum().payload);
    }
    return all;
}

std::uint64_t Of(const Shares& shares, AllocatorId id) {
    const auto found = shares.find(id.value);
    return found == shares.end() ? 0 : found->second;
}

std::uint64_t Total(const Shares& shares) {
    return std::accumulate(shares.begin(), shares.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& share) { return sum + share.second; });
}

// The list as it should be: the largest peaks, in order of ids.
BandList Expected(const std::vector<Shares>& all) {
    Shares peaks;
    for (const Shares& shares : all) {
        for (const auto& [id, own] : shares) peaks[id] = std::max(peaks[id], own);
    }
    std::vector<std::pair<std::uint16_t, std::uint64_t>> order(peaks.begin(), peaks.end());
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    BandList list;
    list.others = order.size() - std::min(order.size(), analysis::kMostBands);
    order.resize(order.size() - list.others);
    std::sort(order.begin(), order.end());
    for (const auto& [id, peak] : order) list.named.push_back({AllocatorId{id}, "", peak});
    return list;
}

void RequireList(const BandList& list, const BandList& expected) {
    REQUIRE(list.others == expected.others);
    REQUIRE(list.named.size() == expected.named.size());
    for (std::size_t i = 0; i < list.named.size(); ++i) {
        REQUIRE(list.named[i].allocator == expected.named[i].allocator);
        REQUIRE(list.named[i].peak == expected.named[i].peak);
    }
}

void RequireShares(const BandShares& shares, const BandList& list, const Shares& expected) {
    std::uint64_t named = 0;
    for (std::size_t band = 0; band < list.named.size(); ++band) {
        REQUIRE(shares[band] == Of(expected, list.named[band].allocator));
        named += shares[band];
    }
    REQUIRE(shares[list.named.size()] == Total(expected) - named);
}

// Everything that can happen to heaps, and up to twelve allocators more; `several` false: only one ever gives out.
void Fill(Stream& stream, std::uint32_t seed, int steps) {
    test::RandomStream random(seed);
    random.Begin(stream);
    for (int i = 0; i < steps; ++i) {
        random.Step(stream);
        if (seed % 2 == 0) continue;
        const auto more = static_cast<std::uint16_t>(10 + random.Below(12));
        const std::uint64_t slot = 0x10000 * more + 0x100 * random.Below(6);
        if (random.Below(2) == 0) stream.Freed(more, slot);
        else stream.Allocated(more, slot, 1 + random.Below(std::uint64_t{more} * 4));
    }
}

}  // namespace

TEST_CASE("bands add up to the total, and no column differs from a full scan", "[property]") {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        Stream stream;
        Fill(stream, seed, 1500);
        if (seed == 4) stream.Of(events::EventKind::ResizeBegins, 1);  // a call that has not ended
        const log::LogView log = stream.View();
        Series series;
        while (!series.Extend(log, 97)) {}
        const auto all = Scan(log);
        const BandList expected = Expected(all);
        REQUIRE((seed % 2 == 0 || expected.others > 0));

        std::vector<SeriesColumn> columns;
        std::vector<BandColumn> bands;
        RequireList(*series.Columns(Position{0}, Position{all.size()}, all.size(), columns, bands), expected);
        for (std::size_t p = 0; p < all.size(); ++p) {
            REQUIRE(columns[p].liveMax == Total(all[p]));
            RequireShares(bands[p].atMax, expected, all[p]);
            RequireShares(bands[p].atMin, expected, all[p]);
        }
        test::RandomStream random(seed + 100);
        for (int round = 0; round < 40; ++round) {
            const std::uint64_t from = random.Below(all.size()), to = from + 1 + random.Below(all.size() + 10);
            const std::size_t count = 1 + random.Below(200);
            CAPTURE(seed, from, to, count);
            series.Columns(Position{from}, Position{to}, count, columns, bands);
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t a = from + (to - from) * i / count;
                const std::uint64_t b =
                    std::min<std::uint64_t>(std::max(a + 1, from + (to - from) * (i + 1) / count), all.size());
                REQUIRE(columns[i].any == (a < b));
                if (a >= b) continue;
                const auto less = [](const Shares& x, const Shares& y) { return Total(x) < Total(y); };
                const auto begin = all.begin() + static_cast<std::ptrdiff_t>(a);
                const auto end = all.begin() + static_cast<std::ptrdiff_t>(b);
                RequireShares(bands[i].atMax, expected, *std::max_element(begin, end, less));
                RequireShares(bands[i].atMin, expected, *std::min_element(begin, end, less));
            }
            const auto [list, ranges] = series.BandRanges(Position{from}, Position{to});
            REQUIRE(ranges.size() == list->named.size());
            for (std::size_t band = 0; band < ranges.size(); ++band) {
                ByteRange wanted;
                for (std::uint64_t p = from; p < std::min<std::uint64_t>(to, all.size()); ++p) {
                    wanted.Take(Of(all[p], list->named[band].allocator));
                }
                REQUIRE(ranges[band].min == wanted.min);
                REQUIRE(ranges[band].max == wanted.max);
            }
        }
    }
}

TEST_CASE("bands are right at every moment of a growing log", "[property]") {
    for (std::uint32_t seed = 1; seed <= 2; ++seed) {
        Stream stream;
        test::RandomStream random(seed + 7);
        Series series;
        for (int i = 0; i < 120; ++i) {
            // One allocator for a while, then others.
            const auto id = static_cast<std::uint16_t>(i < 40 ? 3 : 1 + random.Below(12));
            if (random.Below(3) == 0) stream.Freed(id, 0x1000u * id + 0x80 * random.Below(6));
            else stream.Allocated(id, 0x1000u * id + 0x80 * random.Below(6), 1 + random.Below(100));
            series.Extend(stream.View(), ~std::uint64_t{0});
            const auto all = Scan(stream.View());
            std::vector<SeriesColumn> columns;
            std::vector<BandColumn> bands;
            const auto list = series.Columns(Position{0}, Position{all.size()}, all.size(), columns, bands);
            RequireList(*list, Expected(all));
            for (std::size_t p = 0; p < all.size(); ++p) RequireShares(bands[p].atMax, *list, all[p]);
        }
    }
}

TEST_CASE("what is the memory of a nested allocator is counted once, where it is given out in the end") {
    Stream stream;
    stream.Created(1, 0x1000, 0x1000, 0, 0, "general");
    stream.Allocated(1, 0x1000, 100);            // position 1
    stream.Allocated(1, 0x1100, 512);            // position 2: the block, until it is a region
    stream.Allocated(1, 0x1800, 8);              // position 3
    stream.Allocated(1, 0x1400, 256);            // position 4 ...
    stream.Created(2, 0x1400, 256, 0, 1, "arena");  // ... is the arena's memory
    stream.Allocated(2, 0x1400, 40);             // position 5
    Series series;
    series.Extend(stream.View(), 1000);
    std::vector<SeriesColumn> columns;
    std::vector<BandColumn> bands;
    const auto list = series.Columns(Position{0}, Position{6}, 6, columns, bands);
    REQUIRE(list->named.size() == 2);
    CHECK(list->named[0].name == "general");
    CHECK(list->named[1].name == "arena");
    CHECK(list->others == 0);
    CHECK(bands[4].atMax[0] == 620);  // 100 + 512 + 8, without the arena's 256
    CHECK(bands[4].atMax[1] == 0);
    CHECK(bands[5].atMax[0] == 620);
    CHECK(bands[5].atMax[1] == 40);
    CHECK(columns[5].liveMax == 660);
}

TEST_CASE("one allocator alone is one band, and the others that never gave out a byte are none") {
    Stream stream;
    stream.Created(1, 0x1000, 0x1000).Created(2, 0x4000, 0x1000);
    stream.Allocated(2, 0x4000, 64).Freed(2, 0x4000).Allocated(2, 0x4100, 32);
    Series series;
    series.Extend(stream.View(), 1000);
    std::vector<SeriesColumn> columns;
    std::vector<BandColumn> bands;
    const auto list = series.Columns(Position{0}, Position{4}, 4, columns, bands);
    REQUIRE(list->named.size() == 1);
    CHECK(list->named[0].allocator == AllocatorId{2});
    CHECK(list->named[0].peak == 64);
    CHECK(bands[1].atMax[0] == 64);
    CHECK(bands[2].atMax[0] == 0);
    CHECK(bands[3].atMax[0] == 32);
    CHECK(bands[3].atMax[1] == 0);
}

TEST_CASE("figures are uncertain from the first lost event on") {
    Stream stream;
    Series series;
    stream.Created(1, 0x1000, 0x1000).Allocated(1, 0x1000, 64).Allocated(1, 0x1100, 64);
    series.Extend(stream.View(), 100);
    CHECK_FALSE(series.UncertainFrom());
    SECTION("a gap trails the position before it") {
        stream.Of(events::EventKind::Gap).Allocated(1, 0x1200, 64).Of(events::EventKind::Gap);
        series.Extend(stream.View(), 100);
        CHECK(series.UncertainFrom() == Position{2});
    }
    SECTION("within a call it shows where the call ends") {
        stream.Of(events::EventKind::ResizeBegins, 1).Of(events::EventKind::Gap);
        series.Extend(stream.View(), 100);
        CHECK(series.UncertainFrom() == Position{3});
    }
    SECTION("an event says so itself") {
        events::Event event;
        event.kind = events::EventKind::Freed;
        event.allocator = AllocatorId{1};
        event.address = 0x1000;
        event.flags = events::Bit(events::EventFlag::Uncertain);
        stream.Put(event);
        series.Extend(stream.View(), 100);
        CHECK(series.UncertainFrom() == Position{3});
    }
}

TEST_CASE("where call traces found no more room is known, also from a file") {
    Stream stream;
    Series series;
    stream.Created(1, 0x1000, 0x1000).Allocated(1, 0x1000, 64).Of(events::EventKind::Marker, 0, "some other text");
    series.Extend(stream.View(), 100);
    CHECK_FALSE(series.TracesFullFrom());
    stream.Allocated(1, 0x1100, 64).Of(events::EventKind::Marker, 0, log::kNoRoomForTraces).Allocated(1, 0x1200, 64);
    stream.Of(events::EventKind::Marker, 0, log::kNoRoomForTraces);
    series.Extend(stream.View(), 100);
    CHECK(series.TracesFullFrom() == Position{2});
    CHECK_FALSE(series.UncertainFrom());
}
