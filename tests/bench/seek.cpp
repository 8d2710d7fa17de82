// Random seeks in logs of 10^5, 10^6 and 10^7 rows (--largest adds 10^8), as a session does them when it has indexed a
// log: what indexing costs, seeks from wherever the last one ended, memory. A program-like log, where most blocks die
// young, and random churn over 10^6 live blocks, where nothing is near anything. Each pass ends with a check against a
// replay from 0, in the other form (model/block_order.hpp). Goal 5 of the design.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/churned.hpp"
#include "bench/harness.hpp"
#include "model/block_order.hpp"
#include "model/checkpoints.hpp"
#include "model/heap_model.hpp"

using namespace residue;

namespace {

std::uint64_t BytesInUse() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// One pass gives the median, the 99th percentile and the worst; CPU time.
class Seeks {
public:
    enum Figure { Median, P99, Worst };

    Seeks(std::uint64_t live, std::uint64_t rows, bool known)
        : churned_(live, rows > live ? rows - live : 0, known), rows_(churned_.view.Rows().value) {
        constexpr std::uint64_t kBatch = 4096;  // between two offers, as in a session
        const std::uint64_t before = BytesInUse();
        double begin = bench::CpuNanoseconds();
        auto order = model::BlockOrder::Build(churned_.view);
        orderNs_ = bench::CpuNanoseconds() - begin;
        const std::uint64_t ordered = BytesInUse();
        begin = bench::CpuNanoseconds();
        {
            model::HeapModel walker(std::move(order));
            while (!walker.Advance(churned_.view, churned_.view.Rows(), kBatch)) checkpoints_.Offer(walker);
        }
        walkNs_ = bench::CpuNanoseconds() - begin;
        const auto rowCount = static_cast<double>(rows_);
        orderBytes_ = static_cast<double>(ordered - before) / rowCount;
        checkpointBytes_ = static_cast<double>(BytesInUse() - ordered) / rowCount;
    }

    double OrderBytes() const { return orderBytes_; }
    double CheckpointBytes() const { return checkpointBytes_; }
    double Checkpoints() const { return static_cast<double>(checkpoints_.Count()); }
    double OrderNs() const { return orderNs_ / static_cast<double>(rows_); }
    double WalkNs() const { return walkNs_ / static_cast<double>(rows_); }

    // Milliseconds. A figure that was told already asks for another pass.
    double Tell(Figure figure, std::uint64_t count) {
        if (told_[figure] || times_.empty()) Pass(count);
        told_[figure] = true;
        const std::size_t last = times_.size() - 1;
        const std::size_t at = figure == Median ? last / 2 : figure == P99 ? last * 99 / 100 : last;
        return times_[at];
    }

    // The heap at the end after all these seeks is that of a replay from 0.
    double Differences() {
        Seek(heap_, churned_.view.Rows());
        model::HeapModel replayed;
        replayed.Advance(churned_.view, churned_.view.Rows(), ~std::uint64_t{0});
        if (heap_ == replayed) return 0;
        std::fprintf(stderr, "the heap after %llu seeks is not the one of a replay from 0\n",
                     static_cast<unsigned long long>(seeks_));
        std::exit(1);
    }

private:
    void Seek(model::HeapModel& heap, Row target) const {
        if (const auto near = checkpoints_.Closer(heap.Applied(), target)) heap = *near;
        heap.Advance(churned_.view, target, ~std::uint64_t{0});
    }

    void Pass(std::uint64_t count) {
        std::fill(std::begin(told_), std::end(told_), false);
        times_.clear();
        for (std::uint64_t i = 0; i < count; ++i, ++seeks_) {
            const Row target{random_() % (rows_ + 1)};
            const double begin = bench::CpuNanoseconds();
            Seek(heap_, target);
            times_.push_back((bench::CpuNanoseconds() - begin) / 1e6);
        }
        std::sort(times_.begin(), times_.end());
    }

    bench::Churned churned_;
    std::uint64_t rows_;
    model::Checkpoints checkpoints_{model::Checkpoints::ForOrdered()};
    model::HeapModel heap_;
    double orderNs_ = 0, walkNs_ = 0, orderBytes_ = 0, checkpointBytes_ = 0;
    std::mt19937_64 random_{5};
    std::uint64_t seeks_ = 0;
    std::vector<double> times_;  // of one pass, ascending
    bool told_[3] = {};
};

struct Subject {
    const char* name;
    std::uint64_t live;
    bool known;
};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "seek");
    std::vector<std::unique_ptr<Seeks>> all;
    std::vector<std::pair<const char*, std::uint64_t>> sizes{{"10^5", 100'000}, {"10^6", 1'000'000},
                                                             {"10^7", 10'000'000}};
    if (suite.Largest()) sizes.emplace_back("10^8", 100'000'000);
    for (const Subject& subject : {Subject{"10^4 live", 10'000, false}, Subject{"10^6 live", 1'000'000, false},
                                   Subject{"10^4 live, holes known", 10'000, true},
                                   Subject{"10^6 live, holes known", 1'000'000, true}}) {
        for (const auto& [size, rows] : sizes) {
            // The growth with the number of rows is shown once.
            if (rows < 10'000'000 && (subject.known || subject.live > 10'000)) continue;
            const std::string where = std::string(", ") + size + " rows, " + subject.name;
            if (!suite.Wants(where)) continue;
            const std::uint64_t shrink = suite.Smoke() ? 500 : 1;
            all.push_back(std::make_unique<Seeks>(subject.live / shrink, rows / shrink, subject.known));
            Seeks* const in = all.back().get();
            constexpr std::uint64_t kSeeks = 1000;
            suite.Add("order" + where, "ns/row", [in](std::uint64_t) { return in->OrderNs(); }, 1);
            suite.Add("walk and checkpoints" + where, "ns/row", [in](std::uint64_t) { return in->WalkNs(); }, 1);
            suite.Add("seek, median" + where, "ms", [in](auto n) { return in->Tell(Seeks::Median, n); }, kSeeks);
            suite.Add("seek, p99" + where, "ms", [in](auto n) { return in->Tell(Seeks::P99, n); }, kSeeks);
            suite.Add("seek, worst" + where, "ms", [in](auto n) { return in->Tell(Seeks::Worst, n); }, kSeeks);
            suite.Add("heaps that differ" + where, "", [in](std::uint64_t) { return in->Differences(); }, 1);
            suite.Add("checkpoints" + where, "", [in](std::uint64_t) { return in->Checkpoints(); }, 1);
            suite.Add("bytes of the order" + where, "B/row", [in](std::uint64_t) { return in->OrderBytes(); }, 1);
            suite.Add("bytes of checkpoints" + where, "B/row", [in](auto) { return in->CheckpointBytes(); }, 1);
            if (rows < 10'000'000) continue;
            for (const auto& [figure, most] : {std::pair{"seek, p99", rows > 10'000'000 ? 16 : 2},
                                               std::pair{"seek, worst", 16}, std::pair{"bytes of checkpoints", 10}}) {
                suite.Derived("goal 5: " + (figure + where), [name = figure + where](const auto& figureOf) {
                    return figureOf(name.c_str());
                }, bench::AtMost(most));
            }
        }
    }
    return suite.Run();
}
