#include "gui/views/events_table.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "base/parse_size.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/event_search.hpp"
#include "gui/views/list.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using events::EventKind;

constexpr std::uint64_t kSearchRows = 20000;  // a frame

constexpr Column kColumns[] = {
    {"event", 52, Align::Right, "The position: after how many calls", 0, false, true},
    {"kind", 92, Align::Left, "What happened", 0, true, false},
    {"size", 66, Align::Right, "Bytes asked for", 0, false, true},
    {"address", 92, Align::Right, "Of the block's first byte, or the pointer that was passed", 1, false, true},
    {"detail", 150, Align::Left, "The block, where it was asked for, or what went wrong", 2, true, false},
    {"allocator", 60, Align::Right, "The allocator's number (its name on the Allocators tab)", 4, false, true},
    {"thread", 46, Align::Right, "The thread that called", 3, false, true},
};
enum : std::size_t { kPosition, kKind, kSize, kAddress, kDetail, kAllocator, kThread };

bool IsError(const events::Event& event) {
    return event.Failed() || event.kind == EventKind::Gap;
}

std::string SizeText(const events::Event& event) {
    switch (event.kind) {
        case EventKind::Allocated:
        case EventKind::ResizeBegins:
        case EventKind::ResizeEnds:
        case EventKind::AllocateFailed:
        case EventKind::AccessFailed:
        case EventKind::AllocatorCreated:
        case EventKind::RegionGrown:
        case EventKind::RegionShrunk:
        case EventKind::BulkFreed: return analysis::FormatBytes(event.size);
        default: return {};
    }
}

std::string KindText(const events::Event& event) {
    const std::string kind =
        std::string(events::Info(event.kind).text) + (event.IsSampledRegion() ? " (seen)" : "");
    if (event.argument == 0) return kind;
    if (event.kind == EventKind::Marker) return kind + " " + analysis::FormatCount(event.argument);
    if (event.kind == EventKind::BulkFreed) return kind + " to mark " + analysis::FormatCount(event.argument);
    return kind;
}

std::string AddressText(const events::Event& event) {
    switch (event.kind) {
        case EventKind::AllocateFailed: return {};  // the field holds the largest hole
        case EventKind::ResizeEnds: return event.Failed() ? std::string() : analysis::FormatAddress(event.address);
        default: return event.address != 0 ? analysis::FormatAddress(event.address) : std::string();
    }
}

std::string DetailText(const log::LogView& log, Row row, const log::LoggedEvent& logged) {
    const events::Event& event = logged.event;
    std::string text;
    const auto add = [&](const std::string& part) {
        if (!part.empty()) text += (text.empty() ? "" : "  ") + part;
    };
    if (event.kind == EventKind::Gap)
        add(analysis::FormatCount(event.Dropped()) + " events dropped");
    else if (event.kind == EventKind::AccessFailed) {
        add(event.error == static_cast<std::uint8_t>(events::AccessError::Dangling) ? "dangling" : "out of bounds");
    } else if (event.Failed()) {
        add(Name(event.Error()));
    }
    if (logged.block) add("#" + analysis::FormatCount(logged.block.value));
    if (logged.oldBlock) add("was #" + analysis::FormatCount(logged.oldBlock.value));
    if (event.kind == EventKind::Step && event.Line() != 0) add("line " + std::to_string(event.Line()));
    add(ShortFunction(SiteName(log, event.trace)));
    if (event.Has(events::EventFlag::Inferred)) add("(inferred)");
    add(std::string(log.Text(row)));
    return text;
}

class EventsView final : public View {
public:
    const char* Title() const override { return "Events"; }
    std::string Status(ViewContext& context) override;
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawSearch(ViewContext& context, float width);
    void StartSearch(ViewContext& context, bool forward);
    void DrawRow(ViewContext& context, const Columns& columns, Row row, bool present, ImVec2 at, float width,
                 float height);
    void DrawScrollBar(ViewContext& context, Rect track, std::uint64_t rows, std::uint64_t visible);
    void Follow(std::uint64_t rows, std::uint64_t visible, std::optional<Row> present);

    // The list scrolls by whole rows, counted in 64 bits: pixels in a float end at a few million rows.
    std::uint64_t first_ = 0;
    std::optional<Row> followed_;
    const session::Session* session_ = nullptr;
    std::string text_;
    EventSearch search_;
    bool held_ = false;
    float heldAt_ = 0;
};

std::string EventsView::Status(ViewContext& context) {
    if (!context.Ready()) return {};
    return analysis::FormatCount(context.session->View().Rows().value) + " rows";
}

void EventsView::StartSearch(ViewContext& context, bool forward) {
    const log::LogView& log = context.session->View();
    const std::string_view text = text_;
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {  // "@1200": a position
        if (const auto position = ParseWhole(text.substr(at + 1))) {
            context.session->Play(false);
            context.session->SeekTo(Position{*position});
            search_.Stop();
            return;
        }
    }
    const auto query = EventQuery::Parse(text);
    if (!query) return search_.Stop();
    const auto present = context.session->PresentRow();
    if (!present && forward && log.Rows().value > 0) {
        search_.Start(*query, Row{~std::uint64_t{0}}, true);  // wraps: begins with row 0
        return;
    }
    search_.Start(*query, present.value_or(Row{0}), forward);
}

void EventsView::DrawSearch(ViewContext& context, float width) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), gap = context.Px(6), button = context.Px(64);
    ImGui::SetCursorScreenPos({at.x + pad, at.y + context.Px(8)});
    const float field = std::max(context.Px(80), width - 2 * pad - 2 * (button + gap));
    const bool entered = TextField(context, "##find", text_, "size, #block, 0x…, @event, site", field);
    Tooltip(context,
            "Find a size (96, 64K), a block (#12), an address (0x…), a kind (freed), a call site, or go to an "
            "event (@1200)",
            "Enter");
    ImGui::SetCursorScreenPos({at.x + pad + field + gap, at.y + context.Px(8)});
    if (Button(context, "##previous", "previous", ButtonKind::Plain, button, !text_.empty()))
        StartSearch(context, false);
    Tooltip(context, "The one before this position");
    ImGui::SetCursorScreenPos({at.x + pad + field + 2 * gap + button, at.y + context.Px(8)});
    if (Button(context, "##next", "next", ButtonKind::Plain, button, !text_.empty()) || entered)
        StartSearch(context, true);
    Tooltip(context, "The one after this position", "Enter");
    ImGui::SetCursorScreenPos({at.x, at.y + context.Px(26 + 16)});

    const log::LogView& log = context.session->View();
    if (search_.Now() == EventSearch::State::Searching &&
        search_.Advance(log, kSearchRows) == EventSearch::State::Found) {
        context.session->Play(false);
        context.session->SeekTo(log.PositionOf(search_.At()));
        if (const BlockId block = log.At(search_.At()).block) context.selection->block = block;
    }
    std::string note;
    if (search_.Now() == EventSearch::State::Searching) {
        note = "looking, at row " + analysis::FormatCount(search_.At().value) + " …";
    } else if (search_.Now() == EventSearch::State::NotFound) {
        note = "nothing more of \"" + text_ + "\" in this direction";
    }
    if (note.empty()) return;
    const ImVec2 line = ImGui::GetCursorScreenPos();
    DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->labelSmall,
               {{line.x + pad, line.y - context.Px(6)}, {line.x + width - pad, line.y + context.Px(14)}},
               context.theme->warn, note);
    ImGui::Dummy({width, context.Px(18)});
}

// The present row stays in sight when the position moves; scrolling by hand is left alone until it does.
void EventsView::Follow(std::uint64_t rows, std::uint64_t visible, std::optional<Row> present) {
    const std::uint64_t last = rows > visible ? rows - visible : 0;
    if (present != followed_) {
        followed_ = present;
        const std::uint64_t row = present ? present->value : 0;
        if (row < first_ || row + 1 > first_ + visible) first_ = row > visible / 2 ? row - visible / 2 : 0;
    }
    first_ = std::min(first_, last);
}

void EventsView::DrawScrollBar(ViewContext& context, Rect track, std::uint64_t rows, std::uint64_t visible) {
    if (rows <= visible) return;
    const Theme& theme = *context.theme;
    const std::uint64_t last = rows - visible;
    const float length =
        std::max(context.Px(24), static_cast<float>(static_cast<double>(track.Height()) * static_cast<double>(visible) /
                                                    static_cast<double>(rows)));
    const float room = track.Height() - length;
    const float y = track.min.y + static_cast<float>(static_cast<double>(room) * static_cast<double>(first_) /
                                                     static_cast<double>(last));
    ImGui::SetCursorScreenPos(track.min);
    ImGui::InvisibleButton("##scroll", {track.Width(), track.Height()});
    const bool over = ImGui::IsItemHovered() || ImGui::IsItemActive();
    const float mouse = ImGui::GetIO().MousePos.y;
    if (ImGui::IsItemActivated()) {
        held_ = mouse >= y && mouse < y + length;
        heldAt_ = held_ ? mouse - y : length / 2;
    }
    if (ImGui::IsItemActive() && room > 0) {
        const double t =
            std::clamp(static_cast<double>(mouse - heldAt_ - track.min.y) / static_cast<double>(room), 0.0, 1.0);
        first_ = std::min(last, static_cast<std::uint64_t>(t * static_cast<double>(last) + 0.5));
    }
    const float inset = context.Px(3);
    ImGui::GetWindowDrawList()->AddRectFilled({track.min.x + inset, y}, {track.max.x - inset, y + length},
                                              over ? theme.dim : theme.line, (track.Width() - 2 * inset) / 2);
}

void EventsView::DrawRow(ViewContext& context, const Columns& columns, Row row, bool present, ImVec2 at, float width,
                         float height) {
    const log::LogView& log = context.session->View();
    const Theme& theme = *context.theme;
    const log::LoggedEvent logged = log.At(row);
    const events::Event& event = logged.event;
    ImGui::SetCursorScreenPos(at);
    bool hovered = false;
    const bool clicked = ListRow(context, "##event", width, height, present, &hovered);
    const bool error = IsError(event);
    const bool concerns = context.selection->block &&
                          (logged.block == *context.selection->block || logged.oldBlock == *context.selection->block);
    if (concerns) {
        const float x = at.x + width - context.Px(3);
        ImGui::GetWindowDrawList()->AddRectFilled({x, at.y}, {at.x + width, at.y + height}, theme.duck);
    }
    // What the filter hides is paler: a table of all events has no gaps.
    const bool hidden = logged.block && !context.session->Analyst().Passes(logged.block);
    const ImU32 ink = error ? theme.error : hidden ? theme.faint : theme.text;
    const Position position = log.PositionOf(row);
    columns.Text(context, kPosition, at.y, height, error ? theme.error : theme.dim,
                 analysis::FormatCount(position.value));
    std::string kind = KindText(event);
    if (error) kind = std::string(kIconError.Text(*context.fonts)) + " " + kind;
    columns.Text(context, kKind, at.y, height, ink, kind);
    columns.Text(context, kSize, at.y, height, ink, SizeText(event));
    columns.Text(context, kAddress, at.y, height, theme.dim, AddressText(event));
    const std::string detail = DetailText(log, row, logged);
    columns.Text(context, kDetail, at.y, height, error ? theme.error : theme.dim, detail);
    if (event.allocator)
        columns.Text(context, kAllocator, at.y, height, theme.dim, std::to_string(event.allocator.value));
    if (event.thread) columns.Text(context, kThread, at.y, height, theme.dim, std::to_string(event.thread.value));
    if (hovered) {
        context.selection->HoverPosition(position);
        if (logged.block) context.selection->Hover(logged.block);
        if (event.trace) context.selection->HoverTrace(event.trace);
        std::string tip = "event " + analysis::FormatCount(position.value) + ": " + KindText(event);
        if (const std::string size = SizeText(event); !size.empty()) tip += ", " + size;
        if (!detail.empty()) tip += "\n" + detail;
        if (event.kind == EventKind::AllocateFailed) {
            tip += "\n" + analysis::FormatBytes(event.FreeBytes()) + " free, largest hole " +
                   analysis::FormatBytes(event.LargestHole());
        }
        const model::AllocatorState* state = context.session->Heap().Find(event.allocator);
        if (state != nullptr && !state->name.empty()) tip += "\nin " + state->name;
        if (hidden) tip += "\nThe filter hides its block.";
        TooltipNow(context, tip + "\nClick to go there.");
    }
    if (clicked) {
        context.session->Play(false);
        context.session->SeekTo(position);
        if (logged.block) context.selection->block = logged.block;
    }
}

void EventsView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconTable, "No events", "Open a trace with Ctrl+O, or start the sandbox.");
        return;
    }
    const log::LogView& log = context.session->View();
    const std::uint64_t rows = log.Rows().value;
    if (rows == 0) {
        EmptyState(context, size, kIconTable, "Nothing has happened yet",
                   context.session->GetSandbox() != nullptr
                       ? "Events appear here as they arrive: allocate something in the sandbox."
                   : context.session->IsLive() ? "Events appear here as they are read."
                                               : "This log holds no events.");
        return;
    }
    if (session_ != context.session) {
        session_ = context.session;
        first_ = 0;
        followed_.reset();
        search_.Stop();
    }
    const ScrollArea area("##events", size);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float bar = context.Px(12);
    DrawSearch(context, size.x);
    const float listWidth = size.x - bar;
    const Columns columns(context, kColumns, origin.x, listWidth);
    columns.DrawHeader(context);
    const ImVec2 list = ImGui::GetCursorScreenPos();
    const float height = context.Px(kRowHeight);
    const float room = origin.y + size.y - list.y;
    const std::uint64_t visible = static_cast<std::uint64_t>(std::max(1.0f, std::floor(room / height)));
    const auto present = context.session->PresentRow();
    Follow(rows, visible, present);
    const Rect box{list, {list.x + size.x, list.y + room}};
    if (box.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered() && ImGui::GetIO().MouseWheel != 0) {
        const auto lines = static_cast<std::int64_t>(std::lround(-3 * ImGui::GetIO().MouseWheel));
        const std::uint64_t last = rows > visible ? rows - visible : 0;
        if (lines < 0)
            first_ -= std::min(first_, static_cast<std::uint64_t>(-lines));
        else
            first_ = std::min(last, first_ + static_cast<std::uint64_t>(lines));
    }
    for (std::uint64_t i = 0; i < visible + 1 && first_ + i < rows; ++i) {
        const Row row{first_ + i};
        const float y = list.y + static_cast<float>(i) * height;
        if (y + height > origin.y + size.y + 1) break;
        ImGui::PushID(static_cast<int>(i));
        DrawRow(context, columns, row, present == row, {list.x, y}, listWidth, height);
        ImGui::PopID();
    }
    DrawScrollBar(context, {{list.x + listWidth, list.y}, {list.x + size.x, list.y + room}}, rows, visible);
}

}  // namespace

std::unique_ptr<View> MakeEventsView() {
    return std::make_unique<EventsView>();
}

}  // namespace residue::gui
