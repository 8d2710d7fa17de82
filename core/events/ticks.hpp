// The clock of events that come from several threads or processes, and a pause for who looks again and again.
// Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/detail/sync.hpp"

namespace residue::events {

// The time stamp counter, read after everything before it is done (detail/sync.hpp says how that orders threads).
inline std::uint64_t FencedTicks() noexcept { return detail::FencedTicks(); }
// The same without the wait: it may have been read before earlier loads were done, never after a later store is seen.
// Half the price, and right where no other thread has anything to tell (capture/shim/writer.hpp).
inline std::uint64_t PlainTicks() noexcept { return detail::PlainTicks(); }
inline void Relax() noexcept { detail::Relax(); }
// Makes memory that another core has used ours, faster than storing to it line by line: its content is lost.
inline void TakeOverLines(void* begin, std::size_t bytes) noexcept { detail::TakeOverLines(begin, bytes); }

}  // namespace residue::events
