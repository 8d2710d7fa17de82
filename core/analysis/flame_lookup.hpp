// Between a flame graph and the call traces it was made of: which node a trace is at, which traces are at a node.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/flame.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

// The node that the blocks of a trace count at, or the deepest one above it that the tree has; kNone: not even the
// first. Cost: a name a frame of the trace, compared with the siblings'.
std::uint32_t FindNode(const FlameTree& tree, const log::LogView& log, TraceId trace);

// By trace id (0: blocks without one): do its blocks count in the node or below it? Cost: a pass over the log's call
// traces and a name for each different frame; for a click, not for a frame.
std::vector<bool> TracesOf(const FlameTree& tree, const log::LogView& log, std::uint32_t node);

// From the root's child to the node; empty for the root.
std::vector<std::uint32_t> PathTo(const FlameTree& tree, std::uint32_t node);

}  // namespace residue::analysis
