// Calls: the flame graph's tree as a table, by the same measure and from the same end. A click selects a function's
// call traces in every panel.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeCallTreeView();

}  // namespace residue::gui
