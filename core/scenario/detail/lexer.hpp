// Text to tokens. Never fails: what is no token is told and left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario/detail/messages.hpp"
#include "scenario/detail/token.hpp"

namespace residue::scenario::detail {

struct Comment {
    Location at;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool narration = false;
};

struct NarrationBlock {
    Location at;
    std::string text;  // without slashes and the one blank behind them; lines joined by '\n'
};

struct Lexed {
    std::vector<Token> tokens;  // the last one is End
    std::vector<NarrationBlock> narrations;
    std::vector<Comment> comments;
};

// `text` outlives the tokens.
Lexed Lex(std::string_view text, std::uint32_t file, Messages& messages);

}  // namespace residue::scenario::detail
