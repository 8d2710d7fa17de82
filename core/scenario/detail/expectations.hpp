// What was so before a statement of which something is expected.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

struct Interpreter::Before {
    std::size_t errors = 0;  // names in errorNames_
    std::size_t output = 0;  // bytes of it
    std::uint64_t ducks = 0;
    std::uint64_t allocations = 0;
};

}  // namespace residue::scenario::detail
