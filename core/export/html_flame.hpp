// A flame graph as an inline SVG whose boxes are nested SVGs in percent of its width. Internal to export/.
#pragma once

#include "analysis/flame.hpp"
#include "export/atomic_file.hpp"

namespace residue::exports {

void WriteFlame(const analysis::FlameTree& tree, AtomicFile& file);

}  // namespace residue::exports
