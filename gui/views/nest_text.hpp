// What is said of heaps within heaps, wherever it is said.
#pragma once

#include <string>

#include "model/nesting.hpp"

namespace residue::gui {

// Its name, or "allocator 3".
std::string NameOf(const model::HeapModel& heap, AllocatorId allocator);

// "inside buffer, which lies in block #5 of arena, which lies in block #1 of default"; empty where a block of
// `allocator` at this address lies in no block of another's.
std::string InsideText(const model::HeapModel& heap, AllocatorId allocator, std::uint64_t address);

// "the heap of arena", "the heaps of arena and buffer", "the heaps of arena, buffer and 3 others"; empty where no child
// is known that lives in this block.
std::string HoldsText(const model::HeapModel& heap, BlockId block);

// Both in lines of their own, for a tooltip; empty where there is neither.
std::string PlaceText(const model::HeapModel& heap, AllocatorId owner, const model::Block& block);

}  // namespace residue::gui
