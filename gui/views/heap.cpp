#include "gui/views/heap.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "gui/views/block_menu.hpp"
#include "gui/views/heap_dense.hpp"
#include "gui/views/heap_frame.hpp"
#include "gui/views/heap_map.hpp"
#include "gui/views/heap_nests.hpp"
#include "gui/views/heap_pieces.hpp"
#include "gui/views/nest_text.hpp"
#include "gui/views/no_events.hpp"
#include "gui/views/story.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/session.hpp"

namespace residue::gui {

namespace {

constexpr float kMapWidth = 14;
constexpr float kLegendHeight = 26;
constexpr float kLow = 110;
constexpr float kSidewaysFrom = 24;  // pixels of sideways drag before the page shifts

class HeapView final : public View {
public:
    const char* Title() const override { return "Heap"; }
    std::string Subtitle(ViewContext& context) override;
    float DrawTitleControls(ViewContext& context, float right, float centreY) override;
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;

private:
    struct Input {  // of the mouse over the rows
        bool over = false;
        std::optional<std::uint64_t> address;
        bool onBar = false;  // not in the gap between two rows
        float inRow = 0;     // below the row's top
    };

    void Adopt(ViewContext& context);
    void FindPiecesNow(ViewContext& context);
    void TakeRequest(ViewContext& context);
    Emphasis EmphasisOf(ViewContext& context) const;
    Input ReadMouse(ViewContext& context, Rect area);
    void Hover(HeapFrame& frame, const Input& input, bool dense);
    void DrawElsewhere(HeapFrame& frame, Rect area);
    bool ShowHeapOf(ViewContext& context, BlockId block);
    void FitBlock(ViewContext& context, BlockId block);
    void StepSelection(ViewContext& context, bool forward);

    std::string source_;  // which session the state below is about
    const session::Session* session_ = nullptr;
    AllocatorId allocator_{};
    HeapCamera camera_;
    HeapLayout layout_;
    HeapPieces found_;
    std::vector<analysis::MappedRange> mapped_;  // HeapFrame::mapped
    std::vector<Piece> pieces_;  // of the page: what there is now, and what the heap will grow to
    Viewport viewport_;
    HeapDense dense_;
    HeapMap map_;
    BlockMenu menu_;
    bool dragging_ = false;
    bool sideways_ = false;
    bool moved_ = false;         // since the button went down
    std::uint64_t grabbed_ = 0;  // the byte under the mouse when it went down
    std::int64_t grabbedInRow_ = 0;
    ImVec2 grabbedAt_{};
};

std::string HeapView::Subtitle(ViewContext& context) {
    if (!context.Ready()) return {};
    const model::AllocatorState* state = context.session->Heap().Find(context.session->Shown());
    if (state == nullptr) return {};
    std::string text = state->name;
    if (state->totals.heapKnown) text += (text.empty() ? "" : " · ") + analysis::FormatBytes(state->totals.heap);
    return text;
}

float HeapView::DrawTitleControls(ViewContext& context, float right, float centreY) {
    if (!context.Ready()) return right;
    std::vector<std::string> labels;
    for (const ColourMode mode : kColourModes) labels.emplace_back(Name(mode));
    int chosen = static_cast<int>(*context.colour);
    const float width = context.Px(104);
    const float height = context.Px(26);
    ImGui::SetCursorScreenPos({right - width, std::floor(centreY - height / 2)});
    if (Choice(context, "##colour", labels, chosen, width)) *context.colour = kColourModes[chosen];
    Tooltip(context, "What the colour of a block means: size, age, call site, lifetime or allocator", "1 … 5");
    const ImFont* font = context.fonts->labelSmall;
    const float label = TextWidth(font, "colour") + context.Px(8);
    DrawText(ImGui::GetWindowDrawList(), font, {right - width - label, std::floor(centreY - font->FontSize / 2)},
             context.theme->dim, "colour");
    return right - width - label;
}

void HeapView::Adopt(ViewContext& context) {
    const session::Session& session = *context.session;
    const std::string source = session.Path() + "\n" + session.Subtitle();
    if (session_ == &session && source_ == source && allocator_ == session.Shown()) return;
    session_ = &session;
    source_ = source;
    allocator_ = session.Shown();
    camera_ = {};
    dense_.Forget();
    map_.Forget();
}

void HeapView::FindPiecesNow(ViewContext& context) {
    const model::HeapModel& heap = context.session->Heap();
    found_ = FindPieces(heap, allocator_);
    pieces_ = found_.pieces;
    // What was seen of a recorded program's heap; between two looks blocks may lie beside it.
    mapped_.clear();
    if (!found_.known && heap.Allocators().size() > 0 && allocator_ == heap.Allocators().front().id) {
        mapped_ = context.session->PresentMapped().Ranges();
        for (const analysis::MappedRange& range : mapped_) pieces_.push_back({range.begin, range.end});
        if (!mapped_.empty()) Normalise(pieces_);
    }
    // A heap that grows is drawn on the page of its final size, so that the scale stays while time moves.
    if (found_.known && pieces_.size() == 1 && heap.Allocators().size() == 1) {
        const std::uint64_t most = context.session->Series().MaxHeap();
        pieces_.front().end = std::max(pieces_.front().end, SaturatingAdd(pieces_.front().begin, most));
    }
}

void HeapView::FitBlock(ViewContext& context, BlockId block) {
    const log::LogView& log = context.session->View();
    if (!block || block.value > log.Blocks()) return;
    const auto [begin, end] = RangeOf(log, block);
    camera_.FitRange(begin, std::max(end, SaturatingAdd(begin, 1)) - 1, pieces_, viewport_, layout_);
}

// Another heap is to be shown, where the block does not lie in this one; true: the next frame shows it.
bool HeapView::ShowHeapOf(ViewContext& context, BlockId block) {
    const log::LogView& log = context.session->View();
    if (!block || block.value > log.Blocks()) return false;
    const AllocatorId owner = log.Birth(block).event.allocator;
    const model::HeapModel& heap = context.session->Heap();
    if (heap.Find(owner) == nullptr || model::IsWithin(heap, owner, allocator_)) return false;
    context.session->Show(owner);
    *context.again = true;
    return true;
}

void HeapView::TakeRequest(ViewContext& context) {
    HeapRequest& request = *context.heapRequest;
    switch (request.kind) {
        case HeapRequest::Kind::None: return;
        case HeapRequest::Kind::FitAll: camera_.fit = true; break;
        case HeapRequest::Kind::FitBlock:
            if (ShowHeapOf(context, request.block)) return;  // it is done in the next frame, in that heap
            FitBlock(context, request.block);
            break;
        case HeapRequest::Kind::Reveal: {
            const model::HeapModel& heap = context.session->Heap();
            if (heap.Find(request.allocator) != nullptr && !model::IsWithin(heap, request.allocator, allocator_)) {
                context.session->Show(request.allocator);
                *context.again = true;
                return;  // it is done in the next frame, in that heap
            }
            camera_.Reveal(request.begin, viewport_, layout_);
            break;
        }
        case HeapRequest::Kind::FitRange:
            if (request.end > request.begin) {
                camera_.FitRange(request.begin, request.end - 1, pieces_, viewport_, layout_);
            }
            break;
    }
    request.kind = HeapRequest::Kind::None;
}

Emphasis HeapView::EmphasisOf(ViewContext& context) const {
    Emphasis emphasis;
    const log::LogView& log = context.session->View();
    const auto& failure = context.session->PresentFailure();
    const model::HeapModel& heap = context.session->Heap();
    if (failure && failure->blockers && model::IsWithin(heap, failure->allocator, allocator_)) {
        for (const model::Block& block : failure->blockers->blocks) emphasis.blockers.push_back(block.id);
        std::sort(emphasis.blockers.begin(), emphasis.blockers.end());
    }
    const Selection& selection = *context.selection;
    if (const auto trace = selection.hoveredTrace ? selection.hoveredTrace : selection.trace) {
        emphasis.traces = {*trace};
        if (const auto* set = selection.Traces(); set != nullptr && !selection.hoveredTrace) emphasis.traceSet = *set;
    } else {
        emphasis.traces = selection.lineTraces;
    }
    if (const session::Analyst& analyst = context.session->Analyst(); analyst.Filter().Any())
        emphasis.filter = &analyst;
    const StepMotion& step = context.step;
    if (step.Moving() && step.row && step.row->value < log.Rows().value) {
        const log::LoggedEvent event = log.At(*step.row);
        const bool frees = event.event.kind == events::EventKind::Freed;
        if (event.block && !event.event.Failed() && frees != step.forward) {
            emphasis.fading = event.block;
            emphasis.fade = step.progress;
        }
    }
    return emphasis;
}

HeapView::Input HeapView::ReadMouse(ViewContext& context, Rect area) {
    Input input;
    const ImGuiIO& io = ImGui::GetIO();
    const auto x = static_cast<std::int64_t>(std::floor(io.MousePos.x - area.min.x));
    const auto y = static_cast<std::int64_t>(std::floor(io.MousePos.y - area.min.y));
    ImGui::SetCursorScreenPos(area.min);
    ImGui::InvisibleButton("##rows", {std::max(area.Width(), 1.0f), std::max(area.Height(), 1.0f)});
    input.over = ImGui::IsItemHovered();
    if (input.over && io.MouseWheel != 0) {
        if (io.KeyShift) {
            camera_.ScrollBy(static_cast<std::int64_t>(-io.MouseWheel * 3 * static_cast<float>(layout_.Shape().pitch)),
                             viewport_, layout_);
        } else {
            const int steps =
                static_cast<int>(io.MouseWheel > 0 ? std::ceil(io.MouseWheel) : std::floor(io.MouseWheel));
            camera_.ZoomAt(steps, x, y, pieces_, viewport_, layout_);
        }
    }
    const auto under = [&]() -> std::optional<std::uint64_t> { return layout_.ToAddress(x, y + camera_.top); };
    if (ImGui::IsItemActivated()) {
        dragging_ = sideways_ = moved_ = false;
        grabbedAt_ = io.MousePos;
        if (const auto address = under()) {
            dragging_ = true;
            grabbed_ = *address;
            grabbedInRow_ = y + camera_.top - layout_.Nearest(*address).y;
        }
    }
    if (ImGui::IsItemActive() && dragging_) {
        const float dx = io.MousePos.x - grabbedAt_.x, dy = io.MousePos.y - grabbedAt_.y;
        if (std::abs(dx) > context.Px(4) || std::abs(dy) > context.Px(4)) moved_ = true;
        if (std::abs(dx) > context.Px(kSidewaysFrom)) sideways_ = true;
        if (moved_) {
            if (sideways_) {
                camera_.PutAt(grabbed_, std::clamp<std::int64_t>(x, 0, viewport_.width), y, grabbedInRow_, pieces_,
                              viewport_, layout_);
            } else {
                camera_.ScrollBy(layout_.Nearest(grabbed_).y + grabbedInRow_ - y - camera_.top, viewport_, layout_);
            }
        }
    }
    if (input.over) {
        input.address = under();
        if (input.address) {
            const std::int64_t inRow = y + camera_.top - layout_.Nearest(*input.address).y;
            input.onBar = inRow < camera_.rows.bar;
            input.inRow = static_cast<float>(inRow);
        }
    }
    return input;
}

void HeapView::Hover(HeapFrame& frame, const Input& input, bool dense) {
    if (!input.over || !input.address || !input.onBar || moved_) {
        if (ImGui::IsMouseReleased(0)) moved_ = false;
        return;
    }
    ViewContext& context = frame.context;
    const std::uint64_t address = *input.address;
    const HeapHit hit = HitAt(frame, address, input.inRow, dense);
    const auto& block = hit.block;
    const bool clicked = ImGui::IsMouseReleased(0) && dragging_ && !moved_;
    const bool twice = ImGui::IsMouseDoubleClicked(0);
    if (clicked && AnswerPrediction(context, address)) return;
    std::string text;
    if (dense) {
        const HeapDense::Cell cell = dense_.CellAt(frame, address);
        if (cell.cell != nullptr && cell.cell->bytes > 0) {
            text = analysis::FormatAddress(cell.begin) + " … " + analysis::FormatAddress(cell.last) + "\n" +
                   analysis::FormatBytes(cell.cell->occupied) + " of " + analysis::FormatBytes(cell.cell->bytes) +
                   (hit.allocator == frame.allocator ? " set aside" : " in use by somebody");
        }
    }
    if (block) {
        context.selection->Hover(block->id);
        if (!text.empty()) text += "\n\n";
        if (hit.frameOf) text += NameOf(frame.heap, *hit.frameOf) + ", a heap in the block\n";
        text += DescribeBlock(frame.log, block->id, frame.now);
        const std::string place = PlaceText(frame.heap, frame.log.Birth(block->id).event.allocator, *block);
        if (!place.empty()) text += "\n" + place;
        const auto& failure = context.session->PresentFailure();
        if (failure && failure->blockers) {
            for (const model::Block& blocker : failure->blockers->blocks) {
                if (blocker.id == block->id) text += "\nin the way of the request";
            }
        }
        if (clicked) {
            context.selection->block = block->id;
            context.commands->ShowTab(Tab::Block);
        }
        if (twice) FitBlock(context, block->id);
        if (ImGui::IsMouseClicked(1)) {
            context.selection->block = block->id;
            menu_.Open(block->id);
        }
    } else if (const auto& hole = hit.hole) {
        if (const alloc::FreeNode* node = context.inside->open ? context.inside->NodeAround(address) : nullptr) {
            context.inside->nextHovered = node->address;
        }
        if (!dense) {
            const model::AllocatorState* const state = frame.heap.Find(frame.allocator);
            const bool isFree = state == nullptr || state->totals.partsTold;
            text = (isFree ? "free, " : "header or free, ") + analysis::FormatBytes(hole->Bytes()) + "\n" +
                   analysis::FormatAddress(hole->begin) + " … " + analysis::FormatAddress(hole->end - 1);
        }
        if (clicked) context.selection->block.reset();
        if (twice) camera_.FitRange(hole->begin, hole->end - 1, pieces_, viewport_, layout_);
    } else if (clicked) {
        context.selection->block.reset();
    }
    if (!text.empty() && !ImGui::IsMouseDown(0)) TooltipNow(context, text);
}

// The event at this position concerns a block that is out of sight: says where, and goes there on a click.
void HeapView::DrawElsewhere(HeapFrame& frame, Rect area) {
    const auto present = frame.context.session->PresentRow();
    if (!present || present->value >= frame.log.Rows().value || frame.rows.empty()) return;
    const log::LoggedEvent event = frame.log.At(*present);
    if (!event.block || !model::IsWithin(frame.heap, event.event.allocator, frame.allocator)) return;
    const std::uint64_t begin = RangeOf(frame.log, event.block).first;
    const bool above = begin < frame.FirstVisible() && RangeOf(frame.log, event.block).second <= frame.FirstVisible();
    const bool below = begin > frame.LastVisible();
    if (!above && !below) return;
    const ImFont* font = frame.fonts().labelSmall;
    const std::string text = std::string(above ? "↑ " : "↓ ") + events::Info(event.event.kind).text + " #" +
                             analysis::FormatCount(event.block.value);
    const float pad = frame.context.Px(8), height = font->FontSize + frame.context.Px(8);
    const float width = TextWidth(font, text) + 2 * pad;
    const float x = std::floor((area.min.x + area.max.x - width) / 2);
    const float y = above ? area.min.y + frame.context.Px(4) : area.max.y - height - frame.context.Px(4);
    const Rect box{{x, y}, {x + width, y + height}};
    frame.draw->AddRectFilled(box.min, box.max, frame.theme().raised, frame.context.Px(kSmallRadius));
    frame.draw->AddRect(box.min, box.max, frame.theme().line, frame.context.Px(kSmallRadius));
    DrawTextIn(frame.draw, font, box, frame.theme().text, text, Align::Centre);
    if (box.Contains(ImGui::GetIO().MousePos) && ImGui::IsWindowHovered()) {
        TooltipNow(frame.context, "What happened at this position is out of sight. Click to go there.", "E");
        if (ImGui::IsMouseClicked(0)) camera_.Reveal(begin, viewport_, layout_);
    }
}

void HeapView::Draw(ViewContext& context, ImVec2 size) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    if (!context.Ready()) {
        EmptyState(context, size, kIconCubes, "No heap yet",
                   "Open a trace with Ctrl+O, drop a file here, or start the sandbox.");
        return;
    }
    Adopt(context);
    FindPiecesNow(context);
    const model::HeapModel& heap = context.session->Heap();
    if (pieces_.empty()) {
        if (const auto why = WhyNoEvents(*context.session)) {
            EmptyState(context, size, kIconCubes, why->title, why->text);
            return;
        }
        const bool start = context.session->Now().value == 0;
        EmptyState(context, size, kIconCubes, "Nothing is allocated here",
                   context.session->GetSandbox() ? "Create an allocator at the left: its heap shows here."
                   : start ? "This is position 0. Step on with the right arrow, press Space to play, or P for the peak."
                           : "No block is live and the heap's bounds were not recorded.");
        return;
    }
    const float pad = context.Px(kPad);
    const float mapLeft = origin.x + pad;
    const float axisLeft = mapLeft + context.Px(kMapWidth) + context.Px(10);
    const std::string widest = analysis::FormatAddress(pieces_.back().end);
    const float axisWidth = TextWidth(context.fonts->monoSmall, widest) + context.Px(12);
    const bool low = size.y < context.Px(kLow);  // a lane among several: rows before all else
    const float bottom = origin.y + size.y - (low ? 0 : context.Px(kLegendHeight));
    // Above the first row there is room for the failed request's ruler.
    const Rect area{{std::floor(axisLeft + axisWidth), std::floor(origin.y + context.Px(low ? 5 : 18))},
                    {std::floor(origin.x + size.x - pad), std::floor(bottom - context.Px(4))}};
    if (area.Width() < 40 || area.Height() < 20) return;
    viewport_ = {static_cast<std::int64_t>(area.Width()), static_cast<std::int64_t>(area.Height()),
                 static_cast<double>(context.scale)};
    camera_.LayOut(pieces_, viewport_, layout_);
    TakeRequest(context);
    camera_.LayOut(pieces_, viewport_, layout_);
    const Input input = ReadMouse(context, area);

    const log::LogView& log = context.session->View();
    const BlockColour colour(*context.theme, *context.colour, log, context.session->Now());
    HeapFrame frame{context, heap, log,  allocator_,  found_.known, mapped_, layout_, {},
                    {},      area, camera_.top, camera_.rows, draw, colour, context.session->Now()};
    for (const HeapLayout::Line& line : layout_.Lines(camera_.top, viewport_.height)) {
        (line.tear ? frame.tears : frame.rows).push_back(line);
    }
    const Emphasis emphasis = EmphasisOf(context);
    const HeapLook look = Collect(frame);

    // The gap above the first row belongs to it: the failed request's ruler floats there.
    const ImVec2 clipMin{axisLeft, origin.y + 1}, clipMax{origin.x + size.x, area.max.y};
    draw->PushClipRect(clipMin, clipMax, true);
    const bool hatch = frame.shape.bar >= static_cast<std::int64_t>(context.Px(16));
    DrawBackground(frame, hatch);
    if (found_.known) DrawLater(frame, found_.pieces.back().end, pieces_.back().end);
    if (look.dense) {
        if (!dense_.Draw(frame, emphasis)) *context.again = true;
    } else {
        DrawFreeSpace(frame, !hatch);
        DrawDead(frame);
        DrawBlocks(frame, look.blocks, emphasis);
    }
    DrawNests(frame, emphasis, look.dense);
    DrawLeaving(frame);
    DrawGhosts(frame);
    DrawTears(frame);
    DrawFailure(frame);
    DrawSelection(frame);
    DrawGuess(frame);
    DrawInside(frame);
    DrawAxis(frame, axisLeft);
    draw->PopClipRect();
    DrawElsewhere(frame, area);

    const Rect column{{mapLeft, area.min.y}, {mapLeft + context.Px(kMapWidth), area.max.y}};
    if (const auto address = map_.Draw(frame, column, pieces_, emphasis)) {
        camera_.ScrollBy(layout_.Nearest(*address).y - viewport_.height / 2 - camera_.top, viewport_, layout_);
    }
    if (!low) {
        draw->AddLine({origin.x, bottom}, {origin.x + size.x, bottom}, context.theme->line);
        DrawLegend(frame, {{origin.x + pad, bottom}, {origin.x + size.x - pad, origin.y + size.y}}, look.dense);
    }
    Hover(frame, input, look.dense);
    menu_.Draw(context);
}

void HeapView::StepSelection(ViewContext& context, bool forward) {
    const model::HeapModel& heap = context.session->Heap();
    const log::LogView& log = context.session->View();
    std::optional<model::Block> next;
    if (const auto selected = context.selection->block; selected && selected->value <= log.Blocks()) {
        const AllocatorId owner = log.Birth(*selected).event.allocator;
        const auto [begin, end] = RangeOf(log, *selected);
        const model::Block from{*selected, begin, end, begin, end - begin, {}, false};
        const AllocatorId of = model::IsWithin(heap, owner, allocator_) ? owner : allocator_;
        next =
            forward ? model::NextNested(heap, allocator_, of, from) : model::PreviousNested(heap, allocator_, of, from);
    } else {
        next = heap.NextBlock(allocator_, heap.Span(allocator_).first);
    }
    if (!next) return;
    context.selection->block = next->id;
    camera_.Reveal(next->begin, viewport_, layout_);
}

bool HeapView::HandleKey(ViewContext& context, const KeyPress& press) {
    if (!context.Ready() || pieces_.empty() || press.ctrl || press.alt) return false;
    const std::int64_t middleX = viewport_.width / 2, middleY = viewport_.height / 2;
    switch (press.key) {
        case Key::F: camera_.fit = true; return true;
        case Key::Enter:
            if (!context.selection->block || context.selection->guess) return false;
            FitBlock(context, *context.selection->block);
            return true;
        case Key::Plus:
        case Key::Minus: {
            // Around the selected block where it can be seen.
            std::int64_t x = middleX, y = middleY;
            if (const auto block = context.selection->block;
                block && block->value <= context.session->View().Blocks()) {
                const auto at = layout_.ToPage(RangeOf(context.session->View(), *block).first);
                if (at && at->y >= camera_.top && at->y < camera_.top + viewport_.height)
                    x = at->x, y = at->y - camera_.top;
            }
            camera_.ZoomAt(press.key == Key::Plus ? 1 : -1, x, y, pieces_, viewport_, layout_);
            return true;
        }
        case Key::J: camera_.ScrollBy(3 * layout_.Shape().pitch, viewport_, layout_); return true;
        case Key::K: camera_.ScrollBy(-3 * layout_.Shape().pitch, viewport_, layout_); return true;
        case Key::Period: StepSelection(context, true); return true;
        case Key::Comma: StepSelection(context, false); return true;
        case Key::E: {
            const auto present = context.session->PresentRow();
            const log::LogView& log = context.session->View();
            if (!present || present->value >= log.Rows().value) return true;
            if (const BlockId block = log.At(*present).block) {
                camera_.Reveal(RangeOf(log, block).first, viewport_, layout_);
            }
            return true;
        }
        default: return false;
    }
}

}  // namespace

std::unique_ptr<View> MakeHeapView() {
    return std::make_unique<HeapView>();
}

}  // namespace residue::gui
