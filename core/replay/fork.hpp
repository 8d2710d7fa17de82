// A fork of a replay: from a position on under other rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "log/failure.hpp"

namespace residue::replay {

struct Fork {
    std::uint64_t after = 0;                // operations that are done under the first rules
    std::string allocator{};                // a name of alloc::Registry()
    std::optional<std::uint64_t> capacity = std::nullopt;  // bytes; none: the heap's end grows by what is missing
    friend bool operator==(const Fork&, const Fork&) = default;
};

// "500:best-fit", "500:tlsf:64K", "500:tlsf:auto". Failures name `where`.
Outcome<Fork> ParseFork(const std::string& text, const char* where);

}  // namespace residue::replay
