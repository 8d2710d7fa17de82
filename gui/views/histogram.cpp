#include "gui/views/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>

#include "analysis/format.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::Bins;
using analysis::FormatBytes;
using analysis::FormatBytesExact;
using analysis::FormatCount;

constexpr float kBars = 84;           // unscaled, of the bars
constexpr std::size_t kLeastBins = 8;  // so that two bars are not two walls

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

// The bins that are shown, and the highest bar of these.
struct Shown {
    std::size_t first = 0, last = 0;
    std::uint64_t most = 0;
};

Shown ShownOf(const Histogram& histogram) {
    Shown shown{histogram.bins.bins.size(), 0, 0};
    for (std::size_t i = 0; i < histogram.bins.bins.size(); ++i) {
        std::uint64_t blocks = histogram.bins.bins[i].blocks;
        for (const Bins* other : {histogram.behind, histogram.before}) {
            if (other != nullptr) blocks = std::max(blocks, other->bins[i].blocks);
        }
        if (blocks == 0) continue;
        shown.most = std::max(shown.most, blocks);
        shown.first = std::min(shown.first, i);
        shown.last = i;
    }
    shown.last = std::max(shown.last, shown.first + kLeastBins - 1);
    if (shown.last >= histogram.bins.bins.size()) {
        shown.last = histogram.bins.bins.size() - 1;
        shown.first = std::min(shown.first, shown.last - (kLeastBins - 1));
    }
    return shown;
}

std::uint64_t Sum(const Bins& bins) {
    std::uint64_t sum = 0;
    for (const Bins::Bin& bin : bins.bins) sum += bin.blocks;
    return sum;
}

std::string Status(const Histogram& histogram) {
    const std::string all = FormatCount(Sum(histogram.bins));
    if (histogram.before == nullptr) return all + " " + histogram.what + ", √ scale";
    return "A " + FormatCount(Sum(*histogram.before)) + ", B " + all + " " + histogram.what + ", √ scale";
}

void Tell(const ViewContext& context, const Histogram& histogram, std::size_t i) {
    const auto figures = [&](const Bins& bins, const char* what) {
        return FormatCount(bins.bins[i].blocks) + " " + what + ", " + FormatBytesExact(bins.bins[i].bytes);
    };
    std::string tip = histogram.bytes ? SizeRange(i) : LifeRange(i);
    if (histogram.before != nullptr) {
        tip += "\nA: " + figures(*histogram.before, histogram.what) + "\nB: " + figures(histogram.bins, histogram.what);
    } else {
        tip += "\n" + figures(histogram.bins, histogram.what);
    }
    if (histogram.behind != nullptr) tip += "\npale: " + figures(*histogram.behind, "allocated");
    TooltipNow(context, tip + "\n\nBars are as high as the square root of the number of blocks.");
}

// One bin's bars between x0 and x1.
void DrawBars(const ViewContext& context, const Histogram& histogram, std::size_t i, Rect bin, std::uint64_t most,
              bool over) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const auto bar = [&](std::uint64_t blocks, float from, float to, ImU32 colour) {
        if (blocks == 0) return;
        // By its square root: small bins can be seen beside the largest. The figures are in the tooltip.
        const double share = std::sqrt(static_cast<double>(blocks) / static_cast<double>(most));
        const float high = std::max(context.Px(2), std::floor(bin.Height() * static_cast<float>(share)));
        draw->AddRectFilled({from, bin.max.y - high}, {to, bin.max.y}, over ? Mix(colour, theme.text, 0.2f) : colour);
    };
    const float middle = histogram.before != nullptr ? std::floor((bin.min.x + bin.max.x) / 2) : bin.min.x;
    if (histogram.behind != nullptr)
        bar(histogram.behind->bins[i].blocks, bin.min.x, bin.max.x, Mix(theme.panel, theme.live, 0.35f));
    if (histogram.before != nullptr) bar(histogram.before->bins[i].blocks, bin.min.x, middle, theme.dim);
    bar(histogram.bins.bins[i].blocks, middle, bin.max.x, theme.live);
}

}  // namespace

void DrawHistogram(const ViewContext& context, float width, const Histogram& histogram) {
    const Theme& theme = *context.theme;
    SectionTitle(context, histogram.title, Status(histogram));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), axis = context.Px(18), height = context.Px(kBars);
    const Rect area{{at.x + pad, at.y + context.Px(10)}, {at.x + width - pad, at.y + context.Px(10) + height}};
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const Shown shown = ShownOf(histogram);
    if (shown.most == 0) {
        DrawText(draw, context.fonts->label, {area.min.x, at.y + context.Px(8)}, theme.dim, "none");
        ImGui::Dummy({width, context.Px(30)});
        return;
    }
    const float each = area.Width() / static_cast<float>(shown.last - shown.first + 1);
    draw->AddRectFilled({area.min.x, area.max.y}, {area.max.x, area.max.y + std::max(1.0f, context.Px(1))}, theme.line);
    float labelFrom = area.min.x - context.Px(20);
    for (std::size_t i = shown.first; i <= shown.last; ++i) {
        const float x0 = std::floor(area.min.x + each * static_cast<float>(i - shown.first));
        const float x1 = std::floor(area.min.x + each * static_cast<float>(i - shown.first + 1)) - context.Px(1);
        const Rect whole{{x0, area.min.y}, {x1 + context.Px(1), area.max.y + axis}};
        const bool over = whole.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered();
        if (over) draw->AddRectFilled({x0, area.min.y}, {x1, area.max.y}, theme.rowHover);
        DrawBars(context, histogram, i, {{x0, area.min.y}, {x1, area.max.y}}, shown.most, over);
        const std::string label = Short(Bins::Least(i), histogram.bytes);
        const float wide = TextWidth(context.fonts->monoSmall, label);
        const float x = x0 + (x1 - x0 - wide) / 2;
        if (x >= labelFrom && x + wide <= area.max.x + context.Px(8)) {
            DrawText(draw, context.fonts->monoSmall, {x, area.max.y + context.Px(4)}, theme.dim, label);
            labelFrom = x + wide + context.Px(8);
        }
        if (over) Tell(context, histogram, i);
    }
    ImGui::Dummy({width, context.Px(10) + height + axis + context.Px(8)});
}

}  // namespace residue::gui
