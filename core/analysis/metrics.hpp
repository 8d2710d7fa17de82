// Every figure of the design's METRICS.md, in one place: the window, the command line and the exports print these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/heap_model.hpp"

namespace residue::analysis {

// Sizes of holes -> the fragmentation figures. `count` holes of each size.
struct HoleSize { std::uint64_t bytes = 0; std::uint64_t count = 1; };

double ExternalFragmentation(std::uint64_t largest, std::uint64_t free);   // 1 - max f / F, 0 when F = 0
double RootSquareFragmentation(double sumOfSquares, std::uint64_t free);   // 1 - sqrt(sum f^2) / F
double UnusableFreeIndex(const std::vector<HoleSize>& holes, std::uint64_t size);   // 0 when F = 0
double FragmentationIndex(const std::vector<HoleSize>& holes, std::uint64_t size);  // -1, 0 or up to 1
double InternalFragmentation(std::uint64_t payload, std::uint64_t setAside);        // 1 - P / B, 0 when B = 0

// The heap at one position. What cannot be known is nullopt: without regions all of H, and where only payloads are
// told (model::Totals::partsTold) what tells headers from holes.
struct Metrics {
    std::uint64_t liveBytes = 0;            // P
    std::uint64_t liveBlocks = 0;
    std::uint64_t setAside = 0;             // B
    std::uint64_t header = 0, padding = 0, rounding = 0, slack = 0;
    double internalFragmentation = 0;       // 1 - P / B, 0 when B = 0
    std::optional<std::uint64_t> heap;      // H
    std::optional<std::uint64_t> free;      // F
    std::optional<std::uint64_t> dead;      // freed, and not to be had again before a reset (an arena's)
    std::optional<std::uint64_t> holes;     // n
    std::optional<std::uint64_t> largestHole;
    // Instead of holes where only payloads are told: runs of bytes of H in no payload, headers and holes alike.
    std::optional<std::uint64_t> gaps, largestGap;
    std::optional<double> externalFragmentation;
    std::optional<double> rootSquareFragmentation;
    std::uint64_t sizeOfInterest = 0;       // s
    std::optional<double> unusableFreeIndex;
    std::optional<double> fragmentationIndex;
};

// `allocator` 0: the sum over all (holes of all of them together). `s` 0: left out.
Metrics Measure(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t s);

// s where the user has chosen none: the size that the last call asked for in vain, else the median request.
std::uint64_t SizeOfInterest(const log::LogView& log, Row applied, const struct RunMetrics& run);

// Over positions 0..k. All nullopt where H is not known.
struct RunMetrics {
    std::uint64_t peakLiveBytes = 0;
    Position peakPosition{};                 // the first one
    std::uint64_t peakHeap = 0;
    std::optional<double> peakUtilisation;   // max P / max H
    std::optional<double> overhead1, overhead2, overhead3, overhead4;  // Johnstone-Wilson
    std::uint64_t failedRequests = 0;
    std::uint64_t badFrees = 0;
    std::uint64_t temporaryAllocations = 0;  // freed before the next allocation of the same thread; a resize is one
    std::uint64_t medianRequest = 0;         // the size of interest where no request failed. The lower one of two;
                                             // exact up to 65,536 distinct sizes, then rounded down by at most 1/128
};

}  // namespace residue::analysis
