// The classes of a text's tokens, for a source panel. Works on any bytes, broken scripts too, in one pass over the text
// (some milliseconds a megabyte). Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace residue::scenario {

enum class TokenClass : std::uint8_t {
    Plain,  // names, and what is no token at all
    Keyword,
    Type,       // u8 ... string, and names that are declared as a struct or an enum in this text
    Procedure,  // a name that is called or declared as a procedure
    EnumCase,   // .DoubleFree
    Number,
    String,  // strings and characters, quotes included
    Hole,    // {} inside of a string
    Comment,
    Narration,  // ///
    Attribute,  // #[...]
    Operator,
};

struct HighlightSpan {
    std::uint32_t line = 0;    // from 1
    std::uint32_t column = 0;  // from 1, in bytes
    std::uint32_t length = 0;  // bytes; a token over several lines is one span a line
    TokenClass tokenClass = TokenClass::Plain;
};

// In order; blanks are in no span. At most 1 MiB of the text is looked at.
std::vector<HighlightSpan> Highlight(std::string_view text);

}  // namespace residue::scenario
