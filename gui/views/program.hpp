// A program that is being watched: whether it runs, how fast its events come, what was lost, and the source of the
// call that is shown.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeProgramView();

}  // namespace residue::gui
