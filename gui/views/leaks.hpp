// Leaks: the live blocks by the call trace that made them. Before the end they are "live now", at the end "unfreed".
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeLeaksView();

}  // namespace residue::gui
