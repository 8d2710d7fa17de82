#include "gui/widgets/controls.hpp"

#include "gui/widgets/panel.hpp"

#include <algorithm>
#include <cmath>

#if __has_include("imgui_stdlib.h")
#include "imgui_stdlib.h"
#else
#include "misc/cpp/imgui_stdlib.h"
#endif

namespace residue::gui {
namespace {

constexpr float kControlHeight = 24;

ImDrawList* Draw() {
    return ImGui::GetWindowDrawList();
}

Rect LastItem() {
    return {ImGui::GetItemRectMin(), ImGui::GetItemRectMax()};
}

struct ButtonLook {
    ImU32 fill, border, text;
};

ButtonLook LookOf(const Theme& theme, ButtonKind kind, bool hovered, bool held, bool enabled) {
    ButtonLook look{theme.raised, theme.line, theme.text};
    switch (kind) {
        case ButtonKind::Plain: break;
        case ButtonKind::Active:
        case ButtonKind::Primary: look = {theme.accent, theme.accent, theme.onFill}; break;
        case ButtonKind::Danger: look = {theme.raised, theme.error, theme.error}; break;
        case ButtonKind::Ghost: look = {0, 0, theme.dim}; break;
    }
    if (!enabled) {  // all kinds alike: nothing here asks for attention
        look = kind == ButtonKind::Ghost ? ButtonLook{0, 0, theme.faint}
                                         : ButtonLook{theme.panel, theme.line, theme.faint};
        return look;
    }
    if (hovered) {
        look.fill = kind == ButtonKind::Ghost ? theme.raised : Mix(look.fill, theme.text, held ? 0.2f : 0.1f);
        if (kind == ButtonKind::Ghost) look.text = theme.text;
        if (kind == ButtonKind::Plain) look.border = theme.faint;
    }
    return look;
}

bool AnyButton(const ViewContext& context, const char* id, std::string_view text, const ImFont* font, ButtonKind kind,
               float width, bool enabled) {
    const ImVec2 size{std::max(width, 1.0f), context.Px(kControlHeight)};
    const bool pressed = ImGui::InvisibleButton(id, size);
    const Rect box = LastItem();
    const ButtonLook look = LookOf(*context.theme, kind, ImGui::IsItemHovered(), ImGui::IsItemActive(), enabled);
    const float radius = context.Px(kSmallRadius);
    if ((look.fill & IM_COL32_A_MASK) != 0) Draw()->AddRectFilled(box.min, box.max, look.fill, radius);
    if ((look.border & IM_COL32_A_MASK) != 0) Draw()->AddRect(box.min, box.max, look.border, radius);
    DrawTextIn(Draw(), font, box, look.text, text, Align::Centre);
    return pressed && enabled;
}

void TooltipBody(const ViewContext& context, std::string_view text, std::string_view key) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {context.Px(10), context.Px(7)});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, context.Px(kSmallRadius));
    ImGui::BeginTooltip();
    const float capPad = context.Px(5);
    std::vector<std::string_view> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    // Lines that are too long for the screen are wrapped by width.
    const float limit = std::min(context.Px(420), ImGui::GetIO().DisplaySize.x * 0.6f);
    float width = 0;
    for (const auto line : lines) width = std::max(width, std::min(limit, TextWidth(fonts.label, line)));
    const float capWidth = key.empty() ? 0 : TextWidth(fonts.monoSmall, key) + 2 * capPad;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float capLine = key.empty() ? 0 : capWidth + context.Px(10);
    const bool capInLine = lines.size() == 1 && width + capLine <= limit + context.Px(80);
    float y = at.y;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty()) {
            y += std::floor(fonts.label->FontSize * 0.5f);
            continue;
        }
        y += DrawWrapped(Draw(), fonts.label, {at.x, y}, limit + 1, i == 0 ? theme.text : theme.dim, lines[i], 1.2f);
    }
    float totalWidth = width;
    if (!key.empty()) {
        const float height = fonts.monoSmall->FontSize + context.Px(2);
        const ImVec2 cap = capInLine ? ImVec2{at.x + width + context.Px(10), at.y} : ImVec2{at.x, y + context.Px(3)};
        Draw()->AddRectFilled(cap, {cap.x + capWidth, cap.y + height}, theme.panel, context.Px(3));
        Draw()->AddRect(cap, {cap.x + capWidth, cap.y + height}, theme.line, context.Px(3));
        DrawTextIn(Draw(), fonts.monoSmall, {cap, {cap.x + capWidth, cap.y + height}}, theme.dim, key, Align::Centre);
        totalWidth = std::max(totalWidth, cap.x + capWidth - at.x);
        y = std::max(y, cap.y + height);
    }
    ImGui::Dummy({totalWidth, y - at.y});
    ImGui::EndTooltip();
    ImGui::PopStyleVar(2);
}

}  // namespace

void Tooltip(const ViewContext& context, std::string_view text, std::string_view key) {
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled) && !ImGui::IsItemActive()) {
        TooltipBody(context, text, key);
    }
}

void TooltipNow(const ViewContext& context, std::string_view text, std::string_view key) {
    TooltipBody(context, text, key);
}

bool Button(const ViewContext& context, const char* id, std::string_view label, ButtonKind kind, float width,
            bool enabled) {
    const ImFont* font = context.fonts->label;
    if (width <= 0) width = TextWidth(font, label) + 2 * context.Px(12);
    return AnyButton(context, id, label, font, kind, width, enabled);
}

bool IconButton(const ViewContext& context, const char* id, const Icon& icon, ButtonKind kind, bool enabled) {
    return AnyButton(context, id, icon.Text(*context.fonts), context.fonts->label, kind, context.Px(30), enabled);
}

bool Segmented(const ViewContext& context, const char* id, const char* const* labels, int count, int& chosen) {
    ImGui::PushID(id);
    bool changed = false;
    for (int i = 0; i < count; ++i) {
        if (i > 0) ImGui::SameLine(0, context.Px(4));
        ImGui::PushID(i);
        const float width = TextWidth(context.fonts->label, labels[i]) + 2 * context.Px(10);
        if (Button(context, "segment", labels[i], i == chosen ? ButtonKind::Active : ButtonKind::Plain, width) &&
            chosen != i) {
            chosen = i;
            changed = true;
        }
        ImGui::PopID();
    }
    ImGui::PopID();
    return changed;
}

bool Slider(const ViewContext& context, const char* id, float& value, float width) {
    const Theme& theme = *context.theme;
    ImGui::InvisibleButton(id, {std::max(width, 1.0f), context.Px(kControlHeight)});
    const Rect box = LastItem();
    const float knob = context.Px(6);
    const float left = box.min.x + knob, right = std::max(left + 1, box.max.x - knob);
    bool changed = false;
    if (ImGui::IsItemActive()) {
        const float wanted = std::clamp((ImGui::GetIO().MousePos.x - left) / (right - left), 0.0f, 1.0f);
        changed = wanted != value;
        value = wanted;
    }
    const float y = std::floor((box.min.y + box.max.y) / 2);
    const float x = left + std::clamp(value, 0.0f, 1.0f) * (right - left);
    const float half = std::max(1.0f, context.Px(1.5f));
    Draw()->AddRectFilled({left, y - half}, {right, y + half}, theme.line, half);
    Draw()->AddRectFilled({left, y - half}, {x, y + half}, theme.accent, half);
    const bool lit = ImGui::IsItemHovered() || ImGui::IsItemActive();
    Draw()->AddCircleFilled({x, y}, lit ? knob + context.Px(1) : knob, theme.text, 24);
    return changed;
}

bool Checkbox(const ViewContext& context, const char* id, std::string_view label, bool& value) {
    const Theme& theme = *context.theme;
    const float side = context.Px(16);
    const float gap = context.Px(8);
    const float width = side + gap + TextWidth(context.fonts->label, label);
    const bool pressed = ImGui::InvisibleButton(id, {width, context.Px(kControlHeight)});
    const Rect box = LastItem();
    const float top = std::floor((box.min.y + box.max.y - side) / 2);
    const ImVec2 a{box.min.x, top}, b{box.min.x + side, top + side};
    if (pressed) value = !value;
    Draw()->AddRectFilled(a, b, value ? theme.accent : theme.window, context.Px(3));
    Draw()->AddRect(a, b, value ? theme.accent : (ImGui::IsItemHovered() ? theme.dim : theme.line), context.Px(3));
    if (value) {  // a tick of two lines
        const ImVec2 tick[] = {{a.x + side * 0.22f, a.y + side * 0.52f},
                               {a.x + side * 0.43f, a.y + side * 0.73f},
                               {a.x + side * 0.80f, a.y + side * 0.28f}};
        Draw()->AddPolyline(tick, 3, theme.onFill, 0, context.Px(2));
    }
    DrawTextIn(Draw(), context.fonts->label, {{b.x + gap, box.min.y}, {box.max.x + 1, box.max.y}}, theme.text, label);
    return pressed;
}

bool Choice(const ViewContext& context, const char* id, const std::vector<std::string>& labels, int& chosen,
            float width) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImGui::PushID(id);
    const bool pressed = ImGui::InvisibleButton("field", {std::max(width, 1.0f), context.Px(kControlHeight)});
    const Rect box = LastItem();
    const float pad = context.Px(8);
    Draw()->AddRectFilled(box.min, box.max, theme.raised, context.Px(kSmallRadius));
    Draw()->AddRect(box.min, box.max, ImGui::IsItemHovered() ? theme.faint : theme.line, context.Px(kSmallRadius));
    const bool valid = chosen >= 0 && chosen < static_cast<int>(labels.size());
    DrawTextIn(Draw(), fonts.label, {{box.min.x + pad, box.min.y}, {box.max.x - 2.5f * pad, box.max.y}}, theme.text,
               valid ? std::string_view(labels[static_cast<std::size_t>(chosen)]) : std::string_view("none"));
    DrawTextIn(Draw(), fonts.label, {{box.max.x - 2.5f * pad, box.min.y}, {box.max.x - pad, box.max.y}}, theme.dim,
               kIconCaretDown.Text(fonts), Align::Right);
    if (pressed) ImGui::OpenPopup("list");
    bool changed = false;
    ImGui::SetNextWindowPos({box.min.x, box.max.y + context.Px(4)});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, context.Px(4)});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    if (ImGui::BeginPopup("list", ImGuiWindowFlags_NoMove)) {
        const float row = context.Px(kRowHeight + 2);
        float widest = box.Width();
        for (const auto& label : labels) widest = std::max(widest, TextWidth(fonts.label, label) + 2 * pad);
        for (std::size_t i = 0; i < labels.size(); ++i) {
            ImGui::PushID(static_cast<int>(i));
            const ImVec2 at = ImGui::GetCursorScreenPos();
            if (ListRow(context, "row", widest, row, static_cast<int>(i) == chosen)) {
                changed = chosen != static_cast<int>(i);
                chosen = static_cast<int>(i);
                ImGui::CloseCurrentPopup();
            }
            DrawTextIn(Draw(), fonts.label, {{at.x + pad, at.y}, {at.x + widest - pad, at.y + row}}, theme.text,
                       labels[i]);
            ImGui::PopID();
        }
        ImGui::EndPopup();
    }
    ImGui::PopStyleVar(2);
    // The popup took the place of the last item; hand the field back to SameLine and Tooltip.
    ImGui::SetCursorScreenPos(box.min);
    ImGui::Dummy({box.Width(), box.Height()});
    ImGui::PopID();
    return changed;
}

bool TextField(const ViewContext& context, const char* id, std::string& text, const char* hint, float width,
               bool live) {
    const std::string typed = live ? text : std::string();
    const Theme& theme = *context.theme;
    const ImFont& font = *context.fonts->label;
    const float padY = std::max(0.0f, std::floor((context.Px(kControlHeight) - font.FontSize) / 2));
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {context.Px(8), padY});
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 1);
    ImGui::PushStyleColor(ImGuiCol_FrameBg, theme.window);
    ImGui::SetNextItemWidth(std::max(width, 1.0f));
    const bool entered = ImGui::InputTextWithHint(id, hint, &text, ImGuiInputTextFlags_EnterReturnsTrue);
    if (live && ImGui::IsItemDeactivated()) text = typed;  // nothing else changes it in the frame that it is left
    ImGui::PopStyleColor();
    ImGui::PopStyleVar(2);
    if (ImGui::IsItemActive()) {
        Draw()->AddRect(ImGui::GetItemRectMin(), ImGui::GetItemRectMax(), theme.accent, context.Px(kSmallRadius));
    }
    return entered;
}

}  // namespace residue::gui
