// The heap model: steps a second forward and backward with 10^4 and 10^6 live blocks, what the series adds to a step,
// copies, far seeks from kept copies, and a map of the whole heap.
#include <memory>
#include <random>

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
                  const auto [begin, end] = large.heap.Span(AllocatorId{1});
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

    model::Checkpoints checkpoints;
    model::HeapModel walker;
    while (walker.Applied() < small.End()) {
        walker.Apply(small.churned.view);
        checkpoints.Offer(walker);
    }
    std::mt19937_64 random(5);
    suite.Add("random seek, 10^4 live blocks", "us",
              [&](std::uint64_t n) {
                  model::HeapModel heap;
                  return bench::NanosecondsEach(n, [&] {
                      for (std::uint64_t i = 0; i < n; ++i) {
                          const Row target{random() % (small.End().value + 1)};
                          if (const auto near = checkpoints.Closer(heap.Applied(), target)) heap = *near;
                          heap.Advance(small.churned.view, target, ~std::uint64_t{0});
                      }
                  }) / 1000;
              },
              50);
    return suite.Run();
}
