// The sandbox: an allocator under the user's hands, and a random workload at any rate.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeSandboxView();

}  // namespace residue::gui
