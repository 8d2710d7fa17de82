// The lab panel's pictures of one run: its utilisation over time, the waterfall of what it lost, and the operations
// that cost most.
#pragma once

#include <memory>

#include "gui/view.hpp"
#include "session/lab.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeLabLossesView();

// All of it, for a panel that has room for more. Advances the cursor, is `width` screen pixels wide, and seeks where it
// is clicked.
void DrawRun(ViewContext& context, const session::LabPicture& picture, float width);

}  // namespace residue::gui
