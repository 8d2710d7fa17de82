#include "cli/log_figures.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace residue::cli {

std::unordered_set<std::uint32_t> RegionsOfChildren(const log::LogView& log, const model::HeapModel& end) {
    std::unordered_set<std::uint32_t> regions;
    const auto hasParent = [](const model::AllocatorState& allocator) { return bool(allocator.parent); };
    if (std::none_of(end.Allocators().begin(), end.Allocators().end(), hasParent)) return regions;
    for (std::uint64_t i = 0; i < log.RareRows(); ++i) {
        const log::LoggedEvent logged = log.At(log.RareRow(i));
        const events::EventKind kind = logged.event.kind;
        if (kind != events::EventKind::AllocatorCreated && kind != events::EventKind::RegionGrown) continue;
        if (logged.event.Has(events::EventFlag::Region) && logged.block) regions.insert(logged.block.value);
    }
    return regions;
}

std::optional<LogFigures> CountLog(const log::LogView& log, const model::HeapModel& end,
                                   const analysis::RunMetrics& run, const std::atomic<bool>& cancelled) {
    LogFigures counted;
    import::TraceFigures& figures = counted.figures;
    const auto asked = [&figures](std::uint64_t bytes) {
        const auto sum = CheckedAdd(figures.totalBytes, bytes);
        figures.overflowed = figures.overflowed || !sum;
        figures.totalBytes = SaturatingAdd(figures.totalBytes, bytes);
        figures.largestRequest = std::max(figures.largestRequest, bytes);
    };
    // Requests that are a child's region are no requests of the program's: what is in them counts.
    const std::unordered_set<std::uint32_t> regions = RegionsOfChildren(log, end);
    const auto isRegion = [&regions](BlockId block) { return !regions.empty() && regions.contains(block.value); };
    for (Row row{}; row < log.Rows(); ++row) {
        if (row.value % log::kChunkRows == 0 && cancelled.load(std::memory_order_relaxed)) return std::nullopt;
        const log::LoggedEvent logged = log.At(row);
        switch (logged.event.kind) {
            case events::EventKind::Allocated:
                if (isRegion(logged.block)) break;
                ++figures.allocations;
                asked(logged.event.size);
                break;
            case events::EventKind::Freed: figures.frees += isRegion(logged.block) ? 0 : 1; break;
            case events::EventKind::ResizeEnds:
                asked(logged.event.size);
                if (logged.event.error != 0) {
                    ++counted.failed;
                } else if (logged.oldBlock) {
                    ++figures.resizes;
                } else {
                    ++figures.allocations;
                }
                break;
            case events::EventKind::AllocateFailed:
                asked(logged.event.size);
                ++counted.failed;
                break;
            case events::EventKind::FreeFailed: ++figures.badFrees; break;
            default:
                for (const BlockId block : log.DiedTogether(row)) figures.frees += isRegion(block) ? 0 : 1;
                break;
        }
    }
    const model::Totals live = end.Sum();
    figures.operations = log.Positions().value;
    figures.liveBytes = live.payload;
    figures.liveBlocks = live.blocks;
    figures.peakLiveBytes = run.peakLiveBytes;
    figures.peakPosition = run.peakPosition.value;
    return counted;
}

}  // namespace residue::cli
