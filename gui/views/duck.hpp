// The duck: the program's voice, in the free corner of the timeline. It says one sentence about the event under the
// playhead when asked (D), comments on errors by itself, and yells its own line when a Residue allocator has ended.
// It covers nothing and takes no input. Silent: it speaks only when asked.
#pragma once

#include <optional>
#include <string>

#include "gui/view.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

class DuckView {
public:
    // Unscaled pixels that it needs at the right of a panel of this width; 0: it does not show there.
    static float Corner(float panelWidth, float panelHeight);

    void Ask(ViewContext& context);  // speaks about the present event, or stops speaking
    bool Silent() const { return silent_; }
    void SetSilent(bool silent) { silent_ = silent; }
    // True for as long as it hops in (the app goes on drawing frames).
    bool Moving(const ViewContext& context) const;

    // `box`: its corner. Looks at the session for errors and for the end of a Residue allocator.
    void Draw(ViewContext& context, const Rect& box);

private:
    std::string Sentence(ViewContext& context, bool asked) const;
    bool Yells(ViewContext& context) const;

    bool silent_ = false;
    std::optional<Position> askedAt_;
    double yellSince_ = -1;  // time when it began to hop in; < 0: it does not yell
};

// One plain sentence for the event that led to the present position.
std::string DescribeEvent(session::Session& session);

}  // namespace residue::gui
