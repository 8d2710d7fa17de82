// Writes call traces as folded stacks, a line a call trace: "main;parse;read 4096", outermost first. What flame-graph
// programs read (flamegraph.pl, inferno, speedscope, ...).
//
//     auto done = exports::WriteFolded(builder.Finish(), "run.folded");   // analysis/flame.hpp, top-down
//
// In names ';' becomes ',' and line ends become blanks. Cost: one pass over the tree. Failures: the writing's,
// cancelled. Thread safety: none needed.
#pragma once

#include <string>

#include "analysis/flame.hpp"
#include "export/trace_writer.hpp"
#include "log/failure.hpp"

namespace residue::exports {

// Nodes without a value of their own, or with one below 0, have no line; `extras.summary`: `operations` lines,
// `leftOut` those below 0.
Outcome<void> WriteFolded(const analysis::FlameTree& tree, const std::string& path, const WriteExtras& extras = {});

}  // namespace residue::exports
