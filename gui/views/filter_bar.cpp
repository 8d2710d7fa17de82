#include "gui/views/filter_bar.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/nest_text.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/flow.hpp"
#include "model/heap_model.hpp"

namespace residue::gui {
namespace {

constexpr std::size_t kMostAllocators = 200;  // in the list

}  // namespace

void FilterBar::Clear(session::Session& session) {
    fields_ = {};
    session.Analyst().SetFilter({});
}

void FilterBar::Set(session::Session& session, FilterFields::Field field, const std::string& text) {
    Adopt(session);
    fields_.texts[field] = text;
    if (const auto parsed = fields_.Parse()) session.Analyst().SetFilter(*parsed);
}

bool FilterBar::NextField(bool backward) {
    constexpr int kFields = static_cast<int>(FilterFields::Count);
    if (!open_ || active_ < 0) return false;
    focus_ = (active_ + (backward ? kFields - 1 : 1)) % kFields;
    return true;
}

// The fields belong to one session; another begins without a filter.
void FilterBar::Adopt(session::Session& session) {
    if (session_ == &session) return;
    session_ = &session;
    fields_ = {};
}

bool FilterBar::DrawField(ViewContext& context, FilterFields::Field field, const char* id, const char* hint,
                          const char* help, float width) {
    std::string before = fields_.texts[field];
    if (focus_ == static_cast<int>(field)) {
        ImGui::SetKeyboardFocusHere();
        focus_ = -1;
    }
    TextField(context, id, fields_.texts[field], hint, width, true);
    if (fields_.Wrong() == field) {
        ImGui::GetWindowDrawList()->AddRect(ImGui::GetItemRectMin(), ImGui::GetItemRectMax(), context.theme->error,
                                            context.Px(kSmallRadius));
    }
    if (ImGui::IsItemActive()) active_ = static_cast<int>(field);
    Tooltip(context, help);
    return before != fields_.texts[field];
}

float FilterBar::DrawFields(ViewContext& context, float width) {
    session::Session& session = *context.session;
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    bool changed = false;
    active_ = -1;
    ImGui::PushID("filter");
    Flow flow(context, width);
    // In a narrow panel two fields share a line.
    const float half = std::floor((flow.Whole() - context.Px(8)) / 2);
    const float field = flow.Whole() < context.Px(420) ? half : context.Px(112);
    flow.Place(field);
    changed |= DrawField(context, FilterFields::Size, "##size", "size", "Bytes asked for: 64, 1K-4K, 1K-, < 4K", field);
    flow.Place(field);
    changed |=
        DrawField(context, FilterFields::Life, "##life", "lifetime",
                  "Events from birth to death: 10-200, 1000-, < 50.\nWhat is never freed lives to the end.", field);
    const float site = flow.Whole() < context.Px(420) ? flow.Whole() - context.Px(84) : context.Px(150);
    flow.Place(site);
    changed |= DrawField(context, FilterFields::Site, "##site", "site",
                         "Part of a function's or file's name, anywhere in the call trace", site);
    flow.Place(context.Px(76));
    changed |= DrawField(context, FilterFields::Thread, "##thread", "thread", "The number of the thread that asked",
                         context.Px(76));
    const auto& allocators = session.Heap().Allocators();
    if (allocators.size() > 1) {
        std::vector<std::string> labels{"any allocator"};
        std::vector<AllocatorId> ids{AllocatorId{}};
        int chosen = 0;
        for (const auto& state : allocators) {
            if (labels.size() > kMostAllocators) break;
            if (fields_.allocator == state.id) chosen = static_cast<int>(labels.size());
            labels.push_back(NameOf(session.Heap(), state.id));
            ids.push_back(state.id);
        }
        const float choice = std::min(context.Px(150), flow.Whole());
        flow.Place(choice);
        if (Choice(context, "##allocator", labels, chosen, choice)) {
            fields_.allocator = chosen == 0 ? std::nullopt : std::optional(ids[static_cast<std::size_t>(chosen)]);
            changed = true;
        }
        Tooltip(context, "Whose blocks");
    }
    const auto& range = session.Analyst().Range() ? session.Analyst().Range() : context.selection->range;
    if (range || fields_.born) {
        const char* label = session.Analyst().Range() ? "born in the range" : "born in the stretch shown";
        flow.Place(context.Px(30) + TextWidth(context.fonts->label, label));
        bool born = fields_.born.has_value();
        if (Checkbox(context, "##born", label, born)) {
            fields_.born = born && range ? range : std::nullopt;
            changed = true;
        }
        Tooltip(context,
                "Only blocks that were born between the ends of the kept range, or of what the timeline shows");
    }
    const float clear = TextWidth(context.fonts->label, "clear") + 2 * context.Px(12);
    flow.Place(clear + context.Px(4 + 30));
    const ImVec2 last = ImGui::GetCursorScreenPos();
    if (Button(context, "##clear", "clear", ButtonKind::Plain, 0, fields_.Any())) Clear(session);
    Tooltip(context, "Show everything again");
    ImGui::SetCursorScreenPos({last.x + clear + context.Px(4), last.y});
    if (IconButton(context, "##close", kIconError, ButtonKind::Ghost)) open_ = false;
    Tooltip(context, "Close the fields; the filter stays", "Ctrl+F");
    flow.End();
    float height = flow.Height();
    const auto parsed = fields_.Parse();
    if (changed && parsed) session.Analyst().SetFilter(*parsed);
    std::string text;
    ImU32 ink = theme.dim;
    if (!parsed) {
        text = parsed.error().where + ": " + parsed.error().what + " (expected " + parsed.error().expected + ")";
        ink = theme.error;
    } else if (parsed->Any()) {
        const auto& reply = context.analysis->Ask(session);
        text = analysis::Describe(*parsed) +
               (reply.value && reply.fresh ? " — " + DescribeHidden(reply.value->profile) : " — working…");
    } else {
        text = "Nothing is hidden. What is entered here counts in every panel.";
    }
    const float line = context.Px(18), pad = context.Px(kPad);
    DrawTextIn(draw, context.fonts->labelSmall,
               {{origin.x + pad, origin.y + height - context.Px(4)},
                {origin.x + width - pad, origin.y + height + line - context.Px(4)}},
               ink, text);
    height += line;
    ImGui::SetCursorScreenPos(origin);
    ImGui::Dummy({width, height});
    ImGui::PopID();
    return height;
}

float FilterBar::DrawChip(ViewContext& context, float width, const char* id) {
    session::Session& session = *context.session;
    const analysis::BlockFilter& filter = session.Analyst().Filter();
    if (!filter.Any()) return 0;
    const Theme& theme = *context.theme;
    const ImFont* font = context.fonts->labelSmall;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const auto& reply = context.analysis->Ask(session);
    const std::string what = analysis::Describe(filter);
    const std::string hides =
        reply.value && reply.fresh ? DescribeHidden(reply.value->profile) : std::string("working…");
    const std::string text = what + " — " + hides;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), height = context.Px(22), above = context.Px(6), cross = context.Px(22);
    const float room = width - 2 * pad;
    const float wide = std::min(room, TextWidth(font, text) + context.Px(14) + cross);
    const Rect chip{{at.x + pad, at.y + above}, {at.x + pad + wide, at.y + above + height}};
    draw->AddRectFilled(chip.min, chip.max, theme.warnBack, height / 2);
    draw->AddRect(chip.min, chip.max, theme.warn, height / 2);
    DrawTextIn(draw, font, {{chip.min.x + context.Px(10), chip.min.y}, {chip.max.x - cross, chip.max.y}}, theme.text,
               text);
    ImGui::PushID(id);
    ImGui::SetCursorScreenPos(chip.min);
    if (ImGui::InvisibleButton("chip", {std::max(wide - cross, 1.0f), height})) Open();
    Tooltip(context, text + "\nClick to change it.", "Ctrl+F");
    ImGui::SetCursorScreenPos({chip.max.x - cross, chip.min.y});
    const bool cleared = ImGui::InvisibleButton("clear", {cross, height});
    const bool over = ImGui::IsItemHovered();
    Tooltip(context, "Clear the filter", "Ctrl+Shift+F");
    ImGui::PopID();
    DrawTextIn(draw, context.fonts->label, {{chip.max.x - cross, chip.min.y}, {chip.max.x - context.Px(2), chip.max.y}},
               over ? theme.text : theme.dim, kIconError.Text(*context.fonts), Align::Centre);
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({width, height + 2 * above});
    if (cleared) Clear(session);
    return height + 2 * above;
}

float FilterBar::Draw(ViewContext& context, float width) {
    if (!context.Ready()) return 0;
    Adopt(*context.session);
    return open_ ? DrawFields(context, width) : DrawChip(context, width, "centre");
}

}  // namespace residue::gui
