// Inside of panels: section titles, rows of key and value, empty states, hatching.
#pragma once

#include <string_view>

#include "gui/view.hpp"
#include "gui/widgets/icons.hpp"
#include "gui/widgets/text.hpp"

namespace residue::gui {

// A title across the panel with lines above and below ("Call trace"); `status` at its right. Advances the cursor.
void SectionTitle(const ViewContext& context, std::string_view title, std::string_view status = {});

// One row: the key dim at the left, the value in mono at the right; `tooltip` on hover. Advances the cursor. Returns
// true when hovered.
bool KeyValue(const ViewContext& context, std::string_view key, std::string_view value, std::string_view tooltip = {},
              ImU32 valueColour = 0);

// A line with a bar: how full something is, 0..1; above .9 it warns. Advances the cursor.
void DrawFill(const ViewContext& context, std::string_view name, double fill, float width, std::string_view tooltip);

// What a panel with nothing to show says: what would fill it and how. Centred in `size` at the cursor.
void EmptyState(const ViewContext& context, ImVec2 size, const Icon& icon, std::string_view title,
                std::string_view how);

// Thin diagonal lines, clipped to the box; `spacing` screen pixels across. Lines keep their place on the screen when
// the box changes, so neighbours join. Cost: one line per `spacing` of the box's width + height.
void Hatch(ImDrawList* draw, Rect box, ImU32 colour, float spacing);

// A dashed frame, for ghosts and wanted sizes.
void DashedRect(ImDrawList* draw, Rect box, ImU32 colour, float dash, float thickness = 1);

// A row in a list: hover and selection background across `width`, full-row hit test. Returns true when clicked.
// `hovered` may be null.
bool ListRow(const ViewContext& context, const char* id, float width, float height, bool selected,
             bool* hovered = nullptr);

}  // namespace residue::gui
