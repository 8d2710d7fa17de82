#include "import/json_object.hpp"

#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

constexpr int kDeepest = 32;

// A list or an object, strings in it taken as such.
bool SkipNested(const char*& at) {
    int depth = 0;
    for (;; ++at) {
        switch (*at) {
            case '\n': return false;
            case '"': {
                std::string_view text;
                if (!ScanString(at, text)) return false;
                --at;
                break;
            }
            case '[':
            case '{':
                if (++depth > kDeepest) return false;
                break;
            case ']':
            case '}':
                if (--depth == 0) return ++at, true;
                break;
            default: break;
        }
    }
}

bool IsNumberCharacter(char c) { return IsDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }
bool IsWordCharacter(char c) { return c >= 'a' && c <= 'z'; }

void AppendUtf8(std::string& to, std::uint32_t point) {
    const auto put = [&to](std::uint32_t byte) { to += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | point >> 6);
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3F));
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

// Four hexadecimal digits at `at`.
bool ScanUnit(std::string_view text, std::size_t at, std::uint32_t& unit) {
    if (text.size() - at < 4) return false;
    unit = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::uint8_t digit = detail::kHexDigits[static_cast<unsigned char>(text[at + i])];
        if (digit > 15) return false;
        unit = unit << 4 | digit;
    }
    return true;
}

}  // namespace

bool ScanString(const char*& at, std::string_view& text) {
    if (*at != '"') return false;
    const char* const begin = at + 1;
    for (const char* to = begin; *to != '\n'; ++to) {
        if (*to == '"') {
            text = {begin, static_cast<std::size_t>(to - begin)};
            at = to + 1;
            return true;
        }
        if (*to == '\\' && *++to == '\n') return false;
    }
    return false;
}

bool ScanValue(const char*& at, JsonValue& value) {
    const char* const begin = at;
    if (*at == '"') {
        value.type = JsonValue::Type::String;
        return ScanString(at, value.text);
    }
    if (*at == '[' || *at == '{') {
        value.type = *at == '[' ? JsonValue::Type::List : JsonValue::Type::Object;
        if (!SkipNested(at)) return false;
    } else if (IsDigit(*at) || *at == '-') {
        value.type = JsonValue::Type::Number;
        while (IsNumberCharacter(*at)) ++at;
    } else {
        value.type = JsonValue::Type::Word;
        while (IsWordCharacter(*at)) ++at;
    }
    value.text = {begin, static_cast<std::size_t>(at - begin)};
    return at != begin;
}

std::optional<std::uint64_t> NumberOf(const JsonValue& value) {
    if (value.type != JsonValue::Type::Number && value.type != JsonValue::Type::String) return std::nullopt;
    const char* at = value.text.data();
    std::uint64_t number = 0;
    if (value.text.empty() || !ScanNumber(at, number)) return std::nullopt;
    if (at != value.text.data() + value.text.size()) return std::nullopt;
    return number;
}

std::optional<std::string> TextOf(const JsonValue& value) {
    if (value.type != JsonValue::Type::String) return std::nullopt;
    const std::string_view text = value.text;
    std::string resolved;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            resolved += text[i];
            continue;
        }
        switch (text[++i]) {  // a '\\' is never the last
            case 'n': resolved += '\n'; break;
            case 't': resolved += '\t'; break;
            case 'r': resolved += '\r'; break;
            case 'b': resolved += '\b'; break;
            case 'f': resolved += '\f'; break;
            case '"':
            case '\\':
            case '/': resolved += text[i]; break;
            case 'u': {
                std::uint32_t unit = 0, low = 0;
                if (!ScanUnit(text, i + 1, unit)) return std::nullopt;
                i += 4;
                if (unit >= 0xD800 && unit < 0xDC00) {  // the first half of a pair
                    if (text.substr(i + 1, 2) != "\\u" || !ScanUnit(text, i + 3, low)) return std::nullopt;
                    if (low < 0xDC00 || low >= 0xE000) return std::nullopt;
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    i += 6;
                } else if (unit >= 0xDC00 && unit < 0xE000) {
                    return std::nullopt;
                }
                AppendUtf8(resolved, unit);
                break;
            }
            default: return std::nullopt;
        }
    }
    return resolved;
}

}  // namespace residue::import
