#include "scenario/detail/lexer.hpp"
#include "scenario/detail/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace residue::scenario::detail {
namespace {

constexpr std::array kKeywords = {"proc",  "struct", "using",  "enum",    "if",    "else",     "do",      "for", "in",
                                  "while", "match",  "return", "defer",   "try",   "unsafe",   "as",      "and", "or",
                                  "not",   "true",   "false",  "nothing", "break", "continue", "comptime"};
constexpr std::array kTypeNames = {"u8",  "u16", "u32", "u64",  "i8",   "i16",   "i32",
                                   "i64", "f32", "f64", "bool", "char", "string"};

// Longest first.
constexpr std::array kSymbols = {"..<", "..=", "::", ":=", "->", "=>", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=",
                                 "%=",  "&&",  "||", "(",  ")",  "[",  "]",  "{",  "}",  "<",  ">",  "=",  "+",  "-",
                                 "*",   "/",   "%",  "&",  "!",  "^",  "?",  ":",  ";",  ",",  ".",  "|"};

bool IsNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}
bool IsNamePart(char c) {
    return IsNameStart(c) || IsDigit(c);
}

class Lexer {
public:
    Lexer(std::string_view text, std::uint32_t file, Messages& messages)
        : text_(text), file_(file), messages_(messages) {}

    Lexed Run() {
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = lineStart_ = 3;  // a byte order mark
        while (at_ < text_.size()) Next();
        Token end;
        end.newLine = true;
        end.narration = pendingNarration_;
        Put(std::move(end), at_);
        return std::move(out_);
    }

private:
    char Peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    bool Starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

    Location From(std::size_t begin) const {
        const std::size_t end = std::max(begin, std::min(at_, text_.size()));
        return {file_, line_, static_cast<std::uint32_t>(begin - lineStart_ + 1),
                static_cast<std::uint32_t>(end - begin)};
    }

    // What is in strings and comments is shown to people, so it must be text.
    void CheckText(std::size_t begin) {
        for (std::size_t at = begin; at < at_;) {
            const std::size_t bytes = CharacterBytes(text_.substr(at));
            if (bytes == 0 || text_[at] == '\0') {
                const auto column = static_cast<std::uint32_t>(at - lineStart_ + 1);
                messages_.Error({file_, line_, column, 1},
                                bytes == 0 ? "these bytes are not UTF-8" : "a byte 0 in the text", "UTF-8 text");
                return;
            }
            at += bytes;
        }
    }

    void NewLine() {
        ++line_;
        lineStart_ = at_;
        freshLine_ = true;
    }

    void Put(Token token, std::size_t begin) {
        token.at = From(begin);
        token.begin = static_cast<std::uint32_t>(begin);
        token.end = static_cast<std::uint32_t>(at_);
        token.text = text_.substr(begin, at_ - begin);
        token.newLine = token.newLine || freshLine_;
        token.narration = pendingNarration_;
        pendingNarration_ = 0;
        freshLine_ = false;
        out_.tokens.push_back(std::move(token));
    }

    void Next() {
        const char c = Peek();
        if (c == '\n') {
            ++at_;
            NewLine();
        } else if (c == ' ' || c == '\t' || c == '\r') {
            ++at_;
        } else if (Starts("//")) {
            LineComment();
        } else if (Starts("/*")) {
            BlockComment();
        } else if (IsNameStart(c)) {
            Name();
        } else if (IsDigit(c)) {
            Number();
        } else if (c == '"') {
            String();
        } else if (c == '\'') {
            Character();
        } else if (Starts("#[")) {
            const std::size_t begin = at_;
            at_ += 2;
            Token token;
            token.kind = TokenKind::Attribute;
            Put(std::move(token), begin);
        } else {
            SymbolOrNone();
        }
    }

    void LineComment() {
        const std::size_t begin = at_;
        const bool narration = Starts("///") && Peek(3) != '/';
        while (at_ < text_.size() && Peek() != '\n') ++at_;
        CheckText(begin);
        out_.comments.push_back(
            {From(begin), static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_), narration});
        // Behind a statement it is an ordinary comment: a narration begins its line.
        if (narration && freshLine_) Narrate(begin);
    }

    void Narrate(std::size_t begin) {
        std::string_view line = text_.substr(begin + 3, at_ - begin - 3);
        if (line.starts_with(' ')) line.remove_prefix(1);
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        const bool goesOn = pendingNarration_ != 0 && lastNarrationLine_ + 1 == line_;
        if (goesOn) {
            out_.narrations.back().text += '\n';
            out_.narrations.back().text += line;
        } else {
            out_.narrations.push_back({From(begin), std::string(line)});
            pendingNarration_ = static_cast<std::uint32_t>(out_.narrations.size());
        }
        lastNarrationLine_ = line_;
    }

    void BlockComment() {
        const std::size_t begin = at_;
        const Location opened = [&] {
            at_ += 2;
            return From(begin);
        }();
        std::size_t piece = begin;
        const auto keep = [&] {
            CheckText(piece);
            out_.comments.push_back(
                {From(piece), static_cast<std::uint32_t>(piece), static_cast<std::uint32_t>(at_), false});
        };
        while (at_ < text_.size() && !Starts("*/")) {
            if (Peek() != '\n') {
                ++at_;
                continue;
            }
            keep();
            ++at_;
            NewLine();
            piece = at_;
        }
        if (at_ >= text_.size())
            messages_.Error(opened, "this comment never ends", "*/");
        else
            at_ += 2;
        keep();
    }

    void Name() {
        const std::size_t begin = at_;
        while (IsNamePart(Peek())) ++at_;
        Token token;
        const std::string_view name = text_.substr(begin, at_ - begin);
        token.kind = IsKeyword(name) ? TokenKind::Keyword : TokenKind::Name;
        if (name.size() > kMostNameBytes) {
            messages_.Error(From(begin), fmt::format("a name of {} bytes", name.size()),
                            fmt::format("at most {}", kMostNameBytes));
        }
        Put(std::move(token), begin);
    }

    static int DigitOf(char c) {
        if (IsDigit(c)) return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return 99;
    }

    void Number() {
        const std::size_t begin = at_;
        Token token;
        token.kind = TokenKind::Integer;
        const char second = Peek(1);
        const int base = Peek() != '0' ? 10 : second == 'x' ? 16 : second == 'b' ? 2 : second == 'o' ? 8 : 10;
        if (base != 10) at_ += 2;
        bool overflow = false;
        bool hasDigits = false;
        for (; DigitOf(Peek()) < base || Peek() == '_'; ++at_) {
            if (Peek() == '_') continue;
            hasDigits = true;
            overflow |= __builtin_mul_overflow(token.integer, static_cast<std::uint64_t>(base), &token.integer);
            overflow |=
                __builtin_add_overflow(token.integer, static_cast<std::uint64_t>(DigitOf(Peek())), &token.integer);
        }
        if (base == 10 && ((Peek() == '.' && IsDigit(Peek(1))) || Peek() == 'e' || Peek() == 'E')) return Real(begin);
        bool odd = !hasDigits;
        for (; IsNamePart(Peek()); ++at_) odd = true;
        if (odd) {
            messages_.Error(From(begin), fmt::format("`{}` is no number", Shown(text_.substr(begin, at_ - begin))),
                            "digits, as in 10, 0xff, 1_000 or 2.5");
        } else if (overflow) {
            messages_.Error(From(begin), "this number is too large", "at most 18446744073709551615");
        }
        Put(std::move(token), begin);
    }

    void Real(std::size_t begin) {
        if (Peek() == '.') ++at_;
        while (IsDigit(Peek()) || Peek() == '_') ++at_;
        if (Peek() == 'e' || Peek() == 'E') {
            ++at_;
            if (Peek() == '+' || Peek() == '-') ++at_;
            while (IsDigit(Peek())) ++at_;
        }
        bool odd = !IsDigit(text_[at_ - 1]);
        for (; IsNamePart(Peek()); ++at_) odd = true;
        const std::string_view written = text_.substr(begin, at_ - begin);
        if (odd)
            messages_.Error(From(begin), fmt::format("`{}` is no number", Shown(written)), "digits, as in 2.5 or 1e6");
        std::string digits(written.substr(0, 64));
        std::erase(digits, '_');
        Token token;
        token.kind = TokenKind::Float;
        token.real = std::strtod(digits.c_str(), nullptr);
        Put(std::move(token), begin);
    }

    // After a backslash; none: it was told.
    std::optional<char> Escape() {
        const std::size_t begin = at_ - 1;
        const char c = Peek();
        if (at_ < text_.size() && c != '\n') ++at_;
        switch (c) {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case '0': return '\0';
            case '\\': return '\\';
            case '"': return '"';
            case '\'': return '\'';
            default:
                messages_.Error(From(begin), fmt::format("`{}` is no escape", Shown(text_.substr(begin, at_ - begin))),
                                R"(\n, \t, \r, \0, \\, \" or \')");
                return std::nullopt;
        }
    }

    void String() {
        const std::size_t begin = at_++;
        Token token;
        token.kind = TokenKind::String;
        while (at_ < text_.size() && Peek() != '"' && Peek() != '\n') {
            if (Peek() == '\\') {
                ++at_;
                if (const auto c = Escape()) token.value += *c;
            } else {
                token.value += text_[at_++];
            }
        }
        if (Peek() == '"')
            ++at_;
        else
            messages_.Error(From(begin), "this string does not end on its line", "a closing \"");
        CheckText(begin);
        Put(std::move(token), begin);
    }

    void Character() {
        const std::size_t begin = at_++;
        Token token;
        token.kind = TokenKind::Character;
        if (Peek() == '\\') {
            ++at_;
            token.integer = static_cast<unsigned char>(Escape().value_or('?'));
        } else if (at_ < text_.size() && Peek() != '\n' && Peek() != '\'') {
            token.integer = static_cast<unsigned char>(text_[at_++]);
        }
        if (Peek() == '\'' && at_ > begin + 1) {
            ++at_;
        } else {
            while (at_ < text_.size() && Peek() != '\'' && Peek() != '\n' && Peek() != ' ') ++at_;
            if (Peek() == '\'') ++at_;
            messages_.Error(From(begin), "this is no character", "one byte between single quotes, as in 'c' or '\\n'");
        }
        Put(std::move(token), begin);
    }

    void SymbolOrNone() {
        const std::size_t begin = at_;
        for (const std::string_view symbol : kSymbols) {
            if (!Starts(symbol)) continue;
            at_ += symbol.size();
            Token token;
            token.kind = TokenKind::Symbol;
            return Put(std::move(token), begin);
        }
        // A run of what cannot be is told once.
        bool valid = true;
        while (at_ < text_.size() && IsStray(text_[at_])) {
            const std::size_t bytes = CharacterBytes(text_.substr(at_));
            valid = valid && bytes != 0;
            at_ += std::max<std::size_t>(bytes, 1);
        }
        if (at_ == begin) ++at_;
        const std::string_view stray = text_.substr(begin, at_ - begin);
        if (stray.find('\0') != std::string_view::npos) {
            messages_.Error(From(begin), "a byte 0 in the text", "UTF-8 text");
        } else if (!valid) {
            messages_.Error(From(begin), "these bytes are not UTF-8", "UTF-8 text");
        } else {
            messages_.Error(From(begin), fmt::format("`{}` means nothing here", Shown(stray)));
        }
    }

    static bool IsStray(char c) {
        if (IsNamePart(c) || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"' || c == '\'') return false;
        return std::none_of(kSymbols.begin(), kSymbols.end(), [c](std::string_view symbol) { return symbol[0] == c; });
    }

    static constexpr std::size_t kMostNameBytes = 200;

    std::string_view text_;
    std::uint32_t file_;
    Messages& messages_;
    Lexed out_;
    std::size_t at_ = 0;
    std::size_t lineStart_ = 0;
    std::uint32_t line_ = 1;
    std::uint32_t pendingNarration_ = 0;
    std::uint32_t lastNarrationLine_ = 0;
    bool freshLine_ = true;
};

}  // namespace

bool IsKeyword(std::string_view text) {
    return std::find(kKeywords.begin(), kKeywords.end(), text) != kKeywords.end();
}
bool IsTypeName(std::string_view text) {
    return std::find(kTypeNames.begin(), kTypeNames.end(), text) != kTypeNames.end();
}

Lexed Lex(std::string_view text, std::uint32_t file, Messages& messages) {
    return Lexer(text, file, messages).Run();
}

}  // namespace residue::scenario::detail
