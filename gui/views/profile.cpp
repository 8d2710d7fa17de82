#include "gui/views/profile.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/analysis_bar.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/comparison.hpp"
#include "gui/views/histogram.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::FormatBytes;
using analysis::FormatBytesExact;
using analysis::FormatCount;

constexpr std::size_t kMostSites = 100;

constexpr Column kColumns[] = {
    {"site", 120, Align::Left, "The function that called the allocator", 0, true, true},
    {"share", 56, Align::Right, "Of all", 1, false, true},
    {"value", 84, Align::Right, "By the measure above", 0, false, true},
};
enum : std::size_t { kSite, kShare, kValue };

class ProfileView final : public View {
public:
    const char* Title() const override { return "Profile"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawTotals(ViewContext& context, const analysis::Profile& profile, bool range);
    void DrawSites(ViewContext& context, float width);
    analysis::SiteMeasure Measure() const { return answer_->flame.measure; }

    std::shared_ptr<const session::ProfileAnswer> answer_;
    std::vector<analysis::SiteFigures> top_;
};

void ProfileView::DrawTotals(ViewContext& context, const analysis::Profile& profile, bool range) {
    const analysis::SiteFigures& total = profile.total;
    const float room =
        ImGui::GetContentRegionAvail().x - context.Px(3 * kPad) - TextWidth(context.fonts->mono, "at the peak");
    const auto row = [&](const char* key, std::uint64_t bytes, std::uint64_t blocks, const std::string& help) {
        const std::string both = FormatBytes(bytes) + " in " + FormatCount(blocks);
        const bool fits = TextWidth(context.fonts->mono, both) <= room;  // else the tooltip says how many
        KeyValue(context, key, fits ? both : FormatBytes(bytes),
                 FormatBytesExact(bytes) + " in " + FormatCount(blocks) + (blocks == 1 ? " block" : " blocks") + "\n" +
                     help);
    };
    ImGui::Dummy({0, context.Px(4)});
    row("allocated", total.allocatedBytes, total.allocations, "Asked for in the range, freed or not.");
    row("freed", total.freedBytes, total.frees, "Blocks that ended in the range, whenever they were asked for.");
    row("live", total.liveBytes, total.liveBlocks, "Alive at event " + FormatCount(profile.to.value) + ".");
    row("at the peak", total.peakBytes, total.peakBlocks,
        "Alive at event " + FormatCount(profile.peak.value) + ", where live bytes were highest.");
    row("leaked", total.leakedBytes, total.leakedBlocks, "Alive at the end of the range, and never freed in this log.");
    const std::string share =
        FormatShare(static_cast<std::int64_t>(total.temporary), static_cast<std::int64_t>(total.allocations));
    KeyValue(context, "temporary", FormatCount(total.temporary) + (share.empty() ? "" : ", " + share),
             "Allocations that were freed before their thread's next request: work for nothing, often.");
    if (range) {
        const std::int64_t grown =
            static_cast<std::int64_t>(total.liveBytes) - static_cast<std::int64_t>(total.earlierBytes);
        KeyValue(context, "grown", (grown > 0 ? "+" : "") + FormatValue(analysis::SiteMeasure::GrownBytes, grown),
                 "Live bytes at the range's end less those at its beginning:\n" + FormatBytesExact(total.liveBytes) +
                     " less " + FormatBytesExact(total.earlierBytes),
                 grown > 0 ? context.theme->warn : 0);
    }
    ImGui::Dummy({0, context.Px(8)});
}

void ProfileView::DrawSites(ViewContext& context, float width) {
    const Theme& theme = *context.theme;
    const analysis::SiteMeasure measure = Measure();
    SectionTitle(context, "Top sites", std::string("by ") + analysis::InfoOf(measure).label);
    if (top_.empty()) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        DrawText(ImGui::GetWindowDrawList(), context.fonts->label, {at.x + context.Px(kPad), at.y + context.Px(8)},
                 theme.dim, "none");
        ImGui::Dummy({width, context.Px(30)});
        return;
    }
    const Columns columns(context, kColumns, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    const log::LogView& log = context.session->View();
    const BlockColour colours(theme, ColourMode::Site, log, context.session->Now());
    const float height = context.Px(kRowHeight);
    const std::int64_t all = analysis::Value(answer_->profile.total, measure);
    for (std::size_t i = 0; i < top_.size(); ++i) {
        const analysis::SiteFigures& site = top_[i];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImGui::PushID(static_cast<int>(i));
        const bool selected = site.trace && context.selection->trace == site.trace;
        bool hovered = false;
        const bool clicked = ListRow(context, "##site", width, height, selected, &hovered);
        ImGui::PopID();
        const std::string name = site.trace ? SiteName(log, site.trace) : std::string("no call trace");
        const Rect cell = columns.Cell(kSite, at.y, height);
        const float side = context.Px(8), middle = std::floor(at.y + (height - side) / 2);
        ImGui::GetWindowDrawList()->AddRectFilled({cell.min.x, middle}, {cell.min.x + side, middle + side},
                                                  colours.OfTrace(site.trace), context.Px(2));
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->mono,
                   {{cell.min.x + side + context.Px(6), cell.min.y}, cell.max}, site.trace ? theme.text : theme.dim,
                   ShortFunction(name));
        const std::int64_t value = analysis::Value(site, measure);
        columns.Text(context, kShare, at.y, height, theme.dim, FormatShare(value, all));
        columns.Text(context, kValue, at.y, height, theme.text, FormatValue(measure, value));
        if (hovered) {
            if (site.trace) context.selection->HoverTrace(site.trace);
            std::string tip = name + "\n" + FormatExact(measure, value) + ", " + analysis::InfoOf(measure).label +
                              "\nallocated " + FormatBytesExact(site.allocatedBytes) + " in " +
                              FormatCount(site.allocations) + ", live " + FormatBytesExact(site.liveBytes) + " in " +
                              FormatCount(site.liveBlocks) + ", " + FormatCount(site.temporary) + " temporary";
            int frames = 0;
            for (const symbols::Frame& frame : log.Frames(site.trace)) {
                if (++frames > 10) break;
                const std::string place = PlaceOf(frame);
                tip += "\n  " + ShortFunction(frame.function, 3) + (place.empty() ? "" : "  " + place);
            }
            TooltipNow(context, tip);
        }
        if (clicked) context.selection->trace = selected || !site.trace ? std::nullopt : std::optional(site.trace);
    }
}

void ProfileView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconTable, "No profile", "Open a trace with Ctrl+O, or start the sandbox.");
        return;
    }
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const auto& reply = context.analysis->Ask(*context.session);
    if (reply.value != answer_) {
        answer_ = reply.value;
        top_.clear();
        if (answer_) top_ = analysis::TopSites(answer_->profile, Measure(), kMostSites);
    }
    AnalysisBar bar;
    bar.direction = false;
    DrawAnalysisBar(context, size.x, bar);
    DrawAnswerLine(context, size.x, reply);
    const float used = ImGui::GetCursorScreenPos().y - origin.y;
    if (answer_ == nullptr) {
        (void)DrawNoAnswer(context, {size.x, size.y - used}, reply);
        return;
    }
    const ScrollArea area("##profile", {size.x, size.y - used}, true);
    const float width = area.Width();
    if (const auto note = UncertainNote(*context.session)) DrawNote(context, width, *note);
    if (answer_->earlier) {
        DrawComparison(context, width, answer_);
        return;
    }
    const analysis::Profile& profile = answer_->profile;
    DrawTotals(context, profile, profile.from.value > 0 || context.session->Analyst().Range().has_value());
    DrawHistogram(context, width, {"Sizes", "live", profile.liveSizes, true, &profile.allocatedSizes});
    DrawHistogram(context, width, {"Lifetimes", "freed", profile.lifetimes, false});
    DrawSites(context, width);
}

}  // namespace

std::unique_ptr<View> MakeProfileView() {
    return std::make_unique<ProfileView>();
}

}  // namespace residue::gui
