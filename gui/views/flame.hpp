// The flame graph: who allocates, as rows of functions, each as wide as its share. From main down, or from whoever
// called the allocator; zoomed by a click, searched, compared. Linked both ways: a hovered block lights up its
// function, a clicked function's blocks keep their colour in the heap panel. Cost: a frame draws the boxes that can be
// seen; they are laid out anew where the answer, the zoom or the width changed.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeFlameView();

}  // namespace residue::gui
