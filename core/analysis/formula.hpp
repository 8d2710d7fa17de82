// The table of metrics: their names in JSON, on the screen, and their formulas, with and without the present numbers.
//
//     for (const MetricInfo& info : MetricTable()) { auto v = MetricValue(info, metrics, run); ... }
//     FormulaWithNumbers("external_fragmentation", metrics, run)    // "1 − 64 / 512 = .875"
//
// Thread-safe. Texts are UTF-8 and use −, √, Σ, ·, ≥ and ₁.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analysis/metrics.hpp"

namespace residue::analysis {

enum class MetricUnit : std::uint8_t { Bytes, Count, Fraction, Position };

struct MetricInfo {
    const char* key;      // snake case, as in JSON
    const char* label;
    const char* formula;  // METRICS.md's, or what is counted
    MetricUnit unit;
    bool ofRun;           // over all positions so far (RunMetrics), not of one moment
    std::optional<double> (*value)(const Metrics&, const RunMetrics&);         // nothing where it is not known
    std::string (*formulaWithNumbers)(const Metrics&, const RunMetrics&);      // null: the value says it all
};

std::span<const MetricInfo> MetricTable();
const MetricInfo* FindMetric(std::string_view key);  // null: no such metric

std::optional<double> MetricValue(const MetricInfo& info, const Metrics& metrics, const RunMetrics& run);
// As shown: ".875", "1,024 B", "8"; "not known" where it is not.
std::string FormatMetric(const MetricInfo& info, const Metrics& metrics, const RunMetrics& run);
// The formula with the present numbers put in, and what comes out. An unknown key gives an empty text.
std::string FormulaWithNumbers(std::string_view key, const Metrics& metrics, const RunMetrics& run);

}  // namespace residue::analysis
