// A student's allocator in the lab: what the build and the runs are at, the traces with their figures, and what was
// found wrong; where there is room, lab_losses.hpp beside it.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeLabView();

}  // namespace residue::gui
