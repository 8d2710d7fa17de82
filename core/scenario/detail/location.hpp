// A place in the files of a program, small enough to stand on every node of the tree; becomes a Place when it is shown.
#pragma once

#include <cstdint>

namespace residue::scenario::detail {

struct Location {
    std::uint32_t file = 0;    // index into ProgramData::files
    std::uint32_t line = 0;    // from 1
    std::uint32_t column = 0;  // from 1, in bytes
    std::uint32_t length = 0;  // on that line
};

}  // namespace residue::scenario::detail
