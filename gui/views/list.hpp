// Tables in panels: columns that give way when the panel is narrow, a header, cells. Hand-drawn on ListRow, so that
// they look like the rest; long tables clip with ImGuiListClipper.
//
//   const Columns columns(context, kColumns, left, width);
//   columns.DrawHeader(context);                         // advances the cursor
//   for each row: ListRow(...); columns.Text(context, 0, y, height, colour, "12");
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gui/view.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

struct Column {
    const char* title = "";
    float width = 0;  // unscaled pixels; of a flexible one: the least
    Align align = Align::Left;
    const char* tooltip = "";
    int priority = 0;       // where there is no room, the columns with the highest go first
    bool flexible = false;  // the last one that is shown takes what is left
    bool mono = true;
};

class Columns {
public:
    // `width` in screen pixels, the padding at both ends included.
    Columns(const ViewContext& context, std::span<const Column> columns, float left, float width);

    bool Shown(std::size_t column) const { return places_[column].max.x > places_[column].min.x; }
    Rect Cell(std::size_t column, float y, float height) const;
    void DrawHeader(const ViewContext& context) const;
    // Draws the text cut to the cell; true when it was cut (so that a tooltip can say it all).
    bool Text(const ViewContext& context, std::size_t column, float y, float height, ImU32 colour,
              std::string_view text) const;
    bool Over(std::size_t column) const;  // the mouse is within the column's width

private:
    std::span<const Column> columns_;
    std::vector<Rect> places_;  // only x is used
    float left_, width_;
};

// A child window that scrolls, for the lifetime of the object.
class ScrollArea {
public:
    // `steady`: the room for the scroll bar is kept free always. For wrapped text: else it may need the bar only
    // because the bar makes it narrower.
    ScrollArea(const char* id, ImVec2 size, bool steady = false);
    ~ScrollArea();
    ScrollArea(const ScrollArea&) = delete;
    ScrollArea& operator=(const ScrollArea&) = delete;
    float Width() const;  // without the scroll bar
};

// "PATH:LINE", the folder left out.
std::string PlaceOf(const symbols::Frame& frame);

}  // namespace residue::gui
