#include "scenario/highlight.hpp"

#include <algorithm>
#include <unordered_set>

#include "scenario/detail/lexer.hpp"

namespace residue::scenario {
namespace {

using detail::Token;
using detail::TokenKind;

class Highlighter {
public:
    explicit Highlighter(std::string_view text) : text_(text), files_(1), messages_(files_) {
        lexed_ = detail::Lex(text, 0, messages_);
    }

    std::vector<HighlightSpan> Run() {
        const std::vector<Token>& tokens = lexed_.tokens;
        for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
            const bool declared = tokens[i].kind == TokenKind::Name && tokens[i + 1].Is("::") && i + 2 < tokens.size();
            if (declared && (tokens[i + 2].Is("struct") || tokens[i + 2].Is("enum"))) types_.insert(tokens[i].text);
        }
        for (std::size_t i = 0; i + 1 < tokens.size(); ++i) Add(i);
        for (const detail::Comment& comment : lexed_.comments) {
            Put(comment.at, comment.narration ? TokenClass::Narration : TokenClass::Comment);
        }
        std::stable_sort(spans_.begin(), spans_.end(), [](const HighlightSpan& a, const HighlightSpan& b) {
            return a.line != b.line ? a.line < b.line : a.column < b.column;
        });
        return std::move(spans_);
    }

private:
    const Token& At(std::size_t i) const { return lexed_.tokens[std::min(i, lexed_.tokens.size() - 1)]; }

    void Put(const detail::Location& at, TokenClass tokenClass) {
        if (at.length != 0) spans_.push_back({at.line, at.column, at.length, tokenClass});
    }

    TokenClass ClassOf(std::size_t i) {
        const Token& token = At(i);
        if (token.Is("#["))
            attributes_ = 1;
        else if (attributes_ != 0 && token.Is("["))
            ++attributes_;
        else if (attributes_ != 0 && token.Is("]") && --attributes_ == 0)
            return TokenClass::Attribute;
        if (attributes_ == 1 &&
            (token.kind == TokenKind::Attribute || i == 0 || At(i - 1).Is("#[") || At(i - 1).Is(","))) {
            return TokenClass::Attribute;
        }
        switch (token.kind) {
            case TokenKind::Keyword: return TokenClass::Keyword;
            case TokenKind::Integer:
            case TokenKind::Float: return TokenClass::Number;
            case TokenKind::Character:
            case TokenKind::String: return TokenClass::String;
            case TokenKind::Name: return ClassOfName(i);
            case TokenKind::Symbol: return TokenClass::Operator;
            default: return TokenClass::Plain;
        }
    }

    TokenClass ClassOfName(std::size_t i) const {
        const Token& token = At(i);
        const bool afterDot = i > 0 && At(i - 1).Is(".");
        const bool isCase = afterDot && (i < 2 || !(At(i - 2).kind == TokenKind::Name || At(i - 2).Is(")") ||
                                                    At(i - 2).Is("]") || At(i - 2).Is("^")));
        if (isCase) return TokenClass::EnumCase;
        if (detail::IsTypeName(token.text) || types_.contains(token.text)) return TokenClass::Type;
        const bool called = At(i + 1).Is("(") || (At(i + 1).Is("!") && At(i + 2).Is("("));
        const bool declared = At(i + 1).Is("::") && At(i + 2).Is("proc");
        if (called || declared) return TokenClass::Procedure;
        if (At(i + 1).Is("<") && IsGenericUse(i + 1)) return TokenClass::Procedure;
        return TokenClass::Plain;
    }

    // name<...>( or name<...> ::
    bool IsGenericUse(std::size_t i) const {
        std::size_t open = 0;
        constexpr std::size_t kMostAhead = 40;
        for (std::size_t end = i + kMostAhead; i < end; ++i) {
            if (At(i).Is("<")) ++open;
            if (At(i).Is(">") && --open == 0) return At(i + 1).Is("(") || At(i + 1).Is("::");
            if (At(i).kind == TokenKind::End || (At(i).newLine && open != 0 && At(i).Is("}"))) return false;
        }
        return false;
    }

    void Add(std::size_t i) {
        const Token& token = At(i);
        const TokenClass tokenClass = ClassOf(i);
        if (token.kind != TokenKind::String) return Put(token.at, tokenClass);
        // Holes are spans of their own.
        detail::Location piece = token.at;
        const std::string_view text = token.text;
        std::size_t from = 0;
        for (std::size_t hole = text.find("{}"); hole != std::string_view::npos; hole = text.find("{}", from)) {
            piece.column = token.at.column + static_cast<std::uint32_t>(from);
            piece.length = static_cast<std::uint32_t>(hole - from);
            Put(piece, TokenClass::String);
            piece.column = token.at.column + static_cast<std::uint32_t>(hole);
            piece.length = 2;
            Put(piece, TokenClass::Hole);
            from = hole + 2;
        }
        piece.column = token.at.column + static_cast<std::uint32_t>(from);
        piece.length = static_cast<std::uint32_t>(text.size() - from);
        Put(piece, TokenClass::String);
    }

    std::string_view text_;
    std::vector<SourceFile> files_;
    detail::Messages messages_;
    detail::Lexed lexed_;
    std::unordered_set<std::string_view> types_;
    std::vector<HighlightSpan> spans_;
    std::size_t attributes_ = 0;
};

}  // namespace

std::vector<HighlightSpan> Highlight(std::string_view text) {
    return Highlighter(text.substr(0, kMostSourceBytes)).Run();
}

}  // namespace residue::scenario
