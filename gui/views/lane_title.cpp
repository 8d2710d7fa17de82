#include "gui/views/lane_title.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "analysis/format.hpp"
#include "analysis/formula.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

using analysis::FormatBytes;
using analysis::FormatBytesExact;
using analysis::FormatCount;
using analysis::FormatFraction;

constexpr float kBar = 24;       // unscaled, as all that follows: the height of a line
constexpr float kLeastName = 120;
constexpr float kTall = 110;  // a lane that has room for two lines above its heap ...
constexpr float kLow = 78;    // ... and one that shows no heap at all: there the figures are what is left to see
constexpr const char* kUnknown = "–";

struct Figure {
    std::string value = kUnknown;
    std::string tooltip{};
    ImU32 colour = 0;  // 0: dim
};

enum Column { kFailed, kHeap, kUtilisation, kHoles, kSearch, kSpeed, kColumns };

struct ColumnInfo {
    const char* label;
    float width;  // of label and the widest value
    int keeps;    // where there is little room, the columns with the highest number stay
};

constexpr ColumnInfo kInfo[kColumns] = {
    {"failed", 82, 3}, {"heap", 122, 5}, {"util.", 86, 6}, {"holes", 98, 2}, {"search", 112, 1}, {"", 98, 4},
};

using Figures = std::array<Figure, kColumns>;

std::string Speed(double operationsPerSecond) {
    const double mega = operationsPerSecond / 1e6;
    char text[32];
    if (mega >= 1) std::snprintf(text, sizeof text, "%.1f Mop/s", mega);
    else std::snprintf(text, sizeof text, "%.0f Kop/s", operationsPerSecond / 1e3);
    return text;
}

std::string TwoDigits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

void TellHeap(const analysis::Metrics& now, const analysis::RunMetrics& run, const session::LaneScore* score,
              Figures& figures) {
    const std::string peak = "utilisation  max P / max H\nover the whole run\n";
    if (now.heap) {
        figures[kHeap] = {FormatBytes(*now.heap), "heap  H\nbytes that it has from below, here\n" +
                                                      FormatBytesExact(*now.heap)};
    }
    if (run.peakUtilisation) {
        figures[kUtilisation] = {FormatFraction(*run.peakUtilisation),
                                 peak + analysis::FormulaWithNumbers("peak_utilisation", {}, run)};
        return;
    }
    if (now.heap) return;
    const std::string pages = "Its heap is not known. The 4 KiB pages that its payloads lie on over the whole run "
                              "stand for it: pages that it gave back count on, those with only bookkeeping never do.";
    figures[kHeap].tooltip = figures[kUtilisation].tooltip = pages;
    if (score == nullptr || !score->pageBytes) return;
    figures[kHeap] = {"~" + FormatBytes(*score->pageBytes), pages + "\n" + FormatBytesExact(*score->pageBytes)};
    const double share = static_cast<double>(run.peakLiveBytes) / static_cast<double>(*score->pageBytes);
    figures[kUtilisation] = {"~" + FormatFraction(share), peak + pages};
}

Figures FiguresOf(const ViewContext& context, session::Session& lane, const session::LaneScore* score) {
    const analysis::Metrics& now = lane.PresentMetrics();
    const analysis::RunMetrics run = lane.Series().Run();
    Figures figures;
    figures[kFailed] = {FormatCount(run.failedRequests), "failed requests\nover the whole run",
                        run.failedRequests != 0 ? context.theme->warn : 0};
    TellHeap(now, run, score, figures);
    figures[kHoles].tooltip = now.gaps ? "holes  n\nNot known: only payloads are told, headers and holes look alike."
                                       : "holes  n\nNot known: nothing is told of its heap.";
    if (now.holes) {
        figures[kHoles] = {FormatCount(*now.holes),
                           "holes  n\nmaximal runs of bytes that could be handed out again, here" +
                               (now.externalFragmentation
                                    ? "\nexternal fragmentation " + FormatFraction(*now.externalFragmentation)
                                    : std::string())};
    }
    const auto missing = [&](const std::string& reason) {
        return score == nullptr ? std::string("\nbeing found out") : "\nNot known: " + reason + ".";
    };
    figures[kSearch].tooltip = "mean search length\nholes looked at, per request that was granted, over the whole run";
    if (score != nullptr && score->searchLength) figures[kSearch].value = TwoDigits(*score->searchLength);
    else figures[kSearch].tooltip += missing(score == nullptr ? "" : score->noSearch);
    if (const std::uint64_t probes = lane.ProbesOfPresent()) {
        figures[kSearch].tooltip += "\nby this request: " + FormatCount(probes);
    }
    figures[kSpeed].tooltip = "throughput\noperations by seconds of the fastest of some runs, with nobody listening; "
                              "measured on this machine, so not the same every time";
    if (score != nullptr && score->operationsPerSecond) figures[kSpeed].value = Speed(*score->operationsPerSecond);
    else figures[kSpeed].tooltip += missing(score == nullptr ? "" : score->noThroughput);
    return figures;
}

Figures FiguresOfBound(const ViewContext& context) {
    std::vector<analysis::SeriesColumn> columns;
    context.session->Series().Columns(Position{0}, context.session->Now() + 1, 1, columns);
    const std::string bound = "Perfect compaction: the largest sum of live payloads so far, and nothing else.";
    Figures figures;
    figures[kHeap] = {FormatBytes(columns[0].liveMax), bound};
    figures[kUtilisation] = {"1", bound};
    figures[kHoles] = {"0", bound};
    figures[kFailed].tooltip = figures[kSearch].tooltip = figures[kSpeed].tooltip = "It is no allocator.";
    return figures;
}

// Which columns there is room for, and whether they have a line of their own below the name.
struct Layout {
    std::array<bool, kColumns> shown{};
    bool below = false;
    float width = 0;  // of the shown ones
};

Layout LayOut(const ViewContext& context, ImVec2 size) {
    float room = size.x - 2 * context.Px(kPad);
    Layout layout;
    for (const ColumnInfo& info : kInfo) layout.width += context.Px(info.width);
    layout.shown.fill(true);
    const bool fits = layout.width + context.Px(kLeastName) <= room;
    layout.below = !fits && (size.y >= context.Px(kTall) || size.y < context.Px(kLow));
    if (!layout.below) room -= context.Px(kLeastName);
    while (layout.width > room) {
        int least = -1;
        for (int i = 0; i < kColumns; ++i) {
            const bool isShown = layout.shown[static_cast<std::size_t>(i)];
            if (isShown && (least < 0 || kInfo[i].keeps < kInfo[least].keeps)) least = i;
        }
        if (least < 0) break;
        layout.shown[static_cast<std::size_t>(least)] = false;
        layout.width -= context.Px(kInfo[least].width);
    }
    return layout;
}

float HeightOf(const ViewContext& context, const Layout& layout) {
    return context.Px(kBar) * (layout.below ? 2.0f : 1.0f) - (layout.below ? context.Px(4) : 0);
}

void DrawFigures(ViewContext& context, const Figures& figures, const Layout& layout, const Rect& bar) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float line = context.Px(kBar);
    const float top = layout.below ? bar.max.y - line : bar.min.y;
    float x = bar.max.x - context.Px(kPad) - layout.width;
    for (int i = 0; i < kColumns; ++i) {
        if (!layout.shown[static_cast<std::size_t>(i)]) continue;
        const Figure& figure = figures[static_cast<std::size_t>(i)];
        const float width = context.Px(kInfo[i].width);
        const Rect cell{{x + context.Px(14), top}, {x + width, top + line}};
        const bool unknown = figure.value == kUnknown;
        const ImU32 colour = figure.colour != 0 ? figure.colour : (unknown ? theme.dim : theme.text);
        const float value = TextWidth(fonts.monoSmall, figure.value);
        DrawTextIn(draw, fonts.monoSmall, {{cell.max.x - value, cell.min.y}, {cell.max.x + 1, cell.max.y}}, colour,
                   figure.value);
        const std::string label = *kInfo[i].label != '\0' ? kInfo[i].label : (unknown ? "speed" : "");
        const Rect room{cell.min, {cell.max.x - value - context.Px(4), cell.max.y}};
        DrawTextIn(draw, fonts.labelSmall, room, theme.dim, label);
        ImGui::SetCursorScreenPos({x, top});
        ImGui::PushID(i);
        ImGui::InvisibleButton("figure", {width, line});
        ImGui::PopID();
        if (!figure.tooltip.empty()) Tooltip(context, figure.tooltip);
        x += width;
    }
}

// "format · through" without the format.
std::string NameOf(session::Session& lane, int index) {
    std::string name = lane.Subtitle();
    if (lane.GetLab() != nullptr) return index < 0 ? lane.Title() : lane.Path();
    if (const std::size_t dot = name.rfind(" · "); dot != std::string::npos) name = name.substr(dot + 4);
    if (!name.empty()) return name;
    return index < 0 ? lane.Title() : lane.Options().allocator;
}

}  // namespace

float BoundTitleHeight(const ViewContext& context, ImVec2 size) { return HeightOf(context, LayOut(context, size)); }

void DrawBoundTitle(ViewContext& context, const Rect& bar, ImVec2 size) {
    const Layout layout = LayOut(context, size);
    ImGui::GetWindowDrawList()->AddRectFilled(bar.min, bar.max, context.theme->raised);
    ImGui::PushID("bound");
    DrawFigures(context, FiguresOfBound(context), layout, bar);
    ImGui::PopID();
    const float right = layout.below ? bar.max.x : bar.max.x - layout.width;
    DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->label,
               {{bar.min.x + context.Px(kPad), bar.min.y}, {right - context.Px(kPad), bar.min.y + context.Px(kBar)}},
               context.theme->dim, "perfect compaction");
}

float DrawLaneTitle(ViewContext& context, session::Session& lane, const session::LaneScore* score, int index,
                    const Rect& rect, ImVec2 size) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float pad = context.Px(kPad), side = context.Px(22);
    const Layout layout = LayOut(context, size);
    const Rect bar{rect.min, {rect.max.x, rect.min.y + HeightOf(context, layout)}};
    draw->AddRectFilled(bar.min, bar.max, theme.raised);
    const session::LoadStatus status = lane.Status();
    const bool ready = status.phase == session::Phase::Ready;
    float left = bar.min.x + pad, right = bar.max.x - pad;
    ImGui::PushID(index);
    if (ready) {
        DrawFigures(context, FiguresOf(context, lane, score), layout, bar);
        if (!layout.below) right -= layout.width + pad;
    }
    if (index >= 0) {  // at the left, so that the figures of all lanes stand below each other
        ImGui::SetCursorScreenPos({left - context.Px(4), bar.min.y + std::floor((context.Px(kBar) - side) / 2)});
        if (IconButton(context, "##close", kIconError, ButtonKind::Ghost)) context.commands->RemoveLane(index);
        Tooltip(context, "Takes this lane away");
        left += side;
    }
    ImGui::PopID();
    std::string name = NameOf(lane, index);
    const bool failed = status.phase == session::Phase::Failed;
    if (!ready) name += ": " + (failed && status.failure ? status.failure->Text() : status.doing);
    const Rect box{{left, bar.min.y}, {right, bar.min.y + context.Px(kBar)}};
    const ImU32 colour = failed ? theme.error : (ready ? theme.text : theme.dim);
    const float drawn = DrawTextIn(draw, fonts.labelBold, box, colour, name);
    if (drawn < TextWidth(fonts.labelBold, name) && ImGui::IsMouseHoveringRect(box.min, box.max)) {
        TooltipNow(context, name);
    }
    return bar.Height();
}

}  // namespace residue::gui
