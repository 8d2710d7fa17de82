#include "gui/views/sandbox.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/format.hpp"
#include "base/parse_size.hpp"
#include "gui/views/list.hpp"
#include "gui/views/rate_scale.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/sandbox.hpp"

namespace residue::gui {

namespace {

constexpr std::uint64_t kLargestCapacity = std::uint64_t{1} << 40;
constexpr float kMostMarks = 4.5f;  // rows shown at once: half a row says that there is more

class SandboxView final : public View {
public:
    const char* Title() const override { return "Sandbox"; }
    std::string Status(ViewContext& context) override;
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;

private:
    void DrawAllocator(ViewContext& context, session::Sandbox& sandbox, float width);
    void DrawByHand(ViewContext& context, session::Sandbox& sandbox, float width);
    void DrawMarks(ViewContext& context, session::Sandbox& sandbox, float width);
    void DrawMarkList(ViewContext& context, const std::vector<session::Sandbox::Mark>& marks, float width);
    // Which of them Release is about: the one that was chosen, as long as it is there, else the youngest. There is one.
    std::size_t Chosen(const std::vector<session::Sandbox::Mark>& marks) const;
    void DrawWorkload(ViewContext& context, session::Sandbox& sandbox, float width);
    void DrawFlow(ViewContext& context, session::Sandbox& sandbox, float width);
    // The live block that is selected, if any: its payload's address and what to call it.
    std::optional<model::Block> Selected(const ViewContext& context) const;
    void Complaint(ViewContext& context, float width, const std::string& text);

    int allocator_ = -1;  // -1: not chosen yet, the present one's
    std::string capacity_ = "64 KiB";
    std::string bytes_ = "96";
    std::string newBytes_ = "200";
    int alignment_ = 3;  // 1 << it
    std::uint64_t mark_ = 0;  // id of the chosen one; 0: the youngest
    bool revealMark_ = false;
};

std::string SandboxView::Status(ViewContext& context) {
    if (!context.Ready()) return {};
    const session::Sandbox* sandbox = context.session->GetSandbox();
    if (sandbox == nullptr || sandbox->Present().empty()) return {};
    return sandbox->Running() ? "running" : "at rest";
}

std::optional<model::Block> SandboxView::Selected(const ViewContext& context) const {
    const auto id = context.selection->block;
    const log::LogView& log = context.session->View();
    if (!id || !*id || id->value > log.Blocks() || !context.session->Heap().IsLive(*id)) return std::nullopt;
    const events::Event birth = log.Birth(*id).event;
    return model::Block{*id, birth.Begin(), birth.End(), birth.address, birth.size};
}

void SandboxView::Complaint(ViewContext& context, float width, const std::string& text) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    DrawTextIn(ImGui::GetWindowDrawList(), context.fonts->labelSmall,
               {{at.x + context.Px(kPad), at.y}, {at.x + width - context.Px(kPad), at.y + context.Px(18)}},
               context.theme->warn, text);
    ImGui::Dummy({width, context.Px(20)});
}

void SandboxView::DrawAllocator(ViewContext& context, session::Sandbox& sandbox, float width) {
    const std::vector<std::string> choices = sandbox.Choices();
    const std::string present = sandbox.Present();
    if (allocator_ < 0) {
        allocator_ = 0;
        for (std::size_t i = 0; i < choices.size(); ++i) {
            if (choices[i] == present) allocator_ = static_cast<int>(i);
        }
        if (sandbox.Capacity() != 0) capacity_ = analysis::FormatBytes(sandbox.Capacity());
    }
    allocator_ = std::clamp(allocator_, 0, std::max(0, static_cast<int>(choices.size()) - 1));
    const std::string status = present.empty() ? "none" : present + ", " + analysis::FormatBytes(sandbox.Capacity());
    SectionTitle(context, "Allocator", status);
    const float pad = context.Px(kPad), gap = context.Px(6);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    float y = at.y + context.Px(8);
    const float field = context.Px(92);
    const float choice = width - 2 * pad - gap - field;
    ImGui::SetCursorScreenPos({at.x + pad, y});
    Choice(context, "##allocator", choices, allocator_, choice);
    Tooltip(context, "Which allocator to make");
    ImGui::SetCursorScreenPos({at.x + pad + choice + gap, y});
    const bool entered = TextField(context, "##capacity", capacity_, "64 KiB", field);
    Tooltip(context, "Its capacity: 4096, 64 KiB, 1 MiB", "Enter");
    y += context.Px(32);
    const auto capacity = ParseBytes(capacity_);
    const bool good = capacity && *capacity > 0 && *capacity <= kLargestCapacity && !choices.empty();
    const float button = std::floor((width - 2 * pad - 2 * gap) / 3);
    ImGui::SetCursorScreenPos({at.x + pad, y});
    const bool create =
        Button(context, "##create", present.empty() ? "Create" : "Replace", ButtonKind::Primary, button, good);
    Tooltip(context, "Ends the present allocator and makes this one");
    if ((create || (entered && good)) && good) {
        sandbox.Create(choices[static_cast<std::size_t>(allocator_)], *capacity);
        context.session->FollowEnd(true);
    }
    ImGui::SetCursorScreenPos({at.x + pad + button + gap, y});
    if (Button(context, "##reset", "Reset", ButtonKind::Danger, button, sandbox.CanReset())) {
        sandbox.Reset();
        context.session->FollowEnd(true);
    }
    if (sandbox.CanReset())
        Tooltip(context, "Gives every block back in one call", "Shift+R");
    else
        Tooltip(context, present.empty() ? "There is no allocator to reset" : "This allocator cannot be reset");
    ImGui::SetCursorScreenPos({at.x + pad + 2 * (button + gap), y});
    if (Button(context, "##destroy", "Destroy", ButtonKind::Danger, button, !present.empty())) {
        sandbox.Destroy();
        context.session->FollowEnd(true);
    }
    Tooltip(context, "Ends the allocator. A Residue allocator does not leave quietly.");
    ImGui::SetCursorScreenPos({at.x, y + context.Px(26 + 10)});
    if (!good && !choices.empty()) Complaint(context, width, "A capacity is a size from 1 B to 1 TiB.");
}

void SandboxView::DrawByHand(ViewContext& context, session::Sandbox& sandbox, float width) {
    SectionTitle(context, "By hand");
    const bool ready = !sandbox.Present().empty();
    const float pad = context.Px(kPad), gap = context.Px(6);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float inner = width - 2 * pad;
    const float button = std::floor((inner - 2 * gap) / 3);
    const float left = at.x + pad;
    float y = at.y + context.Px(8);
    const auto place = [&](int column) {
        ImGui::SetCursorScreenPos({left + static_cast<float>(column) * (button + gap), y});
    };
    const auto acted = [&] { context.session->FollowEnd(true); };

    place(0);
    bool go = TextField(context, "##bytes", bytes_, "bytes", button);
    Tooltip(context, "How many bytes to allocate: 96, 4K", "Enter");
    place(1);
    std::vector<std::string> alignments;
    for (int i = 0; i <= 12; ++i) alignments.push_back("align " + std::to_string(1 << i));
    Choice(context, "##alignment", alignments, alignment_, button);
    Tooltip(context, "Alignment asked for, in bytes");
    place(2);
    const auto bytes = ParseBytes(bytes_);
    go = Button(context, "##allocate", "Allocate", ButtonKind::Primary, button, ready && bytes.has_value()) || go;
    Tooltip(context, "Asks the allocator for this many bytes");
    if (go && ready && bytes) sandbox.Allocate(*bytes, std::uint64_t{1} << std::clamp(alignment_, 0, 12)), acted();
    y += context.Px(32);

    const auto selected = Selected(context);
    const std::string name = selected ? " #" + analysis::FormatCount(selected->id.value) : std::string();
    place(0);
    go = TextField(context, "##newbytes", newBytes_, "new size", button);
    Tooltip(context, "The size that the selected block is to have", "Enter");
    place(1);
    const auto newBytes = ParseBytes(newBytes_);
    const bool resizable = ready && selected && newBytes;
    go = Button(context, "##resize", "Resize" + name, ButtonKind::Plain, button, resizable) || go;
    Tooltip(context,
            selected ? "Makes the selected block this large, in place or by moving it" : "Select a live block first");
    if (go && resizable) sandbox.Resize(selected->address, *newBytes), acted();
    place(2);
    if (Button(context, "##free", "Free" + name, ButtonKind::Plain, button, ready && selected.has_value())) {
        sandbox.Free(selected->address), acted();
    }
    Tooltip(context,
            selected ? "Gives the selected block back" : "Select a live block first: click it in the heap panel");
    y += context.Px(32);

    place(0);
    if (Button(context, "##double", "Double free", ButtonKind::Danger, button, ready)) sandbox.DoubleFree(), acted();
    Tooltip(context, "Frees the block freed last once more");
    place(1);
    if (Button(context, "##foreign", "Foreign pointer", ButtonKind::Danger, button, ready))
        sandbox.FreeForeign(), acted();
    Tooltip(context, "Frees a pointer that this allocator never gave out");
    place(2);
    if (Button(context, "##fragment", "Fragment", ButtonKind::Danger, button, ready)) sandbox.Fragment(), acted();
    Tooltip(context, "Fills the heap, frees every second block, then asks for more than any hole has");
    y += context.Px(26 + 10);
    ImGui::SetCursorScreenPos({at.x, y});
    if (!bytes) Complaint(context, width, "How many bytes? 96, 4K and 1 MiB are sizes.");
}

std::size_t SandboxView::Chosen(const std::vector<session::Sandbox::Mark>& marks) const {
    for (std::size_t i = 0; i < marks.size(); ++i) {
        if (marks[i].id == mark_) return i;
    }
    return marks.size() - 1;
}

// Of an allocator that has marks; others do not show it.
void SandboxView::DrawMarks(ViewContext& context, session::Sandbox& sandbox, float width) {
    if (!sandbox.HasMarks()) return;
    const std::vector<session::Sandbox::Mark> marks = sandbox.Marks();
    SectionTitle(context, "Marks", marks.empty() ? "none" : analysis::FormatCount(marks.size()));
    const float pad = context.Px(kPad), gap = context.Px(6);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float y = at.y + context.Px(8);
    const float button = std::floor((width - 2 * pad - 2 * gap) / 3);
    ImGui::SetCursorScreenPos({at.x + pad, y});
    if (Button(context, "##mark", "Mark", ButtonKind::Plain, button)) {
        sandbox.SetMark();
        mark_ = 0;
        context.session->FollowEnd(true);
    }
    Tooltip(context, "Sets a mark: what is allocated from now on can be given back in one call", "K");
    const std::string name = marks.empty() ? "" : " to mark " + analysis::FormatCount(marks[Chosen(marks)].number);
    ImGui::SetCursorScreenPos({at.x + pad + button + gap, y});
    if (Button(context, "##release", "Release" + name, ButtonKind::Danger, 2 * button + gap, !marks.empty())) {
        sandbox.Release(marks[Chosen(marks)].id);
        context.session->FollowEnd(true);
    }
    if (marks.empty())
        Tooltip(context, "There is no mark to release: set one first");
    else
        Tooltip(context, "Gives back all that was allocated since, in one call; younger marks go with it", "R");
    ImGui::SetCursorScreenPos({at.x, y + context.Px(26 + 8)});
    if (!marks.empty()) DrawMarkList(context, marks, width);
}

// The youngest on top; those that a release would take have a filled square.
void SandboxView::DrawMarkList(ViewContext& context, const std::vector<session::Sandbox::Mark>& marks, float width) {
    const Theme& theme = *context.theme;
    const float row = context.Px(20), pad = context.Px(kPad), side = context.Px(7);
    const ImVec2 begin = ImGui::GetCursorScreenPos();
    const float rows = std::min(static_cast<float>(marks.size()), kMostMarks);
    const std::size_t chosen = Chosen(marks);
    {
        const ScrollArea area("##marks", {width, std::floor(rows * row)});
        if (revealMark_) {
            const float top = static_cast<float>(marks.size() - 1 - chosen) * row;
            const float shown = std::floor(rows * row);
            if (top < ImGui::GetScrollY() || top + row > ImGui::GetScrollY() + shown) {
                ImGui::SetScrollY(std::max(0.0f, top - (shown - row) / 2));
                *context.again = true;
            }
            revealMark_ = false;
        }
        const float inner = area.Width();
        for (std::size_t i = marks.size(); i-- > 0;) {
            const ImVec2 at = ImGui::GetCursorScreenPos();
            ImGui::PushID(static_cast<int>(i));
            if (ListRow(context, "##row", inner, row, i == chosen)) mark_ = marks[i].id;
            ImGui::PopID();
            Tooltip(context, i >= chosen ? "A release takes this one" : "Click to release back to this one", "↑ ↓");
            ImDrawList* draw = ImGui::GetWindowDrawList();
            const float x = at.x + pad, top = std::floor(at.y + (row - side) / 2);
            if (i >= chosen)
                draw->AddRectFilled({x, top}, {x + side, top + side}, theme.duck, context.Px(2));
            else
                draw->AddRect({x, top}, {x + side, top + side}, theme.dim, context.Px(2));
            const Rect text{{x + side + context.Px(7), at.y}, {at.x + inner - pad, at.y + row}};
            const float used = DrawTextIn(draw, context.fonts->label, text, theme.text,
                                          "mark " + analysis::FormatCount(marks[i].number));
            DrawTextIn(draw, context.fonts->mono, {{text.min.x + used + pad, at.y}, text.max}, theme.dim,
                       analysis::FormatAddress(marks[i].address), Align::Right);
        }
    }
    ImGui::SetCursorScreenPos({begin.x, begin.y + std::floor(rows * row) + context.Px(8)});
}

bool SandboxView::HandleKey(ViewContext& context, const KeyPress& press) {
    session::Sandbox* sandbox = context.session != nullptr ? context.session->GetSandbox() : nullptr;
    if (sandbox == nullptr || press.ctrl || press.alt || !sandbox->CanReset()) return false;
    const std::vector<session::Sandbox::Mark> marks = sandbox->Marks();
    if (press.repeat && (press.key == Key::R || press.key == Key::K)) return true;  // held: once is enough
    if (press.key == Key::R && press.shift) {
        sandbox->Reset();
    } else if (press.Is(Key::K) && sandbox->HasMarks()) {
        sandbox->SetMark();
        mark_ = 0;
    } else if (press.Is(Key::R) && !marks.empty()) {
        sandbox->Release(marks[Chosen(marks)].id);
    } else if ((press.Is(Key::Up) || press.Is(Key::Down)) && !marks.empty()) {
        const std::size_t chosen = Chosen(marks);
        if (press.key == Key::Up) mark_ = marks[std::min(chosen + 1, marks.size() - 1)].id;
        if (press.key == Key::Down) mark_ = marks[chosen == 0 ? 0 : chosen - 1].id;
        revealMark_ = true;
        return true;
    } else {
        return false;
    }
    context.session->FollowEnd(true);
    return true;
}

void SandboxView::DrawWorkload(ViewContext& context, session::Sandbox& sandbox, float width) {
    const Theme& theme = *context.theme;
    SectionTitle(context, "Random workload", RateText(sandbox.Rate()));
    const bool ready = !sandbox.Present().empty();
    const float pad = context.Px(kPad), gap = context.Px(10), button = context.Px(76);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float y = at.y + context.Px(8);
    ImGui::SetCursorScreenPos({at.x + pad, y});
    const bool running = sandbox.Running();
    if (Button(context, "##run", running ? "Stop" : "Run", running ? ButtonKind::Active : ButtonKind::Plain, button,
               ready)) {
        sandbox.Run(!running);
        if (!running) context.session->FollowEnd(true);
    }
    Tooltip(context, "A small program that allocates and frees at random, on a thread of its own");
    ImGui::SetCursorScreenPos({at.x + pad + button + gap, y});
    float along = SliderOfRate(sandbox.Rate());
    const float slider = width - 2 * pad - button - gap;
    if (Slider(context, "##rate", along, slider)) sandbox.SetRate(RateOfSlider(along));
    Tooltip(context, "Calls a second, from 1 to as fast as it can (logarithmic)");
    const float textY = y + context.Px(28);
    const float left = at.x + pad + button + gap;
    const ImFont* font = context.fonts->labelSmall;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    DrawText(draw, font, {left, textY}, theme.dim, "1/s");
    DrawText(draw, font, {left + slider - TextWidth(font, "unlimited"), textY}, theme.dim, "unlimited");
    ImGui::SetCursorScreenPos({at.x, textY + font->FontSize + context.Px(10)});
}

void SandboxView::DrawFlow(ViewContext& context, session::Sandbox& sandbox, float width) {
    const session::Sandbox::Flow flow = sandbox.GetFlow();
    const Theme& theme = *context.theme;
    const float perSecond = static_cast<float>(std::max(0.0, flow.eventsPerSecond));
    SectionTitle(context, "Flow", analysis::FormatCount(static_cast<std::uint64_t>(perSecond)) + " events/s");
    const float pad = context.Px(kPad);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::SetCursorScreenPos({at.x + pad, at.y + context.Px(8)});
    const char* const labels[] = {"Block", "Drop and count"};
    int chosen = flow.dropAndCount ? 1 : 0;
    if (Segmented(context, "##full", labels, 2, chosen)) sandbox.SetDropAndCount(chosen == 1);
    Tooltip(context,
            "What a full lane does: Block makes the program wait, Drop and count loses events and says how many");
    ImGui::SetCursorScreenPos({at.x, at.y + context.Px(8 + 26 + 8)});

    DrawFill(context, "lane fill", flow.laneFill, width, "Of the fullest ring buffer between a writer and the log");
    KeyValue(context, "sent", analysis::FormatCount(flow.sent), "Events that the sandbox's threads emitted");
    KeyValue(context, "received", analysis::FormatCount(flow.received), "Events that are in the log");
    KeyValue(context, "dropped", analysis::FormatCount(flow.dropped),
             "Events lost in full lanes; each loss is a gap event in the log", flow.dropped != 0 ? theme.warn : 0);
    ImGui::Dummy({width, context.Px(8)});
}

void SandboxView::Draw(ViewContext& context, ImVec2 size) {
    session::Sandbox* sandbox = context.session != nullptr ? context.session->GetSandbox() : nullptr;
    if (sandbox == nullptr) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        EmptyState(context, {size.x, size.y * 0.75f}, kIconFlask, "No sandbox is open",
                   "A sandbox is a live allocator under your hands: allocate, free, break it, and watch.");
        const float width = context.Px(150);
        ImGui::SetCursorScreenPos({std::floor(at.x + (size.x - width) / 2), std::floor(at.y + size.y * 0.7f)});
        if (Button(context, "##open", "Start the sandbox", ButtonKind::Primary, width)) context.commands->OpenSandbox();
        Tooltip(context, "Closes the present trace and starts a live allocator");
        allocator_ = -1;
        return;
    }
    const ScrollArea area("##sandbox", size);
    const float width = area.Width();
    DrawAllocator(context, *sandbox, width);
    DrawByHand(context, *sandbox, width);
    DrawMarks(context, *sandbox, width);
    DrawWorkload(context, *sandbox, width);
    DrawFlow(context, *sandbox, width);
}

}  // namespace

std::unique_ptr<View> MakeSandboxView() {
    return std::make_unique<SandboxView>();
}

}  // namespace residue::gui
