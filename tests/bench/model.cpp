// The heap model: steps a second forward and backward with 10^4 and 10^6 live blocks, what the series adds to a step,
// copies, a map of the whole heap. In both forms: of entries (while a log grows) and of bits (model/block_order.hpp).
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/series.hpp"
#include "bench/churned.hpp"
#include "bench/harness.hpp"
#include "model/block_order.hpp"
#include "model/heap_model.hpp"

using namespace residue;

namespace {

// Steps through the churn and back again, as often as it takes.
struct Walk {
    bench::Churned churned;
    model::HeapModel heap;

    Walk(std::uint64_t live, std::uint64_t churn, bool known, bool ordered) : churned(live, churn, known) {
        if (ordered) heap = model::HeapModel(model::BlockOrder::Build(churned.view));
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
    const std::uint64_t churn = smoke ? 2'000 : kChurn;
    std::vector<std::unique_ptr<Walk>> walks;
    for (const auto& [name, live] : {std::pair{"10^4", 10'000}, std::pair{"10^6", smoke ? 20'000 : 1'000'000}}) {
        for (const bool known : {true, false}) {
            for (const bool ordered : {false, true}) {
                walks.push_back(std::make_unique<Walk>(static_cast<std::uint64_t>(live), churn, known, ordered));
                Walk* const walk = walks.back().get();
                const std::string where = std::string(", ") + name + " live, " + (ordered ? "bits" : "entries") +
                                          (known ? ", holes known" : "");
                suite.Add("forward" + where, "ns/row", [walk](std::uint64_t n) { return walk->Forward(n); }, kChurn);
                suite.Add("backward" + where, "ns/row", [walk](std::uint64_t n) { return walk->Backward(n); }, kChurn);
                suite.Ratio("a step back / a step forward" + where, "backward" + where, "forward" + where,
                            bench::AtMost(1.5));
            }
        }
    }
    Walk& small = *walks.front();
    Walk& large = *walks[4];
    Walk& bits = *walks[5];

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
    for (const auto& [name, walk] : {std::pair{"entries", &large}, std::pair{"bits", &bits}}) {
        suite.Add(std::string("map of 10^6 blocks in 480,000 cells, ") + name, "ms",
                  [heap = &walk->heap](std::uint64_t n) {
                      const auto [begin, end] = heap->Span(AllocatorId{1});
                      std::vector<std::uint64_t> cells(480'000);
                      const std::uint64_t perCell = (end - begin) / cells.size() + 1;
                      const double took = bench::Nanoseconds();
                      for (std::uint64_t i = 0; i < n; ++i) heap->AddOccupancy(AllocatorId{1}, begin, perCell, cells);
                      bench::Use(cells[0]);
                      return (bench::Nanoseconds() - took) / static_cast<double>(n) / 1e6;
                  },
                  2);
    }
    return suite.Run();
}
