#include "gui/views/heap_nests.hpp"

#include <cmath>

#include "analysis/format.hpp"
#include "base/checked.hpp"
#include "gui/views/nest_text.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr std::size_t kMostBlocks = 4000;  // drawn one by one; more are a texture
constexpr double kLeastWidth = 3;          // pixels, on average, or they are a texture
constexpr std::size_t kMostNests = 2000;
constexpr float kLeastNest = 8;            // unscaled pixels: narrower ones are no containers
constexpr float kLeastInside = 5;          // of height, that a title leaves for what lies below it
constexpr float kMostTitle = 120;          // of width: longer names are cut

struct Edge {  // of a frame, at the top and the bottom: its line, and what keeps what lies inside off it
    float line = 0, gap = 0;
    float Both() const { return line + gap; }
};

Edge EdgeIn(const HeapFrame& frame, float height) {
    const ViewContext& context = frame.context;
    if (height >= context.Px(15)) return {context.Px(2), context.Px(1)};
    if (height >= context.Px(9)) return {context.Px(1), context.Px(1)};
    if (height >= context.Px(4)) return {context.Px(1), 0};
    return {};
}

float TitleHeight(const HeapFrame& frame) { return frame.fonts().monoSmall->FontSize + frame.context.Px(2); }

// The title of a nest in this row: its height, 0 where it has none.
float TitleIn(const HeapFrame& frame, const HeapNest& nest, std::size_t row, float height) {
    if (nest.titleRow != row) return 0;
    const float title = TitleHeight(frame);
    return height - 2 * EdgeIn(frame, height).Both() - title >= frame.context.Px(kLeastInside) ? title : 0;
}

// Finds out which blocks and nests can be seen.
class Collector {
public:
    explicit Collector(HeapFrame& frame) : frame_(frame) {
        first_ = frame.FirstVisible();
        end_ = SaturatingAdd(frame.LastVisible(), 1);
        const auto& shape = frame.layout.Shape();
        pixelsOfByte_ = static_cast<double>(shape.width) / static_cast<double>(shape.rowBytes);
    }

    HeapLook Look() {
        HeapLook look;
        look.dense = !Blocks(frame_.allocator, first_, end_, look.blocks, -1, 0);
        // A handful of tiny blocks in a large heap are not a crowd.
        const double pixels = static_cast<double>(bytes_) * pixelsOfByte_;
        if (leaves_ > 64 && pixels < kLeastWidth * static_cast<double>(leaves_)) look.dense = true;
        if (look.dense) {
            look.blocks.clear();
            frame_.nests.clear();
            Frames(frame_.allocator, first_, end_, -1, 0);
            frame_.crowded = false;  // cells look into nests of any size
        }
        for (const HeapNest& nest : frame_.nests) frame_.containers.push_back(nest.nest.block.id);
        std::sort(frame_.containers.begin(), frame_.containers.end());
        return look;
    }

private:
    // The blocks of `owner` in [begin, end), and what lies in them; false: there are too many.
    bool Blocks(AllocatorId owner, std::uint64_t begin, std::uint64_t end, std::vector<model::Block>& blocks, int outer,
                int depth) {
        bool all = true;
        frame_.heap.VisitBlocks(owner, begin, end, [&](const model::Block& block) {
            all = ++seen_ <= kMostBlocks;
            if (all) blocks.push_back(block);
            return all;
        });
        for (std::size_t i = 0; all && i < blocks.size(); ++i) {
            const std::uint64_t from = std::max(blocks[i].begin, begin), to = std::min(blocks[i].end, end);
            const int before = static_cast<int>(frame_.nests.size());
            if (blocks[i].region && depth < model::kDeepestNest) {
                for (const model::Nest& nest : model::NestsIn(frame_.heap, owner, from, to, kMostNests)) {
                    if (nest.block.id != blocks[i].id) continue;
                    const int index = Add(nest, outer);
                    if (index < 0) continue;
                    const model::Nest own = frame_.nests[static_cast<std::size_t>(index)].nest;
                    std::vector<model::Block> inside;
                    all = Blocks(own.child, std::max(own.begin, begin), std::min(own.usableEnd, end), inside, index,
                                 depth + 1);
                    frame_.nests[static_cast<std::size_t>(index)].blocks = std::move(inside);
                    if (!all) break;
                }
            }
            if (static_cast<int>(frame_.nests.size()) > before) continue;
            ++leaves_;
            bytes_ += to > from ? to - from : 0;
        }
        return all;
    }

    // Dense: only the nests that are wide enough for a frame. What begins within a stride is passed over, but if it
    // is as wide as the stride, it is found where the stride ends.
    void Frames(AllocatorId owner, std::uint64_t begin, std::uint64_t end, int outer, int depth) {
        const auto stride = static_cast<std::uint64_t>(frame_.context.Px(kLeastNest) / pixelsOfByte_) + 1;
        for (std::uint64_t at = begin; at < end && depth < model::kDeepestNest;) {
            const auto found = model::NestsIn(frame_.heap, owner, at, end, 1);
            if (found.empty() || frame_.nests.size() >= kMostNests) break;
            const model::Nest& nest = found.front();
            if (const int index = Add(nest, outer); index >= 0) {
                const model::Nest own = frame_.nests[static_cast<std::size_t>(index)].nest;
                Frames(own.child, std::max(own.begin, begin), std::min(own.usableEnd, end), index, depth + 1);
                at = nest.end;
            } else {
                at = std::max(nest.end, SaturatingAdd(std::max(nest.begin, at), stride));
            }
        }
    }

    // Its index; < 0: it is too narrow, or there are too many.
    int Add(model::Nest nest, int outer) {
        if (outer >= 0) {
            const model::Nest& around = frame_.nests[static_cast<std::size_t>(outer)].nest;
            nest.begin = std::max(nest.begin, around.begin);
            nest.usableEnd = std::min(nest.usableEnd, around.usableEnd);
            nest.end = std::min(nest.end, around.usableEnd);
        }
        HeapNest added{nest, outer, HeapNest::kNone, {}};
        if (nest.end <= nest.begin || frame_.nests.size() >= kMostNests || !IsWide(added)) {
            frame_.crowded = true;
            return -1;
        }
        frame_.nests.push_back(std::move(added));
        return static_cast<int>(frame_.nests.size()) - 1;
    }

    // As wide somewhere as a container has to be; finds the row for its title, too.
    bool IsWide(HeapNest& nest) const {
        const std::string name = NameOf(frame_.heap, nest.nest.child);
        const float wanted = std::min(TextWidth(frame_.fonts().monoSmall, name) + frame_.context.Px(8),
                                      frame_.context.Px(kMostTitle));
        float widest = 0;
        frame_.ForSegments(nest.nest.begin, nest.nest.end, [&](const Segment& segment) {
            widest = std::max(widest, segment.box.Width());
            const bool whole = segment.box.min.y >= frame_.area.min.y;  // not cut off by the panel's edge
            const bool titled = nest.titleRow != HeapNest::kNone;
            if (!titled && whole && segment.box.Width() >= wanted) nest.titleRow = segment.row;
        });
        return widest >= frame_.context.Px(kLeastNest);
    }

    HeapFrame& frame_;
    std::uint64_t first_ = 0, end_ = 0;
    double pixelsOfByte_ = 1;
    std::size_t seen_ = 0, leaves_ = 0;
    std::uint64_t bytes_ = 0;  // of the leaves
};

// Its ground, over what its block would be, and its name.
void DrawGround(HeapFrame& frame, const HeapNest& nest, bool dense) {
    const Theme& theme = frame.theme();
    const ImU32 colour = ColourOf(frame, nest);
    frame.ForSegments(nest.nest.begin, nest.nest.end, [&](const Segment& segment) {
        const Rect box = segment.box;
        const Edge edge = EdgeIn(frame, box.Height());
        if (!dense) frame.draw->AddRectFilled(box.min, box.max, theme.window);
        if (edge.gap > 0) {  // between the line and what lies inside
            frame.draw->AddRectFilled(box.min, {box.max.x, box.min.y + edge.Both()}, theme.window);
            frame.draw->AddRectFilled({box.min.x, box.max.y - edge.Both()}, box.max, theme.window);
        }
        const float title = TitleIn(frame, nest, segment.row, box.Height());
        if (title <= 0) return;
        const Rect strip{{box.min.x, box.min.y + edge.line}, {box.max.x, box.min.y + edge.Both() + title - edge.gap}};
        frame.draw->AddRectFilled(strip.min, strip.max, Mix(theme.panel, colour, theme.dark ? 0.30f : 0.22f));
        const float pad = frame.context.Px(4);
        const Rect line{{strip.min.x + pad, strip.min.y}, {strip.max.x - pad, strip.max.y}};
        const ImFont* font = frame.fonts().monoSmall;
        const std::string size = analysis::FormatBytes(nest.nest.end - nest.nest.begin);
        const std::string name = NameOf(frame.heap, nest.nest.child);
        const std::string both = name + " in #" + analysis::FormatCount(nest.nest.block.id.value);
        const float sizeWidth = TextWidth(font, size) + 2 * pad;
        const bool bothFit = TextWidth(font, both) + sizeWidth <= line.Width();
        DrawTextIn(frame.draw, font, line, theme.text, bothFit ? both : name);
        if (bothFit) DrawTextIn(frame.draw, font, line, theme.dim, size, Align::Right);
    });
}

void DrawFrameLines(HeapFrame& frame, const HeapNest& nest) {
    const ImU32 colour = ColourOf(frame, nest);
    frame.ForSegments(nest.nest.begin, nest.nest.end, [&](const Segment& segment) {
        const ImVec2 min = segment.box.min, max = segment.box.max;
        const float line = EdgeIn(frame, segment.box.Height()).line;
        if (line <= 0) return;
        frame.draw->AddRectFilled(min, {max.x, min.y + line}, colour);
        frame.draw->AddRectFilled({min.x, max.y - line}, max, colour);
        if (segment.starts) frame.draw->AddRectFilled(min, {std::min(min.x + line, max.x), max.y}, colour);
        if (segment.ends) frame.draw->AddRectFilled({std::max(max.x - line, min.x), min.y}, max, colour);
    });
}

// As DrawBackground does it for the heap that is shown.
void DrawBookkeeping(HeapFrame& frame) {
    const Theme& theme = frame.theme();
    const ImFont* font = frame.fonts().monoSmall;
    frame.ForSegments(frame.Scope().usableEnd, frame.Scope().end, [&](const Segment& segment) {
        frame.draw->AddRectFilled(segment.box.min, segment.box.max, Mix(theme.panel, theme.header, 0.6f));
        if (segment.box.Height() < font->FontSize) return;
        DrawTextIn(frame.draw, font, segment.box, theme.dim, "bookkeeping", Align::Centre);
    });
}

// Calls draw() within the scope of what lies around a nest.
template <class Draw>
void Around(HeapFrame& frame, const HeapNest& nest, Draw draw) {
    if (nest.outer < 0) return draw();
    const NestScope scope(frame, nest.outer);
    draw();
}

}  // namespace

Inset HeapFrame::InsetOf(int nest, std::size_t row) const {
    if (nest < 0) return {};
    const HeapNest& own = nests[static_cast<std::size_t>(nest)];
    Inset inset = InsetOf(own.outer, row);
    const float height = static_cast<float>(shape.bar) - inset.top - inset.bottom;
    const float edge = EdgeIn(*this, height).Both();
    inset.top += edge + TitleIn(*this, own, row, height);
    inset.bottom += edge;
    return inset;
}

ImU32 ColourOf(const HeapFrame& frame, const HeapNest& nest) { return frame.colour.OfAllocator(nest.nest.child); }

HeapLook Collect(HeapFrame& frame) {
    if (frame.rows.empty()) return {};
    return Collector(frame).Look();
}

void DrawNests(HeapFrame& frame, const Emphasis& emphasis, bool dense) {
    for (std::size_t i = 0; i < frame.nests.size(); ++i) {
        const HeapNest& nest = frame.nests[i];
        Around(frame, nest, [&] { DrawGround(frame, nest, dense); });
        if (dense) continue;
        const NestScope scope(frame, static_cast<int>(i));
        DrawFreeSpace(frame, true);
        DrawDead(frame);
        DrawBlocks(frame, nest.blocks, emphasis);
        DrawBookkeeping(frame);
    }
    for (const HeapNest& nest : frame.nests) {
        Around(frame, nest, [&] { DrawFrameLines(frame, nest); });
    }
}

HeapHit HitAt(const HeapFrame& frame, std::uint64_t address, float inRow, bool dense) {
    HeapHit hit;
    hit.allocator = frame.allocator;
    const std::size_t row = frame.FirstRowWith(address);
    int scope = -1;
    for (std::size_t i = 0; i < frame.nests.size(); ++i) {
        const HeapNest& each = frame.nests[i];
        if (each.outer != scope || address < each.nest.begin || address >= each.nest.end) continue;
        scope = static_cast<int>(i);
        const Inset inset = frame.InsetOf(scope, row);
        if (inRow < inset.top || inRow >= static_cast<float>(frame.shape.bar) - inset.bottom) {
            hit.block = each.nest.block;
            hit.frameOf = each.nest.child;
            return hit;
        }
        hit.allocator = each.nest.child;
    }
    if (dense) {  // cells count what lies in nests of any size
        const auto around = model::NestsDownTo(frame.heap, hit.allocator, address);
        if (!around.empty()) hit.allocator = around.back().child;
    }
    hit.block = frame.heap.BlockAt(hit.allocator, address);
    if (!hit.block) hit.hole = frame.heap.HoleAt(hit.allocator, address);
    return hit;
}

}  // namespace residue::gui
