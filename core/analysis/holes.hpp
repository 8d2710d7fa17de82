// The holes of a heap as a list, and as a count by size. Cost: O(live blocks) for the list.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/metrics.hpp"
#include "model/heap_model.hpp"

namespace residue::analysis {

enum class HoleOrder { ByAddress, BySize };  // BySize: largest first, then by address

// At most `most` holes of one allocator.
std::vector<model::Hole> ListHoles(const model::HeapModel& heap, AllocatorId allocator, HoleOrder order,
                                   std::size_t most);
// How many holes have each size, ascending. Cost: O(distinct sizes).
std::vector<HoleSize> CountHoles(const model::HeapModel& heap, AllocatorId allocator);

}  // namespace residue::analysis
