// Key presses by name, for scripts and tests: "D", "Ctrl+O", "Shift+Left", "[", "PageDown".
#pragma once

#include <optional>
#include <string_view>

#include "gui/key.hpp"

namespace residue::gui {

std::optional<KeyPress> ParseKey(std::string_view text);

}  // namespace residue::gui
