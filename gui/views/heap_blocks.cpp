// The heap panel, zoomed in: free space and blocks with their parts.
#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/heap_frame.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr float kPartsFrom = 10;  // unscaled pixels: narrower blocks are one rectangle
constexpr std::size_t kMostHoles = 4000;
constexpr float kTextPad = 6;

bool Overlaps(std::uint64_t begin, std::uint64_t end, const HeapFrame& frame) {
    return end > begin && begin <= frame.LastVisible() && end > frame.FirstVisible();
}

// Fills the pixels of [begin, end).
void FillRange(const HeapFrame& frame, std::uint64_t begin, std::uint64_t end, ImU32 colour) {
    frame.ForSegments(begin, end, [&](const Segment& segment) {
        if (segment.box.Width() > 0) frame.draw->AddRectFilled(segment.box.min, segment.box.max, colour);
    });
}

// The widest box of a range on the screen, for text.
Rect WidestBox(const HeapFrame& frame, std::uint64_t begin, std::uint64_t end) {
    Rect widest{{0, 0}, {0, 0}};
    frame.ForSegments(begin, end, [&](const Segment& segment) {
        if (segment.box.Width() > widest.Width()) widest = segment.box;
    });
    return widest;
}

void DrawBlockText(const HeapFrame& frame, const model::Block& block, ImU32 fill, float alpha) {
    const float pad = frame.context.Px(kTextPad);
    const Rect box = WidestBox(frame, block.address, std::max(block.address + block.size, block.address + 1));
    const float room = box.Width() - 2 * pad;
    const float tallLine = frame.fonts().monoBold->FontSize;
    if (room < tallLine || box.Height() < tallLine) return;
    const ImU32 ink = WithAlpha(TextOn(fill), alpha);
    const std::string id = "#" + analysis::FormatCount(block.id.value);
    const std::string size = analysis::FormatBytes(block.size);
    const ImFont* bold = frame.fonts().monoBold;
    const ImFont* plain = frame.fonts().mono;
    if (TextWidth(bold, id) > room) return;

    const TraceId trace = frame.colour.TraceOf(block.id);
    std::string name = id;
    if (trace) {
        const std::string site = ShortFunction(SiteName(frame.log, trace), 1);
        const float left = room - TextWidth(bold, id + " ");
        const std::string cut = Ellipsized(bold, site, left);
        if (cut.size() >= std::min<std::size_t>(site.size(), 6)) name = id + " " + cut;
    }
    if (box.Height() >= 2.2f * tallLine) {
        const float lineHeight = std::floor(tallLine * 1.25f);
        const float y = std::floor(box.min.y + (box.Height() - 2 * lineHeight) / 2);
        DrawText(frame.draw, bold, {box.min.x + pad, y}, ink, name);
        if (TextWidth(plain, size) <= room) {
            DrawText(frame.draw, plain, {box.min.x + pad, y + lineHeight}, ink, size);
        }
        return;
    }
    const Rect line{{box.min.x + pad, box.min.y}, {box.max.x - pad, box.max.y}};
    const float sizeWidth = TextWidth(plain, size);
    if (TextWidth(bold, name + " ") + sizeWidth <= room) {
        DrawTextIn(frame.draw, bold, line, ink, name);
        DrawTextIn(frame.draw, plain, line, ink, size, Align::Right);
    } else {
        DrawTextIn(frame.draw, bold, line, ink, TextWidth(bold, name) <= room ? name : id);
    }
}

// Padding, header, payload, rounding and slack, each in its own tone.
void DrawParts(const HeapFrame& frame, const model::Block& block, ImU32 fill, float alpha) {
    const Theme& theme = frame.theme();
    const events::Event birth = frame.log.Birth(block.id).event;
    const std::uint64_t headerBegin = block.begin + birth.padding;
    const std::uint64_t payloadEnd = block.address + block.size;
    const std::uint64_t roundingEnd = payloadEnd + birth.rounding;
    const auto tone = [&](ImU32 colour) { return WithAlpha(colour, alpha); };
    FillRange(frame, block.begin, headerBegin, tone(theme.padding));
    FillRange(frame, headerBegin, block.address, tone(theme.header));
    FillRange(frame, block.address, payloadEnd, tone(fill));
    FillRange(frame, payloadEnd, roundingEnd, tone(Mix(theme.panel, fill, 0.28f)));
    FillRange(frame, roundingEnd, block.end, tone(theme.slack));
}

}  // namespace

std::size_t HeapFrame::FirstRowWith(std::uint64_t address) const {
    const auto found =
        std::lower_bound(rows.begin(), rows.end(), address,
                         [](const HeapLayout::Line& row, std::uint64_t value) { return row.last < value; });
    return static_cast<std::size_t>(found - rows.begin());
}

bool Emphasis::IsBlocker(BlockId block) const {
    return std::binary_search(blockers.begin(), blockers.end(), block);
}

bool Emphasis::Keeps(const log::LogView& log, BlockId block, TraceId trace) const {
    const bool chosen =
        traceSet ? trace.value < traceSet->size() && (*traceSet)[trace.value] : IsWithinAny(log, trace, traces);
    return chosen && (filter == nullptr || filter->Passes(block));
}

void DrawBackground(HeapFrame& frame, bool hatch) {
    const Theme& theme = frame.theme();
    const float spacing = frame.context.Px(6);
    const auto box = [&](const Segment& segment) {
        frame.draw->AddRectFilled(segment.box.min, segment.box.max, theme.window);
        if (hatch) Hatch(frame.draw, segment.box, theme.hatch, spacing);
    };
    if (!frame.known) {
        // What is not a block may be free or not this allocator's: no hatch, it is not known.
        const bool seen = !frame.mapped.empty();
        for (const HeapLayout::Line& row : frame.rows) {
            const float y = frame.RowY(row);
            frame.draw->AddRectFilled({frame.area.min.x, y},
                                      {frame.area.max.x, y + static_cast<float>(frame.shape.bar)},
                                      seen ? Mix(theme.panel, theme.window, 0.3f) : theme.window);
        }
        for (const analysis::MappedRange& range : frame.mapped) {
            if (Overlaps(range.begin, range.end, frame)) FillRange(frame, range.begin, range.end, theme.window);
        }
        return;
    }
    const ImU32 edge = Mix(theme.window, theme.line, 0.8f);
    for (const model::Region& region : frame.heap.Regions(frame.allocator)) {
        if (!Overlaps(region.begin, SaturatingAdd(region.end, region.bookkeeping), frame)) continue;
        frame.ForSegments(region.begin, region.end, box);
        if (hatch) {
            frame.ForSegments(region.begin, region.end, [&](const Segment& segment) {
                frame.draw->AddRect(segment.box.min, segment.box.max, edge);
            });
        }
        frame.ForSegments(region.end, SaturatingAdd(region.end, region.bookkeeping), [&](const Segment& segment) {
            frame.draw->AddRectFilled(segment.box.min, segment.box.max, Mix(theme.panel, theme.header, 0.6f));
            const float height = frame.fonts().monoSmall->FontSize;
            if (segment.box.Height() < height) return;
            DrawTextIn(frame.draw, frame.fonts().monoSmall, segment.box, theme.dim, "bookkeeping", Align::Centre);
        });
    }
}

void DrawLater(HeapFrame& frame, std::uint64_t begin, std::uint64_t end) {
    const ImU32 edge = Mix(frame.theme().panel, frame.theme().line, 0.55f);
    Rect widest{{0, 0}, {0, 0}};
    frame.ForSegments(begin, end, [&](const Segment& segment) {
        if (segment.box.Width() < 2) return;
        frame.draw->AddRect(segment.box.min, segment.box.max, edge);
        if (segment.box.Width() > widest.Width()) widest = segment.box;  // the first of the widest
    });
    const ImFont* font = frame.fonts().labelSmall;
    const std::string text = "not in the heap yet";
    if (widest.Height() < font->FontSize || widest.Width() < TextWidth(font, text) + frame.context.Px(2 * kTextPad))
        return;
    DrawTextIn(frame.draw, font, widest, frame.theme().dim, text, Align::Centre);
}

void DrawDead(HeapFrame& frame) {
    const model::AllocatorState* state = frame.heap.Find(frame.allocator);
    if (state == nullptr || state->totals.dead == 0 || frame.rows.empty()) return;
    const Theme& theme = frame.theme();
    const ImFont* font = frame.fonts().monoSmall;
    const std::uint64_t end = SaturatingAdd(frame.LastVisible(), 1);
    frame.heap.VisitDead(frame.allocator, frame.FirstVisible(), end, [&](const model::Block& block) {
        FillRange(frame, block.begin, block.end, Mix(theme.window, theme.dim, 0.35f));
        const Rect box = WidestBox(frame, block.begin, block.end);
        const bool room =
            box.Height() >= font->FontSize && box.Width() >= TextWidth(font, "dead") + frame.context.Px(6);
        if (room) DrawTextIn(frame.draw, font, box, theme.text, "dead", Align::Centre);
        return true;
    });
}

void DrawFreeSpace(HeapFrame& frame, bool hatch) {
    if (!frame.known || frame.rows.empty()) return;
    const ImFont* font = frame.fonts().monoSmall;
    const float least = font->FontSize + 2;  // of height, for a size
    if (static_cast<float>(frame.shape.bar) < least && !hatch) return;
    const float spacing = frame.context.Px(5), hatchFrom = frame.context.Px(8);
    const float pad = frame.context.Px(kTextPad);
    std::size_t holes = 0;
    const std::uint64_t end = SaturatingAdd(frame.LastVisible(), 1);
    frame.heap.VisitHoles(frame.allocator, frame.FirstVisible(), end, [&](const model::Hole& hole) {
        if (hatch) {
            frame.ForSegments(hole.begin, hole.end, [&](const Segment& segment) {
                if (segment.box.Width() >= hatchFrom) Hatch(frame.draw, segment.box, frame.theme().hatch, spacing);
            });
        }
        const Rect box = WidestBox(frame, hole.begin, hole.end);
        if (box.Height() >= least && box.Width() > 3 * font->FontSize) {
            const std::string text = analysis::FormatBytes(hole.Bytes());
            const float width = TextWidth(font, text);
            if (width + 2 * pad <= box.Width()) {
                // A clear patch in the hatch, so that the digits stand alone.
                const float x = std::floor((box.min.x + box.max.x - width) / 2);
                const float half = std::floor(font->FontSize / 2 + 1);
                const float y = std::floor((box.min.y + box.max.y) / 2);
                frame.draw->AddRectFilled({x - pad / 2, y - half}, {x + width + pad / 2, y + half},
                                          frame.theme().window);
                DrawTextIn(frame.draw, font, box, frame.theme().dim, text, Align::Centre);
            }
        }
        return ++holes < kMostHoles;
    });
}

void DrawBlocks(HeapFrame& frame, const std::vector<model::Block>& blocks, const Emphasis& emphasis) {
    const Theme& theme = frame.theme();
    const float partsFrom = frame.context.Px(kPartsFrom);
    const bool byAllocator = *frame.context.colour == ColourMode::Allocator;
    // Blocks narrower than a pixel share theirs: the pixel shows how much of it is occupied, never the last writer.
    struct Shared {
        const HeapLayout::Line* row = nullptr;
        float x = 0, y = 0;
        std::uint64_t bytes = 0;
        ImU32 fill = 0;
    };
    Shared shared;
    const double bytesPerPixel =
        static_cast<double>(frame.layout.Shape().rowBytes) / static_cast<double>(frame.layout.Shape().width);
    const auto flush = [&] {
        if (shared.row == nullptr) return;
        const double share = std::min(1.0, static_cast<double>(shared.bytes) / bytesPerPixel);
        frame.draw->AddRectFilled({shared.x, shared.y}, {shared.x + 1, shared.y + static_cast<float>(frame.shape.bar)},
                                  WithAlpha(shared.fill, static_cast<float>(0.25 + 0.75 * share)));
        shared = {};
    };
    for (const model::Block& block : blocks) {
        const bool blocker = emphasis.IsBlocker(block.id);
        ImU32 fill = blocker ? theme.warn : frame.colour.Of(block.id);
        const TraceId trace = frame.colour.TraceOf(block.id);
        if (!blocker && !emphasis.Keeps(frame.log, block.id, trace))
            fill = Mix(theme.panel, fill, 0.3f);
        const float alpha = emphasis.fading == block.id ? emphasis.fade : 1;
        const bool container = frame.IsContainer(block.id);  // what lies in it is drawn over it, and counts
        if (!container) frame.siteBytes[byAllocator ? frame.allocator.value : trace.value] += block.size;

        float width = 0;
        Segment first;
        bool any = false;
        frame.ForSegments(block.begin, block.end, [&](const Segment& segment) {
            width = std::max(width, segment.box.Width());
            if (!any) first = segment;
            any = true;
        });
        if (!any) continue;
        if (width < 1) {
            const HeapLayout::Line* row = &frame.rows[frame.FirstRowWith(first.begin)];
            if (shared.row != row || shared.x != first.box.min.x) flush();
            if (shared.row == nullptr) shared = {row, first.box.min.x, first.box.min.y, 0, fill};
            shared.bytes += block.end - block.begin;
            continue;
        }
        flush();
        if (width < partsFrom) {
            FillRange(frame, block.begin, block.end, WithAlpha(fill, alpha));
        } else {
            DrawParts(frame, block, fill, alpha);
            if (!container) DrawBlockText(frame, block, fill, alpha);
        }
        if (width >= frame.context.Px(3)) {
            // One pixel of background between neighbours, taken from the left one.
            frame.ForSegments(block.end - 1, block.end, [&](const Segment& segment) {
                frame.draw->AddRectFilled({segment.box.max.x - 1, segment.box.min.y}, segment.box.max, theme.panel);
            });
        }
    }
    flush();
}

}  // namespace residue::gui
