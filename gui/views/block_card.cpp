#include "gui/views/block_card.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/find_bar.hpp"
#include "gui/views/list.hpp"
#include "gui/views/nest_text.hpp"
#include "gui/views/notes.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using events::EventKind;

std::string AtEvent(Position position) {
    return "event " + analysis::FormatCount(position.value);
}

class BlockCardView final : public View {
public:
    const char* Title() const override { return "Block"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    bool DrawFailure(ViewContext& context);
    void DrawBanner(ViewContext& context, ImU32 ink, ImU32 back, const std::string& title,
                    const std::vector<std::string>& lines, BlockId link = {});
    void DrawBlock(ViewContext& context, BlockId block);
    void DrawPlace(ViewContext& context, BlockId block, const events::Event& birth);
    void DrawBar(ViewContext& context, const events::Event& birth, ImU32 fill);
    void DrawTrace(ViewContext& context, TraceId trace);
    void DrawHistory(ViewContext& context, BlockId block, TraceId trace);
};

// A failure's text on its own ground; a click selects `link`.
void BlockCardView::DrawBanner(ViewContext& context, ImU32 ink, ImU32 back, const std::string& title,
                               const std::vector<std::string>& lines, BlockId link) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, pad = context.Px(kPad);
    const float inner = width - 2 * pad;
    const ImFont* font = context.fonts->label;
    const float titleHeight = std::floor(context.fonts->labelBold->FontSize * 1.5f);
    float height = pad + titleHeight;
    for (const std::string& line : lines)
        height += DrawWrapped(nullptr, font, {0, 0}, inner, ink, line) + context.Px(2);
    height += pad - context.Px(4);
    draw->AddRectFilled(at, {at.x + width, at.y + height}, back);
    draw->AddRectFilled(at, {at.x + context.Px(3), at.y + height}, ink);
    float y = at.y + pad - context.Px(2);
    const std::string heading = std::string(kIconError.Text(*context.fonts)) + "  " + title;
    DrawText(draw, context.fonts->labelBold, {at.x + pad, y}, ink, heading);
    y += titleHeight;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const ImU32 colour = i == 0 ? context.theme->text : context.theme->dim;
        y += DrawWrapped(draw, font, {at.x + pad, y}, inner, colour, lines[i]) + context.Px(2);
    }
    draw->AddLine({at.x, at.y + height - 1}, {at.x + width, at.y + height - 1}, context.theme->line);
    if (ImGui::InvisibleButton("##failure", {std::max(width, 1.0f), height}) && link) {
        context.commands->FocusBlock(link);
    }
    if (link) Tooltip(context, "Click to see block #" + analysis::FormatCount(link.value) + " in the heap", "Enter");
}

// The failure that the event at this position is, if it is one.
bool BlockCardView::DrawFailure(ViewContext& context) {
    session::Session& session = *context.session;
    const log::LogView& log = session.View();
    const Theme& theme = *context.theme;
    if (const auto& failure = session.PresentFailure()) {
        std::vector<std::string> lines{failure->sentence};
        if (failure->freeKnown) {
            lines[0] = analysis::FormatBytes(failure->size) + " asked, " + analysis::FormatBytes(failure->free) +
                       " free, largest hole " + analysis::FormatBytes(failure->largestHole) + ".";
        }
        BlockId link{};
        if (failure->blockers && !failure->blockers->blocks.empty()) {
            const auto& blocks = failure->blockers->blocks;
            link = blocks.front().id;
            const Position born = log.PositionOf(log.Life(link).born);
            lines.push_back(blocks.size() == 1
                                ? "In the way: block #" + analysis::FormatCount(link.value) + ", " +
                                      analysis::FormatBytes(blocks.front().size) + ", since " + AtEvent(born)
                                : "In the way: " + analysis::FormatCount(blocks.size()) + " blocks from #" +
                                      analysis::FormatCount(link.value) + " on, " +
                                      analysis::FormatBytes(failure->blockers->bytes) + " together");
        } else if (failure->need > failure->size) {
            lines.push_back("With header and rounding it needs " + analysis::FormatBytes(failure->need) + ".");
        }
        DrawBanner(context, theme.error, theme.errorBack, Name(failure->error), lines, link);
        return true;
    }
    const auto lostHere = [&] {
        const auto lost = LostHere(session);
        if (!lost) return false;
        DrawBanner(context, theme.warn, theme.warnBack, "Events were lost",
                   {analysis::FormatCount(*lost) + " events were dropped here. What follows is uncertain."});
        return true;
    };
    const auto present = session.PresentRow();
    if (!present || present->value >= log.Rows().value) return lostHere();
    const log::LoggedEvent logged = log.At(*present);
    const events::Event& event = logged.event;
    if (!event.Failed()) return lostHere();
    std::vector<std::string> lines;
    std::string title = event.kind == EventKind::AccessFailed ? "Bad access" : Name(event.Error());
    switch (event.kind) {
        case EventKind::FreeFailed:
            lines.push_back("Free of " + analysis::FormatAddress(event.address) + " was refused.");
            if (event.NearestBlock() != 0) {
                const std::uint64_t offset = event.NearestOffset();  // wraps below the block
                const bool below = offset > (~std::uint64_t{0} >> 1);
                const std::string distance = analysis::FormatBytes(below ? 0 - offset : offset);
                lines.push_back("The nearest block begins at " + analysis::FormatAddress(event.NearestBlock()) +
                                (offset == 0
                                     ? ", right there, and is not live any more."
                                     : ", " + distance + (below ? " behind the pointer." : " before the pointer.")));
            }
            break;
        case EventKind::AccessFailed:
            lines.push_back(analysis::FormatBytes(event.size) + " at " + analysis::FormatAddress(event.address) +
                            (event.error == static_cast<std::uint8_t>(events::AccessError::Dangling)
                                 ? " belong to a block that was freed."
                                 : " reach beyond their block."));
            break;
        default:
            lines.push_back(analysis::FormatBytes(event.size) + " asked, " + analysis::FormatBytes(event.FreeBytes()) +
                            " free, largest hole " + analysis::FormatBytes(event.LargestHole()) + ".");
            break;
    }
    DrawBanner(context, theme.error, theme.errorBack, title, lines, logged.block);
    return true;
}

// What heap lies in the block, and in which heaps, of other blocks, it lies itself. A click on the latter goes there.
void BlockCardView::DrawPlace(ViewContext& context, BlockId block, const events::Event& birth) {
    const model::HeapModel& heap = context.session->Heap();
    const float pad = context.Px(kPad), width = ImGui::GetContentRegionAvail().x;
    const auto sentence = [&](const char* id, const std::string& text, ImU32 colour) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float height = DrawWrapped(ImGui::GetWindowDrawList(), context.fonts->label,
                                         {at.x + pad, at.y + context.Px(4)}, width - 2 * pad, colour, text);
        return ImGui::InvisibleButton(id, {std::max(width, 1.0f), height + context.Px(6)});
    };
    if (const std::string holds = HoldsText(heap, block); !holds.empty()) {
        (void)sentence("##holds", "It holds " + holds + ".", context.theme->text);
    }
    const auto nest = model::NestAround(heap, birth.allocator, birth.Begin());
    if (!nest) return;
    const std::string inside = InsideText(heap, birth.allocator, birth.Begin());
    if (sentence("##inside", inside, context.theme->text)) context.commands->FocusBlock(nest->block.id);
    Tooltip(context, "Click to see block #" + analysis::FormatCount(nest->block.id.value) + " in the heap");
}

// Header, payload and the rest as lengths, labelled where there is room.
void BlockCardView::DrawBar(ViewContext& context, const events::Event& birth, ImU32 fill) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    struct Part {
        const char* name;
        std::uint64_t bytes;
        ImU32 colour;
        bool labelled;
    };
    const Part parts[] = {
        {"padding", birth.padding, theme.padding, false},
        {"header", birth.header, theme.header, false},
        {"payload", birth.size, fill, true},
        {"rounding", birth.rounding, Mix(theme.panel, fill, 0.28f), false},
        {"slack", birth.slack, theme.slack, false},
    };
    const float pad = context.Px(kPad), gap = context.Px(1), height = context.Px(26);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x - 2 * pad;
    std::size_t used = 0;
    std::uint64_t total = 0;
    for (const Part& part : parts) used += part.bytes != 0, total += part.bytes;
    if (width < 40) return;
    if (total == 0) {  // a block of no bytes at all: say so instead of an empty bar
        DrawTextIn(draw, context.fonts->label, {{at.x + pad, at.y}, {at.x + pad + width, at.y + height}}, theme.dim,
                   "no bytes are set aside for it");
        ImGui::Dummy({width, height + context.Px(8)});
        return;
    }
    // A part is never too small to be seen: each has a few pixels, the rest is shared by bytes.
    const float least = context.Px(6);
    const float shared = width - static_cast<float>(used) * least - static_cast<float>(used - 1) * gap;
    float x = at.x + pad;
    std::size_t drawn = 0;
    for (const Part& part : parts) {
        if (part.bytes == 0) continue;
        ++drawn;
        float own = least + shared * static_cast<float>(static_cast<double>(part.bytes) / static_cast<double>(total));
        if (drawn == used) own = at.x + pad + width - x;
        const Rect box{{std::floor(x), at.y}, {std::floor(x + own), at.y + height}};
        draw->AddRectFilled(box.min, box.max, part.colour);
        const std::string bytes = analysis::FormatBytes(part.bytes);
        const ImU32 ink = TextOn(part.colour);
        const ImFont* font = context.fonts->monoSmall;
        const std::string both = std::string(part.name) + " " + bytes;
        const float room = box.Width() - context.Px(6);
        if (TextWidth(font, both) <= room)
            DrawTextIn(draw, font, box, ink, both, Align::Centre);
        else if (TextWidth(font, part.name) <= room)
            DrawTextIn(draw, font, box, ink, part.name, Align::Centre);
        if (box.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered()) TooltipNow(context, both);
        x += own + gap;
    }
    ImGui::Dummy({width, height + context.Px(8)});
}

void BlockCardView::DrawTrace(ViewContext& context, TraceId trace) {
    const log::LogView& log = context.session->View();
    SectionTitle(context, "Call trace");
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float pad = context.Px(kPad), height = context.Px(kRowHeight);
    const float width = ImGui::GetContentRegionAvail().x;
    if (!trace) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float used =
            DrawWrapped(draw, context.fonts->label, {at.x + pad, at.y + context.Px(8)}, width - 2 * pad,
                        context.theme->dim, WhyNoTrace(*context.session));
        ImGui::Dummy({width, used + context.Px(16)});
        return;
    }
    int index = 0;
    TraceId node = trace;
    for (const symbols::Frame& frame : log.Frames(trace)) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImGui::PushID(index++);
        const bool selected = context.selection->trace == node;
        bool hovered = false;
        const bool clicked = ListRow(context, "##frame", width, height, selected, &hovered);
        ImGui::PopID();
        if (clicked) context.selection->trace = selected ? std::nullopt : std::optional(node);
        if (hovered) {
            context.selection->HoverTrace(node);
            std::string text = frame.function;
            if (frame.isInlined) text += "\ninlined into the function below";
            if (!frame.file.empty()) text += "\n" + frame.file + ":" + std::to_string(frame.line);
            TooltipNow(context, text);
        }
        const Rect row{{at.x + pad, at.y}, {at.x + width - pad, at.y + height}};
        const std::string place = PlaceOf(frame);
        const float placeWidth = std::min(TextWidth(context.fonts->mono, place), row.Width() * 0.55f);
        DrawTextIn(draw, context.fonts->mono, {{row.max.x - placeWidth, row.min.y}, row.max}, context.theme->dim, place,
                   Align::Right);
        DrawTextIn(draw, context.fonts->mono, {row.min, {row.max.x - placeWidth - pad, row.max.y}},
                   frame.isInlined ? context.theme->dim : context.theme->accent, ShortFunction(frame.function));
        if (!frame.isInlined) node = log.ParentTrace(node);
    }
    ImGui::Dummy({width, context.Px(4)});
}

// What else happened at its address, and what else its call site did: the one before, the next one.
void BlockCardView::DrawHistory(ViewContext& context, BlockId block, TraceId trace) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), gap = context.Px(4), button = context.Px(30), height = context.Px(24);
    const float half = std::floor((ImGui::GetContentRegionAvail().x - 2 * pad - context.Px(6)) / 2);
    struct Part {
        const char *name, *previous, *next, *help, *key;
        bool any;
    };
    const Part parts[] = {
        {"address", "##lastAddress", "##nextAddress", "event on this address: births, deaths, resizes, bad accesses",
         "H", true},
        {"site", "##lastSite", "##nextSite", "event whose call trace has the function that asked for this block", "S",
         bool{trace}},
    };
    float x = at.x + pad;
    for (std::size_t i = 0; i < 2; ++i) {
        const Part& part = parts[i];
        const float wide = half - 2 * (button + gap);
        DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->label, {{x, at.y}, {x + wide, at.y + height}},
                   part.any ? context.theme->dim : context.theme->faint, part.name);
        const auto go = [&](bool forward) {
            if (i == 0) FindAddressOf(context, block, forward);
            else FindSiteOf(context, block, forward);
        };
        ImGui::SetCursorScreenPos({x + wide + gap, at.y});
        if (IconButton(context, part.previous, kIconBack, ButtonKind::Plain, part.any)) go(false);
        Tooltip(context, std::string("The previous ") + part.help, std::string("Shift+") + part.key);
        ImGui::SetCursorScreenPos({x + wide + 2 * gap + button, at.y});
        if (IconButton(context, part.next, kIconForward, ButtonKind::Plain, part.any)) go(true);
        Tooltip(context, std::string("The next ") + part.help, part.key);
        x += half + context.Px(6);
    }
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({1, height + context.Px(10)});
}

void BlockCardView::DrawBlock(ViewContext& context, BlockId block) {
    session::Session& session = *context.session;
    const log::LogView& log = session.View();
    const events::Event birth = log.Birth(block).event;
    const log::BlockLife life = log.Life(block);
    const Position now = session.Now();
    const Position born = log.PositionOf(life.born);
    const bool dies = life.died.value != log::kNever;
    const Position died = dies ? log.PositionOf(life.died) : log.Positions();
    const bool dead = dies && died <= now;
    const bool unborn = born > now;

    ImGui::Dummy({0, context.Px(6)});
    std::string name = "#" + analysis::FormatCount(block.value);
    const model::HeapModel& heap = session.Heap();
    const bool holds = heap.IsLive(block) && !HoldsText(heap, block).empty();
    if (birth.Has(events::EventFlag::Region) && !holds) name += "  a child's region";
    KeyValue(context, "block", name, "Blocks are numbered in order of birth; a number is never used again.");
    KeyValue(context, "address", analysis::FormatAddress(birth.address), "Of the first byte that the caller may use.");
    KeyValue(context, "asked", analysis::FormatBytes(birth.size),
             analysis::FormatCount(birth.size) + " bytes requested");
    KeyValue(context, "set aside", analysis::FormatBytes(birth.SetAside()),
             analysis::FormatCount(birth.SetAside()) + " bytes = header + padding + asked + rounding + slack");
    const std::uint64_t span = dead ? died - born : (unborn ? 0 : now - born);
    std::string lives = analysis::FormatCount(born.value) + " … " + (dead ? analysis::FormatCount(died.value) : "now");
    if (unborn) {
        lives = "from " + analysis::FormatCount(born.value);
    } else if (context.Px(kPad) * 2 +
                   TextWidth(context.fonts->mono, "lives  " + lives + " (" + analysis::FormatCount(span) + " events)") <
               ImGui::GetContentRegionAvail().x) {
        lives += " (" + analysis::FormatCount(span) + (span == 1 ? " event)" : " events)");
    }
    KeyValue(context, "lives", lives, dies ? "Freed at " + AtEvent(died) + "." : "It is never freed in this log.");
    const std::string site = SiteName(log, birth.trace);
    if (!site.empty()) KeyValue(context, "site", ShortFunction(site), site, context.theme->accent);
    const auto& allocators = session.Heap().Allocators();
    if (allocators.size() > 1) {
        const model::AllocatorState* state = session.Heap().Find(birth.allocator);
        if (state != nullptr && !state->name.empty()) KeyValue(context, "allocator", state->name, state->name);
    }
    if (heap.IsLive(block)) DrawPlace(context, block, birth);
    ImGui::Dummy({0, context.Px(8)});

    const bool live = session.Heap().IsLive(block);
    ImU32 fill = BlockColour(*context.theme, *context.colour, log, now).Of(block);
    if (const auto& failure = session.PresentFailure(); failure && failure->blockers) {
        for (const model::Block& blocker : failure->blockers->blocks) {
            if (blocker.id == block) fill = context.theme->warn;
        }
    }
    if (!live) fill = Mix(context.theme->panel, fill, 0.45f);
    DrawBar(context, birth, fill);

    const float pad = context.Px(kPad), gap = context.Px(6);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = std::floor((ImGui::GetContentRegionAvail().x - 2 * pad - 2 * gap) / 3);
    ImGui::SetCursorScreenPos({at.x + pad, at.y});
    if (Button(context, "##born", "born " + analysis::FormatCount(born.value), ButtonKind::Plain, width)) {
        session.Play(false), session.SeekTo(born);
    }
    Tooltip(context, "Go to where this block came to life");
    ImGui::SetCursorScreenPos({at.x + pad + width + gap, at.y});
    if (Button(context, "##died", dies ? "died " + analysis::FormatCount(died.value) : "never died", ButtonKind::Plain,
               width, dies)) {
        session.Play(false), session.SeekTo(died);
    }
    Tooltip(context, dies ? "Go to where it was freed" : "It is not freed in this log");
    ImGui::SetCursorScreenPos({at.x + pad + 2 * (width + gap), at.y});
    if (Button(context, "##show", "show", ButtonKind::Plain, width)) context.commands->FocusBlock(block);
    Tooltip(context, "Show it large in the heap panel", "Enter");
    ImGui::SetCursorScreenPos({at.x, at.y + context.Px(26 + 6)});
    DrawHistory(context, block, birth.trace);
    DrawTrace(context, birth.trace);
}

void BlockCardView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconCube, "No block", "Open a trace with Ctrl+O, or start the sandbox.");
        return;
    }
    const ScrollArea area("##card", size, true);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const bool failed = DrawFailure(context);
    const log::LogView& log = context.session->View();
    std::optional<BlockId> block = context.selection->Block();
    if (!block) {
        const auto& failure = context.session->PresentFailure();
        if (failure && failure->blockers && !failure->blockers->blocks.empty()) {
            block = failure->blockers->blocks.front().id;
        } else if (const auto present = context.session->PresentRow(); present && present->value < log.Rows().value) {
            block = log.At(*present).block;
        }
    }
    if (block && *block && block->value <= log.Blocks()) {
        DrawBlock(context, *block);
    } else {
        const float used = ImGui::GetCursorScreenPos().y - origin.y;
        EmptyState(context, {size.x, std::max(size.y - used, context.Px(120))}, kIconCube,
                   failed ? "No block is in the way" : "No block selected",
                   "Click a block in the heap panel, or step to an event that concerns one.");
    }
}

}  // namespace

std::unique_ptr<View> MakeBlockCardView() {
    return std::make_unique<BlockCardView>();
}

}  // namespace residue::gui
