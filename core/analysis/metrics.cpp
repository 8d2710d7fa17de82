#include "analysis/metrics.hpp"

#include <algorithm>
#include <cmath>

namespace residue::analysis {

double ExternalFragmentation(std::uint64_t largest, std::uint64_t free) {
    if (free == 0) return 0;
    return 1 - static_cast<double>(largest) / static_cast<double>(free);
}

double RootSquareFragmentation(double sumOfSquares, std::uint64_t free) {
    if (free == 0) return 0;
    // A single hole gives 0; rounding must not make that slightly less.
    return std::max(0.0, 1 - std::sqrt(sumOfSquares) / static_cast<double>(free));
}

double UnusableFreeIndex(const std::vector<HoleSize>& holes, std::uint64_t size) {
    double free = 0, unusable = 0;
    for (const HoleSize& hole : holes) {
        const double bytes = static_cast<double>(hole.bytes) * static_cast<double>(hole.count);
        free += bytes;
        if (hole.bytes < size) unusable += bytes;
    }
    return free == 0 ? 0 : unusable / free;
}

double FragmentationIndex(const std::vector<HoleSize>& holes, std::uint64_t size) {
    double free = 0, count = 0;
    for (const HoleSize& hole : holes) {
        if (hole.count != 0 && hole.bytes >= size) return -1;  // the request would succeed
        free += static_cast<double>(hole.bytes) * static_cast<double>(hole.count);
        count += static_cast<double>(hole.count);
    }
    if (count == 0) return 0;
    return std::max(0.0, 1 - (1 + free / static_cast<double>(size)) / count);
}

double InternalFragmentation(std::uint64_t payload, std::uint64_t setAside) {
    if (setAside == 0) return 0;
    return 1 - static_cast<double>(payload) / static_cast<double>(setAside);
}

Metrics Measure(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t s) {
    model::Totals totals;
    if (!allocator) {
        totals = heap.Sum();
    } else if (const model::AllocatorState* state = heap.Find(allocator)) {
        totals = state->totals;
    }
    Metrics metrics;
    metrics.liveBytes = totals.payload;
    metrics.liveBlocks = totals.blocks;
    metrics.setAside = totals.SetAside();
    metrics.header = totals.header;
    metrics.padding = totals.padding;
    metrics.rounding = totals.rounding;
    metrics.slack = totals.slack;
    metrics.internalFragmentation = InternalFragmentation(metrics.liveBytes, metrics.setAside);
    metrics.sizeOfInterest = s;
    if (!totals.heapKnown) return metrics;
    metrics.heap = totals.heap;
    if (!totals.partsTold) {
        metrics.gaps = totals.holes;
        metrics.largestGap = totals.largestHole;
        return metrics;
    }
    metrics.free = totals.free;
    metrics.dead = totals.dead;
    metrics.holes = totals.holes;
    metrics.largestHole = totals.largestHole;
    metrics.externalFragmentation = ExternalFragmentation(totals.largestHole, totals.free);
    metrics.rootSquareFragmentation = RootSquareFragmentation(totals.sumOfSquares, totals.free);
    if (s == 0) return metrics;
    std::vector<HoleSize> sizes;
    const auto add = [&](std::uint64_t bytes, std::uint64_t count) { sizes.push_back({bytes, count}); };
    if (allocator) {
        heap.VisitHoleSizes(allocator, add);
    } else {
        for (const model::AllocatorState& state : heap.Allocators()) heap.VisitHoleSizes(state.id, add);
    }
    metrics.unusableFreeIndex = UnusableFreeIndex(sizes, s);
    metrics.fragmentationIndex = FragmentationIndex(sizes, s);
    return metrics;
}

std::uint64_t SizeOfInterest(const log::LogView& log, Row applied, const RunMetrics& run) {
    for (Row row = std::min(applied, log.Rows()); row.value > 0;) {
        --row;
        const events::Event event = log.At(row).event;
        const bool request =
            event.kind == events::EventKind::AllocateFailed || event.kind == events::EventKind::ResizeEnds;
        if (request && event.Failed() && event.size > 0) return event.size;
        if (!event.Trails()) break;
    }
    return run.medianRequest;
}

}  // namespace residue::analysis
