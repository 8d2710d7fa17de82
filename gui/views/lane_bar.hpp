// Over the heap, where lanes are raced or forked: which allocator to add, and the jumps to where they part. And the
// line above each lane's heap.
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

// The figures of one lane, at its position: name, heap, utilisation, holes, search, failures. `lane`: its session;
// `index` of the lanes, or -1 for the first one, which cannot be taken away. Returns the height.
float DrawLaneTitle(ViewContext& context, session::Session& lane, int index, const Rect& rect);
// The bound of all lanes: a heap that is compacted all the time holds the live bytes and nothing else.
float DrawBoundTitle(ViewContext& context, const Rect& rect);

}  // namespace residue::gui
