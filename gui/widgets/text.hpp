// Text on a draw list: measured, aligned, cut with an ellipsis. All widths are screen pixels.
//
//   float w = TextWidth(fonts.mono, "1,024 B");
//   DrawText(draw, fonts.mono, {x, y}, theme.text, "1,024 B");
//   DrawTextIn(draw, fonts.label, {min, max}, theme.dim, name, Align::Left);   // centred in height, cut to fit
//
// Positions are rounded to whole pixels, so text is sharp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gui/theme.hpp"
#include "imgui.h"

namespace residue::gui {

enum class Align : std::uint8_t { Left, Centre, Right };

struct Rect {
    ImVec2 min, max;
    float Width() const { return max.x - min.x; }
    float Height() const { return max.y - min.y; }
    bool Contains(ImVec2 p) const { return p.x >= min.x && p.y >= min.y && p.x < max.x && p.y < max.y; }
};

float TextWidth(const ImFont* font, std::string_view text);
// The longest beginning that fits `width`, with "…" when it was cut; empty when not even that fits.
std::string Ellipsized(const ImFont* font, std::string_view text, float width);

// Top left at `at`. Returns the width.
float DrawText(ImDrawList* draw, const ImFont* font, ImVec2 at, ImU32 colour, std::string_view text);
// Within `box`: centred in height, aligned, cut with an ellipsis. Returns the width drawn (0: did not fit).
float DrawTextIn(ImDrawList* draw, const ImFont* font, Rect box, ImU32 colour, std::string_view text,
                 Align align = Align::Left);
// The lines of a text that is broken at blanks (and at '\n'), each at most `width` wide where words allow it; a word
// that is wider is broken anywhere. The views point into `text`.
std::vector<std::string_view> WrapWords(const ImFont* font, std::string_view text, float width);
// Wrapped at words from `at`; returns the height. `draw` null: measures only.
float DrawWrapped(ImDrawList* draw, const ImFont* font, ImVec2 at, float width, ImU32 colour, std::string_view text,
                  float lineSpacing = 1.35f);

}  // namespace residue::gui
