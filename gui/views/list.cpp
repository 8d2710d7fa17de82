#include "gui/views/list.hpp"

#include <algorithm>
#include <cmath>

#include "gui/widgets/controls.hpp"

namespace residue::gui {

Columns::Columns(const ViewContext& context, std::span<const Column> columns, float left, float width)
    : columns_(columns), places_(columns.size()), left_(left), width_(width) {
    const float pad = context.Px(kPad), gap = context.Px(10);
    std::vector<bool> shown(columns.size(), true);
    const auto used = [&] {
        float sum = 2 * pad - gap;
        for (std::size_t i = 0; i < columns.size(); ++i) sum += shown[i] ? context.Px(columns[i].width) + gap : 0;
        return sum;
    };
    while (used() > width) {
        std::size_t worst = columns.size();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (!shown[i] || columns[i].priority == 0) continue;
            if (worst == columns.size() || columns[i].priority > columns[worst].priority) worst = i;
        }
        if (worst == columns.size()) break;  // what must be there stays, and is cut
        shown[worst] = false;
    }
    const float spare = std::max(0.0f, width - used());
    float x = left + pad;
    std::size_t flexible = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (shown[i] && columns[i].flexible) flexible = i;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!shown[i]) continue;
        float own = context.Px(columns[i].width);
        if (i == flexible) own += spare;
        places_[i] = {{x, 0}, {std::min(x + own, left + width - pad), 0}};
        x += own + gap;
    }
}

Rect Columns::Cell(std::size_t column, float y, float height) const {
    return {{places_[column].min.x, y}, {places_[column].max.x, y + height}};
}

void Columns::DrawHeader(const ViewContext& context) const {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kRowHeight + 2);
    const float y = ImGui::GetCursorScreenPos().y;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (!Shown(i)) continue;
        const Rect cell = Cell(i, y, height);
        DrawTextIn(draw, context.fonts->labelSmall, cell, context.theme->dim, columns_[i].title, columns_[i].align);
        if (columns_[i].tooltip[0] != 0 && cell.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered()) {
            TooltipNow(context, columns_[i].tooltip);
        }
    }
    draw->AddLine({left_, y + height - 1}, {left_ + width_, y + height - 1}, context.theme->line);
    ImGui::Dummy({width_, height});
}

bool Columns::Text(const ViewContext& context, std::size_t column, float y, float height, ImU32 colour,
                   std::string_view text) const {
    if (!Shown(column)) return false;
    const Rect cell = Cell(column, y, height);
    const ImFont* font = columns_[column].mono ? context.fonts->mono : context.fonts->label;
    DrawTextIn(ImGui::GetWindowDrawList(), font, cell, colour, text, columns_[column].align);
    return TextWidth(font, text) > cell.Width();
}

bool Columns::Over(std::size_t column) const {
    const float x = ImGui::GetIO().MousePos.x;
    return Shown(column) && x >= places_[column].min.x && x < places_[column].max.x;
}

ScrollArea::ScrollArea(const char* id, ImVec2 size, bool steady) {
    if (steady) ImGui::SetNextWindowContentSize({std::max(1.0f, size.x - ImGui::GetStyle().ScrollbarSize), 0});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    ImGui::PushStyleColor(ImGuiCol_ChildBg, IM_COL32(0, 0, 0, 0));
    ImGui::BeginChild(id, size);
}

ScrollArea::~ScrollArea() {
    ImGui::EndChild();
    ImGui::PopStyleColor();
    ImGui::PopStyleVar(2);
}

float ScrollArea::Width() const {
    return ImGui::GetContentRegionAvail().x;
}

std::string PlaceOf(const symbols::Frame& frame) {
    if (frame.file.empty()) return {};
    const std::size_t slash = frame.file.rfind('/');
    std::string place = slash == std::string::npos ? frame.file : frame.file.substr(slash + 1);
    if (frame.line != 0) place += ":" + std::to_string(frame.line);
    return place;
}

}  // namespace residue::gui
