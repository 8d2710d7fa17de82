// The block card: the failure at this position, if there is one, and the block that is hovered, selected, or concerned
// by the present event: its life, its parts and its call trace.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeBlockCardView();

}  // namespace residue::gui
