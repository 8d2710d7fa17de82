#include "gui/views/profile.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/analysis_bar.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::Bins;
using analysis::FormatBytes;
using analysis::FormatBytesExact;
using analysis::FormatCount;

constexpr std::size_t kMostSites = 100;
constexpr float kHistogram = 84;  // unscaled, of the bars

constexpr Column kColumns[] = {
    {"site", 120, Align::Left, "The function that called the allocator", 0, true, true},
    {"share", 56, Align::Right, "Of all", 1, false, true},
    {"value", 84, Align::Right, "By the measure above", 0, false, true},
};
enum : std::size_t { kSite, kShare, kValue };

// "16 B … 31 B", and what the axis says below the bin.
std::string SizeRange(std::size_t bin) {
    if (bin == 0) return "0 B";
    const std::uint64_t least = Bins::Least(bin), most = Bins::Most(bin);
    return least == most ? FormatBytes(least) : FormatBytes(least) + " … " + FormatBytes(most);
}
std::string LifeRange(std::size_t bin) {
    const std::uint64_t least = Bins::Least(bin), most = Bins::Most(bin);
    return least == most ? FormatCount(least) + (least == 1 ? " event" : " events")
                         : FormatCount(least) + " … " + FormatCount(most) + " events";
}
// "1K", "64K", "2M": short enough to stand under a bar.
std::string Short(std::uint64_t value, bool bytes) {
    static constexpr const char* kUnits[] = {"", "K", "M", "G", "T", "P", "E"};
    const std::uint64_t step = bytes ? 1024 : 1000;
    std::size_t unit = 0;
    double left = static_cast<double>(value);
    while (left >= static_cast<double>(step) && unit + 1 < std::size(kUnits)) left /= static_cast<double>(step), ++unit;
    return std::to_string(static_cast<std::uint64_t>(left + 0.5)) + kUnits[unit];
}

class ProfileView final : public View {
public:
    const char* Title() const override { return "Profile"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    struct Plot {
        const char* title;
        const char* what;   // "blocks allocated"
        const Bins& bins;
        const Bins* behind;  // drawn paler behind it; null: none
        bool bytes;         // of the keys
    };
    void DrawTotals(ViewContext& context, const analysis::Profile& profile, bool range);
    void DrawHistogram(ViewContext& context, float width, const Plot& plot);
    void DrawSites(ViewContext& context, float width);
    // Compared, sites are told by what they grew between the range's ends.
    analysis::SiteMeasure Measure() const {
        return answer_->flame.compared ? analysis::SiteMeasure::GrownBytes : answer_->flame.measure;
    }

    std::shared_ptr<const session::ProfileAnswer> answer_;
    std::vector<analysis::SiteFigures> top_;
};

void ProfileView::DrawTotals(ViewContext& context, const analysis::Profile& profile, bool range) {
    const analysis::SiteFigures& total = profile.total;
    const float room = ImGui::GetContentRegionAvail().x - context.Px(3 * kPad) - TextWidth(context.fonts->mono, "at the peak");
    const auto row = [&](const char* key, std::uint64_t bytes, std::uint64_t blocks, const std::string& help) {
        const std::string both = FormatBytes(bytes) + " in " + FormatCount(blocks);
        const bool fits = TextWidth(context.fonts->mono, both) <= room;  // else the tooltip says how many
        KeyValue(context, key, fits ? both : FormatBytes(bytes), FormatBytesExact(bytes) + " in " + FormatCount(blocks) + (blocks == 1 ? " block" : " blocks") + "\n" + help);
    };
    ImGui::Dummy({0, context.Px(4)});
    row("allocated", total.allocatedBytes, total.allocations, "Asked for in the range, freed or not.");
    row("freed", total.freedBytes, total.frees, "Blocks that ended in the range, whenever they were asked for.");
    row("live", total.liveBytes, total.liveBlocks, "Alive at event " + FormatCount(profile.to.value) + ".");
    row("at the peak", total.peakBytes, total.peakBlocks, "Alive at event " + FormatCount(profile.peak.value) + ", where live bytes were highest.");
    row("leaked", total.leakedBytes, total.leakedBlocks, "Alive at the end of the range, and never freed in this log.");
    const std::string share = FormatShare(static_cast<std::int64_t>(total.temporary), static_cast<std::int64_t>(total.allocations));
    KeyValue(context, "temporary", FormatCount(total.temporary) + (share.empty() ? "" : ", " + share),
             "Allocations that were freed before their thread's next request: work for nothing, often.");
    if (range) {
        const std::int64_t grown = static_cast<std::int64_t>(total.liveBytes) - static_cast<std::int64_t>(total.earlierBytes);
        KeyValue(context, "grown", (grown > 0 ? "+" : "") + FormatValue(analysis::SiteMeasure::GrownBytes, grown),
                 "Live bytes at the range's end less those at its beginning:\n" + FormatBytesExact(total.liveBytes) + " less " + FormatBytesExact(total.earlierBytes),
                 grown > 0 ? context.theme->warn : 0);
    }
    ImGui::Dummy({0, context.Px(8)});
}

void ProfileView::DrawHistogram(ViewContext& context, float width, const Plot& plot) {
    const Theme& theme = *context.theme;
    std::uint64_t most = 0, all = 0;
    std::size_t first = plot.bins.bins.size(), last = 0;
    for (std::size_t i = 0; i < plot.bins.bins.size(); ++i) {
        const std::uint64_t blocks = std::max(plot.bins.bins[i].blocks, plot.behind != nullptr ? plot.behind->bins[i].blocks : 0);
        if (blocks == 0) continue;
        most = std::max(most, blocks);
        first = std::min(first, i);
        last = i;
        all += plot.bins.bins[i].blocks;
    }
    SectionTitle(context, plot.title, FormatCount(all) + " " + plot.what + ", √ scale");
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), axis = context.Px(18), height = context.Px(kHistogram);
    const Rect area{{at.x + pad, at.y + context.Px(10)}, {at.x + width - pad, at.y + context.Px(10) + height}};
    ImDrawList* draw = ImGui::GetWindowDrawList();
    if (most == 0) {
        DrawText(draw, context.fonts->label, {area.min.x, at.y + context.Px(8)}, theme.dim, "none");
        ImGui::Dummy({width, context.Px(30)});
        return;
    }
    // At least eight bins wide, so that two bars are not two walls.
    last = std::max(last, first + 7);
    if (last >= plot.bins.bins.size()) last = plot.bins.bins.size() - 1, first = std::min(first, last - 7);
    const float each = area.Width() / static_cast<float>(last - first + 1);
    draw->AddRectFilled({area.min.x, area.max.y}, {area.max.x, area.max.y + std::max(1.0f, context.Px(1))}, theme.line);
    const auto top = [&](std::uint64_t blocks) {
        // By its square root: small bins can be seen beside the largest. The figures are in the tooltip.
        const double share = std::sqrt(static_cast<double>(blocks) / static_cast<double>(most));
        return area.max.y - (blocks == 0 ? 0.0f : std::max(context.Px(2), std::floor(height * static_cast<float>(share))));
    };
    float labelFrom = area.min.x - context.Px(20);
    for (std::size_t i = first; i <= last; ++i) {
        const float x0 = std::floor(area.min.x + each * static_cast<float>(i - first));
        const float x1 = std::floor(area.min.x + each * static_cast<float>(i - first + 1)) - context.Px(1);
        const Bins::Bin& bin = plot.bins.bins[i];
        const Rect whole{{x0, area.min.y}, {x1 + context.Px(1), area.max.y + axis}};
        const bool over = whole.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered();
        if (over) draw->AddRectFilled({x0, area.min.y}, {x1, area.max.y}, theme.rowHover);
        if (plot.behind != nullptr && plot.behind->bins[i].blocks > 0) {
            draw->AddRectFilled({x0, top(plot.behind->bins[i].blocks)}, {x1, area.max.y}, Mix(theme.panel, theme.live, 0.35f));
        }
        if (bin.blocks > 0) draw->AddRectFilled({x0, top(bin.blocks)}, {x1, area.max.y}, over ? Mix(theme.live, theme.text, 0.2f) : theme.live);
        const std::string label = Short(Bins::Least(i), plot.bytes);
        const float wide = TextWidth(context.fonts->monoSmall, label);
        const float x = x0 + (x1 - x0 - wide) / 2;
        if (x >= labelFrom && x + wide <= area.max.x + context.Px(8)) {
            DrawText(draw, context.fonts->monoSmall, {x, area.max.y + context.Px(4)}, theme.dim, label);
            labelFrom = x + wide + context.Px(8);
        }
        if (!over) continue;
        std::string tip = plot.bytes ? SizeRange(i) : LifeRange(i);
        tip += "\n" + FormatCount(bin.blocks) + " " + plot.what + ", " + FormatBytesExact(bin.bytes);
        if (plot.behind != nullptr) tip += "\npale: " + FormatCount(plot.behind->bins[i].blocks) + " allocated, " + FormatBytesExact(plot.behind->bins[i].bytes);
        TooltipNow(context, tip + "\n\nBars are as high as the square root of the number of blocks.");
    }
    ImGui::Dummy({width, context.Px(10) + height + axis + context.Px(8)});
}

void ProfileView::DrawSites(ViewContext& context, float width) {
    const Theme& theme = *context.theme;
    const analysis::SiteMeasure measure = Measure();
    SectionTitle(context, "Top sites", std::string("by ") + analysis::InfoOf(measure).label);
    if (top_.empty()) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        DrawText(ImGui::GetWindowDrawList(), context.fonts->label, {at.x + context.Px(kPad), at.y + context.Px(8)}, theme.dim, "none");
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
        ImGui::GetWindowDrawList()->AddRectFilled({cell.min.x, middle}, {cell.min.x + side, middle + side}, colours.OfTrace(site.trace), context.Px(2));
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->mono, {{cell.min.x + side + context.Px(6), cell.min.y}, cell.max},
                   site.trace ? theme.text : theme.dim, ShortFunction(name));
        const std::int64_t value = analysis::Value(site, measure);
        columns.Text(context, kShare, at.y, height, theme.dim, FormatShare(value, all));
        columns.Text(context, kValue, at.y, height, theme.text, FormatValue(measure, value));
        if (hovered) {
            if (site.trace) context.selection->HoverTrace(site.trace);
            std::string tip = name + "\n" + FormatExact(measure, value) + ", " + analysis::InfoOf(measure).label +
                              "\nallocated " + FormatBytesExact(site.allocatedBytes) + " in " + FormatCount(site.allocations) +
                              ", live " + FormatBytesExact(site.liveBytes) + " in " + FormatCount(site.liveBlocks) +
                              ", " + FormatCount(site.temporary) + " temporary";
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
    const analysis::Profile& profile = answer_->profile;
    DrawTotals(context, profile, profile.from.value > 0 || context.session->Analyst().Range().has_value());
    DrawHistogram(context, width, {"Sizes", "live", profile.liveSizes, &profile.allocatedSizes, true});
    DrawHistogram(context, width, {"Lifetimes", "freed", profile.lifetimes, nullptr, false});
    DrawSites(context, width);
}

}  // namespace

std::unique_ptr<View> MakeProfileView() {
    return std::make_unique<ProfileView>();
}

}  // namespace residue::gui
