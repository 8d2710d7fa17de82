// Live blocks by call trace: leaks by site and the call tree.
#pragma once

#include <cstdint>
#include <vector>

#include "model/heap_model.hpp"

namespace residue::analysis {

struct Leak {            // live blocks with one call trace
    TraceId trace{};
    AllocatorId allocator{};
    std::uint64_t bytes = 0;
    std::uint64_t blocks = 0;
    BlockId first{};     // the oldest of them
};

// Sorted by bytes, then blocks, descending, then by trace. What is a child's region is left out.
std::vector<Leak> FindLeaks(const log::LogView& log, const model::HeapModel& heap);

struct CallNode {
    TraceId trace{};               // 0: the root
    std::uint64_t liveBytes = 0;   // inclusive
    std::uint64_t liveBlocks = 0;
    std::uint64_t ownBytes = 0;    // of blocks whose innermost frame this is
    std::vector<std::uint32_t> children;  // indices, by bytes descending
};

// Top-down from the outermost frame; nodes[0] is the root.
std::vector<CallNode> BuildCallTree(const log::LogView& log, const model::HeapModel& heap);

}  // namespace residue::analysis
