// Writes an image as PNG. The same image always gives the same bytes.
#pragma once

#include <string>

#include "gui/platform/platform.hpp"
#include "log/failure.hpp"

namespace residue::gui {

// The file appears whole or not at all (written beside it, then renamed).
Outcome<bool> WritePng(const Image& image, const std::string& path);

}  // namespace residue::gui
