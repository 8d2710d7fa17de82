// What the program of this folder does: a game's memory, heaps within heaps. Deterministic, but for its addresses.
#pragma once

#include "events/sink.hpp"

namespace residue::scenarios {

// The allocators' ids in a log that nothing else was told to before.
inline constexpr AllocatorId kGameHeap{1}, kLevelArena{2}, kEntityPool{3}, kStringBuffer{4}, kScratchArena{5};

// Loads a level, plays it for `rounds` rounds and gives everything back. Tells `sink` all of it.
void PlayLevel(events::EventSink* sink, int rounds);

}  // namespace residue::scenarios
