// The figures of a recording, counted from its log: what import::ReadFigures is for a trace of ids and sizes.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include "analysis/metrics.hpp"
#include "import/trace.hpp"
#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::cli {

struct LogFigures {
    import::TraceFigures figures;
    std::uint64_t failed = 0;  // requests that got an error
};

// `end`: the heap at the end of the log; `run`: over all of it. Blocks that one event ended together (a bulk free, an
// allocator's destruction) count as freed one by one. Cost: O(rows). Nothing: cancelled.
std::optional<LogFigures> CountLog(const log::LogView& log, const model::HeapModel& end,
                                   const analysis::RunMetrics& run, const std::atomic<bool>& cancelled);

// The blocks that are, at some time, the region of a child allocator. That is said only after a block's birth. Nothing
// is looked for where no allocator has a parent.
std::unordered_set<std::uint32_t> RegionsOfChildren(const log::LogView& log, const model::HeapModel& end);

}  // namespace residue::cli
