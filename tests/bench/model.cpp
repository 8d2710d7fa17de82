// The heap model: steps a second forward and backward with 10^4 and 10^6 live blocks, what the series adds to a step,
// copies, a map of the whole heap, and random seeks in logs of 10^7 rows, which are checked against a replay from 0.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analysis/series.hpp"
#include "bench/harness.hpp"
#include "log/appender.hpp"
#include "model/checkpoints.hpp"
#include "model/heap_model.hpp"

using namespace residue;

namespace {

// A heap with `live` blocks, then `churn` rows that free a random block and allocate one in its place.
struct Churned {
    log::EventLog log;
    std::uint64_t filled = 0;  // rows until the heap is full
    log::LogView view;

    Churned(std::uint64_t live, std::uint64_t churn) {
        constexpr std::uint64_t kBase = 0x100000, kSpacing = 128;
        log::Appender appender(log);
        const auto append = [&](events::EventKind kind, std::uint64_t address, std::uint64_t size,
                                std::uint16_t header) {
            events::Event event;
            event.kind = kind;
            event.allocator = AllocatorId{1};
            event.thread = ThreadId{1};
            event.address = address;
            event.size = size;
            event.header = header;
            appender.Append(&event, 1);
        };
        append(events::EventKind::AllocatorCreated, kBase, live * kSpacing + kSpacing, 0);
        std::mt19937_64 random(1);
        const auto allocate = [&](std::uint64_t slot) {
            append(events::EventKind::Allocated, kBase + slot * kSpacing + 16, 16 + random() % 12 * 8, 8);
        };
        for (std::uint64_t slot = 0; slot < live; ++slot) allocate(slot);
        filled = log.View().Rows().value;
        for (std::uint64_t i = 0; i < churn / 2; ++i) {
            const std::uint64_t slot = random() % live;
            append(events::EventKind::Freed, kBase + slot * kSpacing + 16, 0, 0);
            allocate(slot);
        }
        view = log.View();
    }
};

// Steps through the churn and back again, as often as it takes.
struct Walk {
    Churned churned;
    model::HeapModel heap;

    Walk(std::uint64_t live, std::uint64_t churn) : churned(live, churn) {
        heap.Advance(churned.view, Row{churned.filled}, ~std::uint64_t{0});
    }
    Row End() const { return churned.view.Rows(); }
    double Forward(std::uint64_t count) { return Step(count, Row{churned.filled}, +1); }
    double Backward(std::uint64_t count) { return Step(count, End(), -1); }

private:
    double Step(std::uint64_t count, Row from, int direction) {
        count = std::min(count, End().value - churned.filled);
        heap.Advance(churned.view, from, ~std::uint64_t{0});
        const Row to = direction > 0 ? from + count : from - count;
        return bench::NanosecondsEach(count, [&] { heap.Advance(churned.view, to, count); });
    }
};

std::uint64_t BytesInUse() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// Random seeks in a log, as a session does them: from wherever the last one ended, by way of the checkpoints that were
// kept while the log was built. One pass gives the median, the 99th percentile and the worst; CPU time.
class Seeks {
public:
    enum Figure { Median, P99, Worst };

    Seeks(std::uint64_t live, std::uint64_t rows) : churned_(live, rows > live ? rows - live : 0) {
        constexpr std::uint64_t kBatch = 4096;  // between two offers, as in a session
        const std::uint64_t before = BytesInUse();
        {
            model::HeapModel walker;
            while (!walker.Advance(churned_.view, churned_.view.Rows(), kBatch)) checkpoints_.Offer(walker);
        }
        bytesARow_ = static_cast<double>(BytesInUse() - before) / static_cast<double>(churned_.view.Rows().value);
    }

    double BytesARow() const { return bytesARow_; }
    double Checkpoints() const { return static_cast<double>(checkpoints_.Count()); }

    double ReplayAll() {
        const double begin = bench::CpuNanoseconds();
        auto heap = std::make_unique<model::HeapModel>();
        heap->Advance(churned_.view, churned_.view.Rows(), ~std::uint64_t{0});
        const double took = bench::CpuNanoseconds() - begin;
        replayed_ = std::move(heap);
        return took / 1e6;
    }

    // Milliseconds. A figure that was told already asks for another pass.
    double Tell(Figure figure, std::uint64_t count) {
        if (told_[figure] || times_.empty()) Pass(count);
        told_[figure] = true;
        const std::size_t last = times_.size() - 1;
        const std::size_t at = figure == Median ? last / 2 : figure == P99 ? last * 99 / 100 : last;
        return times_[at];
    }

private:
    void Seek(model::HeapModel& heap, Row target) const {
        if (const auto near = checkpoints_.Closer(heap.Applied(), target)) heap = *near;
        heap.Advance(churned_.view, target, ~std::uint64_t{0});
    }

    void Pass(std::uint64_t count) {
        std::fill(std::begin(told_), std::end(told_), false);
        times_.clear();
        model::HeapModel heap;
        for (std::uint64_t i = 0; i < count; ++i) {
            const Row target{random_() % (churned_.view.Rows().value + 1)};
            const double begin = bench::CpuNanoseconds();
            Seek(heap, target);
            times_.push_back((bench::CpuNanoseconds() - begin) / 1e6);
        }
        std::sort(times_.begin(), times_.end());
        Seek(heap, churned_.view.Rows());
        if (replayed_ && !(heap == *replayed_)) {
            std::fprintf(stderr, "the heap after %zu seeks is not the one of a replay from 0\n", times_.size());
            std::exit(1);
        }
    }

    Churned churned_;
    model::Checkpoints checkpoints_;
    double bytesARow_ = 0;
    std::unique_ptr<model::HeapModel> replayed_;
    std::mt19937_64 random_{5};
    std::vector<double> times_;  // of one pass, ascending
    bool told_[3] = {};
};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "model");
    const bool smoke = suite.Smoke();
    constexpr std::uint64_t kChurn = 200'000;
    Walk small(10'000, smoke ? 2'000 : kChurn);
    Walk large(smoke ? 20'000 : 1'000'000, smoke ? 2'000 : kChurn);

    suite.Add("forward, 10^4 live blocks", "ns/row", [&](std::uint64_t n) { return small.Forward(n); }, kChurn);
    suite.Add("backward, 10^4 live blocks", "ns/row", [&](std::uint64_t n) { return small.Backward(n); }, kChurn);
    suite.Add("forward, 10^6 live blocks", "ns/row", [&](std::uint64_t n) { return large.Forward(n); }, kChurn);
    suite.Add("backward, 10^6 live blocks", "ns/row", [&](std::uint64_t n) { return large.Backward(n); }, kChurn);
    suite.Ratio("a step back / a step forward, 10^4", "backward, 10^4 live blocks", "forward, 10^4 live blocks",
                bench::AtMost(1.5));
    suite.Ratio("a step back / a step forward, 10^6", "backward, 10^6 live blocks", "forward, 10^6 live blocks",
                bench::AtMost(1.5));

    suite.Add("series, 10^4 live blocks", "ns/row",
              [&](std::uint64_t n) {
                  analysis::Series series;
                  n = std::min(n, small.End().value);
                  return bench::NanosecondsEach(n, [&] { series.Extend(small.churned.view, n); });
              },
              kChurn);
    suite.Add("copy of a heap of 10^6 blocks", "us",
              [&](std::uint64_t n) {
                  return bench::NanosecondsEach(n, [&] {
                      for (std::uint64_t i = 0; i < n; ++i) bench::Use(model::HeapModel(large.heap).Applied());
                  }) / 1000;
              },
              100);
    suite.Add("map of 10^6 blocks in 480,000 cells", "ms",
              [&](std::uint64_t n) {
                  const auto span = large.heap.Span(AllocatorId{1});
                  const std::uint64_t begin = span.first, end = span.second;
                  std::vector<std::uint64_t> cells(480'000);
                  const std::uint64_t perCell = (end - begin) / cells.size() + 1;
                  return bench::NanosecondsEach(n, [&] {
                      for (std::uint64_t i = 0; i < n; ++i) {
                          large.heap.AddOccupancy(AllocatorId{1}, begin, perCell, cells);
                      }
                      bench::Use(cells[0]);
                  }) / 1e6;
              },
              2);

    std::vector<std::unique_ptr<Seeks>> seeks;
    for (const auto& [name, live] : {std::pair{"10^4", 10'000}, std::pair{"10^5", 100'000}, std::pair{"10^6", 1'000'000}}) {
        const auto rows = static_cast<std::uint64_t>(smoke ? 20'000 : 10'000'000);
        seeks.push_back(std::make_unique<Seeks>(static_cast<std::uint64_t>(smoke ? live / 100 : live), rows));
        Seeks* const in = seeks.back().get();
        const std::string where = std::string(", ") + name + " live of 10^7 rows";
        const std::uint64_t count = 10'000'000 / static_cast<std::uint64_t>(live);  // they take the longer
        suite.Add("replay from 0" + where, "ms", [in](std::uint64_t) { return in->ReplayAll(); }, 1);
        suite.Add("seek, median" + where, "ms", [in](std::uint64_t n) { return in->Tell(Seeks::Median, n); }, count);
        suite.Add("seek, p99" + where, "ms", [in](std::uint64_t n) { return in->Tell(Seeks::P99, n); }, count);
        suite.Add("seek, worst" + where, "ms", [in](std::uint64_t n) { return in->Tell(Seeks::Worst, n); }, count);
        suite.Add("checkpoints" + where, "", [in](std::uint64_t) { return in->Checkpoints(); }, 1);
        suite.Add("bytes of checkpoints" + where, "B/row", [in](std::uint64_t) { return in->BytesARow(); }, 1);
        for (const auto& [figure, most] : {std::pair{"seek, p99", 2}, std::pair{"seek, worst", 16},
                                           std::pair{"bytes of checkpoints", 10}}) {
            suite.Derived("goal 5: " + (figure + where), [name = figure + where](const auto& figureOf) {
                return figureOf(name.c_str());
            }, bench::AtMost(most));
        }
    }
    return suite.Run();
}
