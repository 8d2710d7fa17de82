// Whether a row, with the blocks that it says it concerns, may follow those before it: what the appender makes sure of,
// asked of rows that a file tells whole, which then need not be found out again. A part of the native file's reader.
//
// What is not looked at: whether live blocks overlap; who reads a log copes with that (model/heap_model.hpp).
// Memory: 17 bits a block. Cost: some nanoseconds a row. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "log/event_log.hpp"

namespace residue::log {

class RowCheck {
public:
    // Empty: it may, and counts as one of those before. Else what is wrong with it.
    std::string Take(const LoggedEvent& row, std::span<const BlockId> diedTogether);
    std::uint64_t Blocks() const { return live_.size(); }

private:
    std::string TakeBirth(const LoggedEvent& row);
    std::string TakeDeath(BlockId block, AllocatorId allocator);

    std::vector<bool> live_;               // by block; [0] is block 1
    std::vector<std::uint16_t> allocator_;  // by block
};

}  // namespace residue::log
