#include "gui/views/leaks.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr std::uint64_t kLargeHeap = 50000;  // live blocks: while playing, the list is then not remade each frame

constexpr Column kColumns[] = {
    {"site", 110, Align::Left, "The innermost frame of the call trace that made them", 0, true, true},
    {"first", 72, Align::Right, "The oldest of these blocks", 1, false, true},
    {"blocks", 64, Align::Right, "Live blocks of this call trace", 0, false, true},
    {"bytes", 84, Align::Right, "Live bytes of this call trace, as requested", 0, false, true},
};
enum : std::size_t { kSite, kFirst, kBlocks, kBytes };

class LeaksView final : public View {
public:
    const char* Title() const override { return "Leaks"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawSummary(ViewContext& context, float width);
    bool TakeFiltered(ViewContext& context);

    std::vector<analysis::Leak> leaks_;
    Position asOf_{};
    const session::Session* session_ = nullptr;
    std::shared_ptr<const session::ProfileAnswer> answer_;  // where there is a filter: what the rows were made of
};

// With a filter the rows are those of the profile: the session's own list knows none. True: there is a filter.
bool LeaksView::TakeFiltered(ViewContext& context) {
    if (!context.session->Analyst().Filter().Any()) {
        answer_.reset();
        return false;
    }
    const auto& reply = context.analysis->Ask(*context.session);
    if (reply.value == answer_ || reply.value == nullptr) return true;
    answer_ = reply.value;
    asOf_ = answer_->profile.to;
    leaks_.clear();
    for (const analysis::SiteFigures& site :
         analysis::TopSites(answer_->profile, analysis::SiteMeasure::LiveBytes, answer_->profile.sites.size())) {
        analysis::Leak leak;
        leak.trace = site.trace;
        leak.bytes = site.liveBytes;
        leak.blocks = site.liveBlocks;
        leaks_.push_back(leak);
    }
    return true;
}

// A block that is live before the end is no leak: the words say which it is.
void LeaksView::DrawSummary(ViewContext& context, float width) {
    const session::Session& session = *context.session;
    std::uint64_t bytes = 0, blocks = 0;
    for (const analysis::Leak& leak : leaks_) bytes += leak.bytes, blocks += leak.blocks;
    const bool end = asOf_ == session.End() && !session.IsLive();
    const std::string amount =
        analysis::FormatBytes(bytes) + " in " + analysis::FormatCount(blocks) + (blocks == 1 ? " block" : " blocks");
    const std::string title = end ? "Unfreed at the end: " + amount : "Live now: " + amount;
    const std::string note = end ? "Nobody gave these blocks back."
                                 : "At event " + analysis::FormatCount(asOf_.value) + " of " +
                                       analysis::FormatCount(session.End().value) +
                                       ". They may still be freed; press End for what never is.";
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad);
    float y = at.y + context.Px(10);
    const Rect line{{at.x + pad, y}, {at.x + width - pad, y + context.fonts->labelBold->FontSize + 4}};
    DrawTextIn(draw, context.fonts->labelBold, line, end ? context.theme->warn : context.theme->text, title);
    y = line.max.y + context.Px(2);
    y += DrawWrapped(draw, context.fonts->label, {at.x + pad, y}, width - 2 * pad, context.theme->dim, note);
    ImGui::Dummy({width, y - at.y + context.Px(8)});
}

void LeaksView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconDrop, "No leaks to show", "Open a trace with Ctrl+O, or start the sandbox.");
        return;
    }
    session::Session& session = *context.session;
    const bool same = session_ == &session;
    const bool filtered = TakeFiltered(context);
    const bool late = same && session.Playing() && session.Heap().Sum().blocks > kLargeHeap && !leaks_.empty();
    if (!filtered && !late && (session.Settled() || !same)) {
        leaks_ = session.PresentLeaks();
        asOf_ = session.Now();
    }
    session_ = &session;
    if (leaks_.empty() && filtered) {
        EmptyState(context, size, kIconDrop, answer_ == nullptr ? "Working…" : "Nothing that is live passes the filter",
                   "The chip above says what the filter hides; its cross clears it.");
        return;
    }
    if (leaks_.empty()) {
        const bool end = session.Now() == session.End() && !session.IsLive();
        EmptyState(context, size, end ? kIconCheck : kIconDrop,
                   end ? "Nothing leaks" : "Nothing is live at this position",
                   end ? UncertainNote(session).value_or("Every block was freed before the end.")
                       : "What is live at the end is what leaks: press End.");
        return;
    }
    const ScrollArea area("##leaks", size);
    const float width = area.Width(), height = context.Px(kRowHeight);
    DrawSummary(context, width);
    if (const auto note = TracesFullNote(session)) DrawNote(context, width, *note);
    if (const auto note = UncertainNote(session)) DrawNote(context, width, *note);
    const Columns columns(context, kColumns, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    const log::LogView& log = session.View();
    const Theme& theme = *context.theme;
    const BlockColour colours(theme, ColourMode::Site, log, session.Now());
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(std::min<std::size_t>(leaks_.size(), 1000000)), height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const analysis::Leak& leak = leaks_[static_cast<std::size_t>(i)];
            const ImVec2 at = ImGui::GetCursorScreenPos();
            ImGui::PushID(i);
            const bool selected = leak.trace && context.selection->trace == leak.trace;
            bool hovered = false;
            const bool clicked = ListRow(context, "##leak", width, height, selected, &hovered);
            ImGui::PopID();
            const std::string site = leak.trace ? SiteName(log, leak.trace) : std::string("no call trace");
            const Rect cell = columns.Cell(kSite, at.y, height);
            const float side = context.Px(8), middle = std::floor(at.y + (height - side) / 2);
            ImDrawList* draw = ImGui::GetWindowDrawList();
            draw->AddRectFilled({cell.min.x, middle}, {cell.min.x + side, middle + side}, colours.OfTrace(leak.trace),
                                context.Px(2));
            DrawTextIn(draw, context.fonts->mono, {{cell.min.x + side + context.Px(6), cell.min.y}, cell.max},
                       leak.trace ? theme.text : theme.dim, ShortFunction(site));
            if (leak.first)
                columns.Text(context, kFirst, at.y, height, theme.dim, "#" + analysis::FormatCount(leak.first.value));
            columns.Text(context, kBlocks, at.y, height, theme.text, analysis::FormatCount(leak.blocks));
            columns.Text(context, kBytes, at.y, height, theme.text, analysis::FormatBytes(leak.bytes));
            if (hovered) {
                if (leak.trace) context.selection->HoverTrace(leak.trace);
                std::string tip = site + "\n" + analysis::FormatBytesExact(leak.bytes) + " in " +
                                  analysis::FormatCount(leak.blocks) + " blocks" +
                                  (leak.first ? ", the first is #" + analysis::FormatCount(leak.first.value) : "");
                int frames = 0;
                for (const symbols::Frame& frame : log.Frames(leak.trace)) {
                    if (++frames > 12) break;
                    tip += "\n  " + ShortFunction(frame.function, 3);
                    if (const std::string place = PlaceOf(frame); !place.empty()) tip += "  " + place;
                }
                TooltipNow(context, tip);
            }
            if (clicked) {
                context.selection->trace = selected || !leak.trace ? std::nullopt : std::optional(leak.trace);
                if (leak.first) context.selection->block = leak.first;
            }
        }
    }
}

}  // namespace

std::unique_ptr<View> MakeLeaksView() {
    return std::make_unique<LeaksView>();
}

}  // namespace residue::gui
