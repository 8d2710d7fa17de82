// The heap panel: what lies around and above the blocks: axis, tears, ghosts, the failed request, selection, legend.
#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/format.hpp"
#include "gui/views/heap_frame.hpp"
#include "gui/views/nest_text.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/panel.hpp"
#include "session/scenario.hpp"

namespace residue::gui {

namespace {

constexpr std::size_t kMostGhosts = 256;
constexpr float kLeastSwatches = 220;  // of the legend's width, kept for what the colours mean
constexpr std::size_t kLegendSites = 5;
constexpr std::size_t kLegendNests = 4;

// The blocks that the event at `row` ended.
std::vector<BlockId> EndedBy(const log::LogView& log, Row row) {
    const log::LoggedEvent event = log.At(row);
    std::vector<BlockId> ended;
    if (event.event.kind == events::EventKind::Freed && event.block) ended.push_back(event.block);
    if (event.oldBlock) ended.push_back(event.oldBlock);
    for (const BlockId block : log.DiedTogether(row)) {
        if (ended.size() >= kMostGhosts) break;
        ended.push_back(block);
    }
    return ended;
}

// A label, kept inside the rows' area; `patch`: on a ground of its own, where it lies over something.
void Chip(const HeapFrame& frame, ImVec2 at, ImU32 colour, const std::string& text, bool patch) {
    const ImFont* font = frame.fonts().monoSmall;
    const float pad = frame.context.Px(3);
    const float width = TextWidth(font, text) + 2 * pad;
    at.x = std::clamp(at.x, frame.area.min.x, std::max(frame.area.min.x, frame.area.max.x - width));
    at.y = std::max(at.y, frame.area.min.y - frame.context.Px(17));
    if (patch) frame.draw->AddRectFilled(at, {at.x + width, at.y + font->FontSize + 2}, frame.theme().panel, pad);
    DrawText(frame.draw, font, {at.x + pad, at.y + 1}, colour, text);
}

float SwatchWidth(const HeapFrame& frame, const std::string& label) {
    return frame.context.Px(9 + 5) + TextWidth(frame.fonts().labelSmall, label);
}

float DrawSwatch(const HeapFrame& frame, float x, float centre, ImU32 colour, const std::string& label) {
    const float side = frame.context.Px(9);
    const ImFont* font = frame.fonts().labelSmall;
    const float y = std::floor(centre - side / 2);
    frame.draw->AddRectFilled({x, y}, {x + side, y + side}, colour, frame.context.Px(2));
    frame.draw->AddRect({x, y}, {x + side, y + side}, Mix(colour, frame.theme().text, 0.3f), frame.context.Px(2));
    x += side + frame.context.Px(5);
    const float textY = std::floor(centre - font->FontSize / 2);
    return x + DrawText(frame.draw, font, {x, textY}, frame.theme().dim, label) + frame.context.Px(14);
}

}  // namespace

std::pair<std::uint64_t, std::uint64_t> RangeOf(const log::LogView& log, BlockId block) {
    const events::Event birth = log.Birth(block).event;
    return {birth.Begin(), birth.End()};
}

std::string DescribeBlock(const log::LogView& log, BlockId block, Position now) {
    const events::Event birth = log.Birth(block).event;
    const log::BlockLife life = log.Life(block);
    const Position born = log.PositionOf(life.born);
    std::string text = "#" + analysis::FormatCount(block.value);
    const std::string site = SiteName(log, birth.trace);
    if (!site.empty()) text += "  " + ShortFunction(site);
    text += "\n" + analysis::FormatBytes(birth.size) + " asked, " + analysis::FormatBytes(birth.SetAside()) +
            " set aside\nat " + analysis::FormatAddress(birth.address);
    text += "\nlives " + analysis::FormatCount(born.value) + " … ";
    const bool dead = life.died.value != log::kNever && log.PositionOf(life.died) <= now;
    text += dead ? analysis::FormatCount(log.PositionOf(life.died).value) : std::string("now");
    return text;
}

void DrawTears(HeapFrame& frame) {
    const Theme& theme = frame.theme();
    const float height = static_cast<float>(frame.layout.Shape().tearHeight);
    const float step = frame.context.Px(6);
    for (const HeapLayout::Line& tear : frame.tears) {
        const float y = frame.RowY(tear);
        const float middle = std::floor(y + height / 2);
        const std::string text = analysis::FormatBytes(tear.last - tear.begin + 1) + " not used here, " +
                                 analysis::FormatAddress(tear.begin) + " to " + analysis::FormatAddress(tear.last);
        const ImFont* font = frame.fonts().monoSmall;
        const float textWidth = TextWidth(font, text);
        const float textLeft = std::floor((frame.area.min.x + frame.area.max.x - textWidth) / 2);
        // A torn edge on both sides of the label.
        bool up = true;
        for (float x = frame.area.min.x; x + step <= frame.area.max.x; x += step, up = !up) {
            if (x + step > textLeft - step && x < textLeft + textWidth + step) continue;
            const float low = middle + step / 3, high = middle - step / 3;
            frame.draw->AddLine({x, up ? low : high}, {x + step, up ? high : low}, theme.dim);
        }
        DrawTextIn(frame.draw, font, {{frame.area.min.x, y}, {frame.area.max.x, y + height}}, theme.dim, text,
                   Align::Centre);
    }
}

void DrawAxis(HeapFrame& frame, float left) {
    const ImFont* font = frame.fonts().monoSmall;
    const float bar = static_cast<float>(frame.shape.bar);
    float free = -1e9f;  // labels do not touch
    for (const HeapLayout::Line& row : frame.rows) {
        const float y = std::floor(frame.RowY(row) + (bar - font->FontSize) / 2);
        if (y < free || y < frame.area.min.y - bar / 2) continue;
        if (y + font->FontSize > frame.area.max.y) break;
        DrawText(frame.draw, font, {left, y}, frame.theme().dim, analysis::FormatAddress(row.begin));
        free = y + font->FontSize + frame.context.Px(4);
    }
}

void DrawOutline(HeapFrame& frame, std::uint64_t begin, std::uint64_t end, ImU32 colour, float thickness) {
    const float grow = std::floor(thickness / 2);
    const float least = frame.context.Px(3);  // so that a block of less than a pixel can be seen
    frame.ForSegments(begin, end, [&](const Segment& segment) {
        ImVec2 min{segment.box.min.x - grow, segment.box.min.y - grow};
        ImVec2 max{std::max(segment.box.max.x, segment.box.min.x + least) + grow, segment.box.max.y + grow};
        ImDrawFlags corners = ImDrawFlags_RoundCornersNone;
        if (segment.starts) corners |= ImDrawFlags_RoundCornersLeft;
        if (segment.ends) corners |= ImDrawFlags_RoundCornersRight;
        frame.draw->AddRect(min, max, colour, frame.context.Px(2), corners, thickness);
    });
}

namespace {

void DrawGhost(HeapFrame& frame, BlockId block, const events::Event& birth) {
    std::optional<Segment> widest;
    frame.ForSegments(birth.Begin(), birth.End(), [&](const Segment& segment) {
        Rect box = segment.box;
        box.max.x = std::max(box.max.x, box.min.x + frame.context.Px(3));
        DashedRect(frame.draw, box, frame.theme().text, frame.context.Px(4));
        if (!widest || segment.box.Width() > widest->box.Width()) widest = segment;
    });
    if (!widest) return;
    const ImFont* font = frame.fonts().monoSmall;
    const std::string label = "freed #" + analysis::FormatCount(block.value);
    const float pad = frame.context.Px(5);
    const Rect& box = widest->box;
    if (box.Height() >= 2.4f * font->FontSize && box.Width() >= TextWidth(font, label) + 2 * pad) {
        Chip(frame, {box.min.x + pad / 2, box.min.y + 2}, frame.theme().dim, label, true);
    }
}

}  // namespace

void DrawGhosts(HeapFrame& frame) {
    const auto present = frame.context.session->PresentRow();
    if (!present || present->value >= frame.log.Rows().value) return;
    for (const BlockId block : EndedBy(frame.log, *present)) {
        const events::Event birth = frame.log.Birth(block).event;
        InHeapOf(frame, birth.allocator, [&] { DrawGhost(frame, block, birth); });
    }
}

void DrawLeaving(HeapFrame& frame) {
    const StepMotion& step = frame.context.step;
    if (!step.Moving() || !step.row || step.row->value >= frame.log.Rows().value) return;
    std::vector<BlockId> leaving;
    if (step.forward) {
        leaving = EndedBy(frame.log, *step.row);
    } else if (const log::LoggedEvent taken = frame.log.At(*step.row); taken.block && !taken.event.Failed()) {
        if (taken.event.kind == events::EventKind::Allocated || taken.event.kind == events::EventKind::ResizeEnds) {
            leaving.push_back(taken.block);
        }
    }
    for (const BlockId block : leaving) {
        const events::Event birth = frame.log.Birth(block).event;
        const ImU32 colour = WithAlpha(frame.colour.Of(block), 1 - step.progress);
        InHeapOf(frame, birth.allocator, [&] {
            frame.ForSegments(birth.Begin(), birth.End(), [&](const Segment& segment) {
                // It drains downwards.
                ImVec2 min = segment.box.min;
                min.y += std::floor(segment.box.Height() * step.progress);
                frame.draw->AddRectFilled(min, segment.box.max, colour);
            });
        });
    }
}

namespace {

void DrawFailureIn(HeapFrame& frame, const analysis::FailureReport& failure) {
    const Theme& theme = frame.theme();
    if (failure.blockers) {
        for (const model::Block& block : failure.blockers->blocks) {
            DrawOutline(frame, block.begin, block.end, theme.duck, frame.context.Px(2));
        }
    }
    const std::uint64_t need = failure.need != 0 ? failure.need : failure.size;
    const auto hole = frame.heap.LargestHole(frame.allocator);
    std::uint64_t begin = 0;
    if (hole)
        begin = hole->begin;
    else if (failure.blockers)
        begin = failure.blockers->holeBegin;
    else if (!frame.rows.empty())
        begin = frame.FirstVisible();
    const std::string needs = "needs " + analysis::FormatBytes(need);

    const float gap = static_cast<float>(frame.shape.pitch - frame.shape.bar);
    const float height = std::max(frame.context.Px(8), std::min(gap - frame.context.Px(6), frame.context.Px(10)));
    // In the gap above the row, else on it; within a nest there is none.
    const float offset = gap >= height && frame.scope < 0 ? std::floor((gap + height) / 2) : 0;
    std::optional<Rect> end;
    std::size_t drawn = 0;
    frame.ForSegments(begin, SaturatingAdd(begin, need), [&](const Segment& segment) {
        Rect box = segment.box;
        box.min.y -= offset;
        box.max.y = frame.scope < 0 ? box.min.y + height : std::min(box.max.y, box.min.y + height);
        box.max.x = std::max(box.max.x, box.min.x + frame.context.Px(4));
        if (offset == 0) frame.draw->AddRectFilled(box.min, box.max, WithAlpha(theme.panel, 0.85f));
        frame.draw->AddRectFilled(box.min, box.max, WithAlpha(theme.error, 0.14f));
        DashedRect(frame.draw, box, theme.error, frame.context.Px(4));
        if (!end || drawn < 3) end = box;  // the label stays near the beginning of a very long ruler
        ++drawn;
    });
    if (end) {
        const float text = frame.fonts().monoSmall->FontSize + 2;
        float x = end->max.x + frame.context.Px(4);
        const float width = TextWidth(frame.fonts().monoSmall, needs) + frame.context.Px(6);
        const bool beside = x + width > frame.area.max.x;  // no room behind the ruler: over its end
        if (beside) x = frame.area.max.x - width;
        Chip(frame, {x, std::floor((end->min.y + end->max.y - text) / 2)}, theme.error, needs, offset == 0 || beside);
    }
}

}  // namespace

void DrawFailure(HeapFrame& frame) {
    const auto& failure = frame.context.session->PresentFailure();
    if (failure) InHeapOf(frame, failure->allocator, [&] { DrawFailureIn(frame, *failure); });
}

void DrawSelection(HeapFrame& frame) {
    const Selection& selection = *frame.context.selection;
    const auto outline = [&](BlockId block, ImU32 colour, float thickness) {
        if (!block || block.value > frame.log.Blocks()) return;
        const events::Event birth = frame.log.Birth(block).event;
        const log::BlockLife life = frame.log.Life(block);
        const std::uint64_t applied = frame.heap.Applied().value;
        const bool live = life.born.value < applied && (life.died.value == log::kNever || life.died.value >= applied);
        InHeapOf(frame, birth.allocator, [&] {
            if (live) return DrawOutline(frame, birth.Begin(), birth.End(), colour, thickness);
            frame.ForSegments(birth.Begin(), birth.End(), [&](const Segment& segment) {
                DashedRect(frame.draw, segment.box, colour, frame.context.Px(3), thickness);
            });
        });
    };
    // What the event at this position made: a thin line, so that a step can be seen.
    if (const auto present = frame.context.session->PresentRow(); present && present->value < frame.log.Rows().value) {
        const log::LoggedEvent event = frame.log.At(*present);
        const bool made =
            event.event.kind == events::EventKind::Allocated || event.event.kind == events::EventKind::ResizeEnds;
        if (made && event.block && !event.event.Failed()) outline(event.block, frame.theme().text, frame.context.Px(1));
    }
    if (selection.block) outline(*selection.block, frame.theme().duck, frame.context.Px(2));
    if (selection.hovered && selection.hovered != selection.block) {
        outline(*selection.hovered, frame.theme().text, frame.context.Px(1));
    }
}

// Where the keys say that the request will land: as long as what was asked for.
void DrawGuess(HeapFrame& frame) {
    const session::Scenario* const scenario = frame.context.session->GetScenario();
    const auto guess = frame.context.selection->guess;
    const auto question = scenario == nullptr || !guess ? std::nullopt : scenario->Question();
    if (!question) return;
    const std::uint64_t end = SaturatingAdd(*guess, std::max<std::uint64_t>(question->bytes, 1));
    InHeapOf(frame, question->allocator, [&] {
        bool labelled = false;
        frame.ForSegments(*guess, end, [&](const Segment& segment) {
            Rect box = segment.box;
            box.max.x = std::max(box.max.x, box.min.x + frame.context.Px(4));
            frame.draw->AddRectFilled(box.min, box.max, WithAlpha(frame.theme().accent, 0.2f));
            DashedRect(frame.draw, box, frame.theme().accent, frame.context.Px(4), frame.context.Px(2));
            if (!std::exchange(labelled, true))
                Chip(frame, {box.min.x + frame.context.Px(3), box.min.y + 2}, frame.theme().accent, "here?", true);
        });
    });
}

namespace {

// Whose heap a frame is: hollow swatches, so that they are not taken for the colours of blocks.
float DrawNestSwatches(const HeapFrame& frame, float x, float centre) {
    std::vector<AllocatorId> children;
    const bool byAllocator = *frame.context.colour == ColourMode::Allocator;
    for (const HeapNest& nest : frame.nests) {
        if (byAllocator && frame.siteBytes.count(nest.nest.child.value) != 0) continue;  // its blocks say it already
        if (std::find(children.begin(), children.end(), nest.nest.child) != children.end()) continue;
        children.push_back(nest.nest.child);
        if (children.size() > kLegendNests) break;
    }
    const ImFont* font = frame.fonts().labelSmall;
    const float side = frame.context.Px(9), textY = std::floor(centre - font->FontSize / 2);
    for (std::size_t i = 0; i < std::min(children.size(), kLegendNests); ++i) {
        const float y = std::floor(centre - side / 2);
        frame.draw->AddRect({x, y}, {x + side, y + side}, frame.colour.OfAllocator(children[i]), 0, 0,
                            frame.context.Px(2));
        x += side + frame.context.Px(5);
        const std::string label = Ellipsized(font, NameOf(frame.heap, children[i]), frame.context.Px(130));
        x += DrawText(frame.draw, font, {x, textY}, frame.theme().dim, label) + frame.context.Px(14);
    }
    if (children.size() > kLegendNests) {
        x += DrawText(frame.draw, font, {x, textY}, frame.theme().dim, "+ more heaps") + frame.context.Px(14);
    }
    return x;
}

// How much a row is, and what is to be known of the picture: as much of that as fits, what it means first.
std::string ScaleText(const HeapFrame& frame, bool dense, float width) {
    std::string text = analysis::FormatBytes(frame.layout.Shape().rowBytes) + " a row";
    const auto add = [&](bool holds, const char* part) {
        if (!holds) return;
        const std::string longer = text + ", " + part;
        if (TextWidth(frame.fonts().labelSmall, longer) <= width) text = longer;
    };
    const bool filtered = frame.context.session->Analyst().Filter().Any();
    add(filtered, dense ? "pale: filtered (told by one block a cell)" : "pale: filtered");
    add(!frame.known && frame.mapped.empty(), "heap bounds not recorded");
    add(!frame.mapped.empty(), "dark: mapped, as seen now and then");
    add(frame.crowded, "heaps too small to frame drawn as blocks");
    add(dense, "brightness: occupied share");
    return text;
}

// How many of these labels, with their swatches, fit from `x` on, with "+ N more" behind those that are not all.
std::size_t FittingSwatches(const HeapFrame& frame, const std::vector<std::string>& labels, std::size_t all, float x,
                            float right) {
    const std::string more = "+ " + analysis::FormatCount(all) + " more";
    const float rest = TextWidth(frame.fonts().labelSmall, more);
    std::size_t fitting = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        x += SwatchWidth(frame, labels[i]);
        if (i + 1 == all ? x <= right : x + frame.context.Px(14) + rest <= right) fitting = i + 1;
        x += frame.context.Px(14);
    }
    return fitting;
}

}  // namespace

void DrawLegend(HeapFrame& frame, Rect strip, bool dense) {
    const Theme& theme = frame.theme();
    const ImFont* font = frame.fonts().labelSmall;
    const float centre = std::floor((strip.min.y + strip.max.y) / 2);
    const float textY = std::floor(centre - font->FontSize / 2);
    frame.draw->PushClipRect(strip.min, strip.max, true);
    const std::string scale = ScaleText(frame, dense, strip.Width() - frame.context.Px(kLeastSwatches));
    const float scaleWidth = TextWidth(font, scale);
    DrawText(frame.draw, font, {strip.max.x - scaleWidth, textY}, theme.dim, scale);
    const float right = strip.max.x - scaleWidth - frame.context.Px(16);
    frame.draw->PushClipRect(strip.min, {right, strip.max.y}, true);

    float x = strip.min.x;
    if (frame.colour.IsScale()) {
        const ScaleLegend legend = frame.colour.Legend();
        x += DrawText(frame.draw, font, {x, textY}, theme.dim, legend.low) + frame.context.Px(6);
        const int steps = 8;
        const float cell = frame.context.Px(10);
        for (int i = 0; i < steps; ++i) {
            const float half = std::floor(frame.context.Px(9) / 2);
            frame.draw->AddRectFilled({x, centre - half}, {x + cell, centre + half},
                                      Viridis(static_cast<float>(i) / static_cast<float>(steps - 1)));
            x += cell;
        }
        x += frame.context.Px(6);
        x += DrawText(frame.draw, font, {x, textY}, theme.dim, legend.high) + frame.context.Px(14);
    } else {
        std::vector<std::pair<std::uint32_t, std::uint64_t>> sites(frame.siteBytes.begin(), frame.siteBytes.end());
        std::stable_sort(sites.begin(), sites.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
        const bool byAllocator = *frame.context.colour == ColourMode::Allocator;
        std::vector<std::string> labels;
        std::vector<ImU32> colours;
        for (std::size_t i = 0; i < std::min(sites.size(), kLegendSites); ++i) {
            const std::uint32_t id = sites[i].first;
            const AllocatorId allocator{static_cast<std::uint16_t>(id)};
            const std::string label = byAllocator ? NameOf(frame.heap, allocator)
                                      : id == 0   ? std::string("payload")
                                                  : ShortFunction(SiteName(frame.log, TraceId{id}));
            labels.push_back(Ellipsized(font, label, frame.context.Px(130)));
            colours.push_back(byAllocator ? frame.colour.OfAllocator(allocator) : frame.colour.OfTrace(TraceId{id}));
        }
        const std::size_t fitting = FittingSwatches(frame, labels, sites.size(), x, right);
        for (std::size_t i = 0; i < fitting; ++i) x = DrawSwatch(frame, x, centre, colours[i], labels[i]);
        if (fitting < sites.size()) {
            const std::string count = analysis::FormatCount(sites.size() - fitting);
            const char* const what = byAllocator ? " allocators" : " sites";
            const std::string more = fitting == 0 ? count + what : "+ " + count + " more";
            x += DrawText(frame.draw, font, {x, textY}, theme.dim, more) + frame.context.Px(14);
        }
    }
    x = DrawNestSwatches(frame, x, centre);
    if (!dense) {
        const std::pair<const char*, ImU32> parts[] = {{"header", theme.header},
                                                       {"padding", theme.padding},
                                                       {"rounding", Mix(theme.panel, theme.Category(0), 0.28f)},
                                                       {"slack", theme.slack}};
        for (const auto& [name, colour] : parts) {
            if (x + SwatchWidth(frame, name) > right) break;  // half a word tells nothing
            x = DrawSwatch(frame, x, centre, colour, name);
        }
    }
    frame.draw->PopClipRect();
    frame.draw->PopClipRect();
}

}  // namespace residue::gui
