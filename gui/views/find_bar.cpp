#include "gui/views/find_bar.hpp"

#include <algorithm>
#include <utility>

#include "analysis/find.hpp"
#include "analysis/format.hpp"
#include "analysis/site_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/flow.hpp"

namespace residue::gui {
namespace {

constexpr const char* kHint = "live >= 1M · size >= 4096 · address 0x7f12 · site parse · block 17 · error";

void StartFind(ViewContext& context, analysis::Condition condition, bool forward) {
    context.session->Play(false);
    context.session->FollowEnd(false);
    context.session->Analyst().Find(std::move(condition), forward);
}

}  // namespace

std::optional<BlockId> BlockHere(const ViewContext& context) {
    const log::LogView& log = context.session->View();
    if (const auto block = context.selection->block; block && *block && block->value <= log.Blocks()) return block;
    if (const auto row = context.session->PresentRow(); row && row->value < log.Rows().value) {
        if (const BlockId block = log.At(*row).block) return block;
    }
    return std::nullopt;
}

void FindAddressOf(ViewContext& context, BlockId block, bool forward) {
    analysis::Condition condition;
    condition.of = analysis::Condition::Of::Address;
    condition.number = context.session->View().Birth(block).event.address;
    StartFind(context, condition, forward);
}

void FindSiteOf(ViewContext& context, BlockId block, bool forward) {
    const log::LogView& log = context.session->View();
    const TraceId trace = log.Birth(block).event.trace;
    if (!trace) {
        context.commands->Notice("No call trace was recorded with this block.");
        return;
    }
    analysis::Condition condition;
    condition.of = analysis::Condition::Of::Site;
    condition.text = analysis::SiteName(log, trace);
    StartFind(context, condition, forward);
}

void FindSameAddress(ViewContext& context, bool forward) {
    if (const auto block = BlockHere(context))
        FindAddressOf(context, *block, forward);
    else
        context.commands->Notice("Select a block first: then this goes to what else happened at its address.");
}

void FindSameSite(ViewContext& context, bool forward) {
    if (const auto block = BlockHere(context))
        FindSiteOf(context, *block, forward);
    else
        context.commands->Notice("Select a block first: then this goes to what else its call site did.");
}

void FindBar::Start(ViewContext& context, bool forward) {
    const auto condition = analysis::ParseCondition(text_);
    if (!condition) {
        note_ = condition.error().Text();
        return;
    }
    note_.clear();
    StartFind(context, *condition, forward);
}

void FindBar::Again(ViewContext& context, bool forward) {
    const auto& last = context.session->Analyst().LastCondition();
    if (!last) {
        Open();
        return;
    }
    StartFind(context, *last, forward);
}

void FindBar::Look(ViewContext& context) {
    if (context.session == nullptr) return;
    session::Session& session = *context.session;
    const auto found = session.Analyst().Look();
    looking_ = found == session::Analyst::Found::Looking;
    if (looking_) note_.clear();
    if (found == session::Analyst::Found::Nowhere && session.Analyst().LastCondition()) {
        note_ = "Nowhere else in that direction: " + analysis::Describe(*session.Analyst().LastCondition());
        if (!open_) context.commands->Notice(note_);
    }
    if (found != session::Analyst::Found::There) return;
    note_.clear();
    const log::LogView& log = session.View();
    const std::uint64_t rows = log.RowsAt(session.Now()).value;
    if (rows == 0) return;
    if (const BlockId block = log.At(Row{rows - 1}).block) context.selection->block = block;
}

float FindBar::Draw(ViewContext& context, float width) {
    if (!open_ || !context.Ready()) return 0;
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImGui::PushID("find");
    Flow flow(context, width);
    const float label = TextWidth(context.fonts->label, "run until");
    const float buttons = 2 * context.Px(30) + context.Px(30) + 4 * context.Px(8);
    flow.Place(label);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    DrawTextIn(draw, context.fonts->label, {at, {at.x + label + 1, at.y + context.Px(24)}}, theme.dim, "run until");
    const float field = std::max(context.Px(80), std::min(context.Px(520), flow.Left() - buttons));
    flow.Place(field);
    if (std::exchange(focus_, false)) ImGui::SetKeyboardFocusHere();
    const bool entered = TextField(context, "##condition", text_, kHint, field, true);
    Tooltip(context,
            std::string("Goes to the next event at which this holds:\n") + kHint + "\nShift+Enter looks backward.",
            "U");
    flow.Place(context.Px(30));
    if (IconButton(context, "##back", kIconBack, ButtonKind::Plain, !text_.empty())) Start(context, false);
    Tooltip(context, "The one before", "Ctrl+Shift+U");
    flow.Place(context.Px(30));
    if (IconButton(context, "##onward", kIconForward, ButtonKind::Plain, !text_.empty())) Start(context, true);
    Tooltip(context, "The next one", "Ctrl+U");
    if (entered) Start(context, !ImGui::GetIO().KeyShift);
    flow.Place(context.Px(30));
    if (IconButton(context, "##close", kIconError, ButtonKind::Ghost)) open_ = false;
    Tooltip(context, "Close", "Esc");
    flow.End();
    float height = flow.Height();
    const std::string note = looking_ ? "looking…" : note_;
    if (!note.empty()) {
        const float line = context.Px(18), pad = context.Px(kPad), y = origin.y + height - context.Px(4);
        DrawTextIn(draw, context.fonts->labelSmall, {{origin.x + pad, y}, {origin.x + width - pad, y + line}},
                   looking_ ? theme.accent : theme.error, note);
        height += line;
    }
    ImGui::SetCursorScreenPos(origin);
    ImGui::Dummy({width, height});
    ImGui::PopID();
    return height;
}

}  // namespace residue::gui
