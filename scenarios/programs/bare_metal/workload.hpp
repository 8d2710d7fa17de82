// What the kernel does with its memory: small enough to be followed call by call, and with a bit of everything. The
// same source runs on bare metal and as an ordinary program (host.cpp), which says what the report must say.
// Freestanding; one thread.
#pragma once

#include <cstddef>

#include "events/sink.hpp"

namespace bare_metal {

// `heap` and `table` are aligned to 16 and hold kHeapBytes and kTableBytes. False: an allocator did not do what it
// must.
inline constexpr std::size_t kHeapBytes = 8192;
inline constexpr std::size_t kTableBytes = 1024;
bool RunWorkload(residue::events::EventSink& sink, std::byte* heap, std::byte* table);

}  // namespace bare_metal
