// Inside: the allocator as it is under the playhead, found by re-execution: what the present call decided, step by
// step, and the free structure in its own order and shape.
#pragma once

#include <memory>
#include <string>

#include "gui/view.hpp"

namespace residue::gui {

std::unique_ptr<View> MakeInsideView();

// One decision as a sentence's beginning and, apart, its size ("too small", "208 B"), and the colour that it has
// everywhere.
struct DecisionText {
    std::string what;
    std::string bytes;
    ImU32 colour = 0;
};
DecisionText Describe(const Theme& theme, const alloc::Decision& decision);

// The sub-steps of the present call; true: there was one to go to, false: the call's end was passed (forward) or its
// beginning (back), and the position should move.
bool StepDecision(InsideLook& look, bool forward);

}  // namespace residue::gui
