// What can be done with a block, from a click with the right button: where it began and ended, what else happened at
// its address, its site in the flame graph, only blocks like it, its address to paste elsewhere.
#pragma once

#include "gui/view.hpp"

namespace residue::gui {

class BlockMenu {
public:
    void Open(BlockId block) { block_ = block, opening_ = true; }
    // Once a frame, in the window that opened it. A choice or a click elsewhere closes it.
    void Draw(ViewContext& context);

private:
    BlockId block_{};
    bool opening_ = false;
};

// The node of the block's call trace, selected and large, in the flame graph.
void ShowSiteOf(ViewContext& context, BlockId block);

}  // namespace residue::gui
