// Profile: totals of what is looked at, how large and how long-lived its blocks are, and the largest call sites.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeProfileView();

}  // namespace residue::gui
