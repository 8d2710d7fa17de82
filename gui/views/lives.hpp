// Lives: every block in time and address, as a picture: how much of each stretch of addresses was in use in each
// stretch of time. The wheel zooms in time at the pointer, with Shift in address; a drag pans, a click goes to that
// moment, a double click fits all. Cost: a texture; it is worked out on a thread of its own, anew where the view
// changed.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeLivesView();

}  // namespace residue::gui
