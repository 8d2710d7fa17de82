#include "gui/views/comparison.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "analysis/flame_lookup.hpp"
#include "analysis/format.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/histogram.hpp"
#include "gui/views/list.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::FormatCount;
using analysis::SiteMeasure;

constexpr std::size_t kSitesShown = 50;  // that grew, and that shrank
constexpr std::size_t kFramesTold = 10;

constexpr Column kTotals[] = {
    {"", 74, Align::Left, "", 0, true, false},
    {"A", 76, Align::Right, "The earlier one", 1, false, true},
    {"B", 76, Align::Right, "The later one", 1, false, true},
    {"change", 84, Align::Right, "B less A", 0, false, true},
};
constexpr Column kSites[] = {
    {"site", 110, Align::Left, "Who called the allocator", 0, true, true},
    {"A", 72, Align::Right, "The earlier one", 2, false, true},
    {"B", 72, Align::Right, "The later one", 1, false, true},
    {"change", 80, Align::Right, "B less A", 0, false, true},
};
enum : std::size_t { kName, kA, kB, kChange };

using Answer = std::shared_ptr<const session::ProfileAnswer>;

std::string Signed(SiteMeasure measure, std::int64_t change) {
    return (change > 0 ? "+" : "") + FormatValue(measure, change);
}
std::string SignedExact(SiteMeasure measure, std::int64_t change) {
    return (change > 0 ? "+" : "") + FormatExact(measure, change);
}

ImU32 ChangeColour(const Theme& theme, std::int64_t change) {
    return change > 0 ? theme.warn : change < 0 ? theme.good : theme.dim;
}

void DrawTotals(ViewContext& context, float width, const session::ProfileAnswer& answer) {
    const Theme& theme = *context.theme;
    const Columns columns(context, kTotals, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    const float height = context.Px(kRowHeight);
    // Of two moments of one recording, what happened before the range and in it are no two states of one thing.
    const bool moments = answer.earlierName.empty();
    const auto row = [&](const char* name, std::uint64_t analysis::SiteFigures::*figure, bool bytes, const char* help,
                         bool happened = false) {
        const SiteMeasure as = bytes ? SiteMeasure::LiveBytes : SiteMeasure::Allocations;  // only for how it is written
        const auto a = static_cast<std::int64_t>(answer.earlier->total.*figure);
        const auto b = static_cast<std::int64_t>(answer.profile.total.*figure);
        const float y = ImGui::GetCursorScreenPos().y;
        ImGui::PushID(name);
        bool hovered = false;
        (void)ListRow(context, "##total", width, height, false, &hovered);
        ImGui::PopID();
        columns.Text(context, kName, y, height, theme.dim, name);
        columns.Text(context, kA, y, height, theme.text, FormatValue(as, a));
        columns.Text(context, kB, y, height, theme.text, FormatValue(as, b));
        const bool apart = moments && happened;
        if (!apart) columns.Text(context, kChange, y, height, ChangeColour(theme, b - a), Signed(as, b - a));
        const auto exact = [&](std::int64_t value) {
            return bytes ? FormatExact(as, value) : FormatCount(static_cast<std::uint64_t>(value));
        };
        const std::string tip = std::string(help) + (apart ? ": up to the range (A), and in it (B)" : "");
        if (hovered) TooltipNow(context, tip + "\nA: " + exact(a) + "\nB: " + exact(b));
    };
    using Figures = analysis::SiteFigures;
    row("live", &Figures::liveBytes, true, "Bytes of live blocks at the end of each");
    row("blocks", &Figures::liveBlocks, false, "Live blocks at the end of each");
    if (!moments) row("at peak", &Figures::peakBytes, true, "Bytes of live blocks where they were most");
    row("allocated", &Figures::allocatedBytes, true, "Bytes that were asked for, freed or not", true);
    row("requests", &Figures::allocations, false, "Blocks that were allocated", true);
    row("temporary", &Figures::temporary, false, "Blocks that were freed before their thread's next request", true);
    row("leaked", &Figures::leakedBytes, true, "Bytes that are live at the end and never freed");
    ImGui::Dummy({0, context.Px(8)});
}

void TellSite(ViewContext& context, const session::ProfileAnswer& answer, const analysis::SiteGrowth& site) {
    const SiteMeasure measure = answer.flame.measure;
    std::string tip = SignedExact(measure, site.Change()) + "\nA: " + FormatExact(measure, site.before) +
                      "\nB: " + FormatExact(measure, site.after) + "\n";
    std::vector<std::uint32_t> path = analysis::PathTo(answer.flame, site.node);
    if (answer.flame.direction == analysis::Direction::TopDown) std::reverse(path.begin(), path.end());
    for (std::size_t i = 0; i < path.size() && i < kFramesTold; ++i)
        tip += "\n  " + ShortFunction(answer.flame.NameOf(answer.flame.nodes[path[i]]), 3);
    if (path.size() > kFramesTold) tip += "\n  and " + FormatCount(path.size() - kFramesTold) + " more frames";
    TooltipNow(context, tip + "\n\nClick to select its call traces.");
}

void DrawSites(ViewContext& context, float width, const Answer& answer, bool grew) {
    const analysis::FlameGrowth& growth = answer->growth;
    const std::vector<analysis::SiteGrowth>& sites = grew ? growth.grown : growth.shrunk;
    const std::uint64_t all = grew ? growth.grew : growth.shrank;
    const std::string label = analysis::InfoOf(answer->flame.measure).label;
    SectionTitle(context, grew ? "Grew" : "Shrank", FormatCount(all) + (all == 1 ? " site by " : " sites by ") + label);
    if (sites.empty()) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        DrawText(ImGui::GetWindowDrawList(), context.fonts->label, {at.x + context.Px(kPad), at.y + context.Px(8)},
                 context.theme->dim, "none");
        ImGui::Dummy({width, context.Px(30)});
        return;
    }
    const Theme& theme = *context.theme;
    const SiteMeasure measure = answer->flame.measure;
    const Columns columns(context, kSites, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    const float height = context.Px(kRowHeight);
    ImGui::PushID(grew ? "grew" : "shrank");
    for (std::size_t i = 0; i < sites.size() && i < kSitesShown; ++i) {
        const analysis::SiteGrowth& site = sites[i];
        const TraceId trace = answer->flame.nodes[site.node].trace;
        const float y = ImGui::GetCursorScreenPos().y;
        bool hovered = false;
        ImGui::PushID(static_cast<int>(i));
        const bool selected = trace && context.selection->trace == trace;
        const bool clicked = ListRow(context, "##site", width, height, selected, &hovered);
        ImGui::PopID();
        const std::string name = ShortFunction(analysis::SiteNameOf(answer->flame, site.node));
        columns.Text(context, kName, y, height, theme.text, name);
        columns.Text(context, kA, y, height, theme.dim, FormatValue(measure, site.before));
        columns.Text(context, kB, y, height, theme.dim, FormatValue(measure, site.after));
        columns.Text(context, kChange, y, height, ChangeColour(theme, site.Change()), Signed(measure, site.Change()));
        if (hovered) TellSite(context, *answer, site);
        if (hovered && trace) context.selection->HoverTrace(trace);
        if (clicked && selected) context.selection->trace.reset();
        if (clicked && !selected && trace) context.analysis->Choose(*context.selection, answer, site.node);
    }
    ImGui::PopID();
    ImGui::Dummy({0, context.Px(8)});
}

}  // namespace

void DrawComparison(ViewContext& context, float width, const Answer& answer) {
    DrawTotals(context, width, *answer);
    const analysis::Profile &before = *answer->earlier, &after = answer->profile;
    const SiteMeasure measure = answer->flame.measure;
    const bool live = measure != SiteMeasure::AllocatedBytes && measure != SiteMeasure::Allocations &&
                      measure != SiteMeasure::Temporary;
    DrawHistogram(context, width, {"Sizes", live ? "live" : "allocated", live ? after.liveSizes : after.allocatedSizes,
                                   true, nullptr, live ? &before.liveSizes : &before.allocatedSizes});
    DrawHistogram(context, width, {"Lifetimes", "freed", after.lifetimes, false, nullptr, &before.lifetimes});
    DrawSites(context, width, answer, true);
    DrawSites(context, width, answer, false);
}

}  // namespace residue::gui
