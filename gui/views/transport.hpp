// The bar at the top: transport buttons, speed, step unit, what is open, where in it, the search field.
#pragma once

#include <string>

#include "gui/view.hpp"
#include "gui/views/search.hpp"

namespace residue::gui {

class TransportBar {
public:
    void Draw(ViewContext& context, ImVec2 size);

    // One step of the chosen unit, or of a named one.
    void Step(ViewContext& context, bool forward) { Step(context, forward, unit_); }
    void Step(ViewContext& context, bool forward, session::StepUnit unit);
    void FocusSearch() { focusSearch_ = true; }
    bool Searching() const { return search_.Running(); }
    void StopSearch() { search_.Stop(); }

private:
    float DrawButtons(ViewContext& context, float x, float y);
    float DrawSpeed(ViewContext& context, float x, float y, float width);
    float DrawSearch(ViewContext& context, float right, float y, float width);

    session::StepUnit unit_ = session::StepUnit::Event;
    LogSearch search_;
    std::string searchText_;
    bool focusSearch_ = false;
};

}  // namespace residue::gui
