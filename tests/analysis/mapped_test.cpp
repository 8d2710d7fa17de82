#include "analysis/mapped.hpp"

#include <bitset>
#include <random>

#include "analysis/series.hpp"
#include "log/appender.hpp"
#include "model/heap_model.hpp"
#include "support/catch.hpp"

using namespace residue;
using analysis::Mapped;
using analysis::MappedRange;
using events::EventFlag;
using events::EventKind;

namespace {

struct Made {
    log::EventLog log;
    log::Appender appender{log};

    void Region(EventKind kind, std::uint64_t address, std::uint64_t size) {
        events::Event event;
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.address = address;
        event.size = size;
        event.flags = events::Bit(EventFlag::Sampled);
        appender.Append(event, {});
    }
    void Call(std::uint64_t address, EventKind kind = EventKind::Allocated) {
        events::Event event;
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.address = address;
        event.size = kind == EventKind::Allocated ? 8 : 0;
        appender.Append(event, {});
    }
};

}  // namespace

TEST_CASE("what is mapped at any row is as a map of bytes says, forwards and backwards") {
    constexpr std::uint64_t kBytes = 64;
    Made made;
    std::mt19937 random(3);
    std::vector<std::bitset<kBytes>> after = {{}};
    for (int i = 0; i < 400; ++i) {
        std::bitset<kBytes> now = after.back();
        if (random() % 3 == 0) {
            made.Call(1000 + static_cast<std::uint64_t>(i) * 16);
        } else {
            const std::uint64_t begin = random() % kBytes, size = random() % (kBytes - begin + 1);
            const bool grown = random() % 2 == 0;
            made.Region(grown ? EventKind::RegionGrown : EventKind::RegionShrunk, begin, size);
            for (std::uint64_t at = begin; at < begin + size; ++at) now[at] = grown;
        }
        after.push_back(now);
    }
    const log::LogView view = made.log.View();
    REQUIRE(view.Rows().value == after.size() - 1);
    Mapped mapped;
    for (int i = 0; i < 2000; ++i) {
        const Row row{random() % after.size()};
        mapped.MoveTo(view, row);
        std::bitset<kBytes> told;
        std::uint64_t end = 0;
        for (const MappedRange& range : mapped.Ranges()) {
            CHECK((range.begin > end || end == 0));  // they do not touch
            end = range.end;
            for (std::uint64_t at = range.begin; at < range.end; ++at) told[at] = true;
        }
        CHECK(told == after[row.value]);
        CHECK(mapped.Bytes() == told.count());
        CHECK(mapped.Any() == told.any());
    }
}

TEST_CASE("how much was mapped is known of every stretch, while the log grows") {
    Made made;
    analysis::MappedSteps steps;
    steps.Update(made.log.View());
    CHECK(steps.Steps().empty());
    CHECK(steps.Most() == 0);
    made.Call(8);
    made.Region(EventKind::RegionGrown, 0, 4096);     // seen after call 1
    made.Call(16);
    steps.Update(made.log.View());
    CHECK(steps.Most() == 4096);
    made.Region(EventKind::RegionShrunk, 0, 1024);    // after call 2: two rows, one step
    made.Region(EventKind::RegionGrown, 8192, 8192);
    made.Call(24);
    made.Region(EventKind::RegionShrunk, 8192, 8192);
    steps.Update(made.log.View());
    steps.Update(made.log.View());
    REQUIRE(steps.Steps().size() == 3);
    CHECK(steps.Steps()[1].bytes == 3072 + 8192);
    CHECK(steps.Most() == 3072 + 8192);
    using Range = std::pair<std::uint64_t, std::uint64_t>;
    CHECK(steps.Between(Position{0}, Position{1}) == Range{0, 0});
    CHECK(steps.Between(Position{0}, Position{2}) == Range{0, 4096});
    CHECK(steps.Between(Position{1}, Position{2}) == Range{4096, 4096});
    CHECK(steps.Between(Position{1}, Position{4}) == Range{3072, 3072 + 8192});
    CHECK(steps.Between(Position{3}, Position{9}) == Range{3072, 3072});
}

TEST_CASE("a region that was seen says nothing about holes, and blocks outlive it") {
    Made made;
    made.Call(100);
    made.Region(EventKind::RegionGrown, 0, 4096);
    made.Region(EventKind::RegionShrunk, 0, 4096);
    made.Call(100, EventKind::Freed);
    const log::LogView view = made.log.View();
    CHECK(view.SampledRegions() == 2);
    CHECK(view.SampledRegion(1) == Row{2});
    CHECK(view.Life(BlockId{1}).died == Row{3});
    CHECK(view.At(Row{3}).event.kind == EventKind::Freed);
    model::HeapModel heap;
    heap.Advance(view, Row{3}, 100);
    CHECK(heap.Sum().blocks == 1);
    CHECK_FALSE(heap.Sum().heapKnown);
    heap.Advance(view, Row{1}, 100);
    CHECK(heap.Sum().blocks == 1);
    CHECK_FALSE(heap.Sum().heapKnown);
    // So the series of a recording needs no heap, and is as quick as without them.
    analysis::Series series;
    series.BeginWithPayload();
    while (!series.Extend(view, 1)) REQUIRE_FALSE(series.NeedsHeap());
    CHECK(series.Built() == Position{2});
    CHECK(series.At(Position{1}).liveMax == 8);
    // They stand behind the call that they were seen after, also the last ones.
    CHECK(view.RowsAt(Position{1}) == Row{3});
    CHECK(view.Positions() == Position{2});
}
