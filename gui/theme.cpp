#include "gui/theme.hpp"

#include <algorithm>
#include <cmath>

namespace residue::gui {
namespace {

constexpr ImU32 Rgb(std::uint32_t rgb) {
    return IM_COL32((rgb >> 16) & 0xFF, (rgb >> 8) & 0xFF, rgb & 0xFF, 0xFF);
}

// Okabe & Ito, "Color Universal Design" (2008), without black; sky blue first, as it is the most frequent.
constexpr std::array<ImU32, 7> kOkabeIto = {Rgb(0x56B4E9), Rgb(0xE69F00), Rgb(0x009E73), Rgb(0xCC79A7),
                                            Rgb(0xF0E442), Rgb(0xD55E00), Rgb(0x0072B2)};

Theme MakeDark() {
    Theme t;
    t.dark = true;
    t.window = Rgb(0x0F131A);
    t.panel = Rgb(0x161B24);
    t.raised = Rgb(0x1E2530);
    t.line = Rgb(0x2A3342);
    t.text = Rgb(0xD8DFEA);
    t.dim = Rgb(0x8390A3);
    t.faint = Rgb(0x465266);
    t.accent = Rgb(0x4CC2FF);
    t.warn = Rgb(0xFFB454);
    t.error = Rgb(0xFF5C57);
    t.good = Rgb(0x7BD88F);
    t.duck = Rgb(0xFFD866);
    t.onFill = Rgb(0x0B1016);
    t.hatch = Rgb(0x262E3B);
    t.header = Rgb(0x3B475A);
    t.padding = Rgb(0x4E3F1E);
    t.slack = Rgb(0x1E3A4D);
    t.live = Rgb(0x56B4E9);
    t.heap = Rgb(0x222B3A);
    t.rowHover = Rgb(0x1E2530);
    t.rowSelected = Rgb(0x1F3450);
    t.errorBack = Rgb(0x2E191D);
    t.warnBack = Rgb(0x2B2418);
    t.duckBubble = Rgb(0xFFD866);
    t.duckText = Rgb(0x1C1A10);
    t.category = kOkabeIto;
    return t;
}

Theme MakeLight() {
    Theme t;
    t.dark = false;
    t.window = Rgb(0xE4E9F0);
    t.panel = Rgb(0xFBFCFE);
    t.raised = Rgb(0xEDF1F6);
    t.line = Rgb(0xC6CFDB);
    t.text = Rgb(0x1B2430);
    t.dim = Rgb(0x556274);
    t.faint = Rgb(0xA5B0BF);
    t.accent = Rgb(0x0069A6);
    t.warn = Rgb(0x935400);
    t.error = Rgb(0xC32A25);
    t.good = Rgb(0x23752F);
    t.duck = Rgb(0x7A5C00);
    t.onFill = Rgb(0xFFFFFF);
    t.hatch = Rgb(0xDDE3EB);
    t.header = Rgb(0x9AA8BA);
    t.padding = Rgb(0xD9C38C);
    t.slack = Rgb(0xB4D3E4);
    t.live = Rgb(0x3D9BD3);
    t.heap = Rgb(0xE6EBF2);
    t.rowHover = Rgb(0xEDF1F6);
    t.rowSelected = Rgb(0xD0E6F7);
    t.errorBack = Rgb(0xFCE9E8);
    t.warnBack = Rgb(0xFBF1DF);
    t.duckBubble = Rgb(0xFFD866);
    t.duckText = Rgb(0x1C1A10);
    t.category = kOkabeIto;
    return t;
}

double Channel(ImU32 colour, int shift) {
    const double c = static_cast<double>((colour >> shift) & 0xFF) / 255.0;
    return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

double Luminance(ImU32 colour) {
    return 0.2126 * Channel(colour, IM_COL32_R_SHIFT) + 0.7152 * Channel(colour, IM_COL32_G_SHIFT) +
           0.0722 * Channel(colour, IM_COL32_B_SHIFT);
}

ImVec4 ToFloat(ImU32 colour) {
    return ImGui::ColorConvertU32ToFloat4(colour);
}

}  // namespace

const Theme& DarkTheme() {
    static const Theme theme = MakeDark();
    return theme;
}

const Theme& LightTheme() {
    static const Theme theme = MakeLight();
    return theme;
}

ImU32 Viridis(float t) {
    // matplotlib's viridis at nine even steps; linear between them (off by less than 2 of 255).
    static constexpr ImU32 kSteps[] = {Rgb(0x440154), Rgb(0x472D7B), Rgb(0x3B528B), Rgb(0x2C728E), Rgb(0x21918C),
                                       Rgb(0x28AE80), Rgb(0x5EC962), Rgb(0xADDC30), Rgb(0xFDE725)};
    constexpr int kLast = static_cast<int>(std::size(kSteps)) - 1;
    if (!(t > 0)) return kSteps[0];
    if (t >= 1) return kSteps[kLast];
    const float scaled = t * static_cast<float>(kLast);
    const int index = std::min(static_cast<int>(scaled), kLast - 1);
    return Mix(kSteps[index], kSteps[index + 1], scaled - static_cast<float>(index));
}

ImU32 Mix(ImU32 a, ImU32 b, float t) {
    const auto channel = [&](int shift) {
        const float from = static_cast<float>((a >> shift) & 0xFF);
        const float to = static_cast<float>((b >> shift) & 0xFF);
        return static_cast<ImU32>(from + (to - from) * std::clamp(t, 0.0f, 1.0f) + 0.5f) << shift;
    };
    return channel(0) | channel(8) | channel(16) | channel(24);
}

ImU32 WithAlpha(ImU32 colour, float alpha) {
    const auto a = static_cast<ImU32>(std::clamp(alpha, 0.0f, 1.0f) * 255.0f + 0.5f);
    return (colour & ~static_cast<ImU32>(IM_COL32_A_MASK)) | (a << IM_COL32_A_SHIFT);
}

double Contrast(ImU32 a, ImU32 b) {
    const double high = std::max(Luminance(a), Luminance(b));
    const double low = std::min(Luminance(a), Luminance(b));
    return (high + 0.05) / (low + 0.05);
}

ImU32 TextOn(ImU32 fill) {
    // Of black and white one always has 4.58 and more.
    constexpr double kTextContrast = 4.5;
    constexpr ImU32 kBlack = Rgb(0x000000), kWhite = Rgb(0xFFFFFF);
    constexpr ImU32 kInk = Rgb(0x0B1016);
    constexpr ImU32 kPaper = Rgb(0xF7F9FC);
    const bool dark = Contrast(fill, kInk) >= Contrast(fill, kPaper);
    if (std::max(Contrast(fill, kInk), Contrast(fill, kPaper)) >= kTextContrast) return dark ? kInk : kPaper;
    return Contrast(fill, kBlack) >= Contrast(fill, kWhite) ? kBlack : kWhite;
}

const char* Name(ColourMode mode) {
    switch (mode) {
        case ColourMode::Size: return "size";
        case ColourMode::Age: return "age";
        case ColourMode::Site: return "site";
        case ColourMode::Lifetime: return "lifetime";
        case ColourMode::Allocator: return "allocator";
    }
    return "";
}

void ApplyStyle(const Theme& theme, float scale) {
    ImGuiStyle style;  // from ImGui's defaults every time, so that scaling does not add up
    style.WindowPadding = {0, 0};
    style.FramePadding = {8, 4};
    style.ItemSpacing = {8, 4};
    style.ItemInnerSpacing = {6, 4};
    style.WindowRounding = kRadius;
    style.ChildRounding = kRadius;
    style.FrameRounding = kSmallRadius;
    style.PopupRounding = kRadius;
    style.ScrollbarRounding = kRadius;
    style.GrabRounding = kSmallRadius;
    style.WindowBorderSize = 0;
    style.ChildBorderSize = 0;
    style.PopupBorderSize = 1;
    style.FrameBorderSize = 0;
    style.ScrollbarSize = 10;
    style.GrabMinSize = 24;
    style.ScaleAllSizes(scale);
    style.AntiAliasedLinesUseTex = true;

    ImVec4* colours = style.Colors;
    colours[ImGuiCol_Text] = ToFloat(theme.text);
    colours[ImGuiCol_TextDisabled] = ToFloat(theme.dim);
    colours[ImGuiCol_WindowBg] = ToFloat(theme.window);
    colours[ImGuiCol_ChildBg] = ToFloat(WithAlpha(theme.panel, 0));
    colours[ImGuiCol_PopupBg] = ToFloat(theme.raised);
    colours[ImGuiCol_Border] = ToFloat(theme.line);
    colours[ImGuiCol_FrameBg] = ToFloat(theme.window);
    colours[ImGuiCol_FrameBgHovered] = ToFloat(theme.raised);
    colours[ImGuiCol_FrameBgActive] = ToFloat(theme.raised);
    colours[ImGuiCol_ScrollbarBg] = ToFloat(WithAlpha(theme.panel, 0));
    colours[ImGuiCol_ScrollbarGrab] = ToFloat(theme.line);
    colours[ImGuiCol_ScrollbarGrabHovered] = ToFloat(theme.faint);
    colours[ImGuiCol_ScrollbarGrabActive] = ToFloat(theme.dim);
    colours[ImGuiCol_CheckMark] = ToFloat(theme.accent);
    colours[ImGuiCol_SliderGrab] = ToFloat(theme.accent);
    colours[ImGuiCol_SliderGrabActive] = ToFloat(theme.accent);
    colours[ImGuiCol_Button] = ToFloat(theme.raised);
    colours[ImGuiCol_ButtonHovered] = ToFloat(theme.line);
    colours[ImGuiCol_ButtonActive] = ToFloat(theme.line);
    colours[ImGuiCol_Header] = ToFloat(theme.rowSelected);
    colours[ImGuiCol_HeaderHovered] = ToFloat(theme.rowHover);
    colours[ImGuiCol_HeaderActive] = ToFloat(theme.rowSelected);
    colours[ImGuiCol_Separator] = ToFloat(theme.line);
    colours[ImGuiCol_TableHeaderBg] = ToFloat(theme.raised);
    colours[ImGuiCol_TableBorderStrong] = ToFloat(theme.line);
    colours[ImGuiCol_TableBorderLight] = ToFloat(theme.line);
    colours[ImGuiCol_TableRowBg] = ToFloat(WithAlpha(theme.panel, 0));
    colours[ImGuiCol_TableRowBgAlt] = ToFloat(WithAlpha(theme.raised, 0.35f));
    colours[ImGuiCol_TextSelectedBg] = ToFloat(WithAlpha(theme.accent, 0.35f));
    colours[ImGuiCol_NavHighlight] = ToFloat(theme.accent);
    colours[ImGuiCol_ModalWindowDimBg] = ToFloat(WithAlpha(IM_COL32(0, 0, 0, 255), 0.45f));
    ImGui::GetStyle() = style;
}

}  // namespace residue::gui
