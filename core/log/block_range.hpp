// The bytes that a block holds. A part of the appender and of the native file's reader.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/checked.hpp"
#include "events/event.hpp"

namespace residue::log {

struct BlockRange {
    std::uint64_t begin;
    std::uint64_t end;  // > begin
};

// None where they do not lie in the address space.
inline std::optional<BlockRange> RangeOf(const events::Event& event) {
    constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t before = std::uint64_t{event.header} + event.padding;
    if (event.address == 0 || event.address == kLast || event.address < before) return std::nullopt;
    const auto payload = CheckedAdd(event.size, event.rounding);
    const auto behind = payload ? CheckedAdd(*payload, event.slack) : std::nullopt;
    const auto end = behind ? CheckedAdd(event.address, *behind) : std::nullopt;
    if (!end) return std::nullopt;
    return BlockRange{event.address - before, std::max(*end, event.address + 1)};
}

}  // namespace residue::log
