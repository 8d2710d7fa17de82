// The free structure's shapes: a picture of the whole at the top (buddy tree, bins, TLSF's matrix), below it every node
// in the structure's own order.
#pragma once

#include "gui/inside_look.hpp"
#include "gui/view.hpp"

namespace residue::gui {

// "free list", "free lists by size", ...
const char* NameOf(alloc::FreeShape shape);

// Blocks given out, and free ones, that the picture of a buddy tree has at most: the lowest, and the first in the
// lists.
inline constexpr std::size_t kMostInTree = 8192;

// Height that the picture wants (0: the shape has none), and the picture, at ImGui's cursor.
float OverviewHeight(ViewContext& context, const replay::InsideState& state);
void DrawOverview(ViewContext& context, const replay::InsideState& state, ImVec2 size);

// The nodes, scrolling within `size`.
void DrawNodes(ViewContext& context, const replay::InsideState& state, ImVec2 size);

}  // namespace residue::gui
