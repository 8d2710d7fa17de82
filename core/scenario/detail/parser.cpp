// Tokens, errors and recovery; the rest of the parser is in parser_*.cpp.
#include "scenario/detail/parser.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace residue::scenario::detail {

const Token& Parser::Peek(std::size_t ahead) const {
    const std::vector<Token>& tokens = lexed_.tokens;
    return at_ + ahead < tokens.size() && !gaveUp_ ? tokens[at_ + ahead] : tokens.back();
}

bool Parser::StatementEnds() const {
    const Token& next = Peek();
    if (next.kind == TokenKind::End) return true;
    if (brackets_ == 0 && next.newLine) return true;
    return next.Is("}") || next.Is(")") || next.Is("]") || next.Is(",") || next.Is(";");
}

const Token& Parser::Take() {
    const Token& token = Peek();
    if (token.kind != TokenKind::End) ++at_;
    return token;
}

bool Parser::TakeIf(std::string_view symbol) {
    if (!At(symbol)) return false;
    Take();
    return true;
}

bool Parser::Expect(std::string_view symbol, std::string_view after) {
    if (TakeIf(symbol)) return true;
    if (quiet_) {
        failed_ = true;
        return false;
    }
    if (gaveUp_) return false;
    messages_.Error(Peek().at, fmt::format("{} after {}", Described(Peek()), after), fmt::format("`{}`", symbol));
    return false;
}

std::string_view Parser::TakeName(const char* whatFor) {
    if (Peek().kind == TokenKind::Name) return Take().text;
    Unexpected(whatFor);
    return {};
}

std::string Parser::Described(const Token& token) {
    switch (token.kind) {
        case TokenKind::End: return "the file ends";
        case TokenKind::Keyword: return fmt::format("the word `{}` stands", token.text);
        default: return fmt::format("`{}` stands", Shown(token.text));
    }
}

void Parser::Unexpected(const char* expected) {
    if (quiet_) failed_ = true;
    if (quiet_ || gaveUp_) return;
    const Token& next = Peek();
    const bool ends = brackets_ == 0 && next.newLine && at_ > begin_;
    if (!ends || next.kind == TokenKind::End) {
        messages_.Error(next.at, fmt::format("{} here", Described(next)), expected);
        return;
    }
    // The place is where the line ended, not what the next one begins with.
    Location at = lexed_.tokens[at_ - 1].at;
    at.column += at.length;
    at.length = 1;
    messages_.Error(at, "the line ends here", expected);
}

bool Parser::TooDeep(std::uint32_t depth, const Location& at) {
    constexpr std::uint32_t kMostInTrial = 12;
    if (quiet_) {
        if (depth > kMostInTrial) failed_ = true;
        return failed_;
    }
    if (depth <= kMostDepth) return gaveUp_;
    if (!gaveUp_) {
        messages_.Error(at, fmt::format("this lies more than {} deep in brackets, blocks or operators", kMostDepth),
                        "simpler parts, given names");
    }
    gaveUp_ = true;
    return true;
}

void Parser::SkipLine() {
    while (!AtEnd() && !Peek().newLine && !At("}")) {
        if (At("{")) {
            Take();
            SkipTo("}");
        } else {
            Take();
        }
    }
}

void Parser::SkipTo(std::string_view closing) {
    const std::string_view opening = closing == "}" ? "{" : closing == ")" ? "(" : "[";
    for (std::size_t open = 1; !AtEnd();) {
        const Token& token = Take();
        if (token.Is(opening)) ++open;
        if (token.Is(closing) && --open == 0) return;
    }
}

Location Parser::Since(const Token& first) const {
    Location at = first.at;
    for (std::size_t i = at_; i > 0; --i) {
        const Token& last = lexed_.tokens[i - 1];
        if (last.begin < first.begin) break;
        if (last.at.line != first.at.line) continue;
        at.length = last.at.column + last.at.length - first.at.column;
        break;
    }
    return at;
}

// Before the `}` that is next closes `open`: does it look as if it were an outer one's?
void Parser::Suspect(const Token& open) {
    if (suspect_ || !At("}") || !Peek().newLine) return;
    const Token* line = &open;
    while (!line->newLine && line != lexed_.tokens.data()) --line;
    if (Peek().at.column >= line->at.column) return;
    suspect_ = open.at;
    suspectColumn_ = line->at.column;
}

// The file ended before `open` was closed. Where indentation says which one lacks its end, it is that one.
void Parser::TellUnclosed(const Token& open) {
    if (gaveUp_ || toldUnclosed_) return;
    toldUnclosed_ = true;
    const Location at = suspect_.value_or(open.at);
    messages_.Error(at, fmt::format("the `{{` of line {} has no `}}`", at.line),
                    suspect_ ? fmt::format("a closing `}}` in column {}", suspectColumn_) : "a closing `}`");
}

void Parser::ParseFile() {
    narrationOf_.resize(lexed_.narrations.size());
    FindIntroduction();
    while (!AtEnd()) {
        const std::size_t before = at_;
        if (Statement* item = ParseFileItem()) tree_.items.push_back(item);
        if (at_ == before && !AtEnd()) Take();
    }
    std::sort(tree_.statementLines.begin(), tree_.statementLines.end());
    tree_.statementLines.erase(std::unique(tree_.statementLines.begin(), tree_.statementLines.end()),
                               tree_.statementLines.end());
    for (std::size_t i = 0; i < narrationOf_.size() && !gaveUp_; ++i) {
        if (narrationOf_[i] != 0) continue;
        messages_.Warn(lexed_.narrations[i].at, "this narration belongs to no statement", "a statement after it",
                       "an ordinary comment begins with //");
    }
}

}  // namespace residue::scenario::detail
