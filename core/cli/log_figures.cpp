#include "cli/log_figures.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace residue::cli {

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
    for (Row row{}; row < log.Rows(); ++row) {
        if (row.value % log::kChunkRows == 0 && cancelled.load(std::memory_order_relaxed)) return std::nullopt;
        const log::LoggedEvent logged = log.At(row);
        switch (logged.event.kind) {
            case events::EventKind::Allocated:
                ++figures.allocations;
                asked(logged.event.size);
                break;
            case events::EventKind::Freed: ++figures.frees; break;
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
            default: figures.frees += log.DiedTogether(row).size(); break;
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
