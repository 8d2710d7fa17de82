#include "gui/views/call_tree.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "analysis/format.hpp"
#include "gui/views/block_colour.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr std::uint64_t kLargeHeap = 50000;  // live blocks: while playing, the tree is then not remade each frame
constexpr std::size_t kMostRows = 20000;     // opened at once
constexpr int kOpenDepth = 24;

constexpr Column kColumns[] = {
    {"function", 190, Align::Left, "Outermost first. A click on the arrow opens, a click on the row selects.", 0, true,
     true},
    {"share", 56, Align::Left, "Of all live bytes, its callees included", 2, false, true},
    {"blocks", 64, Align::Right, "Live blocks, its callees included", 1, false, true},
    {"live", 84, Align::Right, "Live bytes, as requested, its callees included", 0, false, true},
};
enum : std::size_t { kFunction, kShare, kBlocks, kLive };

class CallTreeView final : public View {
public:
    const char* Title() const override { return "Calls"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    struct Row {
        std::uint32_t node = 0;
        int depth = 0;
        bool open = false;
    };
    void Refresh(ViewContext& context);
    void Flatten();
    bool IsOpen(const analysis::CallNode& node, int depth) const;
    void DrawRow(ViewContext& context, const Columns& columns, const Row& row, float width, float height);

    std::vector<analysis::CallNode> nodes_;
    std::vector<Row> rows_;
    std::unordered_map<std::uint32_t, bool> chosen_;  // opened or closed by hand, by trace
    Position asOf_{};
    const session::Session* session_ = nullptr;
};

void CallTreeView::Refresh(ViewContext& context) {
    session::Session& session = *context.session;
    const bool sameSession = session_ == &session;
    const bool late = session.Playing() && session.Heap().Sum().blocks > kLargeHeap && sameSession && !nodes_.empty();
    if (!late && (session.Settled() || !sameSession)) {
        nodes_ = session.PresentCallTree();
        asOf_ = session.Now();
    }
    if (!sameSession) chosen_.clear();
    session_ = &session;
    Flatten();
}

// Heavy branches are open from the start; a choice by hand stays.
bool CallTreeView::IsOpen(const analysis::CallNode& node, int depth) const {
    if (node.children.empty()) return false;
    if (const auto chosen = chosen_.find(node.trace.value); chosen != chosen_.end()) return chosen->second;
    return depth < kOpenDepth && node.liveBytes >= nodes_.front().liveBytes / 10;
}

void CallTreeView::Flatten() {
    rows_.clear();
    if (nodes_.empty()) return;
    std::vector<std::pair<std::uint32_t, int>> stack;
    const auto push = [&](const analysis::CallNode& node, int depth) {
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child)
            stack.emplace_back(*child, depth);
    };
    push(nodes_.front(), 0);
    while (!stack.empty() && rows_.size() < kMostRows) {
        const auto [index, depth] = stack.back();
        stack.pop_back();
        const bool open = IsOpen(nodes_[index], depth);
        rows_.push_back({index, depth, open});
        // A chain without branches is not indented: deep stacks stay readable.
        if (open)
            push(nodes_[index], nodes_[index].children.size() > 1 || nodes_[index].ownBytes > 0 ? depth + 1 : depth);
    }
}

void CallTreeView::DrawRow(ViewContext& context, const Columns& columns, const Row& row, float width, float height) {
    const Theme& theme = *context.theme;
    const analysis::CallNode& node = nodes_[row.node];
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const bool selected = context.selection->trace == node.trace;
    bool hovered = false;
    const bool clicked = ListRow(context, "##row", width, height, selected, &hovered);
    const Rect cell = columns.Cell(kFunction, at.y, height);
    // Deep trees are cut at the left: the indent stops growing where a third of the column is left.
    const float indent = std::min(context.Px(12) * static_cast<float>(row.depth), cell.Width() * 0.5f);
    const float arrow = context.Px(14);
    const Rect arrowBox{{cell.min.x + indent, cell.min.y}, {cell.min.x + indent + arrow, cell.max.y}};
    if (!node.children.empty()) {
        DrawTextIn(draw, context.fonts->label, arrowBox, theme.dim,
                   row.open ? kIconCaretDown.Text(*context.fonts) : kIconCaretRight.Text(*context.fonts));
    }
    const bool onArrow = !node.children.empty() && ImGui::GetIO().MousePos.x < arrowBox.max.x + context.Px(2);
    const symbols::Frame frame = context.session->View().TopFrame(node.trace);
    const Rect name{{arrowBox.max.x, cell.min.y}, cell.max};
    const std::string text = node.trace ? frame.function : std::string("no call trace");
    const std::string shown = node.trace ? ShortFunction(text) : text;
    DrawTextIn(draw, context.fonts->mono, name, theme.text, shown);
    if (frame.line != 0) {  // calls from two lines of one function are two rows
        const float end = name.min.x + TextWidth(context.fonts->mono, shown);
        DrawTextIn(draw, context.fonts->mono, {{end, name.min.y}, name.max}, theme.dim,
                   ":" + std::to_string(frame.line));
    }
    {
        // A column of its own where there is room, else a line under the figure.
        const bool wide = columns.Shown(kShare);
        const Rect bar = columns.Cell(wide ? kShare : kLive, at.y, height);
        const float half = wide ? std::floor(height * 0.18f) : 1;
        const float middle = wide ? std::floor(at.y + height / 2) : at.y + height - 2;
        const double all = static_cast<double>(std::max<std::uint64_t>(nodes_.front().liveBytes, 1));
        const float share = static_cast<float>(static_cast<double>(node.liveBytes) / all);
        draw->AddRectFilled({bar.min.x, middle - half}, {bar.max.x, middle + half}, theme.raised);
        draw->AddRectFilled({bar.min.x, middle - half},
                            {std::floor(bar.min.x + bar.Width() * share + 0.5f), middle + half}, theme.live);
    }
    columns.Text(context, kBlocks, at.y, height, theme.dim, analysis::FormatCount(node.liveBlocks));
    columns.Text(context, kLive, at.y, height, theme.text, analysis::FormatBytes(node.liveBytes));
    if (hovered) {
        context.selection->HoverTrace(node.trace);
        std::string tip = text;
        if (!frame.file.empty()) tip += "\n" + frame.file + ":" + std::to_string(frame.line);
        tip += "\n" + analysis::FormatBytesExact(node.liveBytes) + " live in " +
               analysis::FormatCount(node.liveBlocks) + " blocks, " + analysis::FormatBytesExact(node.ownBytes) +
               " of them asked for right here";
        TooltipNow(context, tip);
    }
    if (clicked) {
        if (onArrow || ImGui::IsMouseDoubleClicked(0))
            chosen_[node.trace.value] = !row.open;
        else
            context.selection->trace = selected ? std::nullopt : std::optional(node.trace);
    }
}

void CallTreeView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconTree, "No calls", "Open a recording with call traces, or start the sandbox.");
        return;
    }
    Refresh(context);
    const bool untraced = rows_.empty() || (rows_.size() == 1 && !nodes_[rows_.front().node].trace);
    if (untraced) {
        const bool any = context.session->Heap().Sum().blocks > 0;
        EmptyState(context, size, kIconTree, any ? "No call traces here" : "Nothing is live at this position",
                   any ? (context.session->View().Traces() > 0
                              ? WhyNoTrace(*context.session)
                              : "A trace of ids and sizes does not say who asked. The sandbox and recordings of "
                                "programs do.")
                       : "Step to where something is allocated: the right arrow, or P for the peak.");
        return;
    }
    const ScrollArea area("##calls", size);
    const float width = area.Width();
    const Columns columns(context, kColumns, ImGui::GetCursorScreenPos().x, width);
    if (asOf_ != context.session->Now()) {
        DrawNote(context, width,
                 "As of event " + analysis::FormatCount(asOf_.value) + "; pause to bring it up to date.");
    }
    if (const auto note = TracesFullNote(*context.session)) DrawNote(context, width, *note);
    if (const auto note = UncertainNote(*context.session)) DrawNote(context, width, *note);
    columns.DrawHeader(context);
    const float height = context.Px(kRowHeight);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows_.size()), height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            ImGui::PushID(i);
            DrawRow(context, columns, rows_[static_cast<std::size_t>(i)], width, height);
            ImGui::PopID();
        }
    }
}

}  // namespace

std::unique_ptr<View> MakeCallTreeView() {
    return std::make_unique<CallTreeView>();
}

}  // namespace residue::gui
