// Which addresses a step changed, so that a picture of the heap is made anew only there.
#pragma once

#include <cstdint>
#include <functional>

#include "base/ids.hpp"
#include "log/event_log.hpp"

namespace residue::gui {

// Calls visit(begin, end) for what the rows between `from` and `to` (in either direction) changed, of whatever
// allocator. False: too many rows, or a change that may be anywhere: all is to be made anew.
// Cost: some 50 ns a row, of at most 512.
bool VisitChanges(const log::LogView& log, Row from, Row to,
                  const std::function<void(std::uint64_t begin, std::uint64_t end)>& visit);

}  // namespace residue::gui
