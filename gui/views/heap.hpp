// The heap panel: address rows like a page of text, from all of memory to single bytes, a mini-map at the far left,
// blocks with their parts when there is room and one texture of occupied shares when there is none.
// Keys: F all, Enter the selected block, + and - zoom, J and K scroll, comma and full stop the previous and next block,
// E the event of this position, 1 to 5 colour mode.
// Cost: a frame draws at most 4,000 blocks, or as many cells as the panel has pixels (computed only when they change).
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeHeapView();

}  // namespace residue::gui
