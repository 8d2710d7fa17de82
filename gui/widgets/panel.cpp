#include "gui/widgets/panel.hpp"

#include <algorithm>
#include <cmath>

#include "gui/widgets/controls.hpp"

namespace residue::gui {

void SectionTitle(const ViewContext& context, std::string_view title, std::string_view status) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float height = context.Px(kTitleHeight);
    const float pad = context.Px(kPad);
    const float line = std::max(1.0f, context.Px(kLine));
    draw->AddRectFilled(at, {at.x + width, at.y + line}, theme.line);
    draw->AddRectFilled({at.x, at.y + height - line}, {at.x + width, at.y + height}, theme.line);
    const float used = DrawTextIn(draw, context.fonts->labelBold,
                                  {{at.x + pad, at.y}, {at.x + width - pad, at.y + height}}, theme.text, title);
    DrawTextIn(draw, context.fonts->label, {{at.x + pad + used + pad, at.y}, {at.x + width - pad, at.y + height}},
               theme.dim, status, Align::Right);
    ImGui::Dummy({width, height});
}

bool KeyValue(const ViewContext& context, std::string_view key, std::string_view value, std::string_view tooltip,
              ImU32 valueColour) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float height = context.Px(kRowHeight);
    const float pad = context.Px(kPad);
    const Rect row{{at.x + pad, at.y}, {at.x + width - pad, at.y + height}};
    const float used = DrawTextIn(draw, context.fonts->mono, row, theme.dim, key);
    DrawTextIn(draw, context.fonts->mono, {{row.min.x + used + pad, row.min.y}, row.max},
               valueColour != 0 ? valueColour : theme.text, value, Align::Right);
    ImGui::Dummy({width, height});
    const bool hovered = ImGui::IsItemHovered();
    if (!tooltip.empty()) Tooltip(context, tooltip);
    return hovered;
}

void EmptyState(const ViewContext& context, ImVec2 size, const Icon& icon, std::string_view title,
                std::string_view how) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = std::min(size.x - 2 * context.Px(kPad), context.Px(340));
    if (width <= 0) return;
    const float gap = context.Px(8);
    // Narrow lines read better; measure first, then centre the whole.
    const auto lines = [&](bool paint, float top) {
        float y = top;
        const auto centred = [&](const ImFont* font, ImU32 colour, std::string_view text) {
            for (const std::string_view line : WrapWords(font, text, width)) {
                if (paint) DrawText(draw, font, {at.x + (size.x - TextWidth(font, line)) / 2, y}, colour, line);
                y += std::floor(font->FontSize * 1.3f);
            }
        };
        centred(fonts.large, theme.faint, icon.Text(fonts));
        y += gap;
        centred(fonts.labelBold, theme.text, title);
        y += gap / 2;
        centred(fonts.label, theme.dim, how);
        return y - top;
    };
    const float height = lines(false, 0);
    lines(true, at.y + std::max(gap, (size.y - height) * 0.45f));
}

void Hatch(ImDrawList* draw, Rect box, ImU32 colour, float spacing) {
    if (box.Width() <= 0 || box.Height() <= 0 || spacing < 2) return;
    // Lines x + y = k * spacing in screen space: they keep their place whatever the box.
    const float first = std::ceil((box.min.x + box.min.y) / spacing) * spacing;
    const float last = box.max.x + box.max.y;
    for (float sum = first; sum < last; sum += spacing) {
        const float x0 = std::max(box.min.x, sum - box.max.y);
        const float x1 = std::min(box.max.x, sum - box.min.y);
        if (x1 > x0) draw->AddLine({x0, sum - x0}, {x1, sum - x1}, colour);
    }
}

void DashedRect(ImDrawList* draw, Rect box, ImU32 colour, float dash, float thickness) {
    dash = std::max(dash, 2.0f);
    for (float x = box.min.x; x < box.max.x; x += 2 * dash) {
        const float end = std::min(x + dash, box.max.x);
        draw->AddRectFilled({x, box.min.y}, {end, box.min.y + thickness}, colour);
        draw->AddRectFilled({x, box.max.y - thickness}, {end, box.max.y}, colour);
    }
    for (float y = box.min.y; y < box.max.y; y += 2 * dash) {
        const float end = std::min(y + dash, box.max.y);
        draw->AddRectFilled({box.min.x, y}, {box.min.x + thickness, end}, colour);
        draw->AddRectFilled({box.max.x - thickness, y}, {box.max.x, end}, colour);
    }
}

bool ListRow(const ViewContext& context, const char* id, float width, float height, bool selected, bool* hovered) {
    const Theme& theme = *context.theme;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool clicked = ImGui::InvisibleButton(id, {std::max(width, 1.0f), std::max(height, 1.0f)});
    const bool over = ImGui::IsItemHovered();
    if (hovered != nullptr) *hovered = over;
    if (selected || over) {
        ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + width, at.y + height},
                                                  selected ? theme.rowSelected : theme.rowHover);
    }
    if (selected) {  // not by colour alone: a bar at the left
        ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + context.Px(2), at.y + height}, theme.accent);
    }
    return clicked;
}

void DrawFill(const ViewContext& context, std::string_view name, double fill, float width, std::string_view tooltip) {
    const Theme& theme = *context.theme;
    const float share = static_cast<float>(std::clamp(fill, 0.0, 1.0));
    const ImVec2 row = ImGui::GetCursorScreenPos();
    const float height = context.Px(kRowHeight), pad = context.Px(kPad);
    const Rect line{{row.x + pad, row.y}, {row.x + width - pad, row.y + height}};
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float used = DrawTextIn(draw, context.fonts->mono, line, theme.dim, name);
    const std::string percent = std::to_string(static_cast<int>(std::lround(share * 100))) + " %";
    const float figure = TextWidth(context.fonts->mono, "100 %");
    DrawTextIn(draw, context.fonts->mono, line, share > 0.9f ? theme.warn : theme.text, percent, Align::Right);
    const float left = line.min.x + used + pad, right = line.max.x - figure - pad;
    if (right > left) {
        const float middle = std::floor(row.y + height / 2), half = context.Px(3);
        draw->AddRectFilled({left, middle - half}, {right, middle + half}, theme.raised, context.Px(2));
        draw->AddRectFilled({left, middle - half}, {left + std::floor((right - left) * share), middle + half},
                            share > 0.9f ? theme.warn : theme.live, context.Px(2));
    }
    ImGui::Dummy({width, height});
    if (ImGui::IsItemHovered()) Tooltip(context, tooltip);
}

}  // namespace residue::gui
