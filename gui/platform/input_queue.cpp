#include "gui/platform/input_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace residue::gui {
namespace {

// Would `next` undo or move what the frame has already seen?
bool MustWait(const std::vector<InputEvent>& frame, const InputEvent& next, bool editing) {
    using Kind = InputEvent::Kind;
    return std::any_of(frame.begin(), frame.end(), [&](const InputEvent& seen) {
        switch (next.kind) {
            case Kind::MouseButton: return seen.kind == Kind::MouseButton && seen.button == next.button;
            case Kind::Modifiers:
            case Kind::MouseMoved: return seen.kind == Kind::MouseButton;
            case Kind::KeyUp: return editing && seen.kind == Kind::KeyDown && seen.key.key == next.key.key;
            default: return false;
        }
    });
}

}  // namespace

std::vector<InputEvent> InputQueue::Take(std::vector<InputEvent> arrived, bool editing) {
    waiting_.insert(waiting_.end(), std::make_move_iterator(arrived.begin()), std::make_move_iterator(arrived.end()));
    std::vector<InputEvent> frame;
    while (!waiting_.empty() && !MustWait(frame, waiting_.front(), editing)) {
        frame.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return frame;
}

}  // namespace residue::gui
