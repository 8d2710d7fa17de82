// The student's code in the lab: the lines that the call at the playhead went through, how often, and the calls that
// led to the one it stands at; stepped line by line, both ways.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeLabSourceView();

}  // namespace residue::gui
