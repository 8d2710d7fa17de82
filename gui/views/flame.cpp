#include "gui/views/flame.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/flame_layout.hpp"
#include "analysis/flame_lookup.hpp"
#include "analysis/format.hpp"
#include "gui/views/analysis_bar.hpp"
#include "gui/views/analysis_text.hpp"
#include "gui/views/flame_colour.hpp"
#include "gui/views/short_name.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

using analysis::FlameBox;
using analysis::FlameNode;
using analysis::FlameTree;

constexpr float kRow = 19;       // unscaled, with the pixel between two
constexpr float kTextFrom = 22;  // unscaled: narrower boxes have no name

class FlameView final : public View {
public:
    const char* Title() const override { return "Flame graph"; }
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;
    bool HandleEscape(ViewContext& context) override;

private:
    void Adopt(const session::Session& session, std::shared_ptr<const session::ProfileAnswer> answer);
    void LayOut(const ViewContext& context, float width);
    void FindMatches(ViewContext& context);
    std::string DescribeMatches() const;
    void DrawCrumbs(ViewContext& context, float width);
    void DrawGraph(ViewContext& context, Rect area);
    void DrawBox(ViewContext& context, const FlameBox& box, Rect place, bool hovered);
    void DrawScroll(const ViewContext& context, Rect area, float whole);
    void TellMerged(ViewContext& context, const FlameBox& box);
    void Tell(ViewContext& context, const FlameNode& node);
    void Zoom(std::uint32_t node);
    bool Select(ViewContext& context, std::uint32_t node);
    std::uint32_t SelectedNode(const ViewContext& context);
    void Step(ViewContext& context, Key key);
    void Reveal(ViewContext& context, TraceId trace);
    std::uint32_t NodeOf(const ViewContext& context, TraceId trace);

    const FlameTree& Tree() const { return answer_->flame; }
    const FlameNode& Node(std::uint32_t index) const { return Tree().nodes[index]; }
    bool Compared() const { return Tree().compared || Tree().measure == analysis::SiteMeasure::GrownBytes; }
    std::int64_t Change(const FlameNode& node) const {
        return Tree().compared ? node.value - node.earlier : node.value;
    }

    const session::Session* session_ = nullptr;
    std::shared_ptr<const session::ProfileAnswer> answer_;
    std::vector<std::string> zoomed_;  // the names from the root on: they outlive an answer
    std::uint32_t root_ = 0;           // the zoomed node
    std::vector<FlameBox> boxes_;
    float laidOut_ = -1;               // for this width; < 0: not yet
    std::uint32_t rows_ = 0;
    std::shared_ptr<const session::FlameFound> matches_;  // in answer_; null: nothing is looked for, or not found yet
    std::pair<TraceId, std::uint32_t> known_{{}, FlameNode::kNone};  // the node of the trace last asked for
    std::uint32_t selected_ = FlameNode::kNone;
    TraceId selectedTrace_{};
    float scroll_ = 0;
    bool focusSearch_ = false;
};

// A new answer: what was zoomed, selected and looked for is found again in it.
void FlameView::Adopt(const session::Session& session, std::shared_ptr<const session::ProfileAnswer> answer) {
    if (session_ != &session) {
        session_ = &session;
        zoomed_.clear();
        scroll_ = 0;
    }
    if (answer == answer_) return;
    const bool turned = answer_ && answer && answer->flame.direction != answer_->flame.direction;
    answer_ = std::move(answer);
    laidOut_ = -1;
    matches_.reset();
    known_ = {{}, FlameNode::kNone};
    selected_ = FlameNode::kNone;
    root_ = 0;
    if (turned) zoomed_.clear();
    if (!answer_) return;
    for (const std::string& name : zoomed_) {
        const auto& children = Node(root_).children;
        const auto child = std::find_if(children.begin(), children.end(),
                                        [&](std::uint32_t index) { return Tree().NameOf(Node(index)) == name; });
        if (child == children.end() || answer_->weights[*child] == 0) break;
        root_ = *child;
    }
}

void FlameView::LayOut(const ViewContext& context, float width) {
    if (laidOut_ == width) return;
    laidOut_ = width;
    boxes_ = analysis::LayOutFlame(Tree(), answer_->weights, root_, width, std::max(1.0f, context.Px(1)));
    rows_ = 0;
    for (const FlameBox& box : boxes_) rows_ = std::max(rows_, box.row + 1);
}

// Found on a thread: until it is there what was looked for before stays lit.
void FlameView::FindMatches(ViewContext& context) {
    const std::string& text = context.analysis->search;
    if (text.empty()) {
        matches_.reset();
        return;
    }
    const auto reply = context.session->Analyst().AskMatches(answer_, text);
    if (reply.value != nullptr && reply.value->answer == answer_) matches_ = reply.value;
}

void FlameView::Zoom(std::uint32_t node) {
    root_ = node;
    zoomed_.clear();
    for (const std::uint32_t at : analysis::PathTo(Tree(), node)) zoomed_.push_back(Tree().NameOf(Node(at)));
    laidOut_ = -1;
    scroll_ = 0;
}

// Zooms so far in that the node is wide enough to be read, and selects it.
void FlameView::Reveal(ViewContext& context, TraceId trace) {
    constexpr std::uint64_t kNarrowest = 20;  // of the width
    constexpr int kMostAbove = 10;           // rows
    const std::uint32_t node = analysis::FindNode(Tree(), context.session->View(), trace);
    if (node == FlameNode::kNone) {
        context.commands->Notice(std::string("Its call trace has no ") + analysis::InfoOf(Tree().measure).label +
                                 " here.");
        return;
    }
    std::uint32_t top = node;
    for (int i = 0; i < kMostAbove && Node(top).parent != FlameNode::kNone; ++i) {
        if (answer_->weights[Node(top).parent] / kNarrowest > answer_->weights[node]) break;
        top = Node(top).parent;
    }
    Zoom(top);
    if (SelectedNode(context) != node) Select(context, node);
}

std::uint32_t FlameView::NodeOf(const ViewContext& context, TraceId trace) {
    if (known_.second == FlameNode::kNone || known_.first != trace) {
        known_ = {trace, analysis::FindNode(Tree(), context.session->View(), trace)};
    }
    return known_.second;
}

// Selects the node's call traces in every panel; false: it was selected, and is no longer.
bool FlameView::Select(ViewContext& context, std::uint32_t node) {
    Selection& selection = *context.selection;
    if (SelectedNode(context) == node || node == 0) {
        selection.trace.reset();
        selected_ = FlameNode::kNone;
        return false;
    }
    context.analysis->Choose(selection, answer_, node);
    selectedTrace_ = Node(node).trace;
    selected_ = node;
    return true;
}

// What another panel selected is looked up once.
std::uint32_t FlameView::SelectedNode(const ViewContext& context) {
    const auto& trace = context.selection->trace;
    if (!trace) return selected_ = FlameNode::kNone;
    if (selected_ == FlameNode::kNone || selectedTrace_ != *trace) {
        selectedTrace_ = *trace;
        selected_ = analysis::FindNode(Tree(), context.session->View(), *trace);
    }
    return selected_;
}

void FlameView::Step(ViewContext& context, Key key) {
    std::uint32_t at = SelectedNode(context);
    if (at == FlameNode::kNone) {
        at = root_ != 0 ? root_ : Node(0).children.empty() ? 0 : Node(0).children.front();
    } else if (key == Key::J) {
        if (Node(at).children.empty()) return;
        at = Node(at).children.front();
    } else if (key == Key::K) {
        if (Node(at).parent == FlameNode::kNone || Node(at).parent == 0) return;
        at = Node(at).parent;
    } else {
        const auto& siblings = Node(Node(at).parent).children;
        const auto place = std::find(siblings.begin(), siblings.end(), at) - siblings.begin();
        const auto next = place + (key == Key::Period ? 1 : -1);
        if (next < 0 || next >= static_cast<std::ptrdiff_t>(siblings.size())) return;
        at = siblings[static_cast<std::size_t>(next)];
    }
    if (at != 0 && at != SelectedNode(context)) Select(context, at);
}

bool FlameView::HandleEscape(ViewContext& context) {
    if (!context.Ready() || !answer_ || session_ != context.session || root_ == 0) return false;
    Zoom(Node(root_).parent);
    return true;
}

bool FlameView::HandleKey(ViewContext& context, const KeyPress& press) {
    if (!context.Ready() || press.ctrl || press.alt) return false;
    if (press.Is(Key::Slash)) {
        focusSearch_ = true;
        return true;
    }
    if (!answer_ || session_ != context.session || Tree().nodes.empty()) return false;
    switch (press.key) {
        case Key::F: Zoom(0); return true;
        case Key::Backspace: return HandleEscape(context);
        case Key::Enter:
            if (SelectedNode(context) == FlameNode::kNone) return false;
            Zoom(SelectedNode(context));
            return true;
        case Key::J:
        case Key::K:
        case Key::Period:
        case Key::Comma: Step(context, press.key); return true;
        case Key::Plus: scroll_ += context.Px(kRow) * 5; return true;
        case Key::Minus: scroll_ = std::max(0.0f, scroll_ - context.Px(kRow) * 5); return true;
        default: return false;
    }
}

// From all to the zoomed node; a click goes there. Where there is no room the middle ones are left out.
void FlameView::DrawCrumbs(ViewContext& context, float width) {
    if (root_ == 0) return;
    const Theme& theme = *context.theme;
    const ImFont* font = context.fonts->label;
    const float height = context.Px(22), pad = context.Px(kPad);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    std::vector<std::uint32_t> path = analysis::PathTo(Tree(), root_);
    path.insert(path.begin(), 0);
    const float arrow = TextWidth(font, " › ");
    const auto nameOf = [&](std::uint32_t node) {
        return Ellipsized(font, node == 0 ? std::string("all") : ShortFunction(Tree().NameOf(Node(node))),
                          context.Px(180));
    };
    // Backwards, as many as fit; the first is always there.
    float used = TextWidth(font, "all") + arrow + TextWidth(font, "… › ") + 2 * pad;
    std::size_t from = path.size();
    while (from > 1) {
        const float wide = TextWidth(font, nameOf(path[from - 1])) + arrow;
        if (from < path.size() && used + wide > width) break;
        used += wide;
        --from;
    }
    float x = origin.x + pad;
    std::uint32_t wanted = root_;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (i > 0 && i < from) continue;
        if (i > 0)
            x += DrawText(ImGui::GetWindowDrawList(), font, {x, origin.y + (height - font->FontSize) / 2}, theme.faint,
                          i == from && from > 1 ? " … › " : " › ");
        const std::string name = nameOf(path[i]);
        const float wide = TextWidth(font, name);
        ImGui::SetCursorScreenPos({x, origin.y});
        ImGui::PushID(static_cast<int>(i));
        if (ImGui::InvisibleButton("crumb", {std::max(wide, 1.0f), height})) wanted = path[i];
        const bool over = ImGui::IsItemHovered();
        if (i + 1 < path.size())
            Tooltip(context, "Zoom out to " + nameOf(path[i]), i + 2 == path.size() ? "Backspace" : "");
        ImGui::PopID();
        const bool last = i + 1 == path.size();
        DrawTextIn(ImGui::GetWindowDrawList(), font,
                   {{x, origin.y}, {std::min(x + wide + 1, origin.x + width - pad), origin.y + height}},
                   last   ? theme.text
                   : over ? theme.accent
                          : theme.dim,
                   name);
        x += wide;
    }
    ImGui::SetCursorScreenPos(origin);
    ImGui::Dummy({width, height});
    if (wanted != root_) Zoom(wanted);
}

void FlameView::DrawBox(ViewContext& context, const FlameBox& box, Rect place, bool hovered) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const FlameNode& node = Node(box.node);
    const std::string& name = Tree().NameOf(node);
    const bool merged = box.merged != 0;
    const float gap = place.Width() > context.Px(4) ? std::max(1.0f, context.Px(1)) : 0.0f;
    place.max.x -= gap;
    place.max.y -= std::max(1.0f, context.Px(1));
    ImU32 fill = merged                        ? Mix(theme.panel, theme.dim, 0.3f)
                 : box.node == 0               ? theme.raised
                 : Compared()                  ? GrowthColour(theme, Change(node), answer_->weights[0])
                                               : FlameColour(theme, name);
    const bool searching = matches_ != nullptr;
    const bool match = searching && !merged && matches_->found.matches[box.node];
    if (searching && !match) fill = Mix(theme.panel, fill, 0.35f);
    if (match) fill = theme.duck;
    if (hovered) fill = Mix(fill, theme.text, 0.18f);
    draw->AddRectFilled(place.min, place.max, fill, place.Width() > context.Px(8) ? context.Px(2) : 0.0f);
    if (place.Width() < context.Px(kTextFrom)) return;
    std::string label = merged ? "… " + analysis::FormatCount(box.merged)
                        : box.node == 0 ? "all · " + FormatValue(Tree().measure, node.value)
                                        : ShortFunction(name);
    const float pad = context.Px(5);
    const Rect inner{{place.min.x + pad, place.min.y}, {place.max.x - pad, place.max.y}};
    const ImU32 ink = TextOn(fill);
    // The figure behind the name, where both have room. It tells a change by its sign, not by colour alone.
    const std::int64_t shown = Compared() ? Change(node) : node.value;
    const std::string value = merged || box.node == 0 ? std::string()
                              : (Compared() && shown > 0 ? "+" : "") + FormatValue(Tree().measure, shown);
    const float both =
        TextWidth(context.fonts->label, label) + TextWidth(context.fonts->monoSmall, value) + context.Px(14);
    DrawTextIn(draw, context.fonts->label, inner, ink, label);
    if (!value.empty() && both < inner.Width()) {
        DrawTextIn(draw, context.fonts->monoSmall, inner, ink, value, Align::Right);
    }
}

void FlameView::TellMerged(ViewContext& context, const FlameBox& box) {
    TooltipNow(context, analysis::FormatCount(box.merged) + (box.merged == 1 ? " function" : " functions") +
                            " too narrow to be drawn, called by " + ShortFunction(Tree().NameOf(Node(box.node))) +
                            "\n" + FormatExact(Tree().measure, box.value) +
                            " in all\n\nZoom in on the caller to see more of them.");
}

void FlameView::Tell(ViewContext& context, const FlameNode& node) {
    const analysis::SiteMeasure measure = Tree().measure;
    const bool root = node.parent == FlameNode::kNone;
    std::string tip = root ? "all" : Tree().NameOf(node);
    if (node.trace) {
        const auto place =
            analysis::FlameBuilder::PlaceOf(context.session->View().TopFrame(node.trace), Tree().NameOf(node));
        if (!place.file.empty()) tip += "\n" + place.file + (place.line != 0 ? ":" + std::to_string(place.line) : "");
    }
    tip += "\n" + FormatExact(measure, node.value) + ", " + analysis::InfoOf(measure).label;
    if (Tree().compared) {
        const std::int64_t change = node.value - node.earlier;
        tip += "\nbefore: " + FormatExact(measure, node.earlier) + ", " + (change > 0 ? "+" : "") +
               FormatExact(measure, change);
    }
    if (!root) {
        const std::string all = FormatShare(node.value, Node(0).value);
        if (!all.empty()) tip += "\n" + all + " of all";
        if (node.parent != 0) {
            const std::string parent = FormatShare(node.value, Node(node.parent).value);
            if (!parent.empty()) tip += ", " + parent + " of " + ShortFunction(Tree().NameOf(Node(node.parent)));
        }
    }
    if (node.own != 0 && !node.children.empty()) {
        tip += "\n" + FormatExact(measure, node.own) +
               (Tree().direction == analysis::Direction::TopDown ? " asked for right here"
                                                                 : " from traces that begin here");
    }
    TooltipNow(context, tip + "\n\nClick: zoom in and select. Backspace: back out.");
}

void FlameView::DrawScroll(const ViewContext& context, Rect area, float whole) {
    if (whole <= area.Height()) return;
    const float length = std::max(context.Px(24), area.Height() * area.Height() / whole);
    const float y = area.min.y + (area.Height() - length) * scroll_ / (whole - area.Height());
    const float x = area.max.x + context.Px(4);  // in the margin
    ImGui::GetWindowDrawList()->AddRectFilled({x, y}, {x + context.Px(4), y + length}, context.theme->line,
                                              context.Px(2));
}

void FlameView::DrawGraph(ViewContext& context, Rect area) {
    LayOut(context, area.Width());
    const float row = context.Px(kRow), whole = row * static_cast<float>(rows_);
    ImGui::SetCursorScreenPos(area.min);
    ImGui::InvisibleButton("##graph", {std::max(area.Width(), 1.0f), std::max(area.Height(), 1.0f)});
    const bool over = ImGui::IsItemHovered();
    const bool clicked = over && ImGui::IsMouseClicked(0);
    if (over && ImGui::GetIO().MouseWheel != 0) scroll_ -= ImGui::GetIO().MouseWheel * 3 * row;
    scroll_ = std::clamp(std::floor(scroll_), 0.0f, std::max(0.0f, std::ceil(whole - area.Height())));
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const auto block = context.selection->Block();  // hovered, or pinned
    const std::uint32_t lit = block && *block && block->value <= context.session->View().Blocks()
                                  ? NodeOf(context, context.session->View().Birth(*block).event.trace)
                                  : FlameNode::kNone;
    const std::uint32_t selected = SelectedNode(context);
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->PushClipRect(area.min, area.max, true);
    const FlameBox* under = nullptr;
    for (const FlameBox& box : boxes_) {
        const float y = area.min.y + row * static_cast<float>(box.row) - scroll_;
        if (y + row <= area.min.y || y >= area.max.y) continue;
        const Rect place{{std::floor(area.min.x + box.begin), y},
                         {std::max(std::floor(area.min.x + box.end), std::floor(area.min.x + box.begin) + 1), y + row}};
        const bool hovered = over && place.Contains(mouse);
        if (hovered) under = &box;
        DrawBox(context, box, place, hovered);
        if (box.merged == 0 && (box.node == lit || box.node == selected) && box.node != 0) {
            draw->AddRect(place.min, {place.max.x, place.max.y - 1},
                          box.node == lit ? context.theme->duck : context.theme->text, context.Px(2), 0,
                          std::max(1.0f, context.Px(1.5f)));
        }
    }
    draw->PopClipRect();
    DrawScroll(context, area, whole);
    if (under == nullptr) return;
    if (under->merged != 0) {
        TellMerged(context, *under);
        if (clicked) Zoom(under->node);
        return;
    }
    const std::uint32_t node = under->node;
    Tell(context, Node(node));
    if (!clicked) return;
    if (node == root_) {
        Select(context, node);
    } else {
        if (SelectedNode(context) != node) Select(context, node);
        Zoom(node);
    }
}

std::string FlameView::DescribeMatches() const {
    const analysis::FlameMatches& found = matches_->found;
    if (found.count == 0) return "no function";
    const std::string share = FormatShare(found.value, Node(0).value);
    return share + (share.empty() ? "" : " in ") + analysis::FormatCount(found.count) +
           (found.count == 1 ? " function" : " functions");
}

void FlameView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconTree, "No flame graph", "Open a recording with call traces, or a lesson.");
        return;
    }
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const auto& reply = context.analysis->Ask(*context.session);
    Adopt(*context.session, reply.value);
    if (context.analysis->reveal && answer_ && reply.fresh)
        Reveal(context, *std::exchange(context.analysis->reveal, std::nullopt));
    std::string status;
    if (answer_) {
        FindMatches(context);
        if (!context.analysis->search.empty()) {
            status = matches_ && matches_->text == context.analysis->search ? DescribeMatches() : "looking…";
        }
    }
    AnalysisBar bar;
    bar.search = true;
    bar.searchStatus = status.c_str();
    bar.focusSearch = std::exchange(focusSearch_, false);
    DrawAnalysisBar(context, size.x, bar);
    DrawAnswerLine(context, size.x, reply);
    const float used = ImGui::GetCursorScreenPos().y - origin.y;
    if (DrawNoAnswer(context, {size.x, size.y - used}, reply)) return;
    DrawCrumbs(context, size.x);
    const float pad = context.Px(kPad);
    const Rect area{{origin.x + pad, ImGui::GetCursorScreenPos().y + context.Px(4)},
                    {origin.x + size.x - pad, origin.y + size.y - context.Px(4)}};
    if (area.Width() < context.Px(40) || area.Height() < context.Px(kRow)) return;
    DrawGraph(context, area);
}

}  // namespace

std::unique_ptr<View> MakeFlameView() {
    return std::make_unique<FlameView>();
}

}  // namespace residue::gui
