// The tour at the first start: a few notes beside the panels they speak of. It never blocks: everything stays usable.
#pragma once

#include <cstddef>

#include "gui/view.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

// Where the panels are, in screen pixels; empty: not shown.
struct PanelRects {
    Rect transport, left, story, heap, numbers, right, timeline;
};

class Tour {
public:
    void Start() {
        step_ = 0;
        running_ = true;
    }
    void End() { running_ = false; }
    bool Running() const { return running_; }
    // Enter: next. Escape: end. True: taken.
    bool HandleKey(const KeyPress& press);
    void Draw(ViewContext& context, ImVec2 screen, const PanelRects& panels);

private:
    void Next();
    bool running_ = false;
    std::size_t step_ = 0;
};

}  // namespace residue::gui
