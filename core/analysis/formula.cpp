#include "analysis/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"

namespace residue::analysis {

namespace {

using M = const Metrics&;
using R = const RunMetrics&;
using Value = std::optional<double>;

Value Of(std::uint64_t value) { return static_cast<double>(value); }
Value Of(const std::optional<std::uint64_t>& value) { return value ? Of(*value) : std::nullopt; }

std::string N(std::uint64_t value) { return FormatCount(value); }
std::string N(const std::optional<std::uint64_t>& value) { return value ? FormatCount(*value) : "?"; }
std::string N(double value) { return FormatCount(static_cast<std::uint64_t>(std::llround(std::max(0.0, value)))); }

// A recording of a foreign allocator may tell of no byte but those that were asked for: then what was set aside beside
// them is not known. It is no 0. (Where holes are known, so are the parts of blocks.)
bool PartsKnown(M m) { return m.holes || m.setAside != m.liveBytes; }
Value OfPart(std::uint64_t value, M m) { return PartsKnown(m) ? Of(value) : std::nullopt; }

// A share of the bytes set aside.
std::string Share(std::uint64_t part, M m) {
    const double share = m.setAside == 0 ? 0 : static_cast<double>(part) / static_cast<double>(m.setAside);
    return fmt::format("{} of {} B set aside = {}", FormatBytesExact(part), N(m.setAside), FormatFraction(share));
}

std::string PeakRatio(R r) { return fmt::format("{} / {} − 1", N(r.peakHeap), N(r.peakLiveBytes)); }

constexpr MetricUnit kBytes = MetricUnit::Bytes;
constexpr MetricUnit kCount = MetricUnit::Count;
constexpr MetricUnit kFraction = MetricUnit::Fraction;

constexpr MetricInfo kMetrics[] = {
    {"live_bytes", "live", "P: payload bytes of live blocks, as requested", kBytes, false,
     [](M m, R) { return Of(m.liveBytes); }, nullptr},
    {"live_blocks", "live blocks", "blocks that are live", kCount, false, [](M m, R) { return Of(m.liveBlocks); },
     nullptr},
    {"peak_live_bytes", "peak live", "max P", kBytes, true, [](M, R r) { return Of(r.peakLiveBytes); }, nullptr},
    {"peak_event", "peak at", "the first position where P is at its peak", MetricUnit::Position, true,
     [](M, R r) { return Of(r.peakPosition.value); }, nullptr},
    {"set_aside", "set aside", "B: payload + header + padding + rounding + slack of live blocks", kBytes, false,
     [](M m, R) { return OfPart(m.setAside, m); },
     [](M m, R) {
         return fmt::format("{} + {} + {} + {} + {} = {}", N(m.liveBytes), N(m.header), N(m.padding), N(m.rounding),
                            N(m.slack), FormatBytesExact(m.setAside));
     }},
    {"heap", "heap", "H: bytes the allocator has from below", kBytes, false, [](M m, R) { return Of(m.heap); },
     nullptr},
    {"peak_heap", "peak heap", "max H", kBytes, true,
     [](M m, R r) { return m.heap || r.peakUtilisation ? Of(r.peakHeap) : Value{}; }, nullptr},
    {"free", "free", "F = Σ f", kBytes, false, [](M m, R) { return Of(m.free); }, nullptr},
    {"holes", "holes", "n: runs of bytes that could be handed out again", kCount, false,
     [](M m, R) { return Of(m.holes); }, nullptr},
    {"dead", "dead", "freed, and not to be had again before a reset", kBytes, false, [](M m, R) { return Of(m.dead); },
     nullptr},
    {"largest_hole", "largest hole", "max f", kBytes, false, [](M m, R) { return Of(m.largestHole); }, nullptr},
    {"external_fragmentation", "external frag.", "1 − max f / F", kFraction, false,
     [](M m, R) { return m.externalFragmentation; },
     [](M m, R) {
         if (m.free == 0u) return std::string("F = 0: nothing is free");
         return fmt::format("1 − {} / {}", N(m.largestHole), N(m.free));
     }},
    {"root_square_fragmentation", "root-square frag.", "1 − √(Σ f²) / F", kFraction, false,
     [](M m, R) { return m.rootSquareFragmentation; },
     [](M m, R) {
         if (m.free == 0u) return std::string("F = 0: nothing is free");
         const double free = static_cast<double>(m.free.value_or(0));
         return fmt::format("1 − {} / {}", N((1 - m.rootSquareFragmentation.value_or(0)) * free), N(m.free));
     }},
    {"unusable_free_index", "unusable free", "(F − Σ f [f ≥ s]) / F", kFraction, false,
     [](M m, R) { return m.unusableFreeIndex; },
     [](M m, R) {
         if (m.free == 0u) return std::string("F = 0: nothing is free");
         const double free = static_cast<double>(m.free.value_or(0));
         const double usable = (1 - m.unusableFreeIndex.value_or(0)) * free;
         return fmt::format("s = {}: ({} − {}) / {}", N(m.sizeOfInterest), N(m.free), N(usable), N(m.free));
     }},
    {"fragmentation_index", "frag. index", "−1 if a request of s would succeed, else 1 − (1 + F / s) / n, at least 0",
     kFraction, false, [](M m, R) { return m.fragmentationIndex; },
     [](M m, R) {
         if (m.fragmentationIndex == -1.0) return fmt::format("a request of s = {} would succeed", N(m.sizeOfInterest));
         if (m.holes == 0u) return std::string("n = 0: nothing is free");
         return fmt::format("1 − (1 + {} / {}) / {}", N(m.free), N(m.sizeOfInterest), N(m.holes));
     }},
    {"size_of_interest", "size of interest", "s: of the failed request, else the median request", kBytes, false,
     [](M m, R) { return Of(m.sizeOfInterest); }, nullptr},
    {"internal_fragmentation", "internal frag.", "1 − P / B", kFraction, false,
     [](M m, R) { return PartsKnown(m) ? Value(m.internalFragmentation) : std::nullopt; },
     [](M m, R) {
         if (m.setAside == 0) return std::string("B = 0: no block is live");
         return fmt::format("1 − {} / {}", N(m.liveBytes), N(m.setAside));
     }},
    {"header", "header", "of B: bookkeeping before payloads", kBytes, false, [](M m, R) { return OfPart(m.header, m); },
     [](M m, R) { return Share(m.header, m); }},
    {"padding", "padding", "of B: bytes before headers, for alignment", kBytes, false,
     [](M m, R) { return OfPart(m.padding, m); }, [](M m, R) { return Share(m.padding, m); }},
    {"rounding", "rounding", "of B: up to the granule or size class", kBytes, false,
     [](M m, R) { return OfPart(m.rounding, m); }, [](M m, R) { return Share(m.rounding, m); }},
    {"slack", "slack", "of B: remainders too small to be a hole", kBytes, false,
     [](M m, R) { return OfPart(m.slack, m); }, [](M m, R) { return Share(m.slack, m); }},
    {"peak_utilisation", "peak util.", "max P / max H", kFraction, true, [](M, R r) { return r.peakUtilisation; },
     [](M, R r) { return fmt::format("{} / {}", N(r.peakLiveBytes), N(r.peakHeap)); }},
    {"overhead_1", "overhead 1", "Σ H / Σ P − 1, a sample after each call", kFraction, true,
     [](M, R r) { return r.overhead1; }, [](M, R) { return std::string("Σ H / Σ P − 1"); }},
    {"overhead_2", "overhead 2", "H / P − 1 at the peak of P", kFraction, true, [](M, R r) { return r.overhead2; },
     [](M, R r) {
         const double heap = (1 + r.overhead2.value_or(0)) * static_cast<double>(r.peakLiveBytes);
         return fmt::format("{} / {} − 1", N(heap), N(r.peakLiveBytes));
     }},
    {"overhead_3", "overhead 3", "H / P − 1 at the peak of H", kFraction, true, [](M, R r) { return r.overhead3; },
     [](M, R r) {
         const double live = static_cast<double>(r.peakHeap) / (1 + r.overhead3.value_or(0));
         return fmt::format("{} / {} − 1", N(r.peakHeap), N(live));
     }},
    {"overhead_4", "overhead 4", "max H / max P − 1", kFraction, true, [](M, R r) { return r.overhead4; },
     [](M, R r) { return PeakRatio(r); }},
    {"failed_requests", "failed", "requests that failed", kCount, true, [](M, R r) { return Of(r.failedRequests); },
     nullptr},
    {"bad_frees", "bad frees", "frees of what is not a live block", kCount, true, [](M, R r) { return Of(r.badFrees); },
     nullptr},
    {"temporary_allocations", "temporary",
     "allocations freed before the next allocation of the same thread (our definition)", kCount, true,
     [](M, R r) { return Of(r.temporaryAllocations); }, nullptr},
    {"median_request", "median request", "the size in the middle of all requests so far", kBytes, true,
     [](M, R r) { return Of(r.medianRequest); }, nullptr},
};

std::string FormatValue(MetricUnit unit, double value) {
    switch (unit) {
        case MetricUnit::Bytes: return FormatBytes(static_cast<std::uint64_t>(value));
        case MetricUnit::Count:
        case MetricUnit::Position: return FormatCount(static_cast<std::uint64_t>(value));
        case MetricUnit::Fraction: return FormatFraction(value);
    }
    return {};
}

}  // namespace

std::span<const MetricInfo> MetricTable() { return kMetrics; }

const MetricInfo* FindMetric(std::string_view key) {
    const auto found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                    [&](const MetricInfo& info) { return info.key == key; });
    return found == std::end(kMetrics) ? nullptr : found;
}

std::optional<double> MetricValue(const MetricInfo& info, const Metrics& metrics, const RunMetrics& run) {
    return info.value(metrics, run);
}

std::string FormatMetric(const MetricInfo& info, const Metrics& metrics, const RunMetrics& run) {
    const auto value = info.value(metrics, run);
    return value ? FormatValue(info.unit, *value) : "not known";
}

std::string FormulaWithNumbers(std::string_view key, const Metrics& metrics, const RunMetrics& run) {
    const MetricInfo* info = FindMetric(key);
    if (!info) return {};
    const auto value = info->value(metrics, run);
    if (!value) return std::string(info->formula) + " is not known here";
    if (!info->formulaWithNumbers) return std::string(info->formula) + " = " + FormatValue(info->unit, *value);
    const std::string numbers = info->formulaWithNumbers(metrics, run);
    if (info->unit != MetricUnit::Fraction) return numbers;
    return numbers + " = " + FormatFraction(*value);
}

}  // namespace residue::analysis
