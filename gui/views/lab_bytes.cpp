#include "gui/views/lab_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "analysis/format.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "session/lab.hpp"

namespace residue::gui {
namespace {

using analysis::FormatAddress;
using lab::ByteKind;

constexpr float kRow = 19, kLegend = 28;     // unscaled
constexpr std::uint64_t kWindow = 64 << 10;  // bytes that are asked for at once ...
constexpr std::uint64_t kAligned = 32 << 10;  // ... from a multiple of this on

class LabBytesPanel final : public View {
public:
    const char* Title() const override { return "Bytes"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawLegend(ViewContext& context, float width);
    void DrawRows(ViewContext& context, std::uint64_t heapEnd);
    void DrawRow(ViewContext& context, ImVec2 at, std::uint64_t address, std::uint64_t heapEnd);
    void TellByte(ViewContext& context, std::uint64_t address) const;
    bool Known(std::uint64_t address) const {
        return moment_ != nullptr && address >= moment_->from && address - moment_->from < moment_->bytes.size();
    }
    ByteKind KindOf(std::uint64_t address) const { return moment_->kinds[address - moment_->from]; }
    void Follow(ViewContext& context, float rowHeight, float viewHeight);

    // Of the frame.
    const lab::Moment* moment_ = nullptr;
    std::uint64_t perRow_ = 16;
    float byteWidth_ = 0, addressWidth_ = 0;

    std::optional<std::uint64_t> followed_;  // the address that was scrolled to
    const session::Session* followedIn_ = nullptr;
};

void LabBytesPanel::DrawLegend(ViewContext& context, float width) {
    const Theme& theme = *context.theme;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float side = context.Px(9), middle = std::floor(at.y + context.Px(kLegend) / 2);
    float x = at.x + context.Px(kPad);
    const auto entry = [&](ImU32 colour, const char* text) {
        if (x + side + TextWidth(context.fonts->labelSmall, text) > at.x + width - context.Px(kPad)) return;
        draw->AddRectFilled({x, middle - side / 2}, {x + side, middle + side / 2}, colour, context.Px(2));
        x += side + context.Px(6);
        x += DrawTextIn(draw, context.fonts->labelSmall, {{x, at.y}, {at.x + width, at.y + context.Px(kLegend)}},
                        theme.dim, text) +
             context.Px(14);
    };
    entry(WithAlpha(theme.live, 0.45f), "payload");
    entry(WithAlpha(theme.warn, 0.45f), "gap: headers, free blocks");
    draw->AddRectFilled({at.x, at.y + context.Px(kLegend) - 1}, {at.x + width, at.y + context.Px(kLegend)}, theme.line);
    ImGui::Dummy({width, context.Px(kLegend)});
}

// What stands there, as the words that allocators keep.
void LabBytesPanel::TellByte(ViewContext& context, std::uint64_t address) const {
    std::string tip = FormatAddress(address);
    tip += KindOf(address) == ByteKind::Gap ? ", gap" : ", payload";
    for (const unsigned bytes : {4u, 8u}) {
        const std::uint64_t word = address / bytes * bytes;
        if (!Known(word) || !Known(word + bytes - 1)) continue;
        std::uint64_t value = 0;
        std::memcpy(&value, moment_->bytes.data() + (word - moment_->from), bytes);
        char text[96];
        std::snprintf(text, sizeof text, "\n%u bytes at %s: 0x%0*llx = %llu", bytes, FormatAddress(word).c_str(),
                      static_cast<int>(2 * bytes), static_cast<unsigned long long>(value),
                      static_cast<unsigned long long>(value));
        tip += text;
    }
    TooltipNow(context, tip);
}

void LabBytesPanel::DrawRow(ViewContext& context, ImVec2 at, std::uint64_t address, std::uint64_t heapEnd) {
    const Theme& theme = *context.theme;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kRow), left = at.x + context.Px(kPad) + addressWidth_;
    DrawTextIn(draw, context.fonts->mono, {{at.x + context.Px(kPad), at.y}, {left, at.y + height}}, theme.dim,
               FormatAddress(address));
    const float y = std::floor(at.y + (height - context.fonts->mono->FontSize) / 2);
    for (std::uint64_t i = 0; i < perRow_ && address + i < heapEnd; ++i) {
        const std::uint64_t byte = address + i;
        // A little more room between words of four.
        const float x = left + static_cast<float>(i) * byteWidth_ + static_cast<float>(i / 4) * context.Px(5);
        if (!Known(byte)) {
            DrawText(draw, context.fonts->mono, {x, y}, theme.faint, "··");
            continue;
        }
        const ByteKind kind = KindOf(byte);
        const bool isGap = kind == ByteKind::Gap;
        const float wide = i % 4 == 3 && i + 1 < perRow_ ? byteWidth_ + context.Px(5) : byteWidth_;
        const float edge = context.Px(2);
        draw->AddRectFilled({x - edge, at.y}, {x - edge + wide, at.y + height},
                            WithAlpha(isGap ? theme.warn : theme.live, isGap ? 0.16f : 0.22f));
        if (kind == ByteKind::PayloadBegin)
            draw->AddRectFilled({x - edge, at.y}, {x - edge + std::max(1.0f, context.Px(2)), at.y + height},
                                theme.live);
        char text[4];
        std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(moment_->bytes[byte - moment_->from]));
        DrawText(draw, context.fonts->mono, {x, y}, isGap ? theme.text : theme.dim, text);
        const Rect cell{{x - edge, at.y}, {x - edge + wide, at.y + height}};
        if (ImGui::IsWindowHovered() && cell.Contains(ImGui::GetIO().MousePos)) {
            draw->AddRect(cell.min, cell.max, theme.accent);
            TellByte(context, byte);
        }
    }
}

// To the block that is selected, else to the one that the call at the playhead was about.
void LabBytesPanel::Follow(ViewContext& context, float rowHeight, float viewHeight) {
    const log::LogView& view = context.session->View();
    std::optional<std::uint64_t> wanted;
    const auto& selected = context.selection->block;
    if (selected && selected->value != 0 && selected->value <= view.Blocks())
        wanted = view.Birth(*selected).event.address;
    else if (const auto row = context.session->PresentRow())
        wanted = view.At(*row).event.address;
    if (!wanted || *wanted < lab::kHeapBase || (wanted == followed_ && followedIn_ == context.session)) return;
    followed_ = wanted;
    followedIn_ = context.session;
    const float y = static_cast<float>((*wanted - lab::kHeapBase) / perRow_) * rowHeight;
    const float now = ImGui::GetScrollY();
    if (y < now + rowHeight || y > now + viewHeight - 3 * rowHeight) {
        ImGui::SetScrollY(std::max(0.0f, std::floor(y - viewHeight / 3)));
    }
}

void LabBytesPanel::DrawRows(ViewContext& context, std::uint64_t heapEnd) {
    const float height = context.Px(kRow);
    const std::uint64_t rows = (heapEnd - lab::kHeapBase + perRow_ - 1) / perRow_;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    Follow(context, height, ImGui::GetWindowHeight());
    ImGui::Dummy({1, static_cast<float>(rows) * height});
    const float top = ImGui::GetWindowPos().y, bottom = top + ImGui::GetWindowHeight();
    const auto first = static_cast<std::uint64_t>(std::max(0.0f, std::floor((top - origin.y) / height)));
    const auto below = static_cast<std::uint64_t>(std::max(0.0f, std::ceil((bottom - origin.y) / height)));
    const auto last = std::min(rows, below);
    for (std::uint64_t row = first; row < last; ++row) {
        DrawRow(context, {origin.x, origin.y + static_cast<float>(row) * height}, lab::kHeapBase + row * perRow_,
                heapEnd);
    }
    // What will be shown next is asked for by large steps, so that scrolling seldom waits.
    const std::uint64_t shown = lab::kHeapBase + first * perRow_;
    context.session->GetLab()->LookAtBytes(shown / kAligned * kAligned, kWindow);
}

void LabBytesPanel::Draw(ViewContext& context, ImVec2 size) {
    session::Lab* const lab = context.session == nullptr ? nullptr : context.session->GetLab();
    if (lab == nullptr || lab->Picture() == nullptr) {
        return EmptyState(context, size, kIconTable, "No bytes yet", "The allocator has to build and run first.");
    }
    bool isPresent = false;
    const auto answer = lab->PresentMoment(isPresent);
    if (!isPresent && !context.session->Playing()) *context.again = true;
    moment_ = answer != nullptr && answer->moment && isPresent ? &*answer->moment : nullptr;
    const std::uint64_t heap = context.session->PresentMetrics().heap.value_or(0);
    if (heap == 0) {
        return EmptyState(context, size, kIconTable, "The heap is empty", "mem_sbrk has given nothing so far.");
    }
    DrawLegend(context, size.x);
    addressWidth_ = TextWidth(context.fonts->mono, FormatAddress(lab::kHeapBase)) + context.Px(12);
    byteWidth_ = TextWidth(context.fonts->mono, "00") + context.Px(5);
    const float room = size.x - addressWidth_ - context.Px(3 * kPad);
    perRow_ = 8;
    for (const std::uint64_t wider : {16u, 32u, 64u}) {
        const auto bytes = static_cast<float>(wider);
        if (bytes * byteWidth_ + bytes / 4 * context.Px(5) <= room) perRow_ = wider;
    }
    ImGui::BeginChild("bytes", {size.x, size.y - context.Px(kLegend)}, false, ImGuiWindowFlags_NoNav);
    DrawRows(context, lab::kHeapBase + heap);
    ImGui::EndChild();
}

}  // namespace

std::unique_ptr<View> MakeLabBytesView() {
    return std::make_unique<LabBytesPanel>();
}

}  // namespace residue::gui
