#include "analysis/metrics.hpp"

#include "analysis/formula.hpp"
#include "analysis/series.hpp"
#include "model/stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using analysis::HoleSize;
using test::Stream;

namespace {

struct Vector {
    const char* name;
    std::vector<HoleSize> holes;
    double external, rootSquare, unusable20, index60;
};

const Vector kVectors[] = {
    {"one hole of 100", {{100, 1}}, 0, 0, 0, -1},
    {"two of 50", {{50, 2}}, .500, .293, 0, 0},
    {"90 + 10", {{90, 1}, {10, 1}}, .100, .094, .100, -1},
    {"ten of 10", {{10, 10}}, .900, .684, 1, .733},
    {"hundred of 1", {{1, 100}}, .990, .900, 1, .973},
};

model::HeapModel AtEnd(const Stream& stream) {
    model::HeapModel heap;
    heap.Advance(stream.View(), stream.View().Rows(), ~std::uint64_t{0});
    return heap;
}

// A heap whose holes are those of the vector, walled in by blocks of one byte.
Stream& MakeHoles(Stream& stream, const Vector& vector) {
    std::uint64_t bytes = 0, address = 0x1000;
    for (const HoleSize& hole : vector.holes) bytes += (hole.bytes + 1) * hole.count;
    stream.Created(1, address, bytes);
    for (const HoleSize& hole : vector.holes) {
        for (std::uint64_t i = 0; i < hole.count; ++i) {
            stream.Allocated(1, address + hole.bytes, 1);
            address += hole.bytes + 1;
        }
    }
    return stream;
}

}  // namespace

TEST_CASE("the design's vectors for external, root-square, unusable and index hold") {
    for (const Vector& v : kVectors) {
        CAPTURE(v.name);
        std::uint64_t largest = 0, free = 0;
        double squares = 0;
        for (const HoleSize& hole : v.holes) {
            largest = std::max(largest, hole.bytes);
            free += hole.bytes * hole.count;
            squares += static_cast<double>(hole.bytes * hole.bytes * hole.count);
        }
        REQUIRE(free == 100);
        CHECK(analysis::ExternalFragmentation(largest, free) == Approx(v.external).margin(.0005));
        CHECK(analysis::RootSquareFragmentation(squares, free) == Approx(v.rootSquare).margin(.0005));
        CHECK(analysis::UnusableFreeIndex(v.holes, 20) == Approx(v.unusable20).margin(.0005));
        CHECK(analysis::FragmentationIndex(v.holes, 60) == Approx(v.index60).margin(.0005));
    }
}

TEST_CASE("the same figures are measured on a heap with such holes") {
    for (const Vector& v : kVectors) {
        CAPTURE(v.name);
        Stream stream;
        const model::HeapModel heap = AtEnd(MakeHoles(stream, v));
        for (const AllocatorId id : {AllocatorId{1}, AllocatorId{}}) {
            CHECK(*analysis::Measure(heap, id, 20).externalFragmentation == Approx(v.external).margin(.0005));
            CHECK(*analysis::Measure(heap, id, 20).rootSquareFragmentation == Approx(v.rootSquare).margin(.0005));
            CHECK(*analysis::Measure(heap, id, 20).unusableFreeIndex == Approx(v.unusable20).margin(.0005));
            CHECK(*analysis::Measure(heap, id, 60).fragmentationIndex == Approx(v.index60).margin(.0005));
        }
    }
}

TEST_CASE("a full heap has no fragmentation, and an empty list of holes gives index 0") {
    CHECK(analysis::ExternalFragmentation(0, 0) == 0);
    CHECK(analysis::RootSquareFragmentation(0, 0) == 0);
    CHECK(analysis::UnusableFreeIndex({}, 8) == 0);
    CHECK(analysis::FragmentationIndex({}, 8) == 0);
    CHECK(analysis::InternalFragmentation(0, 0) == 0);
}

TEST_CASE("internal fragmentation is split by cause") {
    Stream stream;
    stream.Created(1, 0x1000, 4096).Allocated(1, 0x1020, 40, {16, 16, 8, 20});
    const analysis::Metrics m = analysis::Measure(AtEnd(stream), AllocatorId{1}, 0);
    CHECK(m.setAside == 100);
    CHECK(m.internalFragmentation == Approx(.6));
    CHECK(m.header == 16);
    CHECK(m.padding == 16);
    CHECK(m.rounding == 8);
    CHECK(m.slack == 20);
    CHECK_FALSE(m.fragmentationIndex);
    CHECK(*m.heap == m.setAside + *m.free);
}

TEST_CASE("what depends on a heap that is not known is not known") {
    Stream stream;
    stream.Created(1, 0, 0).Allocated(1, 64, 8).Freed(1, 64);
    const analysis::Metrics m = analysis::Measure(AtEnd(stream), AllocatorId{1}, 8);
    CHECK_FALSE(m.heap);
    CHECK_FALSE(m.free);
    CHECK_FALSE(m.externalFragmentation);
    CHECK_FALSE(m.fragmentationIndex);
    analysis::Series series;
    series.Extend(stream.View(), 100);
    CHECK_FALSE(series.HeapKnown());
    CHECK_FALSE(series.Run().peakUtilisation);
    CHECK_FALSE(series.Run().overhead1);
    CHECK(series.Run().peakLiveBytes == 8);
}

namespace {

// short1-bal.rep, its 12 requests.
struct Request { char what; int id; std::uint64_t size; };
const Request kShort1[] = {{'a', 0, 2040}, {'a', 1, 2040}, {'f', 1, 0}, {'a', 2, 48},   {'a', 3, 4072}, {'f', 3, 0},
                           {'a', 4, 4072}, {'f', 0, 0},    {'f', 2, 0}, {'a', 5, 4072}, {'f', 4, 0},    {'f', 5, 0}};

// Plays it with 8 B headers on a heap that grows at its end; `addresses` of the payloads in order of the allocations.
analysis::RunMetrics PlayShort1(const std::vector<std::uint64_t>& offsets) {
    constexpr std::uint64_t kBase = 0x10000;
    Stream stream;
    stream.Created(1, kBase, 0);
    std::uint64_t end = 0;
    std::vector<std::uint64_t> addressOf(6);
    std::size_t next = 0;
    for (const Request& request : kShort1) {
        if (request.what == 'f') {
            stream.Freed(1, addressOf[static_cast<std::size_t>(request.id)]);
            continue;
        }
        const std::uint64_t address = kBase + offsets[next++] + 8;
        const std::uint64_t blockEnd = address + request.size - kBase;
        if (blockEnd > end) {
            stream.Grown(1, kBase + end, blockEnd - end);
            end = blockEnd;
        }
        stream.Allocated(1, address, request.size, {8});
        addressOf[static_cast<std::size_t>(request.id)] = address;
    }
    analysis::Series series;
    series.Extend(stream.View(), 1000);
    return series.Run();
}

}  // namespace

TEST_CASE("short1-bal.rep, first fit: the design's utilisation and overheads") {
    // 2048 at 0, 2048 at 2048 (freed), 56 at 2048, 4080 at 2104 (the last hole extended; freed), again, 4080 behind.
    const analysis::RunMetrics run = PlayShort1({0, 2048, 2048, 2104, 2104, 6184});
    CHECK(run.peakLiveBytes == 8144);
    CHECK(run.peakHeap == 10264);
    CHECK(*run.peakUtilisation == Approx(.793).margin(.0005));
    CHECK(*run.overhead1 == Approx(.688).margin(.0005));
    CHECK(*run.overhead2 == Approx(.260).margin(.0005));
    CHECK(*run.overhead3 == Approx(.260).margin(.0005));
    CHECK(*run.overhead4 == Approx(.260).margin(.0005));
}

TEST_CASE("short1-bal.rep, a bump allocator that never reuses: the design's heap and utilisation") {
    const analysis::RunMetrics run = PlayShort1({0, 2048, 4096, 4152, 8232, 12312});
    CHECK(run.peakHeap == 16392);
    CHECK(*run.peakUtilisation == Approx(.497).margin(.0005));
}

TEST_CASE("requests, failures and temporary allocations are counted") {
    Stream stream;
    stream.Created(1, 0x1000, 4096);
    stream.Allocated(1, 0x1000, 10).Freed(1, 0x1000);                                 // temporary
    stream.Allocated(1, 0x1000, 20).Allocated(1, 0x1100, 30).Freed(1, 0x1000);        // not: another came first
    stream.Allocated(1, 0x1200, 40, {0, 0, 0, 0, 2}).Freed(1, 0x1100);                // temporary: thread 1's newest
    stream.Freed(1, 0x1200, 1);                                                       // temporary: of thread 2
    stream.Freed(1, 0x1200).AllocateFailed(1, 50, MemoryError::InsufficientMemory, 0, 0);
    stream.Allocated(1, 0x1300, 8).Resized(1, 0x1300, 0x1300, 16).Freed(1, 0x1300);   // the resize's block is temporary
    analysis::Series series;
    series.Extend(stream.View(), 1000);
    const analysis::RunMetrics run = series.Run();
    CHECK(run.temporaryAllocations == 4);
    CHECK(run.badFrees == 1);
    CHECK(run.failedRequests == 1);
    CHECK(run.medianRequest == 20);  // 8 10 16 20 30 40 50
    CHECK(run.peakLiveBytes == 70);
    CHECK(run.peakPosition == Position{6});
}

TEST_CASE("the size of interest is that of the request that just failed, else the median") {
    Stream stream;
    stream.Created(1, 0x1000, 64).Allocated(1, 0x1000, 8);
    stream.AllocateFailed(1, 96, MemoryError::InsufficientMemory, 56, 56);
    analysis::RunMetrics run;
    run.medianRequest = 8;
    CHECK(analysis::SizeOfInterest(stream.View(), Row{2}, run) == 8);
    CHECK(analysis::SizeOfInterest(stream.View(), Row{3}, run) == 96);
    stream.Of(events::EventKind::Marker, 0, "look");
    CHECK(analysis::SizeOfInterest(stream.View(), Row{4}, run) == 96);
    stream.Freed(1, 0x1000);
    CHECK(analysis::SizeOfInterest(stream.View(), Row{5}, run) == 8);
}

TEST_CASE("a formula shows the numbers that went into it") {
    analysis::Metrics m;
    analysis::RunMetrics run;
    m.free = 512;
    m.holes = 8;
    m.largestHole = 64;
    m.externalFragmentation = .875;
    m.heap = 1024;
    run.peakLiveBytes = 768;
    run.peakHeap = 1024;
    run.peakUtilisation = .75;
    CHECK(analysis::FormulaWithNumbers("external_fragmentation", m, run) == "1 − 64 / 512 = .875");
    CHECK(analysis::FormulaWithNumbers("peak_utilisation", m, run) == "768 / 1,024 = .750");
    CHECK(analysis::FormulaWithNumbers("heap", m, run) == "H: bytes the allocator has from below = 1,024 B");
    CHECK(analysis::FormulaWithNumbers("fragmentation_index", m, run).find("not known") != std::string::npos);
    CHECK(analysis::FormulaWithNumbers("no such thing", m, run).empty());
    CHECK(analysis::FormatMetric(*analysis::FindMetric("external_fragmentation"), m, run) == ".875");
}

TEST_CASE("every metric has a name of its own and a formula, on an empty heap too") {
    const auto table = analysis::MetricTable();
    for (const auto& info : table) {
        CAPTURE(info.key);
        CHECK(analysis::FindMetric(info.key) == &info);
        CHECK_FALSE(analysis::FormulaWithNumbers(info.key, {}, {}).empty());
        CHECK_FALSE(analysis::FormatMetric(info, {}, {}).empty());
    }
}
