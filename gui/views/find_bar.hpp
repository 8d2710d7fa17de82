// Run until: a condition, and its next or previous event. Also the jumps to what happened to one address, or at one
// call site, before and after the present event.
#pragma once

#include <optional>
#include <string>

#include "gui/view.hpp"

namespace residue::gui {

class FindBar {
public:
    bool IsOpen() const { return open_; }
    void Open() { open_ = focus_ = true; }
    void Close() { open_ = false; }
    bool Looking() const { return looking_; }
    // At ImGui's cursor; nothing where it is not open. Returns the height.
    float Draw(ViewContext& context, float width);
    // The last condition again; says so where there is none.
    void Again(ViewContext& context, bool forward);
    // Once a frame: takes what was found, and tells.
    void Look(ViewContext& context);

private:
    void Start(ViewContext& context, bool forward);

    std::string text_, note_;  // what went wrong, below the field
    bool open_ = false, focus_ = false, looking_ = false;
};

// The block that keys are about: the selected one, else the present event's.
std::optional<BlockId> BlockHere(const ViewContext& context);
// The next (or previous) event at the address of the block that is shown or selected, or of the present event.
void FindSameAddress(ViewContext& context, bool forward);
// The next (or previous) event whose call trace has the function that asked for that block.
void FindSameSite(ViewContext& context, bool forward);
// Of a certain block.
void FindAddressOf(ViewContext& context, BlockId block, bool forward);
void FindSiteOf(ViewContext& context, BlockId block, bool forward);

}  // namespace residue::gui
