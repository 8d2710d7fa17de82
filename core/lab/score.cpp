#include "lab/score.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace residue::lab {
namespace {

double Linear(double value, double least, double most) {
    if (most <= least) return value >= most ? 1 : 0;
    return std::clamp((value - least) / (most - least), 0.0, 1.0);
}

bool CountsForUtil(const ScoredTrace& trace, const ScoreRules& rules) {
    return !rules.useWeights || trace.weight == 1 || trace.weight == 2;
}
bool CountsForThroughput(const ScoredTrace& trace, const ScoreRules& rules) {
    return !rules.useWeights || trace.weight == 1 || trace.weight == 3;
}

std::optional<double> Throughput(std::span<const ScoredTrace> traces, const ScoreRules& rules) {
    double ops = 0, seconds = 0, inverse = 0, count = 0;
    for (const ScoredTrace& trace : traces) {
        if (!CountsForThroughput(trace, rules) || !trace.valid || trace.seconds <= 0 || trace.ops == 0) continue;
        ops += static_cast<double>(trace.ops);
        seconds += trace.seconds;
        inverse += trace.seconds / static_cast<double>(trace.ops);
        count += 1;
    }
    if (count == 0) return std::nullopt;
    return rules.harmonic ? count / inverse : ops / seconds;
}

}  // namespace

ScoreRules RulesOf(char generation) {
    switch (generation) {
        case 'B': return {0.6, 0.60, 0.85, 0, 40e6, true, false};
        case 'C': return {0.6, 0.55, 0.74, 5e6, 9e6, true, true};
        default: return {};
    }
}

Score ScoreOf(std::span<const ScoredTrace> traces, const ScoreRules& rules) {
    Score score;
    double count = 0;
    bool allValid = true;
    for (const ScoredTrace& trace : traces) {
        allValid = allValid && trace.valid;
        if (!CountsForUtil(trace, rules)) continue;
        count += 1;
        if (trace.valid) score.utilisation += trace.utilisation;
    }
    score.scored = count > 0;
    if (score.scored) score.utilisation /= count;
    score.throughput = Throughput(traces, rules);
    score.utilPoints = 100 * rules.utilWeight * Linear(score.utilisation, rules.minUtil, rules.maxUtil);
    if (score.throughput) {
        score.throughputPoints =
            100 * (1 - rules.utilWeight) * Linear(*score.throughput, rules.minThroughput, rules.maxThroughput);
        score.index = score.utilPoints + *score.throughputPoints;
    }
    if (!allValid) score.index = 0;
    return score;
}

std::uint64_t WeightOf(const import::TraceHeader& header) {
    return header.generation == 'B' || header.generation == 'C' ? header.weight : 1;
}

std::string IndexText(const Score& score, bool allValid) {
    if (!allValid) return "Perf index = 0/100 (a trace is invalid)";
    if (!score.scored && !score.throughput) return "Perf index = ? (the traces' weights are 0: they are not scored)";
    if (!score.index)
        return fmt::format("Perf index = {:.2f} (util) + ? (thru): nothing was timed", score.utilPoints);
    return fmt::format("Perf index = {:.2f} (util) + {:.2f} (thru) = {:.2f}/100", score.utilPoints,
                       score.throughputPoints ? *score.throughputPoints : 0, *score.index);
}

}  // namespace residue::lab
