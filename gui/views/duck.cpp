#include "gui/views/duck.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "alloc/duck.hpp"
#include "analysis/format.hpp"
#include "gui/views/notes.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {
namespace {

constexpr float kCorner = 344;           // unscaled: bubble and duck side by side
constexpr double kHopSeconds = 0.9;      // from outside the corner to its place
constexpr std::size_t kBodyColumns = 9;  // the duck itself; its words are to the right

// The drawing, line by line.
std::vector<std::string_view> DuckLines() {
    std::vector<std::string_view> lines;
    std::string_view art(alloc::kDuck, alloc::kDuckLength);
    while (!art.empty()) {
        const std::size_t end = art.find('\n');
        lines.push_back(art.substr(0, end));
        art.remove_prefix(end == std::string_view::npos ? art.size() : end + 1);
    }
    return lines;
}

std::string At(std::uint64_t address) {
    return analysis::FormatAddress(address);
}

std::string BlockName(BlockId block) {
    return "block #" + analysis::FormatCount(block.value);
}

// "main in list.c:14", or nothing.
std::string Site(const log::LogView& view, TraceId trace) {
    if (!trace) return {};
    const log::Frame frame = view.TopFrame(trace);
    std::string text = frame.function;
    if (!frame.file.empty()) {
        const std::size_t slash = frame.file.find_last_of('/');
        text += text.empty() ? "" : " in ";
        text += slash == std::string::npos ? frame.file : frame.file.substr(slash + 1);
        if (frame.line > 0) text += ":" + std::to_string(frame.line);
    }
    return text;
}

// For a free that failed: when its address was freed before.
std::string DescribeFreeFailed(const log::LogView& view, const log::LoggedEvent& logged) {
    const events::Event& event = logged.event;
    if (event.Failed() && event.Error() == MemoryError::DoubleFree) {
        std::string text = "That pointer was freed";
        if (logged.block) {
            const log::BlockLife life = view.Life(logged.block);
            if (life.died.value != log::kNever && life.died < view.Rows()) {
                text += " at event " + analysis::FormatCount(view.PositionOf(life.died).value);
            } else {
                text += " before";
            }
        } else {
            text += " before";
        }
        return text + ". Nobody owns it now.";
    }
    std::string text = At(event.address) + " is not the start of any block that this allocator gave out.";
    if (event.NearestBlock() != 0) {
        const auto offset = static_cast<std::int64_t>(event.NearestOffset());
        const std::uint64_t distance = offset < 0 ? 0 - event.NearestOffset() : event.NearestOffset();
        text += " It lies " + analysis::FormatBytes(distance) + (offset < 0 ? " before " : " into ") +
                (logged.block ? BlockName(logged.block) : "the block at " + At(event.NearestBlock())) + ".";
    }
    return text;
}

// A read or write through a pointer whose block is gone, or beyond its end.
std::string DescribeAccessFailed(const log::LoggedEvent& logged, const std::string& from) {
    const events::Event& event = logged.event;
    const char* const what = event.argument == 2 ? "A write of " : event.argument == 1 ? "A read of " : "An access of ";
    std::string text = what + analysis::FormatBytes(event.size) + " at " + At(event.address) + from + ": ";
    if (event.error == static_cast<std::uint8_t>(events::AccessError::OutOfBounds)) {
        return text + (logged.block ? "beyond the end of " + BlockName(logged.block) + "." : "out of bounds.");
    }
    return text + "no block lives there. The pointer dangles.";
}

}  // namespace

std::string DescribeEvent(session::Session& session) {
    const auto row = session.PresentRow();
    const bool failed = row && *row < session.View().Rows() && session.View().At(*row).event.Failed();
    if (const auto lost = LostHere(session); lost && !failed) {
        return analysis::FormatCount(*lost) + " events were lost here. What follows is uncertain.";
    }
    if (!row)
        return session.End().value == 0 ? "Nothing has happened yet."
                                        : "This is the beginning. Nothing is allocated yet.";
    const log::LogView& view = session.View();
    if (!(*row < view.Rows())) return {};
    const log::LoggedEvent logged = view.At(*row);
    const events::Event& event = logged.event;
    const std::string site = Site(view, event.trace);
    const std::string from = site.empty() ? "" : ", from " + site;
    using events::EventKind;
    switch (event.kind) {
        case EventKind::Allocated:
            return analysis::FormatBytes(event.size) + " were given out at " + At(event.address) + ": " +
                   BlockName(logged.block) + from + ".";
        case EventKind::Freed:
            return (logged.block ? BlockName(logged.block) : std::string("A block")) + " at " + At(event.address) +
                   " went back" + from + ".";
        case EventKind::ResizeEnds:
            if (event.Failed()) break;
            return (logged.oldBlock ? BlockName(logged.oldBlock) : std::string("A block")) + " is now " +
                   analysis::FormatBytes(event.size) +
                   (event.OldAddress() == event.address ? " where it was" : " at ") +
                   (event.OldAddress() == event.address ? std::string() : At(event.address)) + from + ".";
        case EventKind::FreeFailed: return DescribeFreeFailed(view, logged);
        case EventKind::AccessFailed: return DescribeAccessFailed(logged, from);
        case EventKind::AllocatorCreated: return "An allocator came to life: " + std::string(view.Text(*row)) + ".";
        case EventKind::AllocatorDestroyed: return "The allocator is gone, and with it all that it had given out.";
        case EventKind::BulkFreed:
            return (event.argument != 0
                        ? "Mark " + analysis::FormatCount(event.argument) + " was released: everything in "
                        : std::string("Everything in ")) +
                   analysis::FormatBytes(event.size) + " from " + At(event.address) + " went back at once.";
        case EventKind::Marker:
            if (event.argument == 0) break;
            return "Mark " + analysis::FormatCount(event.argument) + " was set at " + At(event.address) +
                   ". What comes after it can go back at once.";
        case EventKind::RegionGrown:
            if (event.IsSampledRegion()) {
                return "A look at the program: " + analysis::FormatBytes(event.size) + " more are mapped for its heap.";
            }
            return "The heap grew by " + analysis::FormatBytes(event.size) + ".";
        case EventKind::RegionShrunk:
            if (event.IsSampledRegion()) {
                return "A look at the program: " + analysis::FormatBytes(event.size) + " of its heap are gone.";
            }
            return "The heap gave back " + analysis::FormatBytes(event.size) + ".";
        case EventKind::Duck: return "A Residue allocator has ended.";
        default: break;
    }
    if (event.Failed()) {
        if (const auto& failure = session.PresentFailure(); failure && !failure->sentence.empty())
            return failure->sentence;
        return analysis::FormatBytes(event.size) + " were asked for and not given (" + Name(event.Error()) + ").";
    }
    return std::string("This event: ") + events::Info(event.kind).text + ".";
}

float DuckView::Corner(float panelWidth, float panelHeight) {
    if (panelHeight < 112 || panelWidth < 820) return 0;
    return std::min(kCorner, panelWidth * 0.26f);
}

void DuckView::Ask(ViewContext& context) {
    if (context.session == nullptr) return;
    const Position now = context.session->Now();
    if (askedAt_ == now)
        askedAt_.reset();
    else
        askedAt_ = now;
}

// The Duck event trails the call that ended the Residue allocator; the one below it, if any, ends right after it, which
// is a call of its own. So: back from the playhead over what can stand between.
bool DuckView::Yells(ViewContext& context) const {
    if (!context.Ready()) return false;
    const log::LogView& view = context.session->View();
    const std::uint64_t applied = view.RowsAt(std::min(context.session->Now(), view.Positions())).value;
    constexpr std::uint64_t kNear = 16;  // rows
    for (std::uint64_t row = applied; row > 0 && row + kNear > applied; --row) {
        const events::EventKind kind = view.KindAt(Row{row - 1});
        if (kind == events::EventKind::Duck) return true;
        if (events::Info(kind).role != events::Role::Trails && kind != events::EventKind::AllocatorDestroyed)
            return false;
    }
    return false;
}

bool DuckView::Moving(const ViewContext& context) const {
    return context.animate && yellSince_ >= 0 && context.time - yellSince_ < kHopSeconds;
}

std::string DuckView::Sentence(ViewContext& context, bool asked) const {
    if (context.session == nullptr || !context.Ready()) return {};
    if (asked) return DescribeEvent(*context.session);
    if (silent_ || context.session->Playing()) return {};
    if (LostHere(*context.session)) return DescribeEvent(*context.session);
    const auto row = context.session->PresentRow();
    if (!row || !(*row < context.session->View().Rows())) return {};
    return context.session->View().At(*row).event.Failed() ? DescribeEvent(*context.session) : std::string();
}

void DuckView::Draw(ViewContext& context, const Rect& box) {
    if (box.Width() < context.Px(120)) return;
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    if (context.session != nullptr && askedAt_ && *askedAt_ != context.session->Now()) askedAt_.reset();
    const bool yells = !silent_ && Yells(context);
    if (!yells)
        yellSince_ = -1;
    else if (yellSince_ < 0)
        yellSince_ = context.time;

    const ImFont* mono = fonts.mono;
    const float letter = TextWidth(mono, "M");
    const float line = std::floor(mono->FontSize * 0.95f);
    const std::vector<std::string_view> lines = DuckLines();
    draw->PushClipRect(box.min, box.max, true);
    if (yells) {
        // Byte for byte as the design document draws it, hopping in from the right.
        std::size_t columns = 0;
        for (const std::string_view text : lines) columns = std::max(columns, text.size());
        const bool fits = static_cast<float>(columns) * letter <= box.Width();
        const ImFont* font = fits ? mono : fonts.monoSmall;
        const float height = fits ? line : std::floor(font->FontSize * 0.95f);
        float dx = 0, dy = 0;
        if (Moving(context)) {
            const auto t = static_cast<float>((context.time - yellSince_) / kHopSeconds);
            dx = (1 - t) * (1 - t) * box.Width();
            dy = -std::abs(std::sin(t * 3.14159265f * 3)) * (1 - t) * context.Px(18);
        }
        ImVec2 at{box.max.x - static_cast<float>(columns + 1) * TextWidth(font, "M") + dx,
                  box.max.y - height * static_cast<float>(lines.size()) - context.Px(6) + dy};
        at.x = std::max(at.x, box.min.x);
        for (const std::string_view text : lines) {
            DrawText(draw, font, at, theme.duck, text);
            at.y += height;
        }
        draw->PopClipRect();
        return;
    }
    const float bodyWidth = letter * static_cast<float>(kBodyColumns);
    const float bodyHeight = line * static_cast<float>(lines.size());
    const ImVec2 body{box.max.x - bodyWidth - context.Px(16), box.max.y - bodyHeight - context.Px(6)};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        DrawText(draw, mono, {body.x, body.y + line * static_cast<float>(i)}, theme.duck,
                 lines[i].substr(0, kBodyColumns));
    }
    const std::string sentence = Sentence(context, askedAt_.has_value());
    const float pad = context.Px(10);
    const float width = body.x - box.min.x - context.Px(14);
    if (!sentence.empty() && width > context.Px(90)) {
        const ImFont* font = fonts.label;
        const float room = box.Height() - context.Px(8);
        float textHeight = DrawWrapped(nullptr, font, {}, width - 2 * pad, 0, sentence, 1.25f);
        if (textHeight + 2 * pad > room) {
            font = fonts.labelSmall;
            textHeight = DrawWrapped(nullptr, font, {}, width - 2 * pad, 0, sentence, 1.2f);
        }
        const float height = std::min(textHeight + 2 * pad, room);
        // Beside the duck's head, never below the corner.
        const float top = std::clamp(body.y + line * 1.5f - height / 2, box.min.y + context.Px(4),
                                     box.max.y - height - context.Px(4));
        const Rect bubble{{box.min.x, top}, {box.min.x + width, top + height}};
        draw->AddRectFilled(bubble.min, bubble.max, theme.duckBubble, context.Px(kRadius));
        const float beak = std::clamp(body.y + line * 1.5f, bubble.min.y + pad, bubble.max.y - pad);
        draw->AddTriangleFilled({bubble.max.x - 1, beak - context.Px(5)}, {bubble.max.x + context.Px(8), beak},
                                {bubble.max.x - 1, beak + context.Px(5)}, theme.duckBubble);
        draw->PushClipRect(bubble.min, bubble.max, true);
        DrawWrapped(draw, font, {bubble.min.x + pad, bubble.min.y + pad - context.Px(1)}, width - 2 * pad,
                    theme.duckText, sentence, font == fonts.label ? 1.25f : 1.2f);
        draw->PopClipRect();
    }
    draw->PopClipRect();
}

}  // namespace residue::gui
