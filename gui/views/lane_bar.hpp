// Over the heap, where lanes are raced or forked: which allocator to add, and the jumps to where they part.
#pragma once

#include <string>

#include "gui/view.hpp"
#include "gui/widgets/text.hpp"
#include "session/lanes.hpp"

namespace residue::gui {

class LaneBar {
public:
    bool IsOpen() const { return open_; }
    void Open() { open_ = true; }
    void Close() { open_ = false; }
    // At ImGui's cursor; nothing where it is not open. Returns the height.
    float Draw(ViewContext& context, session::Lanes& lanes, float width);

private:
    void DrawJumps(ViewContext& context, session::Lanes& lanes, class Flow& flow);

    bool open_ = false;
    int allocator_ = 2;  // of the registry
    std::string capacity_, note_;
};

}  // namespace residue::gui
