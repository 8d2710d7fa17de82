// Events: every row of the log in a table of any length; the present one is followed, a click seeks.
// Cost: only the rows on the screen are read; a search reads a fixed number of rows a frame.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeEventsView();

}  // namespace residue::gui
