// What a course makes of the figures: FORMATS.md section 1.1 of the design. Every number is a setting; each generation
// has its own to begin with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "import/trace.hpp"

namespace residue::lab {

struct ScoreRules {
    double utilWeight = 0.6;                          // the rest is throughput's
    double minUtil = 0, maxUtil = 1;                  // no points up to the first, all from the second on
    double minThroughput = 0, maxThroughput = 600e3;  // operations a second
    bool useWeights = false;  // the traces' own: 0 not scored, 1 both, 2 utilisation only, 3 throughput only
    bool harmonic = false;    // throughput: the harmonic mean of the traces', else all operations by all seconds
};

// 'A', 'B', 'C' or 'M'. Those of B and C differ from course to course; C's throughput depends on the machine.
ScoreRules RulesOf(char generation);

struct ScoredTrace {
    bool valid = false;
    std::uint64_t weight = 1;
    double utilisation = 0;  // 0..1
    std::uint64_t ops = 0;
    double seconds = 0;  // 0: not timed
};

struct Score {
    double utilisation = 0;            // the mean; an invalid trace counts 0
    bool scored = false;               // a trace's utilisation counts
    std::optional<double> throughput;  // operations a second; none: nothing was timed
    double utilPoints = 0;             // 0..100 * utilWeight
    std::optional<double> throughputPoints;
    // 0..100; 0 where a trace is invalid. Without timing: none.
    std::optional<double> index;
};

// Of the traces that ran. Pure.
Score ScoreOf(std::span<const ScoredTrace> traces, const ScoreRules& rules);

// A trace's: a header of the first generation has no weight of its own meaning.
std::uint64_t WeightOf(const import::TraceHeader& header);

// "Perf index = 56.10 (util) + 40.00 (thru) = 96.10/100"
std::string IndexText(const Score& score, bool allValid);

}  // namespace residue::lab
