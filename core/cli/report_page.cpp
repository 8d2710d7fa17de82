#include "cli/report_page.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace residue::cli {
namespace {

constexpr std::size_t kNameWidth = 26;
constexpr std::size_t kValueWidth = 14;

// Columns that a text takes: its code points (no wide characters are printed).
std::size_t Columns(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Fill(std::size_t width, std::size_t used) {
    return std::string(width > used ? width - used : 0, ' ');
}

}  // namespace

std::string Harmless(std::string_view text) {
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            shown += fmt::format("\\x{:02x}", byte);
        } else {
            shown += c;
        }
    }
    return shown;
}

void Page::Row(std::string_view name, std::string_view value, std::string_view note) {
    std::string line =
        fmt::format("  {}{}{}{}", name, Fill(kNameWidth, Columns(name)), Fill(kValueWidth, Columns(value)), value);
    if (!note.empty()) line += "   " + Dim(note);
    Line(line);
}

std::string Page::Dim(std::string_view text) const {
    return coloured_ ? fmt::format("\x1b[2m{}\x1b[0m", text) : std::string(text);
}

std::string Page::Bold(std::string_view text) const {
    return coloured_ ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

}  // namespace residue::cli
