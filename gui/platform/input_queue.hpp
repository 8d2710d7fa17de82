// Splits what arrived into frames, so that a slow frame loses nothing: Dear ImGui 1.86 looks at the state of buttons
// once a frame, and a click that began and ended since the last look would never have been. (1.87 and later can do
// this by themselves; then this has nothing left to hold back.)
//
//     const auto events = queue.Take(platform.Poll(queue.Waiting() ? 0 : sleep), io.WantTextInput);
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "gui/platform/input.hpp"

namespace residue::gui {

class InputQueue {
public:
    // The events for this frame, in order; the others wait for the next. Each button changes at most once a frame, and
    // the pointer does not move after a change. `editing`: keys are text, and a key goes up in a later frame than down.
    std::vector<InputEvent> Take(std::vector<InputEvent> arrived, bool editing);
    bool Waiting() const { return !waiting_.empty(); }

private:
    std::deque<InputEvent> waiting_;
};

}  // namespace residue::gui
