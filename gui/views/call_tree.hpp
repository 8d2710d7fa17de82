// Calls: live bytes by call trace, outermost frame first. A click selects a trace in every panel.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeCallTreeView();

}  // namespace residue::gui
