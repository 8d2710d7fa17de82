#include "gui/views/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
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

constexpr int kCells = 8;
constexpr float kCellWidth = 98;  // unscaled: the narrowest cell that holds its figure
constexpr float kCellHeight = 52;

struct Cell {
    std::string name;
    std::string value;    // "–" where it cannot be known
    std::string tooltip;  // name, formula, the formula with the present numbers
    ImU32 colour = 0;     // 0: text
};

constexpr const char* kUnknown = "–";
constexpr const char* kNoHeap = "\nNot known: no heap regions were recorded for this allocator.";
constexpr const char* kNoParts = "\nNot known: only payloads are told, headers and holes look alike.";

// A heap whose largest hole is less than half of what is free deserves a look; less than a quarter, more so.
ImU32 FragmentationColour(const Theme& theme, double value) {
    return value > 0.5 ? theme.warn : 0;
}

std::vector<Cell> Figures(ViewContext& context) {
    session::Session& session = *context.session;
    const Theme& theme = *context.theme;
    const analysis::Metrics& now = session.PresentMetrics();
    const analysis::RunMetrics run = session.Series().Run();
    // Resizes and failed requests search too; only running them again tells how long.
    std::uint64_t probes = session.ProbesOfPresent();
    if (const replay::Inside* inside = context.inside->Present(); inside != nullptr && probes == 0) {
        probes = inside->Probes();
    }
    std::vector<Cell> cells(kCells);
    // The others are of the allocator that the heap panel shows.
    const bool several = session.Heap().Allocators().size() > 1;
    const std::string ofAll = several ? "\nof all allocators together" : "";

    cells[0] = {"live", FormatBytes(now.liveBytes),
                "live bytes  P\nbytes of all live blocks, as requested\n" + FormatBytesExact(now.liveBytes) + " in " +
                    FormatCount(now.liveBlocks) + (now.liveBlocks == 1 ? " block" : " blocks"),
                0};
    cells[1] = {several ? "peak live, all" : "peak live", FormatBytes(run.peakLiveBytes),
                "peak live bytes  max P\nthe most bytes live after any call\n" + FormatBytesExact(run.peakLiveBytes) +
                    " at event " + FormatCount(run.peakPosition.value) + ofAll,
                0};
    cells[2] = {"holes", now.holes ? FormatCount(*now.holes) : kUnknown,
                std::string("holes  n\nmaximal runs of bytes that could be handed out again") +
                    (now.holes && now.free
                         ? "\n" + FormatCount(*now.holes) + " holes with " + FormatBytesExact(*now.free) + " in all"
                         : std::string(kNoHeap)),
                0};
    cells[3] = {"largest hole", now.largestHole ? FormatBytes(*now.largestHole) : kUnknown,
                std::string("largest hole  max f\ngross: a request needs its header and rounding too") +
                    (now.largestHole ? "\n" + FormatBytesExact(*now.largestHole) : std::string(kNoHeap)),
                0};
    if (const analysis::Mapped& mapped = session.PresentMapped(); !now.holes && mapped.Any()) {
        const std::string seen = "\nas it was seen last: the program is looked at ten times a second";
        const std::uint64_t set = now.liveBytes + now.header + now.padding + now.rounding + now.slack;
        cells[2] = {"mapped", "~" + FormatBytes(mapped.Bytes()),
                    "mapped bytes (sampled)\nof the mappings that have blocks of malloc's\n" +
                        FormatBytesExact(mapped.Bytes()) + seen,
                    0};
        cells[3] = {"of it idle", mapped.Bytes() > set ? "~" + FormatBytes(mapped.Bytes() - set) : kUnknown,
                    "idle bytes (sampled)\nmapped and not set aside for live blocks: holes, malloc's own, and what it "
                    "has not given out yet" + seen,
                    0};
    }
    const auto fraction = [&](const char* key, const char* name, const std::string& note) {
        const analysis::MetricInfo* info = analysis::FindMetric(key);
        Cell cell{name, kUnknown, name, 0};
        if (info == nullptr) return cell;
        const auto value = analysis::MetricValue(*info, now, run);
        cell.tooltip = std::string(info->label) + "\n" + info->formula;
        if (value) {
            cell.value = FormatFraction(*value);
            cell.tooltip += "\n" + analysis::FormulaWithNumbers(key, now, run) + note;
        } else {
            cell.tooltip += now.gaps ? kNoParts : kNoHeap;
        }
        return cell;
    };
    cells[4] = fraction("external_fragmentation", "external frag.", "");
    if (now.externalFragmentation) cells[4].colour = FragmentationColour(theme, *now.externalFragmentation);
    cells[5] = fraction("internal_fragmentation", "internal frag.",
                        "\nheader " + FormatBytesExact(now.header) + ", padding " + FormatBytesExact(now.padding) +
                            ", rounding " + FormatBytesExact(now.rounding) + ", slack " + FormatBytesExact(now.slack));
    cells[6] = fraction("peak_utilisation", several ? "peak util., all" : "peak util.",
                        "\nover the whole run" + ofAll);
    cells[7] = {"search", probes > 0 ? FormatCount(probes) + (probes == 1 ? " probe" : " probes") : kUnknown,
                std::string("search length\nholes looked at by this request") +
                    (probes > 0 ? "" : "\nNothing was searched for in this call, or it was not recorded."),
                0};
    if (now.gaps && now.largestGap) {
        const std::string gaps = "bytes of the heap that are no payload: headers and free blocks, which the allocator "
                                 "does not tell apart";
        cells[2] = {"gaps", FormatCount(*now.gaps), "gaps\nmaximal runs of " + gaps, 0};
        cells[3] = {"largest gap", FormatBytes(*now.largestGap),
                    "largest gap\nof the " + gaps + "\n" + FormatBytesExact(*now.largestGap), 0};
    }
    // After lost events no figure is sure; those of the whole run are not wherever events were lost in it.
    if (const auto from = session.Series().UncertainFrom()) {
        for (Cell& cell : cells) {
            const bool ofRun = &cell == &cells[1] || &cell == &cells[6];
            if (cell.value == kUnknown || &cell == &cells[7] || (!ofRun && session.Now() < *from)) continue;
            cell.value = "~ " + cell.value;
            cell.tooltip += "\nUncertain: events were lost at event " + FormatCount(from->value);
        }
    }
    return cells;
}

}  // namespace

float NumbersView::Height(const ViewContext& context, float width) {
    const bool oneRow = width >= context.Px(kCellWidth) * kCells;
    return context.Px(kCellHeight) * (oneRow ? 1.0f : 2.0f);
}

void NumbersView::Draw(ViewContext& context, ImVec2 size) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImDrawList* draw = ImGui::GetWindowDrawList();
    if (!context.Ready()) {
        DrawTextIn(draw, fonts.label, {origin, {origin.x + size.x, origin.y + size.y}}, theme.dim,
                   "The figures at the playhead appear here.", Align::Centre);
        return;
    }
    const std::vector<Cell> cells = Figures(context);
    const int rows = size.y > context.Px(kCellHeight * 1.5f) ? 2 : 1;
    const int columns = kCells / rows;
    const float pad = context.Px(kPad);
    for (int i = 0; i < kCells; ++i) {
        const Cell& cell = cells[static_cast<std::size_t>(i)];
        const int column = i % columns, row = i / columns;
        const auto edge = [&](int n, int of, float length) {
            return std::floor(length * static_cast<float>(n) / static_cast<float>(of));
        };
        const Rect box{{origin.x + edge(column, columns, size.x), origin.y + edge(row, rows, size.y)},
                       {origin.x + edge(column + 1, columns, size.x), origin.y + edge(row + 1, rows, size.y)}};
        const float line = std::max(1.0f, context.Px(kLine));
        if (column > 0) draw->AddRectFilled(box.min, {box.min.x + line, box.max.y}, theme.line);
        if (row > 0) draw->AddRectFilled(box.min, {box.max.x, box.min.y + line}, theme.line);
        const float middle = box.min.y + box.Height() * 0.40f;
        DrawTextIn(draw, fonts.labelSmall,
                   {{box.min.x + pad, box.min.y + context.Px(5)}, {box.max.x - context.Px(4), middle}}, theme.dim,
                   cell.name);
        // Smaller digits rather than cut ones.
        const Rect room{{box.min.x + pad, middle}, {box.max.x - context.Px(4), box.max.y - context.Px(4)}};
        const ImFont* font = TextWidth(fonts.number, cell.value) <= room.Width() ? fonts.number : fonts.mono;
        const ImU32 colour = cell.value == kUnknown ? theme.dim : (cell.colour != 0 ? cell.colour : theme.text);
        DrawTextIn(draw, font, room, colour, cell.value);
        ImGui::SetCursorScreenPos(box.min);
        ImGui::PushID(i);
        ImGui::InvisibleButton("cell", {box.Width(), box.Height()});
        ImGui::PopID();
        Tooltip(context, cell.tooltip);
    }
}

}  // namespace residue::gui
