// The key sheet (?): every key on one page. Any key or click closes it.
#pragma once

#include "gui/view.hpp"

namespace residue::gui {

// Draws it over everything while `open`; a click clears it.
void DrawKeySheet(ViewContext& context, ImVec2 screen, bool& open);

}  // namespace residue::gui
