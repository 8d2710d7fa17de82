#include "gui/widgets/text.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace residue::gui {
namespace {

float Whole(float value) {
    return std::floor(value + 0.5f);
}

}  // namespace

float TextWidth(const ImFont* font, std::string_view text) {
    if (text.empty()) return 0;
    return std::ceil(font->CalcTextSizeA(font->FontSize, FLT_MAX, 0, text.data(), text.data() + text.size()).x);
}

std::string Ellipsized(const ImFont* font, std::string_view text, float width) {
    if (TextWidth(font, text) <= width) return std::string(text);
    static constexpr std::string_view kDots = "…";
    const float room = width - TextWidth(font, kDots);
    if (room <= 0) return {};
    std::size_t low = 0, high = text.size();
    while (low < high) {  // the widest beginning that fits
        const std::size_t middle = (low + high + 1) / 2;
        if (TextWidth(font, text.substr(0, middle)) <= room)
            low = middle;
        else
            high = middle - 1;
    }
    while (low > 0 && (static_cast<unsigned char>(text[low]) & 0xC0) == 0x80) --low;  // never inside a character
    if (low == 0) return {};
    std::string cut(text.substr(0, low));
    cut += kDots;
    return cut;
}

float DrawText(ImDrawList* draw, const ImFont* font, ImVec2 at, ImU32 colour, std::string_view text) {
    if (text.empty()) return 0;
    draw->AddText(font, font->FontSize, {Whole(at.x), Whole(at.y)}, colour, text.data(), text.data() + text.size());
    return TextWidth(font, text);
}

float DrawTextIn(ImDrawList* draw, const ImFont* font, Rect box, ImU32 colour, std::string_view text, Align align) {
    const std::string fitted = Ellipsized(font, text, box.Width());
    if (fitted.empty()) return 0;
    const float width = TextWidth(font, fitted);
    float x = box.min.x;
    if (align == Align::Right) x = box.max.x - width;
    if (align == Align::Centre) x = box.min.x + (box.Width() - width) / 2;
    return DrawText(draw, font, {x, box.min.y + (box.Height() - font->FontSize) / 2}, colour, fitted);
}

std::vector<std::string_view> WrapWords(const ImFont* font, std::string_view text, float width) {
    // ImGui's own wrapping also breaks behind commas, and so in the middle of "4,000 B".
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::string_view paragraph = text.substr(0, text.find('\n'));
        std::string_view rest = paragraph;
        do {
            std::size_t fits = 0;  // end of the last word that fits
            for (std::size_t at = 0; at < rest.size();) {
                std::size_t end = rest.find(' ', at);
                if (end == std::string_view::npos) end = rest.size();
                if (TextWidth(font, rest.substr(0, end)) > width && (fits > 0 || end <= 1)) break;
                if (TextWidth(font, rest.substr(0, end)) > width) {  // one word, wider than the line
                    while (end > 1 && TextWidth(font, rest.substr(0, end)) > width) --end;
                    while (end < rest.size() && (static_cast<unsigned char>(rest[end]) & 0xC0) == 0x80) ++end;
                    fits = end;
                    break;
                }
                fits = end;
                at = end + 1;
            }
            if (fits == 0) fits = rest.size();
            lines.push_back(rest.substr(0, fits));
            rest.remove_prefix(fits);
            while (!rest.empty() && rest.front() == ' ')
                rest.remove_prefix(1);  // blanks at a break are not carried over
        } while (!rest.empty());
        text.remove_prefix(std::min(paragraph.size() + 1, text.size()));
    }
    return lines;
}

float DrawWrapped(ImDrawList* draw, const ImFont* font, ImVec2 at, float width, ImU32 colour, std::string_view text,
                  float lineSpacing) {
    const float lineHeight = Whole(font->FontSize * lineSpacing);
    float y = at.y;
    for (const std::string_view line : WrapWords(font, text, width)) {
        if (draw != nullptr) DrawText(draw, font, {at.x, y}, colour, line);
        y += lineHeight;
    }
    return y - at.y;
}

}  // namespace residue::gui
