// The line above each lane's heap: whose it is, and its figures. They stand in columns of one width, so that the lines
// of all lanes together are the race's scoreboard.
#pragma once

#include "gui/view.hpp"
#include "gui/widgets/text.hpp"
#include "session/lane_scores.hpp"

namespace residue::gui {

// `lane`: its session; `score`: of it, null while it is not there; `index` of the lanes, or -1 for the first one, which
// cannot be taken away. `size`: about that of each lane, the same for all, so that their figures stand in columns.
// Returns the height, which is the same for all, too.
float DrawLaneTitle(ViewContext& context, session::Session& lane, const session::LaneScore* score, int index,
                    const Rect& rect, ImVec2 size);
// The bound of all lanes: a heap that is compacted all the time holds the live bytes and nothing else.
void DrawBoundTitle(ViewContext& context, const Rect& bar, ImVec2 size);
float BoundTitleHeight(const ViewContext& context, ImVec2 size);

}  // namespace residue::gui
