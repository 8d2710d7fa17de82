// Places controls side by side, on a new line where one does not fit.
//
//   Flow flow(context, width);                       // at ImGui's cursor
//   flow.Place(120), Button(context, "##a", ...);    // screen pixels
//   flow.End();                                      // advances the cursor below all of them
#pragma once

#include "gui/view.hpp"

namespace residue::gui {

class Flow {
public:
    Flow(const ViewContext& context, float width)
        : at_(ImGui::GetCursorScreenPos()), width_(width), gap_(context.Px(8)), row_(context.Px(24)),
          right_(at_.x + width - context.Px(kPad)), x_(at_.x + context.Px(kPad)), y_(at_.y + gap_), first_(x_) {}

    void Place(float width) {
        if (x_ > first_ && x_ + width > right_) x_ = first_, y_ += row_ + gap_;
        ImGui::SetCursorScreenPos({x_, y_});
        x_ += width + gap_;
    }
    float Left() const { return right_ - x_; }  // in this line
    float Whole() const { return right_ - first_; }
    float Height() const { return y_ + row_ + gap_ - at_.y; }
    void End() const {
        ImGui::SetCursorScreenPos(at_);
        ImGui::Dummy({width_, Height()});
    }

private:
    ImVec2 at_;
    float width_, gap_, row_, right_, x_, y_, first_;
};

}  // namespace residue::gui
