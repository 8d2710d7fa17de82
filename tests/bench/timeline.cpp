// A frame's worth of the timeline: 1,920 columns over a random range of 10^5, 10^6 and 10^7 rows (--largest adds 10^8),
// beside a full scan of the same range. Each variant ends with a check: no column differs from that scan. Goal 7 of the
// design.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analysis/series.hpp"
#include "bench/churned.hpp"
#include "bench/harness.hpp"

using namespace residue;

namespace {

constexpr std::size_t kColumns = 1920;

class Timeline {
public:
    Timeline(std::uint64_t live, std::uint64_t rows) {
        const bench::Churned churned(live, rows > live ? rows - live : 0, false);
        series_.BeginWithPayload();
        const double begin = bench::CpuNanoseconds();
        series_.Extend(churned.view, ~std::uint64_t{0});
        series_.Settle();
        buildNs_ = (bench::CpuNanoseconds() - begin) / static_cast<double>(churned.view.Rows().value);
        if (series_.NeedsHeap()) Fail("the series wants a heap for a log that has none");
        // The scan's own figures: live bytes after each call, from the rows alone.
        std::uint64_t sum = 0;
        live_.push_back(0);
        for (std::uint64_t r = 0; r < churned.view.Rows().value; ++r) {
            const log::LoggedEvent event = churned.view.At(Row{r});
            if (event.event.kind == events::EventKind::Allocated) sum += event.event.size;
            if (event.event.kind == events::EventKind::Freed) sum -= churned.view.Birth(event.block).event.size;
            live_.push_back(sum);
        }
        if (series_.Built().value + 1 != live_.size()) Fail("positions are missing");
    }

    double BuildNs() const { return buildNs_; }

    // Milliseconds of a frame; the median or the worst.
    double Frames(std::uint64_t count, bool worst) {
        std::vector<double> times;
        for (std::uint64_t i = 0; i < count; ++i) {
            Pick();
            const double begin = bench::CpuNanoseconds();
            series_.Columns(Position{from_}, Position{to_}, kColumns, columns_, bands_);
            times.push_back((bench::CpuNanoseconds() - begin) / 1e6);
            if (i % 16 == 0) Check();
        }
        std::sort(times.begin(), times.end());
        return worst ? times.back() : times[times.size() / 2];
    }
    double ScanMs() {
        Pick();
        const double begin = bench::CpuNanoseconds();
        Scan();
        return (bench::CpuNanoseconds() - begin) / 1e6;
    }

private:
    // As a hand zooms: ranges of all lengths, from everything down to a few thousand.
    void Pick() {
        const std::uint64_t all = live_.size();
        const std::uint64_t length = std::max<std::uint64_t>(all >> random_() % 8, std::min(all, 2 * kColumns));
        from_ = random_() % (all - length + 1);
        to_ = from_ + length;
    }
    struct Range {
        std::uint64_t low, high;
    };
    void Scan() {
        ranges_.assign(kColumns, {~std::uint64_t{0}, 0});
        const std::uint64_t length = to_ - from_;
        for (std::size_t i = 0; i < kColumns; ++i) {
            const std::uint64_t begin = from_ + length * i / kColumns;
            const std::uint64_t end = std::max(from_ + length * (i + 1) / kColumns, begin + 1);
            for (std::uint64_t at = begin; at < end; ++at) {
                ranges_[i].low = std::min(ranges_[i].low, live_[at]);
                ranges_[i].high = std::max(ranges_[i].high, live_[at]);
            }
        }
    }
    void Check() {
        Scan();
        for (std::size_t i = 0; i < kColumns; ++i) {
            if (!columns_[i].any || columns_[i].liveMin != ranges_[i].low || columns_[i].liveMax != ranges_[i].high) {
                Fail("a column is not what a full scan says");
            }
        }
    }
    [[noreturn]] static void Fail(const char* what) {
        std::fprintf(stderr, "%s\n", what);
        std::exit(1);
    }

    analysis::Series series_;
    std::vector<std::uint64_t> live_;  // by position
    double buildNs_ = 0;
    std::mt19937_64 random_{3};
    std::uint64_t from_ = 0, to_ = 0;
    std::vector<analysis::SeriesColumn> columns_;
    std::vector<analysis::BandColumn> bands_;
    std::vector<Range> ranges_;
};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "timeline");
    std::vector<std::pair<const char*, std::uint64_t>> sizes{{"10^5", 100'000}, {"10^6", 1'000'000},
                                                             {"10^7", 10'000'000}};
    if (suite.Largest()) sizes.emplace_back("10^8", 100'000'000);
    std::vector<std::unique_ptr<Timeline>> all;
    for (const auto& [size, rows] : sizes) {
        const std::string where = std::string(", ") + size + " rows";
        if (!suite.Wants(where)) continue;
        all.push_back(std::make_unique<Timeline>(10'000 / (suite.Smoke() ? 100 : 1), rows / (suite.Smoke() ? 100 : 1)));
        Timeline* const in = all.back().get();
        constexpr std::uint64_t kFrames = 200;
        suite.Add("build" + where, "ns/row", [in](std::uint64_t) { return in->BuildNs(); }, 1);
        suite.Add("a frame, median" + where, "ms", [in](std::uint64_t n) { return in->Frames(n, false); }, kFrames);
        suite.Add("a frame, worst" + where, "ms", [in](std::uint64_t n) { return in->Frames(n, true); }, kFrames);
        suite.Add("a full scan" + where, "ms", [in](std::uint64_t) { return in->ScanMs(); }, 1);
        suite.Derived("goal 7: a frame" + where, [name = "a frame, median" + where](const auto& figureOf) {
            return figureOf(name.c_str());
        }, bench::AtMost(2));
    }
    return suite.Run();
}
