// The holes of a heap as a list, and as a count by size. Cost: O(live blocks) for the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/metrics.hpp"
#include "model/heap_model.hpp"

namespace residue::analysis {

enum class HoleOrder { ByAddress, BySize };  // BySize: largest first, then by address

// At most `most` holes of one allocator.
std::vector<model::Hole> ListHoles(const model::HeapModel& heap, AllocatorId allocator, HoleOrder order,
                                   std::size_t most);
// Where a request may land, for a cursor that goes from place to place: the beginning of each hole, and the end of the
// heap, where it may grow. The next one above `from` (the one before below it); without `from` the lowest. None: there
// is none on that side. Cost: O(log holes) forward, O(holes) back.
std::optional<std::uint64_t> NextPlace(const model::HeapModel& heap, AllocatorId allocator,
                                       std::optional<std::uint64_t> from, bool forward);
// How many holes have each size, ascending. Cost: O(distinct sizes).
std::vector<HoleSize> CountHoles(const model::HeapModel& heap, AllocatorId allocator);

}  // namespace residue::analysis
