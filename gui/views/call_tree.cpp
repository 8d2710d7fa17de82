#include "gui/views/call_tree.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/flame_lookup.hpp"
#include "analysis/format.hpp"
#include "gui/views/analysis_bar.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/list.hpp"
#include "gui/views/notes.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::FlameNode;
using analysis::FlameTree;

constexpr std::size_t kMostRows = 20000;  // opened at once
constexpr std::uint32_t kOpenDepth = 40;

constexpr Column kColumns[] = {
    {"function", 150, Align::Left, "A click on the arrow opens, a click on the row selects.", 0, true, true},
    {"share", 52, Align::Right, "Of all, what it calls included", 1, false, true},
    {"own", 76, Align::Right, "Without what it calls: asked for right here", 2, false, true},
    {"value", 84, Align::Right, "What it calls included", 0, false, true},
};
enum : std::size_t { kFunction, kShare, kOwn, kValue };

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
    void Adopt(const session::Session& session, std::shared_ptr<const session::ProfileAnswer> answer);
    void Flatten();
    bool IsOpen(const FlameNode& node, std::uint64_t path) const;
    void DrawRow(ViewContext& context, const Columns& columns, const Row& row, float width, float height);
    void Tell(ViewContext& context, const FlameNode& node);
    const FlameTree& Tree() const { return answer_->flame; }
    std::uint64_t PathOf(std::uint32_t node) const;

    std::shared_ptr<const session::ProfileAnswer> answer_;
    std::vector<Row> rows_;
    std::unordered_map<std::uint64_t, bool> chosen_;  // opened or closed by hand, by a hash of the path's names
    bool changed_ = false;
    std::uint32_t selected_ = FlameNode::kNone;  // the node of the selected trace ...
    std::optional<TraceId> selectedTrace_;       // ... when it was this one
    const session::Session* session_ = nullptr;
};

void CallTreeView::Adopt(const session::Session& session, std::shared_ptr<const session::ProfileAnswer> answer) {
    if (session_ != &session) chosen_.clear();
    session_ = &session;
    if (answer == answer_ && !changed_) return;
    if (answer != answer_) selectedTrace_.reset();
    answer_ = std::move(answer);
    changed_ = false;
    Flatten();
}

// Names outlive an answer, indices do not.
std::uint64_t CallTreeView::PathOf(std::uint32_t node) const {
    std::uint64_t hash = 1469598103934665603u;
    for (; node != FlameNode::kNone; node = Tree().nodes[node].parent) {
        for (const char c : Tree().NameOf(Tree().nodes[node]))
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
        hash = (hash ^ '\n') * 1099511628211u;
    }
    return hash;
}

// Heavy branches are open from the start; a choice by hand stays.
bool CallTreeView::IsOpen(const FlameNode& node, std::uint64_t path) const {
    if (node.children.empty()) return false;
    if (const auto chosen = chosen_.find(path); chosen != chosen_.end()) return chosen->second;
    if (Tree().direction == analysis::Direction::BottomUp) return false;  // who allocates, in one list
    const auto heavy = [&](std::int64_t value, std::int64_t all) {
        return all != 0 && std::abs(value) >= std::abs(all) / 10;
    };
    return node.depth < kOpenDepth && heavy(node.value, Tree().nodes.front().value);
}

void CallTreeView::Flatten() {
    rows_.clear();
    if (!answer_ || Tree().nodes.empty()) return;
    std::vector<std::pair<std::uint32_t, int>> stack;
    const auto push = [&](const FlameNode& node, int depth) {
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child)
            stack.emplace_back(*child, depth);
    };
    push(Tree().nodes.front(), 0);
    while (!stack.empty() && rows_.size() < kMostRows) {
        const auto [index, depth] = stack.back();
        stack.pop_back();
        const FlameNode& node = Tree().nodes[index];
        if (node.value == 0 && node.earlier == 0) continue;
        const bool open = IsOpen(node, PathOf(index));
        rows_.push_back({index, depth, open});
        // A chain without branches is not indented: deep stacks stay readable.
        if (open) push(node, node.children.size() > 1 || node.own != 0 ? depth + 1 : depth);
    }
}

void CallTreeView::Tell(ViewContext& context, const FlameNode& node) {
    const analysis::SiteMeasure measure = Tree().measure;
    std::string tip = Tree().NameOf(node);
    if (node.trace) {
        const auto place =
            analysis::FlameBuilder::PlaceOf(context.session->View().TopFrame(node.trace), Tree().NameOf(node));
        if (!place.file.empty()) tip += "\n" + place.file + (place.line != 0 ? ":" + std::to_string(place.line) : "");
    }
    tip += "\n" + FormatExact(measure, node.value) + ", " + analysis::InfoOf(measure).label;
    tip += "\n" + FormatExact(measure, node.own) +
           (Tree().direction == analysis::Direction::TopDown ? " of them asked for right here"
                                                             : " of traces that begin here");
    if (Tree().compared) tip += "\nbefore: " + FormatExact(measure, node.earlier);
    TooltipNow(context, tip);
}

void CallTreeView::DrawRow(ViewContext& context, const Columns& columns, const Row& row, float width, float height) {
    const Theme& theme = *context.theme;
    const FlameNode& node = Tree().nodes[row.node];
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const bool selected = selected_ == row.node;
    bool hovered = false;
    const bool clicked = ListRow(context, "##row", width, height, selected, &hovered);
    const Rect cell = columns.Cell(kFunction, at.y, height);
    // Deep trees are cut at the left: the indent stops growing where half of the column is left.
    const float indent = std::min(context.Px(10) * static_cast<float>(row.depth), cell.Width() * 0.5f);
    const float arrow = context.Px(14);
    const Rect arrowBox{{cell.min.x + indent, cell.min.y}, {cell.min.x + indent + arrow, cell.max.y}};
    if (!node.children.empty()) {
        DrawTextIn(draw, context.fonts->label, arrowBox, theme.dim,
                   row.open ? kIconCaretDown.Text(*context.fonts) : kIconCaretRight.Text(*context.fonts));
    }
    const bool onArrow = !node.children.empty() && ImGui::GetIO().MousePos.x < arrowBox.max.x + context.Px(2);
    DrawTextIn(draw, context.fonts->mono, {{arrowBox.max.x, cell.min.y}, cell.max}, theme.text,
               ShortFunction(Tree().NameOf(node)));
    {
        // A line under the figure: its share of all.
        const Rect bar = columns.Cell(kValue, at.y, height);
        const double all = std::max(1.0, std::abs(static_cast<double>(Tree().nodes.front().value)));
        const auto share = static_cast<float>(std::min(1.0, std::abs(static_cast<double>(node.value)) / all));
        const float y = at.y + height - 2;
        draw->AddRectFilled({bar.min.x, y}, {bar.max.x, y + 1}, theme.raised);
        draw->AddRectFilled({bar.max.x - std::floor(bar.Width() * share + 0.5f), y}, {bar.max.x, y + 1},
                            node.value < 0 ? theme.error : theme.live);
    }
    columns.Text(context, kShare, at.y, height, theme.dim, FormatShare(node.value, Tree().nodes.front().value));
    columns.Text(context, kOwn, at.y, height, theme.dim, node.own == 0 ? "" : FormatValue(Tree().measure, node.own));
    const std::int64_t shown = Tree().compared ? node.value - node.earlier : node.value;
    const bool change = Tree().compared || Tree().measure == analysis::SiteMeasure::GrownBytes;
    columns.Text(context, kValue, at.y, height, theme.text,
                 (change && shown > 0 ? "+" : "") + FormatValue(Tree().measure, shown));
    if (hovered) {
        if (node.trace) context.selection->HoverTrace(node.trace);
        Tell(context, node);
    }
    if (!clicked) return;
    if (onArrow || ImGui::IsMouseDoubleClicked(0)) {
        chosen_[PathOf(row.node)] = !row.open;
        changed_ = true;
        return;
    }
    Selection& selection = *context.selection;
    if (selected) {
        selection.trace.reset();
    } else {
        context.analysis->Choose(selection, answer_, row.node);
        selectedTrace_ = node.trace;
        selected_ = row.node;
    }
}

void CallTreeView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconTree, "No calls", "Open a recording with call traces, or start the sandbox.");
        return;
    }
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const auto& reply = context.analysis->Ask(*context.session);
    Adopt(*context.session, reply.value);
    DrawAnalysisBar(context, size.x, {});
    DrawAnswerLine(context, size.x, reply);
    const float used = ImGui::GetCursorScreenPos().y - origin.y;
    if (DrawNoAnswer(context, {size.x, size.y - used}, reply)) return;
    const auto& trace = context.selection->trace;
    if (!trace) {
        selected_ = FlameNode::kNone;
        selectedTrace_.reset();
    } else if (selectedTrace_ != trace) {
        selectedTrace_ = trace;
        selected_ = analysis::FindNode(Tree(), context.session->View(), *trace);
    }
    const ScrollArea area("##calls", {size.x, size.y - used});
    const float width = area.Width();
    const Columns columns(context, kColumns, ImGui::GetCursorScreenPos().x, width);
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
