#include "gui/views/lab_losses.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "analysis/format.hpp"
#include "gui/views/list.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "lab/findings.hpp"

namespace residue::gui {
namespace {

using analysis::FormatBytes;
using analysis::FormatBytesExact;
using analysis::FormatCount;
using lab::Loss;

constexpr float kCurveHeight = 96, kFallRow = 22;  // unscaled

std::string Percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f%%", share * 100);
    return text;
}

ImU32 ColourOf(const Theme& theme, Loss loss) {
    switch (loss) {
        case Loss::Overhead: return theme.dim;
        case Loss::Holes: return theme.warn;
        case Loss::EarlyGrowth: return theme.slack;
        case Loss::LateGrowth: return theme.error;
    }
    return theme.dim;
}

const char* HelpOf(Loss loss) {
    switch (loss) {
        case Loss::Overhead:
            return "At the peak: what blocks take beside their payloads, gaps that are too small for any block,\n"
                   "and what lies before the first payload.";
        case Loss::Holes: return "At the peak: room between blocks in which another block could lie.";
        case Loss::EarlyGrowth: return "At the peak: what mem_sbrk gave and no payload had reached.";
        case Loss::LateGrowth: return "What the heap grew after the peak, for less payload than there was then.";
    }
    return "";
}

std::string CallOf(const session::LabPicture& picture, std::uint64_t op) {
    const auto& ops = picture.operations->ops;
    return op < ops.size() ? lab::CallText(ops[op]) : std::string();
}

// Why an operation is among those that cost most.
std::string WhyOf(const session::LabPicture& picture, const lab::Cost& cost) {
    const std::string bytes = FormatBytesExact(cost.bytes);
    switch (cost.loss) {
        case Loss::Overhead:
            if (cost.address == lab::kHeapBase) return bytes + " before the first payload, from the beginning on.";
            return "Its block takes " + bytes + " beside its payload.";
        case Loss::Holes:
            if (cost.op == picture.fall.peakOp) return "A hole of " + bytes + " at the peak.";
            return "A hole of " + bytes + " at the peak: this was the last to free something in it.";
        case Loss::EarlyGrowth: return "It grew the heap; " + bytes + " were not reached by any payload at the peak.";
        case Loss::LateGrowth: return "It grew the heap by " + bytes + ", after the peak.";
    }
    return bytes;
}

constexpr std::uint64_t kNowhere = ~std::uint64_t{0};  // of a row without an operation to go to

void SeekBehind(ViewContext& context, std::uint64_t op) {
    context.session->Play(false);
    context.session->SeekTo(Position{op + 1});
}

float X(const Rect& plot, std::size_t column, std::size_t count) {
    return plot.min.x + plot.Width() * static_cast<float>(column) / static_cast<float>(count);
}

float Y(const Rect& plot, double share) {
    return plot.max.y - plot.Height() * static_cast<float>(std::clamp(share, 0.0, 1.0));
}

// Payload and heap as areas, utilisation as a line over them.
void DrawCurveColumns(const ViewContext& context, const Rect& plot, const session::LabPicture& picture) {
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const Theme& theme = *context.theme;
    const auto& curve = picture.curve;
    const double most = std::max<double>(1, static_cast<double>(picture.fall.heapBytes));
    const auto pixels = static_cast<std::size_t>(std::max(1.0f, plot.Width()));
    const std::size_t count = std::min(curve.size(), pixels);
    ImVec2 before{};
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from = curve.size() * i / count, to = curve.size() * (i + 1) / count;
        std::uint64_t payload = 0;
        for (std::size_t at = from; at < to; ++at) payload = std::max(payload, curve[at].payloadMax);
        const lab::CurveColumn& last = curve[to - 1];
        const float left = std::floor(X(plot, i, count)), right = std::max(left + 1, std::floor(X(plot, i + 1, count)));
        draw->AddRectFilled({left, Y(plot, static_cast<double>(last.heap) / most)}, {right, plot.max.y}, theme.heap);
        draw->AddRectFilled({left, Y(plot, static_cast<double>(payload) / most)}, {right, plot.max.y}, theme.live);
        const ImVec2 here{(left + right) / 2, Y(plot, last.utilisation)};
        if (i > 0) draw->AddLine(before, here, theme.good, std::max(1.0f, context.Px(1.5f)));
        before = here;
    }
}

// A mark, a name, a figure; returns where the next one begins.
float Legend(const ViewContext& context, ImVec2 at, ImU32 colour, const std::string& text, bool line) {
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float side = context.Px(8), height = context.fonts->labelSmall->FontSize;
    const float middle = std::floor(at.y + height / 2);
    const float half = line ? std::max(1.0f, context.Px(1)) : side / 2;
    draw->AddRectFilled({at.x, middle - half}, {at.x + side, middle + half}, colour, context.Px(1));
    return at.x + side + context.Px(5) +
           DrawText(draw, context.fonts->labelSmall, {at.x + side + context.Px(5), at.y}, context.theme->dim, text) +
           context.Px(12);
}

void DrawRunCurve(ViewContext& context, const session::LabPicture& picture, float width) {
    SectionTitle(context, "Utilisation over time", Percent(picture.fall.Utilisation()));
    const Theme& theme = *context.theme;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), legend = context.fonts->labelSmall->FontSize + context.Px(8);
    const Rect plot{{at.x + pad, at.y + context.Px(8) + legend},
                    {at.x + width - pad, at.y + context.Px(8) + legend + context.Px(kCurveHeight)}};
    float x = Legend(context, {at.x + pad, at.y + context.Px(7)}, theme.live, "payload", false);
    x = Legend(context, {x, at.y + context.Px(7)}, theme.heap, "heap", false);
    Legend(context, {x, at.y + context.Px(7)}, theme.good, "largest payload by largest heap", true);
    ImGui::GetWindowDrawList()->AddRectFilled(plot.min, plot.max, theme.raised);
    if (!picture.curve.empty()) DrawCurveColumns(context, plot, picture);

    const double ops = std::max<double>(1, static_cast<double>(context.session->End().value));
    ImGui::SetCursorScreenPos(plot.min);
    ImGui::InvisibleButton("##curve", {std::max(1.0f, plot.Width()), plot.Height()});
    if (ImGui::IsItemActive() || ImGui::IsItemHovered()) {
        const double share = std::clamp((ImGui::GetIO().MousePos.x - plot.min.x) / plot.Width(), 0.0f, 1.0f);
        const auto position = static_cast<std::uint64_t>(std::llround(share * ops));
        if (ImGui::IsItemActive()) {
            context.session->Play(false);
            context.session->SeekTo(Position{position});
        }
        TooltipNow(context, "after operation " + FormatCount(position) + "\nClick: go there");
    }
    const double passed = static_cast<double>(context.session->Now().value) / ops;
    const float now = std::floor(plot.min.x + plot.Width() * static_cast<float>(passed));
    ImGui::GetWindowDrawList()->AddRectFilled({now, plot.min.y}, {now + std::max(1.0f, context.Px(1.5f)), plot.max.y},
                                              theme.text);
    ImGui::SetCursorScreenPos({at.x, plot.max.y});
    ImGui::Dummy({width, context.Px(8)});
}

void DrawWaterfall(ViewContext& context, const session::LabPicture& picture, float width) {
    const Theme& theme = *context.theme;
    const lab::Waterfall& fall = picture.fall;
    SectionTitle(context, "Where it was lost", "of " + FormatBytes(fall.heapBytes));
    const float pad = context.Px(kPad), height = context.Px(kFallRow);
    const float names = TextWidth(context.fonts->label, NameOf(Loss::LateGrowth)) + context.Px(8);
    const float figures = TextWidth(context.fonts->mono, "100.00%") + context.Px(8);
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    double from = 1;
    const auto row = [&](const char* name, double top, double bottom, ImU32 colour, const std::string& figure,
                         const std::string& help, std::uint64_t op) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        bool hovered = false;
        const bool clicked = ListRow(context, name, width, height, false, &hovered);
        const Rect line{{at.x + pad, at.y}, {at.x + width - pad, at.y + height}};
        DrawTextIn(draw, context.fonts->label, {line.min, {line.min.x + names, line.max.y}}, theme.text, name);
        DrawTextIn(draw, context.fonts->mono, line, theme.text, figure, Align::Right);
        const Rect bars{{line.min.x + names, at.y}, {line.max.x - figures, at.y + height}};
        if (bars.Width() > context.Px(20)) {
            const float y0 = at.y + context.Px(4), y1 = at.y + height - context.Px(4);
            const float a = bars.min.x + bars.Width() * static_cast<float>(std::clamp(bottom, 0.0, 1.0));
            const float b = bars.min.x + bars.Width() * static_cast<float>(std::clamp(top, 0.0, 1.0));
            draw->AddRectFilled({bars.min.x, y0}, {bars.max.x, y1}, theme.raised, context.Px(2));
            if (top > bottom)
                draw->AddRectFilled({std::floor(a), y0}, {std::max(std::floor(a) + 1, std::floor(b)), y1}, colour);
        }
        if (hovered) TooltipNow(context, help);
        if (clicked && op != kNowhere) SeekBehind(context, op);
    };
    for (unsigned i = 0; i < lab::kLosses; ++i) {
        const auto loss = static_cast<Loss>(i);
        const double share = fall.ShareOf(loss);
        const auto cost = std::find_if(fall.costs.begin(), fall.costs.end(),
                                       [&](const lab::Cost& each) { return each.loss == loss; });
        std::uint64_t op = kNowhere;
        if (loss != Loss::LateGrowth) op = fall.peakOp;
        else if (cost != fall.costs.end()) op = cost->op;
        row(NameOf(loss), from, from - share, ColourOf(theme, loss),
            fall.lost[i] == 0 ? "-" : "-" + Percent(share),
            FormatBytesExact(fall.lost[i]) + "\n" + HelpOf(loss) + (op != kNowhere ? "\nClick: go there" : ""), op);
        from -= share;
    }
    row("utilisation", fall.Utilisation(), 0, theme.live, Percent(fall.Utilisation()),
        FormatBytesExact(fall.payloadBytes) + " of payload at the peak, after operation " +
            FormatCount(fall.peakOp + 1) + ",\nby the largest heap, " + FormatBytesExact(fall.heapBytes) +
            "\nClick: go there",
        fall.peakOp);
    ImGui::Dummy({width, context.Px(6)});
}

constexpr Column kCostColumns[] = {
    {"", 8, Align::Left, "", 0},
    {"operation", 64, Align::Right, "Its number, from 1 on", 0},
    {"call", 100, Align::Left, "What the trace asks for there", 0, true},
    {"lost", 72, Align::Right, "Bytes of the heap that it cost", 0},
};
constexpr Column kGrowthColumns[] = {
    {"operation", 72, Align::Right, "Its number, from 1 on", 0},
    {"call", 80, Align::Left, "What the trace asks for there", 1, true},
    {"grown", 76, Align::Right, "Bytes that mem_sbrk gave", 0},
    {"free", 76, Align::Right, "Bytes of the heap that lay in no block just before", 0},
};

bool OperationRow(ViewContext& context, int id, float width, std::uint64_t op, bool* hovered) {
    const bool selected = context.session->Now().value == op + 1;
    ImGui::PushID(id);
    const bool clicked = ListRow(context, "##op", width, context.Px(kRowHeight), selected, hovered);
    ImGui::PopID();
    return clicked;
}

void DrawCosts(ViewContext& context, const session::LabPicture& picture, float width) {
    const Theme& theme = *context.theme;
    const float height = context.Px(kRowHeight);
    constexpr std::size_t kMostRows = 10;
    if (!picture.fall.costs.empty()) {
        SectionTitle(context, "What cost most");
        const Columns columns(context, kCostColumns, ImGui::GetCursorScreenPos().x, width);
        columns.DrawHeader(context);
        for (std::size_t i = 0; i < std::min(picture.fall.costs.size(), kMostRows); ++i) {
            const lab::Cost& cost = picture.fall.costs[i];
            const ImVec2 at = ImGui::GetCursorScreenPos();
            bool hovered = false;
            if (OperationRow(context, static_cast<int>(i), width, cost.op, &hovered)) SeekBehind(context, cost.op);
            const Rect mark = columns.Cell(0, at.y, height);
            const float middle = std::floor(at.y + height / 2), half = context.Px(4);
            ImGui::GetWindowDrawList()->AddRectFilled({mark.min.x, middle - half},
                                                      {mark.min.x + 2 * half, middle + half},
                                                      ColourOf(theme, cost.loss), context.Px(2));
            columns.Text(context, 1, at.y, height, theme.text, FormatCount(cost.op + 1));
            columns.Text(context, 2, at.y, height, theme.dim, CallOf(picture, cost.op));
            columns.Text(context, 3, at.y, height, theme.text, FormatBytes(cost.bytes));
            if (hovered) {
                TooltipNow(context, std::string(NameOf(cost.loss)) + "\n" + CallOf(picture, cost.op) + ". " +
                                        WhyOf(picture, cost) + "\nClick: go there");
            }
        }
    }
    if (picture.fall.growths.empty()) return;
    SectionTitle(context, "Grew beside free room");
    const Columns columns(context, kGrowthColumns, ImGui::GetCursorScreenPos().x, width);
    columns.DrawHeader(context);
    for (std::size_t i = 0; i < picture.fall.growths.size(); ++i) {
        const lab::Growth& growth = picture.fall.growths[i];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        bool hovered = false;
        if (OperationRow(context, static_cast<int>(100 + i), width, growth.op, &hovered))
            SeekBehind(context, growth.op);
        columns.Text(context, 0, at.y, height, theme.text, FormatCount(growth.op + 1));
        columns.Text(context, 1, at.y, height, theme.dim, CallOf(picture, growth.op));
        columns.Text(context, 2, at.y, height, theme.text, FormatBytes(growth.grown));
        columns.Text(context, 3, at.y, height, theme.text, FormatBytes(growth.free));
        if (hovered) {
            TooltipNow(context, CallOf(picture, growth.op) + " grew the heap by " + FormatBytesExact(growth.grown) +
                                    ", though " + FormatBytesExact(growth.free) +
                                    "\nof it lay in no block: holes too small or in many pieces, or not found."
                                    "\nClick: go there");
        }
    }
    ImGui::Dummy({width, context.Px(6)});
}

void DrawRunMoment(ViewContext& context, float width) {
    session::Session& session = *context.session;
    const analysis::Metrics& now = session.PresentMetrics();
    const std::uint64_t heap = now.heap.value_or(0);
    const std::uint64_t gaps = heap > now.liveBytes ? heap - now.liveBytes : 0;
    SectionTitle(context, "Now", "after operation " + FormatCount(session.Now().value));
    ImGui::Dummy({width, context.Px(4)});
    KeyValue(context, "payload", FormatBytes(now.liveBytes),
             FormatBytesExact(now.liveBytes) + " in " + FormatCount(now.liveBlocks) + " live blocks");
    KeyValue(context, "gaps", FormatBytes(gaps),
             FormatBytesExact(gaps) + " of the heap are no live payload: headers, padding, free blocks");
    KeyValue(context, "break", analysis::FormatAddress(lab::kHeapBase + heap),
             "mem_sbrk(0): the heap's end, " + FormatBytesExact(heap) + " from its beginning");
    ImGui::Dummy({width, context.Px(4)});
}

}  // namespace

void DrawRun(ViewContext& context, const session::LabPicture& picture, float width) {
    DrawRunCurve(context, picture, width);
    DrawWaterfall(context, picture, width);
    DrawRunMoment(context, width);
    DrawCosts(context, picture, width);
}

namespace {

class LossesPanel final : public View {
public:
    const char* Title() const override { return "Losses"; }
    void Draw(ViewContext& context, ImVec2 size) override {
        session::Lab* const lab = context.session == nullptr ? nullptr : context.session->GetLab();
        if (lab == nullptr || lab->Picture() == nullptr) {
            return EmptyState(context, size, kIconTable, "No run yet", "The allocator has to build and run first.");
        }
        const ScrollArea area("##losses", size, true);
        DrawRun(context, *lab->Picture(), area.Width());
    }
};

}  // namespace

std::unique_ptr<View> MakeLabLossesView() {
    return std::make_unique<LossesPanel>();
}

}  // namespace residue::gui
