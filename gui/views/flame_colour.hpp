// The colour of a function in a flame graph. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "analysis/flame.hpp"
#include "gui/theme.hpp"

namespace residue::gui {

// Calm, from the name alone, so that a function keeps its colour wherever it is.
ImU32 FlameColour(const Theme& theme, std::string_view name);
// What grew is red, what shrank is blue, the stronger the larger its part of `whole` (> 0) is.
ImU32 GrowthColour(const Theme& theme, std::int64_t difference, std::uint64_t whole);

}  // namespace residue::gui
