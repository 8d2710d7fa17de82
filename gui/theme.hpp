// Colours, fonts and spacing: everything the window looks like, in one place. Views never name a colour themselves.
//
//   const Theme& theme = *context.theme;
//   draw->AddRectFilled(a, b, theme.raised, context.Px(kRadius));
//   context.Px(2 * kGrid)                       // eight pixels at content scale 1
//
// Cost: plain structs. Fonts are made once per content scale.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "imgui.h"

namespace residue::gui {

// Unscaled pixels; ViewContext::Px() scales them.
inline constexpr float kGrid = 4;
inline constexpr float kRadius = 6;
inline constexpr float kSmallRadius = 4;
inline constexpr float kLine = 1;
inline constexpr float kGap = 8;           // between panels
inline constexpr float kPad = 12;          // inside panels
inline constexpr float kTitleHeight = 30;  // of a panel
inline constexpr float kRowHeight = 22;    // of a table or a list of key and value

struct Theme {
    bool dark = true;
    ImU32 window, panel, raised, line;  // surfaces, from back to front
    ImU32 text, dim, faint;             // faint: not for text that must be read (hatch, disabled, axis lines)
    ImU32 accent, warn, error, good, duck;
    ImU32 onFill;                   // text on accent, duck and category colours
    ImU32 hatch;                    // lines over free space
    ImU32 header, padding, slack;   // parts of a block besides its payload
    ImU32 live, heap;               // the timeline's areas
    ImU32 rowHover, rowSelected;    // lists and tables
    ImU32 errorBack, warnBack;      // behind a failure's text, behind a warning's
    ImU32 duckBubble, duckText;     // the duck's bubble and the text in it (`duck` is the duck itself)
    std::array<ImU32, 7> category;  // Okabe-Ito without black, in an order that keeps neighbours apart

    ImU32 Category(std::size_t index) const { return category[index % category.size()]; }
};

const Theme& DarkTheme();
const Theme& LightTheme();

// `t` 0..1 (clamped), viridis. Always lighter upwards.
ImU32 Viridis(float t);
// Text that can be read on `fill` (dark or light, whichever has more contrast).
ImU32 TextOn(ImU32 fill);
// Opaque mix, `t` of b.
ImU32 Mix(ImU32 a, ImU32 b, float t);
// The same colour with this alpha, 0..1.
ImU32 WithAlpha(ImU32 colour, float alpha);
// WCAG 2 contrast ratio of two opaque colours, 1..21.
double Contrast(ImU32 a, ImU32 b);

// How blocks are coloured in the heap panel.
enum class ColourMode : std::uint8_t { Size, Age, Site, Lifetime, Allocator };
inline constexpr ColourMode kColourModes[] = {ColourMode::Size, ColourMode::Age, ColourMode::Site, ColourMode::Lifetime,
                                              ColourMode::Allocator};
const char* Name(ColourMode mode);  // "size", "age", ...

// Never null after LoadFonts. Numbers and code are set in a mono font, all else in a label font. Icons (icons.hpp) are
// merged into label, labelBold and large.
struct Fonts {
    ImFont* label = nullptr;       // Inter 14
    ImFont* labelBold = nullptr;   // Inter SemiBold 14
    ImFont* labelSmall = nullptr;  // Inter 12
    ImFont* large = nullptr;       // Inter 16
    ImFont* mono = nullptr;        // JetBrains Mono 13
    ImFont* monoBold = nullptr;    // JetBrains Mono Bold 13
    ImFont* monoSmall = nullptr;   // JetBrains Mono 11
    ImFont* number = nullptr;      // JetBrains Mono 17, for the numbers strip
    bool haveIcons = false;        // false: Icon() writes plain characters
    float scale = 1;
};

// Fills ImGui's font atlas through fontconfig; where a family is missing, the next best one and at last ImGui's own.
Fonts LoadFonts(float scale);

// ImGui's own widgets (input fields, scroll bars, pop-ups) in our colours.
void ApplyStyle(const Theme& theme, float scale);

}  // namespace residue::gui
