// The objects of JSON Lines, scanned where they are: nothing is allocated. Enough of JSON for objects whose values are
// numbers, words and lists of words; what else there may be is skipped. Internal to import/.
//
//     const bool whole = ScanObject(at, [&](std::string_view key, JsonValue value) { ... });   // at: the '{'
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace residue::import {

struct JsonValue {
    enum class Type : std::uint8_t { Number, String, List, Object, Word };  // Word: true, false, null
    Type type = Type::Word;
    std::string_view text;  // as written; a string without its quotes, its escapes still in it
};

// Each moves `at` behind what it has read; false where that is no JSON. Lines end in '\n', which ends all of them.
bool ScanString(const char*& at, std::string_view& text);
bool ScanValue(const char*& at, JsonValue& value);

// A whole number of at most 64 bits: 12, "12" or "0x1f".
std::optional<std::uint64_t> NumberOf(const JsonValue& value);
// With its escapes resolved; nothing where one is wrong. In UTF-8.
std::optional<std::string> TextOf(const JsonValue& value);

template <class Visit>
bool ScanObject(const char*& at, Visit&& visit) {
    const auto skip = [&at] { while (*at == ' ' || *at == '\t' || *at == '\r') ++at; };
    if (*at != '{') return false;
    ++at;
    skip();
    if (*at == '}') return ++at, true;
    for (;;) {
        std::string_view key;
        if (!ScanString(at, key)) return false;
        skip();
        if (*at != ':') return false;
        ++at;
        skip();
        JsonValue value;
        if (!ScanValue(at, value)) return false;
        visit(key, value);
        skip();
        if (*at == '}') return ++at, true;
        if (*at != ',') return false;
        ++at;
        skip();
    }
}

// The strings of a list.
template <class Visit>
bool ScanList(const JsonValue& list, Visit&& visit) {
    if (list.type != JsonValue::Type::List) return false;
    const char* at = list.text.data() + 1;
    const auto skip = [&at] { while (*at == ' ' || *at == '\t' || *at == '\r') ++at; };
    skip();
    if (*at == ']') return true;
    for (;;) {
        std::string_view word;
        if (!ScanString(at, word)) return false;
        visit(word);
        skip();
        if (*at == ']') return true;
        if (*at != ',') return false;
        ++at;
        skip();
    }
}

}  // namespace residue::import
