// Of a report: what each allocator of a log did, where it has more than one (pools that a program tells of, allocators
// of the library, heaps in heaps).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::cli {

// All allocators of one name and one parent's name: an arena that is made for each request is one entry. Payload bytes;
// blocks that are a child's region are the child's and not counted here.
struct ReportAllocator {
    std::string name;
    std::string parent;  // empty: none
    std::uint64_t made = 0;
    std::uint64_t allocations = 0, resizes = 0, frees = 0, failed = 0, badFrees = 0;
    std::uint64_t totalBytes = 0, peakBytes = 0;
    std::uint64_t liveBytes = 0, liveBlocks = 0;  // at the end
};

// In order of their creation; empty where there is one allocator, or none. `end`: the heap at the log's end. None: it
// was cancelled. Costs a pass over the log where there are several.
std::optional<std::vector<ReportAllocator>> CountAllocators(const log::LogView& log, const model::HeapModel& end,
                                                            const std::atomic<bool>& cancelled);

}  // namespace residue::cli
