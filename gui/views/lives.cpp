#include "gui/views/lives.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/format.hpp"
#include "base/checked.hpp"
#include "gui/views/heap_frame.hpp"
#include "gui/views/lives_scale.hpp"
#include "gui/views/nest_text.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"

namespace residue::gui {

namespace {

constexpr float kFoot = 24, kInfo = 24;  // unscaled: the time axis, the line above the picture
constexpr std::uint32_t kMostCells = 4096;

std::string Bytes(std::uint64_t bytes) { return analysis::FormatBytes(bytes); }

class LivesView final : public View {
public:
    const char* Title() const override { return "Lives"; }
    std::string Subtitle(ViewContext& context) override;
    float DrawTitleControls(ViewContext& context, float right, float centreY) override;
    void Draw(ViewContext& context, ImVec2 size) override;
    bool HandleKey(ViewContext& context, const KeyPress& press) override;
    bool HandleEscape(ViewContext& context) override;

private:
    using Pieces = std::vector<analysis::AddressPiece>;
    void Adopt(ViewContext& context);
    void Choose(std::size_t piece);
    void Fit(const ViewContext& context);
    void Paint(ViewContext& context, const analysis::LivesPicture& picture);
    void DrawInfo(ViewContext& context, Rect line, const session::Reply<analysis::LivesPicture>& reply);
    void DrawPicture(ViewContext& context, Rect area);
    void DrawAxes(ViewContext& context, Rect area);
    void DrawMarks(ViewContext& context, Rect area);
    void OutlineBlock(ViewContext& context, Rect area, BlockId block, ImU32 colour);
    void Interact(ViewContext& context, Rect area);
    void Tell(ViewContext& context, Rect area, ImVec2 mouse);

    const session::Session* session_ = nullptr;
    AllocatorId allocator_{};
    std::shared_ptr<const Pieces> pieces_;
    std::size_t piece_ = 0;
    std::uint64_t pieceBegin_ = 0;  // of the one that was chosen: it grows, and others come
    LivesScale scale_;
    bool fit_ = true;
    Position end_{};

    std::shared_ptr<const analysis::LivesPicture> picture_;  // as it is in the texture
    bool dark_ = true;
    std::unique_ptr<Texture> texture_;
    std::vector<std::uint32_t> pixels_;
    bool dragging_ = false, moved_ = false;
    ImVec2 grabbedAt_{};
    LivesScale grabbed_;
};

std::string LivesView::Subtitle(ViewContext& context) {
    return context.Ready() ? NameOf(context.session->Heap(), context.session->Shown()) : std::string();
}

// Stretches that are far apart have no common scale: one is shown, the others are named here.
float LivesView::DrawTitleControls(ViewContext& context, float right, float centreY) {
    if (!context.Ready() || session_ != context.session || pieces_ == nullptr || pieces_->size() < 2) return right;
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < pieces_->size() && i < 64; ++i) {
        const analysis::AddressPiece& piece = (*pieces_)[i];
        labels.push_back(analysis::FormatAddress(piece.begin) + ", " + Bytes(piece.end - piece.begin) + ", " +
                         analysis::FormatCount(piece.blocks) + (piece.blocks == 1 ? " block" : " blocks"));
    }
    int chosen = static_cast<int>(piece_);
    const float width = context.Px(268), height = context.Px(26);
    ImGui::SetCursorScreenPos({right - width, std::floor(centreY - height / 2)});
    if (Choice(context, "##piece", labels, chosen, width)) Choose(static_cast<std::size_t>(chosen));
    Tooltip(
        context,
        "Which stretch of addresses. The gaps between them are larger than half of all that is used, and are left out.",
        ", .");
    return right - width;
}

void LivesView::Choose(std::size_t piece) {
    piece_ = piece;
    pieceBegin_ = (*pieces_)[piece].begin;
    fit_ = true;
}

void LivesView::Adopt(ViewContext& context) {
    session::Session& session = *context.session;
    if (session_ != &session || allocator_ != session.Shown()) {
        session_ = &session;
        allocator_ = session.Shown();
        pieces_.reset();
        picture_.reset();
        pieceBegin_ = 0;
        fit_ = true;
    }
    const auto reply = session.Analyst().AskAddresses(allocator_);
    if (!reply.fresh || reply.value == nullptr) return;  // another allocator's, or of less of the log
    pieces_ = reply.value;
    if (pieces_->empty()) return;
    const auto same = std::find_if(pieces_->begin(), pieces_->end(), [&](const analysis::AddressPiece& piece) {
        return pieceBegin_ >= piece.begin && pieceBegin_ < piece.end;
    });
    const auto fullest = std::max_element(pieces_->begin(), pieces_->end(),
                                          [](const auto& a, const auto& b) { return a.blocks < b.blocks; });
    const auto chosen = same != pieces_->end() && pieceBegin_ != 0 ? same : fullest;
    piece_ = static_cast<std::size_t>(chosen - pieces_->begin());
    pieceBegin_ = chosen->begin;
}

void LivesView::Fit(const ViewContext& context) {
    const analysis::AddressPiece& piece = (*pieces_)[piece_];
    scale_.limitBegin = piece.begin, scale_.limitEnd = piece.end;
    scale_.limitTo = static_cast<double>(context.session->End().value) + 1;
    if (fit_ || scale_.begin >= piece.end) scale_.FitAll();
    scale_.Clamp();
}

void LivesView::Paint(ViewContext& context, const analysis::LivesPicture& picture) {
    const Theme& theme = *context.theme;
    pixels_.resize(picture.share.size());
    for (std::size_t i = 0; i < pixels_.size(); ++i) {
        const float share = picture.share[i];
        // A trace of use is seen; what is not used is background.
        pixels_[i] = share <= 0 ? theme.window : Mix(theme.window, Viridis(share), std::min(1.0f, 0.3f + 3 * share));
    }
    if (!texture_) texture_ = context.textures->Make();
    const int columns = static_cast<int>(picture.request.columns), rows = static_cast<int>(picture.request.rows);
    texture_->Resize(columns, rows);
    texture_->Upload(0, 0, columns, rows, pixels_.data());
}

void LivesView::DrawInfo(ViewContext& context, Rect line, const session::Reply<analysis::LivesPicture>& reply) {
    const Theme& theme = *context.theme;
    const ImFont* font = context.fonts->labelSmall;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    // At the right: the scale of the colours.
    float x = line.max.x;
    x -= TextWidth(font, "all in use");
    DrawTextIn(draw, font, {{x, line.min.y}, {line.max.x + 1, line.max.y}}, theme.dim, "all in use");
    const float cell = context.Px(9), half = std::floor(cell / 2), middle = std::floor((line.min.y + line.max.y) / 2);
    x -= context.Px(6) + 8 * cell;
    for (int i = 0; i < 8; ++i) {
        const float left = x + static_cast<float>(i) * cell;
        draw->AddRectFilled({left, middle - half}, {left + cell, middle + half}, Viridis(static_cast<float>(i) / 7));
    }
    x -= context.Px(6) + TextWidth(font, "hardly");
    DrawTextIn(draw, font, {{x, line.min.y}, {line.max.x, line.max.y}}, theme.dim, "hardly");
    float right = x - context.Px(12);
    if (!reply.fresh) {
        std::string text = reply.failed ? "no memory for it" : "working…";
        if (!reply.failed && reply.progress > 0.01)
            text += " " + std::to_string(static_cast<int>(reply.progress * 100)) + " %";
        const float wide = TextWidth(font, text);
        DrawTextIn(draw, font, {{right - wide, line.min.y}, {right + 1, line.max.y}}, theme.accent, text);
        right -= wide + context.Px(12);
    }
    std::string text;
    if (reply.value != nullptr) {
        text = analysis::FormatCount(reply.value->blocks) + (reply.value->blocks == 1 ? " block" : " blocks");
        const analysis::BlockFilter& filter = context.session->Analyst().Filter();
        if (filter.Any()) text += ", the filter hides " + analysis::FormatCount(reply.value->hidden);
    }
    text += std::string(text.empty() ? "" : " · ") + Bytes(scale_.bytesPerRow) + " a row";
    if (pieces_->size() > 1) {
        text += " · stretch " + std::to_string(piece_ + 1) + " of " + std::to_string(pieces_->size()) +
                ", the gaps between them are left out";
    }
    DrawTextIn(draw, font, {line.min, {right, line.max.y}}, theme.dim, text);
}

// The texture is placed by what it shows, not by what is wanted: while a new one is worked on, the older one moves
// along.
void LivesView::DrawPicture(ViewContext& context, Rect area) {
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->AddRectFilled(area.min, area.max, context.theme->window);
    if (picture_ == nullptr || !texture_) return;
    const analysis::LivesRequest& shown = picture_->request;
    const float x0 = scale_.X(static_cast<double>(shown.from.value)),
                x1 = scale_.X(static_cast<double>(shown.to.value));
    const float y0 = scale_.Y(shown.begin);
    const double rows =
        static_cast<double>(shown.rows) * static_cast<double>(shown.bytesPerRow) / scale_.BytesPerPixel();
    draw->PushClipRect(area.min, area.max, true);
    draw->AddImage(texture_->Id(), {x0, y0}, {x1, y0 + static_cast<float>(rows)});
    draw->PopClipRect();
}

void LivesView::DrawAxes(ViewContext& context, Rect area) {
    const Theme& theme = *context.theme;
    const ImFont* font = context.fonts->monoSmall;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float thin = std::max(1.0f, context.Px(1));
    const double step = RoundTimeStep(std::max(
        1.0, (scale_.to - scale_.from) * static_cast<double>(context.Px(104)) / static_cast<double>(area.Width())));
    for (double at = std::ceil(scale_.from / step) * step; at < scale_.to; at += step) {
        const float x = std::floor(scale_.X(at));
        draw->AddRectFilled({x, area.max.y}, {x + thin, area.max.y + context.Px(4)}, theme.faint);
        const std::string text = analysis::FormatCount(static_cast<std::uint64_t>(at));
        const float width = TextWidth(font, text);
        if (x + width / 2 > area.max.x + context.Px(8)) continue;
        DrawText(draw, font, {x - width / 2, area.max.y + context.Px(6)}, theme.dim, text);
    }
    for (const std::uint64_t address : scale_.AddressLabels(context.Px(44))) {
        const float y = scale_.Y(address);
        draw->AddRectFilled({area.min.x - context.Px(4), y}, {area.min.x, y + thin}, theme.faint);
        const std::string text = analysis::FormatAddress(address);
        const float height = context.Px(8);
        if (y + height > area.max.y + context.Px(6)) continue;
        DrawTextIn(draw, font,
                   {{area.min.x - context.Px(7) - TextWidth(font, text), y - height},
                    {area.min.x - context.Px(6), y + height}},
                   theme.dim, text);
    }
}

void LivesView::OutlineBlock(ViewContext& context, Rect area, BlockId block, ImU32 colour) {
    const log::LogView& log = context.session->View();
    if (!block || block.value > log.Blocks() || log.Birth(block).event.allocator != allocator_) return;
    const log::BlockLife life = log.Life(block);
    const auto [begin, end] = RangeOf(log, block);
    const double born = static_cast<double>(log.PositionOf(life.born).value);
    const double died =
        life.died.value == log::kNever ? scale_.limitTo : static_cast<double>(log.PositionOf(life.died).value);
    if (end <= scale_.begin || begin >= scale_.End() || died <= scale_.from || born >= scale_.to) return;
    // At least some pixels in both ways: it is to be found.
    const float least = context.Px(4);
    Rect box{{scale_.X(born), scale_.Y(begin)}, {scale_.X(died), scale_.Y(end)}};
    box.max = {std::max(box.max.x, box.min.x + least), std::max(box.max.y, box.min.y + least)};
    ImDrawList* draw = ImGui::GetWindowDrawList();
    draw->PushClipRect(area.min, area.max, true);
    draw->AddRect(box.min, box.max, colour, 0, 0, std::max(1.0f, context.Px(1.5f)));
    draw->PopClipRect();
}

void LivesView::DrawMarks(ViewContext& context, Rect area) {
    const Theme& theme = *context.theme;
    ImDrawList* draw = ImGui::GetWindowDrawList();
    const float thin = std::max(1.0f, context.Px(1));
    if (const auto& range = context.session->Analyst().Range()) {
        for (const Position at : {range->first, range->second}) {
            const double position = static_cast<double>(at.value);
            if (position < scale_.from || position > scale_.to) continue;
            const float x = std::floor(scale_.X(position));
            draw->AddRectFilled({x, area.min.y}, {x + thin, area.max.y}, theme.accent);
        }
    }
    if (const auto block = context.selection->block) OutlineBlock(context, area, *block, theme.text);
    if (const auto block = context.selection->hovered) OutlineBlock(context, area, *block, theme.duck);
    const double now = static_cast<double>(context.session->Now().value) + 0.5;
    if (now < scale_.from || now > scale_.to) return;
    const float x = std::min(std::floor(scale_.X(now)), area.max.x - thin), r = context.Px(5);
    draw->AddRectFilled({x - thin, area.min.y}, {x + 2 * thin, area.max.y}, WithAlpha(theme.window, 0.6f));
    draw->AddRectFilled({x, area.min.y - context.Px(3)}, {x + thin, area.max.y + context.Px(4)}, theme.text);
    draw->AddTriangleFilled({x + thin / 2 - r, area.min.y - context.Px(8)},
                            {x + thin / 2 + r, area.min.y - context.Px(8)}, {x + thin / 2, area.min.y}, theme.text);
}

void LivesView::Tell(ViewContext& context, Rect area, ImVec2 mouse) {
    const double at = scale_.At(mouse.x);
    const std::uint64_t address = scale_.AddressAt(mouse.y);
    const double perPixel = (scale_.to - scale_.from) / static_cast<double>(area.Width());
    const auto first = static_cast<std::uint64_t>(std::max(0.0, at));
    const auto last = static_cast<std::uint64_t>(std::max(0.0, std::max(at, at + perPixel - 1)));
    const auto range = [](const std::string& a, const std::string& b) { return a == b ? a : a + " … " + b; };
    std::string text = range(analysis::FormatAddress(address),
                             analysis::FormatAddress(SaturatingAdd(address, scale_.bytesPerRow - 1)));
    text += "\nevent " + range(analysis::FormatCount(first), analysis::FormatCount(last));
    if (picture_) {
        if (const auto share = ShareAt(*picture_, at, address)) {
            char percent[32];
            std::snprintf(percent, sizeof percent, "%.1f %%", static_cast<double>(*share) * 100);
            text += std::string("\n") + percent + " in use";
        }
    }
    context.selection->HoverPosition(Position{first});
    TooltipNow(
        context,
        text + "\n\nClick: go there. Wheel: zoom in time, with Shift in address. Drag: move. Double click: fit.");
}

void LivesView::Interact(ViewContext& context, Rect area) {
    ImGui::SetCursorScreenPos(area.min);
    ImGui::InvisibleButton("##lives", {std::max(area.Width(), 1.0f), std::max(area.Height(), 1.0f)});
    const bool over = ImGui::IsItemHovered();
    const ImGuiIO& io = ImGui::GetIO();
    const ImVec2 mouse = io.MousePos;
    if (over && io.MouseWheel != 0) {
        fit_ = false;
        // Where Shift is held some systems turn the wheel sideways.
        if (io.KeyShift) scale_.ZoomAddress(static_cast<double>(io.MouseWheel), mouse.y);
        else scale_.ZoomTime(static_cast<double>(io.MouseWheel), mouse.x);
    } else if (over && io.MouseWheelH != 0 && io.KeyShift) {
        fit_ = false;
        scale_.ZoomAddress(static_cast<double>(io.MouseWheelH), mouse.y);
    }
    if (ImGui::IsItemActivated()) {
        dragging_ = true, moved_ = false;
        grabbedAt_ = mouse;
        grabbed_ = scale_;
    }
    if (ImGui::IsItemActive() && dragging_) {
        const float dx = mouse.x - grabbedAt_.x, dy = mouse.y - grabbedAt_.y;
        if (std::abs(dx) > context.Px(4) || std::abs(dy) > context.Px(4)) moved_ = true;
        if (moved_) {
            fit_ = false;
            scale_ = grabbed_;
            scale_.Pan(dx, dy);
        }
    }
    if (over && ImGui::IsMouseDoubleClicked(0)) {
        fit_ = true;
        dragging_ = false;
    } else if (over && ImGui::IsMouseReleased(0) && dragging_ && !moved_) {
        context.session->Play(false);
        context.session->FollowEnd(false);
        context.session->SeekTo(Position{static_cast<std::uint64_t>(std::max(0.0, scale_.At(mouse.x)))});
    }
    if (!ImGui::IsMouseDown(0)) dragging_ = false;
    scale_.Clamp();
    if (over && !ImGui::IsMouseDown(0)) Tell(context, area, mouse);
}

bool LivesView::HandleEscape(ViewContext& context) {
    if (session_ != context.session || fit_) return false;
    return fit_ = true;
}

bool LivesView::HandleKey(ViewContext& context, const KeyPress& press) {
    if (!context.Ready() || session_ != context.session || pieces_ == nullptr || pieces_->empty() || press.ctrl ||
        press.alt) {
        return false;
    }
    const auto by = [&](auto change) {
        fit_ = false;
        change();
        scale_.Clamp();
        return true;
    };
    // Around the playhead where it can be seen.
    const double now = static_cast<double>(context.session->Now().value);
    const float x = scale_.X(std::clamp(now, scale_.from, scale_.to));
    const float middle = (scale_.area.min.y + scale_.area.max.y) / 2;
    switch (press.key) {
        case Key::F: fit_ = true; return true;
        case Key::Plus: return by([&] { scale_.ZoomTime(2, x); });
        case Key::Minus: return by([&] { scale_.ZoomTime(-2, x); });
        case Key::J:
            return by([&] { press.shift ? scale_.ZoomAddress(2, middle) : scale_.Pan(0, -scale_.area.Height() / 8); });
        case Key::K:
            return by([&] { press.shift ? scale_.ZoomAddress(-2, middle) : scale_.Pan(0, scale_.area.Height() / 8); });
        case Key::Period:
        case Key::Comma:
            if (press.key == Key::Period && piece_ + 1 < pieces_->size()) Choose(piece_ + 1);
            if (press.key == Key::Comma && piece_ > 0) Choose(piece_ - 1);
            return true;
        default: return false;
    }
}

void LivesView::Draw(ViewContext& context, ImVec2 size) {
    if (!context.Ready()) {
        EmptyState(context, size, kIconTable, "No lives yet", "Open a trace with Ctrl+O, or start the sandbox.");
        return;
    }
    Adopt(context);
    if (pieces_ == nullptr || pieces_->empty()) {
        EmptyState(context, size, kIconTable, pieces_ == nullptr ? "Working…" : "No block ever lived here",
                   pieces_ == nullptr ? "Every block of the log is looked at once."
                                      : "This allocator gave out no blocks. Tab to Allocators chooses another one.");
        return;
    }
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad);
    const float axis =
        TextWidth(context.fonts->monoSmall, analysis::FormatAddress(pieces_->back().end)) + context.Px(10);
    const Rect area{{std::floor(origin.x + pad + axis), std::floor(origin.y + context.Px(kInfo + 10))},
                    {std::floor(origin.x + size.x - pad), std::floor(origin.y + size.y - context.Px(kFoot))}};
    if (area.Width() < context.Px(60) || area.Height() < context.Px(40)) return;
    scale_.area = area;
    Fit(context);
    Interact(context, area);
    if (fit_) Fit(context);
    const auto reply = context.session->Analyst().AskLives(scale_.Request(allocator_, kMostCells));
    if (reply.value != nullptr && reply.value->request.allocator == allocator_ &&
        (reply.value != picture_ || dark_ != context.theme->dark)) {
        picture_ = reply.value;
        dark_ = context.theme->dark;
        Paint(context, *picture_);
    }
    DrawInfo(context, {{origin.x + pad, origin.y}, {origin.x + size.x - pad, origin.y + context.Px(kInfo)}}, reply);
    DrawPicture(context, area);
    DrawAxes(context, area);
    DrawMarks(context, area);
}

}  // namespace

std::unique_ptr<View> MakeLivesView() {
    return std::make_unique<LivesView>();
}

}  // namespace residue::gui
