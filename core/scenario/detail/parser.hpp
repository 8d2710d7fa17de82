// Tokens to a tree, with recovery: after an error it goes on at the next line end or bracket that makes sense, so that
// one reading tells all errors of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/detail/lexer.hpp"
#include "scenario/detail/messages.hpp"
#include "scenario/detail/program_data.hpp"

namespace residue::scenario::detail {

class Parser {
public:
    Parser(ProgramData& program, std::uint32_t file, const Lexed& lexed, Messages& messages)
        : program_(program), tree_(program.trees[file]), file_(file), lexed_(lexed), messages_(messages) {}

    // Fills the file's tree. Declarations go to the program's tables and to the file's names.
    void ParseFile();
    bool GaveUp() const { return gaveUp_; }  // it was nested too deep

private:
    struct Attributes {
        std::uint8_t marks = 0;
        std::uint32_t narration = 0;       // 1 + index into Lexed::narrations
        std::uint32_t narrationIndex = 0;  // 1 + index into ProgramData::narrations
        std::vector<ExpectClause> expects;
    };
    // Of brackets: inside round and square ones a line end means nothing.
    class Bracket;

    // Tokens.
    const Token& Peek(std::size_t ahead = 0) const;
    bool At(std::string_view symbol) const { return Peek().Is(symbol); }
    bool AtEnd() const { return Peek().kind == TokenKind::End; }
    bool StatementEnds() const;  // a line end that counts, a closing bracket, the end
    const Token& Take();
    bool TakeIf(std::string_view symbol);
    bool Expect(std::string_view symbol, std::string_view after);
    std::string_view TakeName(const char* whatFor);
    static std::string Described(const Token& token);
    void Unexpected(const char* expected);
    bool TooDeep(std::uint32_t depth, const Location& at);
    void SkipLine();
    void SkipTo(std::string_view closing);  // of the bracket that is open, then behind it
    Location Since(const Token& first) const;
    void Suspect(const Token& open);
    void TellUnclosed(const Token& open);

    // Declarations (parser_declarations.cpp).
    Attributes ParseAttributes();
    void ParseAttribute(Attributes& attributes);
    void ParseExpects(Attributes& attributes);
    Statement* ParseFileItem();
    bool AtDeclaration() const;
    Statement* ParseDeclaration(const Attributes& attributes);
    Statement* ParseTyped(const Token& name, const Attributes& attributes);
    void ParseImport(const Token& name);
    void ParseProcedure(const Token& name, std::vector<std::string_view> generics, const Attributes& attributes);
    void ParseStruct(const Token& name, std::vector<std::string_view> generics);
    void ParseStructFields(StructDeclaration& declaration);
    void ParseEnum(const Token& name);
    std::vector<std::string_view> ParseGenerics();
    void Declare(const Token& name, Reference reference);
    void FindIntroduction();
    void Reserve(Attributes& attributes);
    void Apply(const Attributes& attributes, Statement* statement);

    // Statements (parser_statements.cpp).
    Statement* ParseStatement();
    Statement* ParsePlainStatement(Attributes attributes);
    Statement* ParseBlock();
    Statement* ParseBody(const char* of);  // a block, or "; do" and a statement
    Statement* ParseIf(bool comptime);
    Statement* ParseFor();
    Statement* ParseWhile();
    Statement* ParseMatch();
    MatchArm ParseArm();
    Statement* ParseReturn();
    Statement* ParseSimple();  // an expression, a declaration, an assignment
    Expression* ParseStored();
    Statement* FinishDeclare(Expression* targets, const Token& first);
    Statement* FinishAssign(Expression* targets, const Token& first);
    bool TargetsOf(Expression* expression, Statement* statement, bool declare);
    void EndStatement();
    Statement* New(StatementKind kind, const Token& first);

    // Expressions (parser_expressions.cpp).
    Expression* ParseExpression();
    Expression* ParseCondition();  // no struct literal at its end: a block follows
    Expression* ParseOr();
    Expression* ParseAnd();
    Expression* ParseNot();
    Expression* ParseComparison();
    Expression* ParseSum();
    Expression* ParseProduct();
    Expression* ParseCast();
    Expression* ParseUnary();
    Expression* ParsePostfix();
    Expression* ParsePrimary();
    Expression* ParseMacro(const Token& name);
    Expression* ParseBracketed();  // ( ... )
    bool AtForeignCast() const;
    Expression* ParseForeignCast();
    Expression* ParseArray();
    Expression* ParseCall(Expression* callee, const Token& first, std::vector<TypeExpression*> types);
    Expression* ParseStructLiteral(Expression* path, const Token& first, std::vector<TypeExpression*> types);
    TypeExpression* PathType(Expression* path, std::vector<TypeExpression*> types);
    bool AtStructLiteral(const Expression* path) const;
    bool BeginsOperand(const Token& token) const;
    Expression* New(ExpressionKind kind, const Token& first);
    Expression* Combine(ExpressionKind kind, const Token& first, Expression* a, Expression* b);
    void Grow(Expression* expression, const Expression* child);

    // Types (parser_types.cpp).
    TypeExpression* ParseType();
    TypeExpression* ParsePlainType();
    TypeExpression* ParseNamedType();
    TypeExpression* ParseProcedureType();
    bool BeginsType(const Token& token) const;
    // <types>, where "(" or "{" follows; nothing read otherwise.
    std::optional<std::vector<TypeExpression*>> TryTypeArguments();
    TypeExpression* NewType(TypeForm form, const Token& first);
    void Grow(TypeExpression* type, const TypeExpression* child);

    ProgramData& program_;
    FileTree& tree_;
    const std::uint32_t file_;
    const Lexed& lexed_;
    Messages& messages_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;                   // of the statement that is read: what stands there is no line end
    std::uint32_t nesting_ = 0;               // of the recursion
    std::uint32_t brackets_ = 0;              // round and square ones that are open
    bool noLiteral_ = false;                  // "{" begins a block
    bool quiet_ = false;                      // trying: what is wrong is not told
    bool failed_ = false;                     // while quiet
    bool gaveUp_ = false;                     // nested too deep: nothing more is read
    bool toldUnclosed_ = false;               // of the brackets that are open at the end one is told
    std::optional<Location> suspect_;         // a `{` whose `}` stands further left than the line it began on
    std::uint32_t suspectColumn_ = 0;         // where that line begins
    std::vector<std::uint32_t> narrationOf_;  // of Lexed::narrations: 1 + index into ProgramData::narrations
};

class Parser::Bracket {
public:
    Bracket(Parser& parser, bool lineEndsCount)
        : parser_(parser), brackets_(parser.brackets_), noLiteral_(parser.noLiteral_) {
        parser.brackets_ = lineEndsCount ? 0 : brackets_ + 1;
        parser.noLiteral_ = false;
    }
    ~Bracket() {
        parser_.brackets_ = brackets_;
        parser_.noLiteral_ = noLiteral_;
    }
    Bracket(const Bracket&) = delete;
    Bracket& operator=(const Bracket&) = delete;

private:
    Parser& parser_;
    std::uint32_t brackets_;
    bool noLiteral_;
};

}  // namespace residue::scenario::detail
