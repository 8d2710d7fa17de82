// Blocks by size or by lifetime, as bars: of one profile, or of two beside each other, with exact figures on hover.
#pragma once

#include "analysis/profile.hpp"
#include "gui/view.hpp"

namespace residue::gui {

struct Histogram {
    const char* title;
    const char* what;  // "live", "freed": of the blocks
    const analysis::Bins& bins;
    bool bytes = true;  // of the keys; else events
    const analysis::Bins* behind = nullptr;  // drawn paler behind it: what was allocated
    const analysis::Bins* before = nullptr;  // or the same of A, beside it; then it is B
};

// With its heading, `width` screen pixels wide, at ImGui's cursor, which it advances.
void DrawHistogram(const ViewContext& context, float width, const Histogram& histogram);

}  // namespace residue::gui
