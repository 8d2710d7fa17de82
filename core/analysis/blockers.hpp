// Why a request failed, and what stood in the way (design: METRICS.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/heap_model.hpp"

namespace residue::analysis {

// The set of live blocks, adjacent in address, whose absence would open a hole that is large enough, with the fewest
// bytes (then the fewest blocks, then the lowest address). Bytes are as set aside.
struct Blockers {
    std::vector<model::Block> blocks;  // in address order
    std::uint64_t bytes = 0;
    std::uint64_t holeBegin = 0;       // the hole that would be open
    std::uint64_t holeEnd = 0;
};

// `need`: gross bytes (header and rounding included); `alignment`: of the payload, `header` bytes behind the start.
std::optional<Blockers> FindBlockers(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t need,
                                     std::uint64_t alignment = 1, std::uint64_t header = 0);

// The failed request at a row of the log, explained; `heap` is the heap just before it.
struct FailureReport {
    Row row{};
    MemoryError error{};
    AllocatorId allocator{};
    std::uint64_t size = 0;         // asked for
    std::uint64_t alignment = 1;
    std::uint64_t need = 0;         // gross, as far as it can be told from the allocator's other blocks
    bool freeKnown = false;         // else the next two are 0: a recording of a foreign allocator may not say
    std::uint64_t free = 0;
    std::uint64_t largestHole = 0;
    std::optional<Blockers> blockers;  // only for Fragmentation
    std::string sentence;           // one plain sentence, for the duck and the report
};

std::optional<FailureReport> ExplainFailure(const log::LogView& log, const model::HeapModel& heap, Row row);

}  // namespace residue::analysis
