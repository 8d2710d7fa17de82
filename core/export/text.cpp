#include "export/text.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace residue::exports {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// The bytes of the character at `at`; 0: no UTF-8 begins there.
std::size_t Utf8Length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() - at < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    // Longer than needed, halves of pairs, beyond Unicode.
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0)) return 0;
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90)) return 0;
    return length;
}

// Character by character: `put` gets those of one byte, what is longer is copied.
template <class Put>
void Walk(std::string_view text, std::string& to, Put put) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = Utf8Length(text, at);
        if (length == 1)
            put(text[at]);
        else
            to += length == 0 ? kReplacement : text.substr(at, length);
        at += length == 0 ? 1 : length;
    }
}

bool IsControl(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

bool IsUtf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = Utf8Length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

std::string JsonText(std::string_view text) {
    std::string quoted = "\"";
    Walk(text, quoted, [&quoted](char c) {
        if (IsControl(c)) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
            return;
        }
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    });
    return quoted + '"';
}

std::string MarkupText(std::string_view text) {
    std::string escaped;
    Walk(text, escaped, [&escaped](char c) {
        switch (c) {
            case '<': escaped += "&lt;"; return;
            case '>': escaped += "&gt;"; return;
            case '&': escaped += "&amp;"; return;
            case '"': escaped += "&quot;"; return;
            case '\'': escaped += "&#39;"; return;
            default: break;
        }
        if (c == '\n' || c == '\t')
            escaped += ' ';
        else if (IsControl(c))
            escaped += kReplacement;
        else
            escaped += c;
    });
    return escaped;
}

std::string TerminalText(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = Utf8Length(text, at);
        const std::string_view one = text.substr(at, length == 0 ? 1 : length);
        const bool stays = one == "\n" || one == "\t";
        const bool secondControls = length == 2 && one[0] == '\xc2' && static_cast<unsigned char>(one[1]) < 0xA0;
        const bool commands = length == 0 || (length == 1 && IsControl(one[0]) && !stays) || secondControls;
        plain += commands ? kReplacement : one;
        at += one.size();
    }
    return plain;
}

}  // namespace residue::exports
