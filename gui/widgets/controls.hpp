// Controls in our own look: buttons, choices, sliders, fields, tooltips. Each takes the context and an id that is
// unique within its window, and is reached by the keyboard through the key that its tooltip names.
//
// Layout: each control is placed with ImGui's cursor (SetCursorScreenPos before, SameLine after), and advances it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gui/view.hpp"
#include "gui/widgets/icons.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

// Shown while the item drawn last is hovered: `text`, and `key` in a key cap behind it ("Space", "Ctrl+O"; empty:
// none). Several lines: separated by '\n'.
void Tooltip(const ViewContext& context, std::string_view text, std::string_view key = {});
// The same, now, at the mouse (for hand-drawn things that were hit-tested by hand).
void TooltipNow(const ViewContext& context, std::string_view text, std::string_view key = {});

enum class ButtonKind { Plain, Active, Primary, Danger, Ghost };  // Ghost: no frame until hovered

// A button 24 px high; `width` 0: as wide as its text. `enabled` false: dim, never pressed.
bool Button(const ViewContext& context, const char* id, std::string_view label, ButtonKind kind = ButtonKind::Plain,
            float width = 0, bool enabled = true);
bool IconButton(const ViewContext& context, const char* id, const Icon& icon, ButtonKind kind = ButtonKind::Plain,
                bool enabled = true);
// Buttons side by side, one of which is chosen; true when `chosen` changed.
bool Segmented(const ViewContext& context, const char* id, const char* const* labels, int count, int& chosen);
// Horizontal, `value` 0..1; true while dragged.
bool Slider(const ViewContext& context, const char* id, float& value, float width);
bool Checkbox(const ViewContext& context, const char* id, std::string_view label, bool& value);
// A drop-down: the text of the chosen one and a caret; true when `chosen` changed.
bool Choice(const ViewContext& context, const char* id, const std::vector<std::string>& labels, int& chosen,
            float width);
// One line of text; true when Enter was pressed. `hint` is shown while it is empty. Escape leaves it and puts back what
// stood there before; a `live` one, whose text holds as it is typed, keeps it.
bool TextField(const ViewContext& context, const char* id, std::string& text, const char* hint, float width,
               bool live = false);

}  // namespace residue::gui
