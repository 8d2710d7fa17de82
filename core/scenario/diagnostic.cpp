#include "scenario/diagnostic.hpp"
#include "scenario/detail/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace residue::scenario {
namespace {

constexpr std::size_t kWidest = 160;  // bytes of a line that are shown

// The part of the line around the caret, and the caret under it: one place a character, tabs kept as one blank.
struct Excerpt {
    std::string text;
    std::string carets;
};

Excerpt ExcerptOf(const Diagnostic& diagnostic) {
    const std::string_view line = diagnostic.source;
    const std::size_t column = diagnostic.place.column == 0 ? 0 : diagnostic.place.column - 1;
    std::size_t begin = 0;
    if (line.size() > kWidest && column > kWidest / 2) begin = std::min(column - kWidest / 2, line.size());
    const std::size_t end = std::min(line.size(), begin + kWidest);
    Excerpt excerpt;
    if (begin > 0) excerpt.text += "…", excerpt.carets += ' ';
    for (std::size_t at = begin; at < end || at <= column;) {
        const bool marked = at >= column && at < column + std::max<std::size_t>(diagnostic.place.length, 1);
        if (at == column || (marked && at < end))
            excerpt.carets += '^';
        else if (at < column)
            excerpt.carets += ' ';
        if (at >= end) break;
        const std::size_t bytes = std::min(detail::CharacterBytes(line.substr(at)), end - at);
        const auto byte = static_cast<unsigned char>(line[at]);
        if (bytes == 0 || byte < 0x20 || byte == 0x7F)
            excerpt.text += byte == '\t' ? ' ' : '?';
        else
            excerpt.text += line.substr(at, bytes);
        at += std::max<std::size_t>(bytes, 1);
    }
    if (end < line.size()) excerpt.text += "…";
    return excerpt;
}

// A name from a file may hold anything.
std::string Printable(std::string_view text) {
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = detail::CharacterBytes(text.substr(at));
        const auto byte = static_cast<unsigned char>(text[at]);
        if (bytes == 0 || byte < 0x20 || byte == 0x7F)
            shown += '?';
        else
            shown += text.substr(at, bytes);
        at += std::max<std::size_t>(bytes, 1);
    }
    return shown;
}

}  // namespace

std::string Render(const Diagnostic& diagnostic) {
    const Place& place = diagnostic.place;
    std::string text = Printable(place.file);
    if (place.line != 0) text += fmt::format(":{}:{}", place.line, place.column);
    text += diagnostic.severity == Severity::Warning ? ": warning: " : ": ";
    text += Printable(diagnostic.message);
    if (!diagnostic.expected.empty()) text += fmt::format(" (expected {})", Printable(diagnostic.expected));
    text += '\n';
    if (place.line != 0) {
        const Excerpt excerpt = ExcerptOf(diagnostic);
        text += fmt::format("    {}\n    {}\n", excerpt.text, excerpt.carets);
    }
    for (const Place& other : diagnostic.others) {
        text += fmt::format("  see also {}:{}:{}\n", Printable(other.file), other.line, other.column);
    }
    if (!diagnostic.hint.empty()) text += fmt::format("  hint: {}\n", Printable(diagnostic.hint));
    return text;
}

std::string Render(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) text += Render(diagnostic);
    return text;
}

}  // namespace residue::scenario
