// The numbers strip: the figures at the playhead, each with its name; hovering shows its formula with these numbers.
#pragma once

#include <string>

#include "gui/view.hpp"

namespace residue::gui {

class NumbersView final {
public:
    // How high the strip is at this width: one row of cells, or two where they would not fit.
    static float Height(const ViewContext& context, float width);
    void Draw(ViewContext& context, ImVec2 size);
};

}  // namespace residue::gui
