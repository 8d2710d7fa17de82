// A block that is live, as the appender knows it.
#pragma once

#include <cstdint>

#include "base/ids.hpp"

namespace residue::log {

struct LiveBlock {
    std::uint64_t begin = 0;    // first byte held
    std::uint64_t end = 0;      // one past the last; > begin, and > address
    std::uint64_t address = 0;  // of the payload: begin <= address < end
    BlockId id{};
    bool resizing = false;      // a resize of it has begun on some thread and not ended
    bool region = false;        // a child allocator gives it out in pieces
};

}  // namespace residue::log
