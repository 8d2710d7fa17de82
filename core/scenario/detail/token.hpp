// The tokens of the language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "scenario/detail/location.hpp"

namespace residue::scenario::detail {

enum class TokenKind : std::uint8_t {
    End,
    Name,
    Keyword,
    Integer,
    Float,
    String,
    Character,
    Symbol,     // operators and brackets: told apart by their text
    Attribute,  // the "#[" that begins one
};

struct Token {
    TokenKind kind = TokenKind::End;
    bool newLine = false;  // first on its line
    Location at;
    std::uint32_t begin = 0;  // offset in the file
    std::uint32_t end = 0;
    std::uint32_t narration = 0;  // 1 + index into Lexed::narrations of the block that ends directly before it; 0: none
    std::string_view text;        // as written
    std::uint64_t integer = 0;    // Integer, Character
    double real = 0;              // Float
    std::string value;            // String, escapes resolved

    bool Is(std::string_view symbol) const {
        return (kind == TokenKind::Symbol || kind == TokenKind::Keyword || kind == TokenKind::Attribute) &&
               text == symbol;
    }
};

bool IsKeyword(std::string_view text);
bool IsTypeName(std::string_view text);  // u8 ... string

}  // namespace residue::scenario::detail
