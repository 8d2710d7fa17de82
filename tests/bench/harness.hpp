// The harness of all benchmarks: variants run interleaved, round after round, so that what disturbs one disturbs all;
// figures are medians with their spread, and the ones to trust are ratios, taken within each round.
//
//   int main(int argc, char** argv) {
//       bench::Suite suite(argc, argv, "ring");
//       suite.Add("ours", "ns", [](std::uint64_t n) { return bench::NanosecondsEach(n, [&] { ... }); }, 1 << 20);
//       suite.Add("theirs", ...);
//       suite.Ratio("speed-up", "theirs", "ours", bench::AtLeast(1.5));
//       return suite.Run();
//   }
//
// --smoke: one round with little work, to see that it runs (exit 0 whatever the figures are); --json: one object on
// the standard output; --rounds N; --only TEXT: only the variants with TEXT in their names (the ratios of others are
// not a number); --largest: sizes that take minutes, where a program has them. A variant returns its
// figure (any unit, smaller or larger better) and may say NaN where it cannot run (a library is not there); then its
// ratios are left out.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace residue::bench {

inline double Nanoseconds() {
    return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

// The processor's time on this thread: what others run meanwhile does not count.
inline double CpuNanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The time of body(), shared among `count` operations.
template <class Body>
double NanosecondsEach(std::uint64_t count, Body body) {
    const double begin = Nanoseconds();
    body();
    return (Nanoseconds() - begin) / static_cast<double>(count);
}

// The time of one step(i), i = 0 .. count: the median of stretches that are far shorter than a time slice, so that
// other programs on the machine do not count (and neither does what happens in few of them). between() runs after
// each, untimed.
template <class Step, class Between>
double MedianNanosecondsEach(std::uint64_t count, std::uint64_t stretch, Step step, Between between) {
    std::vector<double> stretches;
    for (std::uint64_t done = 0; done < count; done += stretch) {
        stretches.push_back(NanosecondsEach(stretch, [&] {
            for (std::uint64_t i = done; i < done + stretch; ++i) step(i);
        }));
        between();
    }
    const auto middle = stretches.begin() + static_cast<std::ptrdiff_t>(stretches.size() / 2);
    std::nth_element(stretches.begin(), middle, stretches.end());
    return *middle;
}

// Keeps a value from being optimised away.
template <class T>
inline void Use(const T& value) {
    asm volatile("" ::"r,m"(value) : "memory");
}

struct Goal {
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
};
inline Goal AtLeast(double least) { return {.least = least}; }
inline Goal AtMost(double most) { return {.most = most}; }

class Suite {
public:
    using Variant = std::function<double(std::uint64_t operations)>;
    using Derive = std::function<double(const std::function<double(const char*)>& figureOf)>;

    Suite(int argc, char** argv, std::string name) : name_(std::move(name)) {
        for (int i = 1; i < argc; ++i) {
            if (std::strcmp(argv[i], "--smoke") == 0) smoke_ = true;
            else if (std::strcmp(argv[i], "--json") == 0) json_ = true;
            else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) rounds_ = Rounds(argv[++i]);
            else if (std::strcmp(argv[i], "--largest") == 0) largest_ = true;
            else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only_ = argv[++i];
            else {
                std::fprintf(stderr, "usage: %s [--smoke] [--json] [--rounds N] [--only TEXT] [--largest]\n", argv[0]);
                std::exit(2);
            }
        }
        if (smoke_) rounds_ = 1;
    }

    bool Smoke() const { return smoke_; }
    bool Largest() const { return largest_; }  // what takes minutes and gigabytes, too
    // Whether --only may mean a variant that ends so: what only it needs is not made otherwise.
    bool Wants(const std::string& ending) const {
        return only_.empty() || only_.find(ending) != std::string::npos || ending.find(only_) != std::string::npos;
    }
    // Long ones say on the standard error how far they are.
    void ShowProgress() { progress_ = true; }

    // `operations`: how many one round does; with --smoke a hundredth of them.
    void Add(std::string name, std::string unit, Variant variant, std::uint64_t operations) {
        rows_.push_back({std::move(name), std::move(unit), std::move(variant), operations, {}});
    }
    // over ÷ under, of each round.
    void Ratio(std::string name, std::string over, std::string under, Goal goal = {}) {
        Derived(std::move(name),
                [over = std::move(over), under = std::move(under)](const auto& figureOf) {
                    return figureOf(over.c_str()) / figureOf(under.c_str());
                },
                goal);
    }
    // Any other figure that comes from those of one round.
    void Derived(std::string name, Derive derive, Goal goal = {}) {
        derived_.push_back({std::move(name), std::move(derive), goal, {}});
    }

    // The figures of all rounds.
    struct Spread {
        double median, least, most;
    };
    // Prints something else than the list of all figures: `print(of)`, where of(name) is the spread of a variant's or a
    // derived figure.
    using Print = std::function<void(const std::function<Spread(const std::string& name)>& of)>;
    void PrintWith(Print print) { print_ = std::move(print); }

    int Run() {
        for (unsigned round = 0; round < rounds_; ++round) {
            if (progress_) std::fprintf(stderr, "%s: round %u of %u\n", name_.c_str(), round + 1, rounds_);
            for (std::size_t i = 0; i < rows_.size(); ++i) {
                Row& row = rows_[(i + round) % rows_.size()];  // not always after the same neighbour
                if (row.name.find(only_) == std::string::npos) {
                    row.samples.push_back(std::numeric_limits<double>::quiet_NaN());
                    continue;
                }
                row.samples.push_back(row.variant(smoke_ ? row.operations / 100 + 1 : row.operations));
            }
            for (DerivedRow& row : derived_) {
                row.samples.push_back(row.derive([&](const char* name) { return Last(name); }));
            }
        }
        if (json_) PrintJson();
        else if (print_) print_([this](const std::string& name) { return SpreadOf(name); });
        else PrintText();
        return 0;
    }

private:
    struct Row {
        std::string name;
        std::string unit;
        Variant variant;
        std::uint64_t operations;
        std::vector<double> samples;
    };
    struct DerivedRow {
        std::string name;
        Derive derive;
        Goal goal;
        std::vector<double> samples;
    };

    static unsigned Rounds(const char* text) {
        const unsigned long rounds = std::strtoul(text, nullptr, 10);
        return static_cast<unsigned>(std::clamp(rounds, 1ul, 1000ul));
    }
    double Last(const char* name) const {
        for (const Row& row : rows_) {
            if (row.name == name) return row.samples.back();
        }
        if (!only_.empty()) return std::numeric_limits<double>::quiet_NaN();  // it was not made
        std::fprintf(stderr, "no variant is called %s\n", name);
        std::exit(2);
    }
    Spread SpreadOf(const std::string& name) const {
        for (const Row& row : rows_) {
            if (row.name == name) return Of(row.samples);
        }
        for (const DerivedRow& row : derived_) {
            if (row.name == name) return Of(row.samples);
        }
        std::fprintf(stderr, "no figure is called %s\n", name.c_str());
        std::exit(2);
    }
    static Spread Of(std::vector<double> samples) {
        std::sort(samples.begin(), samples.end());
        return {samples[samples.size() / 2], samples.front(), samples.back()};
    }
    static bool Missing(const Spread& spread) { return std::isnan(spread.median) || std::isinf(spread.median); }
    static bool Met(const Goal& goal, double value) { return value >= goal.least && value <= goal.most; }

    void PrintText() const {
        std::printf("%s: medians of %u rounds (least .. most)%s\n", name_.c_str(), rounds_,
                    smoke_ ? "; a smoke run: the figures mean nothing" : "");
        for (const Row& row : rows_) {
            const Spread spread = Of(row.samples);
            if (Missing(spread)) std::printf("  %-44s not available\n", row.name.c_str());
            else
                std::printf("  %-44s %10.2f %-12s (%.2f .. %.2f)\n", row.name.c_str(), spread.median, row.unit.c_str(),
                            spread.least, spread.most);
        }
        for (const DerivedRow& row : derived_) {
            const Spread spread = Of(row.samples);
            if (Missing(spread)) continue;
            std::printf("  %-44s %10.3f              (%.3f .. %.3f)", row.name.c_str(), spread.median, spread.least,
                        spread.most);
            if (std::isfinite(row.goal.least)) std::printf("  goal: >= %.3f", row.goal.least);
            if (std::isfinite(row.goal.most)) std::printf("  goal: <= %.3f", row.goal.most);
            if (std::isfinite(row.goal.least) || std::isfinite(row.goal.most)) {
                std::printf("  %s", Met(row.goal, spread.median) ? "met" : "MISSED");
            }
            std::printf("\n");
        }
    }

    static std::string Number(double value) {
        if (!std::isfinite(value)) return "null";
        char text[40];
        std::snprintf(text, sizeof text, "%.6g", value);
        return text;
    }
    static std::string Figures(const std::vector<double>& samples) {
        const Spread spread = Of(samples);
        return "\"median\":" + Number(spread.median) + ",\"least\":" + Number(spread.least) +
               ",\"most\":" + Number(spread.most);
    }
    // Names and units are literals of the benchmarks: without quotes and backslashes.
    void PrintJson() const {
        std::string text = "{\"benchmark\":\"" + name_ + "\",\"rounds\":" + std::to_string(rounds_) +
                           ",\"smoke\":" + (smoke_ ? "true" : "false") + ",\"variants\":[";
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            if (i != 0) text += ',';
            text += "{\"name\":\"" + rows_[i].name + "\",\"unit\":\"" + rows_[i].unit + "\"," +
                    Figures(rows_[i].samples) + "}";
        }
        text += "],\"derived\":[";
        for (std::size_t i = 0; i < derived_.size(); ++i) {
            const DerivedRow& row = derived_[i];
            if (i != 0) text += ',';
            text += "{\"name\":\"" + row.name + "\"," + Figures(row.samples) +
                    ",\"at_least\":" + Number(row.goal.least) + ",\"at_most\":" + Number(row.goal.most) +
                    ",\"met\":" + (Met(row.goal, Of(row.samples).median) ? "true" : "false") + "}";
        }
        std::printf("%s]}\n", text.c_str());
    }

    std::string name_;
    bool smoke_ = false;
    bool largest_ = false;
    std::string only_;  // empty: all
    bool json_ = false;
    bool progress_ = false;
    unsigned rounds_ = 9;
    std::vector<Row> rows_;
    std::vector<DerivedRow> derived_;
    Print print_;
};

}  // namespace residue::bench
