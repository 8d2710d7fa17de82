// The controls that flame graph, call tree and profile share: by what is summed up, from which end, compared or not.
#pragma once

#include "gui/view.hpp"

namespace residue::gui {

struct AnalysisBar {
    bool direction = true;            // top-down or bottom-up
    bool search = false;              // the field at the end
    const char* searchStatus = "";    // in it, at the right
    bool focusSearch = false;
};
// At ImGui's cursor, within `width` screen pixels, wrapped where it does not fit; advances the cursor. Returns the
// height.
float DrawAnalysisBar(ViewContext& context, float width, const AnalysisBar& bar);

// The keys of what it holds: Y the next measure (Shift: the one before), B the other end, C compared. True: taken.
bool HandleAnalysisKey(ViewContext& context, const KeyPress& press);

// A line: what is shown, as of when, what the filter hides, that it is being worked on. Advances the cursor.
void DrawAnswerLine(ViewContext& context, float width, const session::Reply<session::ProfileAnswer>& reply);

// Where there is nothing to draw yet: says so. True: it did.
bool DrawNoAnswer(ViewContext& context, ImVec2 size, const session::Reply<session::ProfileAnswer>& reply);

}  // namespace residue::gui
