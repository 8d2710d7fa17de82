// Function names as they fit into a panel. Pure.
#pragma once

#include <string>
#include <string_view>

namespace residue::gui {

// "void residue::session::Workload<int>::Grow(unsigned long)" -> "Workload::Grow": without return type, template
// arguments, parameters and outer namespaces; at most `parts` names joined by "::". What cannot be read is left as it
// is.
std::string ShortFunction(std::string_view name, int parts = 2);

}  // namespace residue::gui
