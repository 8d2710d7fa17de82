// The line over the centre panel that says which two recordings are compared, how far the other one is read or why it
// cannot be, and the way back.
#pragma once

#include "gui/view.hpp"

namespace residue::gui {

// At ImGui's cursor, `width` screen pixels. Returns the height; 0 where nothing is compared.
float DrawCompareBar(ViewContext& context, float width);

}  // namespace residue::gui
