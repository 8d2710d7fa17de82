// The heap's bytes at the playhead, in hex: payloads told apart from what is the allocator's own.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeLabBytesView();

}  // namespace residue::gui
