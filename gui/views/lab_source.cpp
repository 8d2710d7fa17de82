#include "gui/views/lab_source.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/format.hpp"
#include "gui/views/list.hpp"
#include "gui/widgets/controls.hpp"
#include "gui/widgets/panel.hpp"
#include "lab/findings.hpp"
#include "session/lab.hpp"

namespace residue::gui {
namespace {

using analysis::FormatCount;

constexpr float kCodeRow = 19, kHeader = 58;  // unscaled
constexpr std::size_t kMostCalls = 6;         // shown below the code

class LabSourcePanel final : public View {
public:
    const char* Title() const override { return "Source"; }
    void Draw(ViewContext& context, ImVec2 size) override;

private:
    void DrawHeader(ViewContext& context, float width);
    void DrawCode(ViewContext& context, ImVec2 size);
    void DrawLine(ViewContext& context, std::uint32_t line, std::string_view text, ImVec2 at, float width);
    void DrawCalls(ViewContext& context, float width);
    std::uint64_t HitsOf(std::uint32_t line) const;
    void SeekToLine(std::uint32_t line);
    float CallsHeight(const ViewContext& context) const;
    float Gutter(const ViewContext& context) const;

    // Of the frame.
    session::Lab* lab_ = nullptr;
    const lab::Moment* moment_ = nullptr;  // null: not known
    bool isPresent_ = false;
    std::size_t step_ = 0;
    const std::vector<std::string>* lines_ = nullptr;

    std::string file_;
    std::uint32_t current_ = 0;    // the line it stands at; 0: none
    std::uint32_t followed_ = 0;   // that was scrolled to
    std::uint32_t scrollTo_ = 0;   // 0: nowhere
};

std::uint64_t LabSourcePanel::HitsOf(std::uint32_t line) const {
    if (moment_ == nullptr) return 0;
    const auto at = std::find_if(moment_->lines.begin(), moment_->lines.end(), [&](const lab::LineHits& each) {
        return each.line == line && each.file == file_;
    });
    return at == moment_->lines.end() ? 0 : at->hits;
}

// The next time it comes to the line; behind the last one, the first.
void LabSourcePanel::SeekToLine(std::uint32_t line) {
    const std::size_t count = moment_ == nullptr ? 0 : moment_->steps.size();
    for (std::size_t i = 1; i <= count; ++i) {
        const std::size_t step = (step_ + i) % count;
        const lab::CodePlace& place = moment_->PlaceOf(step);
        if (place.line == line && place.file == file_) return lab_->SeekToStep(step);
    }
}

// What the trace asks for at the playhead, and the steps of the code for it.
void LabSourcePanel::DrawHeader(ViewContext& context, float width) {
    const Theme& theme = *context.theme;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float pad = context.Px(kPad), row = context.Px(26);
    const auto& ops = lab_->Picture()->operations->ops;
    const std::uint64_t now = context.session->Now().value;
    const std::string call = now == 0 || now > ops.size() ? "mm_init()" : lab::CallText(ops[now - 1]);
    const bool known = moment_ != nullptr && !moment_->steps.empty();
    std::string status = known ? "line " + FormatCount(step_ + 1) + " of " + FormatCount(moment_->steps.size()) : "";
    if (known && !moment_->whole) status += ", cut";
    if (!isPresent_) status = "running…";
    const float right = TextWidth(context.fonts->mono, status) + pad;
    DrawTextIn(draw, context.fonts->monoBold, {{at.x + pad, at.y}, {at.x + width - pad - right, at.y + row}},
               theme.text, call);
    DrawTextIn(draw, context.fonts->mono, {{at.x + pad, at.y}, {at.x + width - pad, at.y + row}}, theme.dim, status,
               Align::Right);
    if (known && moment_->steps.size() > 1) {
        const auto last = static_cast<float>(moment_->steps.size() - 1);
        float share = static_cast<float>(step_) / last;
        ImGui::SetCursorScreenPos({at.x + pad, at.y + row});
        if (Slider(context, "##step", share, width - 2 * pad)) {
            lab_->SeekToStep(static_cast<std::size_t>(std::lround(share * last)));
        }
        Tooltip(context, "The lines that this call went through, " + FormatCount(moment_->instructions) +
                             " instructions" + (moment_->whole ? "" : "; the rest was not followed"),
                "Ctrl ← →");
    } else if (isPresent_) {
        const bool calls = moment_ == nullptr || moment_->instructions > 0;
        DrawTextIn(draw, context.fonts->label, {{at.x + pad, at.y + row}, {at.x + width - pad, at.y + 2 * row}},
                   theme.dim, calls ? "Its lines could not be followed." : "No code runs for this operation.");
    }
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({width, context.Px(kHeader)});
}

float LabSourcePanel::Gutter(const ViewContext& context) const {
    const auto digits = std::max<std::size_t>(2, std::to_string(lines_->size()).size());
    return context.Px(8) + static_cast<float>(digits) * TextWidth(context.fonts->mono, "0") + context.Px(24);
}

void LabSourcePanel::DrawLine(ViewContext& context, std::uint32_t line, std::string_view text, ImVec2 at,
                              float width) {
    const Theme& theme = *context.theme;
    const Fonts& fonts = *context.fonts;
    ImDrawList* const draw = ImGui::GetWindowDrawList();
    const float height = context.Px(kCodeRow), gutter = Gutter(context);
    const std::uint64_t hits = HitsOf(line);
    const bool isCurrent = line == current_;
    ImGui::SetCursorScreenPos(at);
    ImGui::PushID(static_cast<int>(line));
    if (ImGui::InvisibleButton("line", {width, height}) && hits > 0) SeekToLine(line);
    const bool hovered = ImGui::IsItemHovered();
    ImGui::PopID();
    const Rect row{at, {at.x + width, at.y + height}};
    if (hits > 0) draw->AddRectFilled(row.min, row.max, WithAlpha(theme.accent, isCurrent ? 0.26f : 0.09f));
    if (hits > 0 && hovered) draw->AddRectFilled(row.min, row.max, theme.rowHover);
    const float numbers = at.x + gutter - context.Px(18), middle = std::floor(at.y + height / 2);
    DrawTextIn(draw, fonts.mono, {row.min, {numbers, row.max.y}}, hits > 0 ? theme.text : theme.faint,
               std::to_string(line), Align::Right);
    if (isCurrent) {
        const float r = context.Px(4), mark = numbers + context.Px(8);
        draw->AddTriangleFilled({mark - r, middle - r}, {mark - r, middle + r}, {mark + r, middle}, theme.accent);
    }
    const float y = std::floor(at.y + (height - fonts.mono->FontSize) / 2);
    DrawText(draw, fonts.mono, {at.x + gutter, y}, hits > 0 ? theme.text : theme.dim, text);
    if (hits > 1) {
        const std::string times = "×" + FormatCount(hits);
        const float right = ImGui::GetWindowPos().x + ImGui::GetWindowWidth() - context.Px(14), gap = context.Px(5);
        const float left = right - TextWidth(fonts.monoSmall, times) - gap;
        draw->AddRectFilled({left, row.min.y + 1}, {right + gap, row.max.y - 1}, theme.raised, context.Px(3));
        DrawTextIn(draw, fonts.monoSmall, {{left, row.min.y}, {right, row.max.y}}, theme.dim, times, Align::Right);
    }
    if (hovered && hits > 0) {
        TooltipNow(context, "Come to " + FormatCount(hits) + (hits == 1 ? " time" : " times") +
                                " in this call\nClick: go there" + (hits == 1 ? "" : ", the next time"));
    }
}

void LabSourcePanel::DrawCode(ViewContext& context, ImVec2 size) {
    ImGui::BeginChild("code", size, false, ImGuiWindowFlags_HorizontalScrollbar | ImGuiWindowFlags_NoNav);
    const float height = context.Px(kCodeRow), pad = context.Px(6);
    const auto count = static_cast<std::uint32_t>(lines_->size());
    if (scrollTo_ != 0) {
        // By pages that share some lines: what is shown depends on the line, not on the way that led there.
        const auto rows = static_cast<std::uint32_t>(std::max(1.0f, (ImGui::GetWindowHeight() - 2 * pad) / height));
        const std::uint32_t shared = std::min(rows / 3, 4u), page = std::max(1u, rows - shared);
        const std::uint32_t first = scrollTo_ <= rows - shared / 2 ? 0 : (scrollTo_ - 1 - shared / 2) / page * page;
        ImGui::SetScrollY(first == 0 ? 0 : std::floor(static_cast<float>(first) * height + pad));
        ImGui::SetScrollX(0);
        scrollTo_ = 0;
    }
    std::size_t longest = 0;
    for (const std::string& line : *lines_) longest = std::max(longest, line.size());
    const float wide = Gutter(context) + static_cast<float>(longest + 2) * TextWidth(context.fonts->mono, "0");
    const float width = std::max(wide, ImGui::GetContentRegionAvail().x);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    ImGui::Dummy({wide, static_cast<float>(count) * height + 2 * pad});
    const float top = ImGui::GetWindowPos().y, bottom = top + ImGui::GetWindowHeight();
    const float first = std::max(0.0f, std::floor((top - origin.y - pad) / height));
    const float last = std::min(std::ceil((bottom - origin.y - pad) / height), static_cast<float>(count));
    for (float i = first; i < last; ++i) {
        const auto index = static_cast<std::size_t>(i);
        DrawLine(context, static_cast<std::uint32_t>(index + 1), (*lines_)[index],
                 {origin.x, origin.y + pad + i * height}, width);
    }
    ImGui::EndChild();
}

float LabSourcePanel::CallsHeight(const ViewContext& context) const {
    if (moment_ == nullptr || moment_->steps.empty()) return 0;
    const std::size_t calls = std::min(moment_->traces[moment_->steps[step_]].size(), kMostCalls);
    return context.Px(kTitleHeight) + static_cast<float>(calls) * context.Px(kRowHeight) + context.Px(4);
}

// The calls that led to the line, innermost first.
void LabSourcePanel::DrawCalls(ViewContext& context, float width) {
    const Theme& theme = *context.theme;
    const auto& trace = moment_->traces[moment_->steps[step_]];
    const bool isCut = trace.size() > kMostCalls;
    SectionTitle(context, "Call trace", isCut ? FormatCount(trace.size()) + " calls" : "");
    const float height = context.Px(kRowHeight), pad = context.Px(kPad);
    for (std::size_t i = 0; i < std::min(trace.size(), kMostCalls); ++i) {
        // Of a deep one the innermost calls and the outermost.
        const bool isLast = isCut && i + 1 == kMostCalls;
        const lab::CodePlace& place = moment_->places[isLast ? trace.back() : trace[i]];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImGui::PushID(static_cast<int>(i));
        if (ListRow(context, "##call", width, height, false)) {
            file_ = place.file;
            scrollTo_ = place.line;
        }
        ImGui::PopID();
        ImDrawList* const draw = ImGui::GetWindowDrawList();
        const std::string where = place.file + ":" + std::to_string(place.line);
        const float right = TextWidth(context.fonts->mono, where) + pad;
        DrawTextIn(draw, context.fonts->mono, {{at.x + pad, at.y}, {at.x + width - pad - right, at.y + height}},
                   i == 0 ? theme.text : theme.dim, (isLast ? "… " : "") + place.function);
        DrawTextIn(draw, context.fonts->mono, {{at.x + pad, at.y}, {at.x + width - pad, at.y + height}}, theme.dim,
                   where, Align::Right);
    }
}

void LabSourcePanel::Draw(ViewContext& context, ImVec2 size) {
    lab_ = context.session == nullptr ? nullptr : context.session->GetLab();
    const auto picture = lab_ == nullptr ? nullptr : lab_->Picture();
    if (picture == nullptr || picture->lines == nullptr) {
        return EmptyState(context, size, kIconFile, "No source yet", "The allocator has to build and run first.");
    }
    const auto answer = lab_->PresentMoment(isPresent_);
    moment_ = answer != nullptr && answer->moment && isPresent_ ? &*answer->moment : nullptr;
    if (!isPresent_ && !context.session->Playing()) *context.again = true;
    std::uint32_t stands = current_;
    if (moment_ != nullptr && !moment_->steps.empty()) {
        step_ = lab_->PresentStep(*moment_);
        const lab::CodePlace& place = moment_->PlaceOf(step_);
        stands = place.line;
        if (stands != followed_) file_ = place.file;
    } else if (isPresent_) {
        stands = 0;
    }
    current_ = stands;
    if (current_ != followed_ && current_ != 0) scrollTo_ = followed_ = current_;
    auto found = picture->lines->find(file_);
    if (found == picture->lines->end()) found = picture->lines->find(picture->source);
    if (found == picture->lines->end()) {
        return EmptyState(context, size, kIconFile, "No source", "What was built had no file of this name.");
    }
    file_ = found->first;
    lines_ = &found->second;

    const ImVec2 at = ImGui::GetCursorScreenPos();
    DrawHeader(context, size.x);
    const float calls = std::min(CallsHeight(context), size.y * 0.45f);
    DrawCode(context, {size.x, std::max(1.0f, size.y - context.Px(kHeader) - calls)});
    if (calls <= 0) return;
    ImGui::SetCursorScreenPos({at.x, at.y + size.y - calls});
    const ScrollArea area("##calls", {size.x, calls});
    DrawCalls(context, area.Width());
}

}  // namespace

std::unique_ptr<View> MakeLabSourceView() {
    return std::make_unique<LabSourcePanel>();
}

}  // namespace residue::gui
