// Allocators: every allocator so far with its figures; a click shows it in the heap panel.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeAllocatorsView();

}  // namespace residue::gui
