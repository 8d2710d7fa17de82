// One selection runs through all panels. Hovering is written with Hover...() while drawing and read in the next frame.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.hpp"

namespace residue::gui {

struct Selection {
    std::optional<BlockId> block;    // pinned by a click
    std::optional<TraceId> trace;    // a call-tree node or a leak, pinned by a click
    // Of a node that is many traces: all of them, by trace id; good while `trace` is tracesOf.
    std::shared_ptr<const std::vector<bool>> traces;
    std::optional<TraceId> tracesOf;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> line;  // file and line of a scenario's source, pinned too
    std::vector<TraceId> lineTraces;                              // the call traces that end in it
    std::optional<BlockId> hovered;  // in the frame before this one
    std::optional<TraceId> hoveredTrace;
    std::optional<Position> hoveredPosition;
    std::optional<std::pair<Position, Position>> range;  // brushed on the timeline: [first, second]
    std::optional<std::uint64_t> guess;  // where the keys say that the request which is asked about will land

    const std::shared_ptr<const std::vector<bool>>* Traces() const {
        return trace && traces && tracesOf == trace ? &traces : nullptr;
    }

    void Hover(BlockId block_) { nextHovered = block_; }
    void HoverTrace(TraceId trace_) { nextHoveredTrace = trace_; }
    void HoverPosition(Position position) { nextHoveredPosition = position; }
    std::optional<BlockId> Block() const { return hovered ? hovered : block; }  // what a card should show

    // The app's, once a frame.
    void NextFrame() {
        hovered = std::exchange(nextHovered, std::nullopt);
        hoveredTrace = std::exchange(nextHoveredTrace, std::nullopt);
        hoveredPosition = std::exchange(nextHoveredPosition, std::nullopt);
    }
    std::optional<BlockId> nextHovered;
    std::optional<TraceId> nextHoveredTrace;
    std::optional<Position> nextHoveredPosition;
};

}  // namespace residue::gui
