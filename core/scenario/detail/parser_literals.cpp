// Values that are written out: macros, brackets, arrays, structs.
#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/parser.hpp"

namespace residue::scenario::detail {
namespace {

struct MacroName {
    std::string_view name;
    MacroKind kind;
};
constexpr MacroName kMacros[] = {{"len", MacroKind::Length},
                                 {"min", MacroKind::Least},
                                 {"max", MacroKind::Most},
                                 {"sizeof", MacroKind::SizeOf},
                                 {"tostring", MacroKind::ToString}};

}  // namespace

Expression* Parser::ParseMacro(const Token& name) {
    Take(), Take(), Take();
    const auto found = std::find_if(std::begin(kMacros), std::end(kMacros),
                                    [&](const MacroName& each) { return each.name == name.text; });
    Expression* macro = New(ExpressionKind::Macro, name);
    macro->name = name.text;
    const Bracket inside(*this, false);
    if (found == std::end(kMacros)) {
        if (!quiet_) {
            messages_.Error(name.at, fmt::format("there is no `{}!`", Shown(name.text)),
                            name.text == "import" ? "import! only as in Name :: import!(\"...\"), at file level"
                                                  : "len!, min!, max!, sizeof! or tostring!");
        }
        failed_ = quiet_;
        SkipTo(")");
        return nullptr;
    }
    macro->macro = found->kind;
    while (!At(")") && !AtEnd() && !failed_) {
        if (macro->macro == MacroKind::SizeOf) {
            TypeExpression* type = ParseType();
            if (type == nullptr) break;
            macro->types.push_back(type);
        } else {
            Expression* value = ParseExpression();
            if (value == nullptr) break;
            macro->list.push_back(value);
            Grow(macro, value);
        }
        if (!TakeIf(",")) break;
    }
    Expect(")", "the arguments");
    macro->at = Since(name);
    const std::size_t count = macro->types.size() + macro->list.size();
    const bool any = macro->macro == MacroKind::Least || macro->macro == MacroKind::Most;
    if (any ? count == 0 : count != 1) {
        if (quiet_)
            failed_ = true;
        else
            messages_.Error(macro->at, fmt::format("`{}!` with {} arguments", name.text, count),
                            any ? "at least one" : "one");
        return nullptr;
    }
    return macro;
}

// (u32) value, as C writes it.
bool Parser::AtForeignCast() const {
    std::size_t ahead = 1;
    while (Peek(ahead).Is("^") || Peek(ahead).Is("*")) ++ahead;
    if (Peek(ahead).kind != TokenKind::Name || !IsTypeName(Peek(ahead).text)) return false;
    ++ahead;
    while (Peek(ahead).Is("^") || Peek(ahead).Is("*")) ++ahead;
    const Token& behind = Peek(ahead + 1);
    return Peek(ahead).Is(")") && behind.kind != TokenKind::End && !behind.newLine && BeginsOperand(behind);
}

Expression* Parser::ParseForeignCast() {
    const Token& first = Peek();
    std::string_view type;
    while (!At(")")) {
        if (Peek().kind == TokenKind::Name) type = Peek().text;
        Take();
    }
    Take();
    if (!quiet_) {
        messages_.Error(Since(first), "a type before its value", fmt::format("`as {}` behind it", type));
    }
    failed_ = failed_ || quiet_;
    ++nesting_;
    Expression* value = TooDeep(nesting_, first.at) ? nullptr : ParseUnary();
    --nesting_;
    return value;
}

Expression* Parser::ParseBracketed() {
    if (AtForeignCast()) return ParseForeignCast();
    const Token& first = Take();
    const Bracket inside(*this, false);
    std::vector<Expression*> parts;
    bool isTuple = false;
    while (!At(")") && !AtEnd() && !failed_) {
        Expression* part = ParseExpression();
        if (part == nullptr) break;
        parts.push_back(part);
        if (!TakeIf(",")) break;
        isTuple = true;
    }
    if (!Expect(")", "what stands between the brackets")) return nullptr;
    if (parts.empty()) {
        if (!quiet_) messages_.Error(Since(first), "nothing stands between the brackets", "a value");
        return nullptr;
    }
    if (!isTuple) {
        parts[0]->inside = true;
        return parts[0];
    }
    Expression* tuple = New(ExpressionKind::Tuple, first);
    for (const Expression* part : parts) Grow(tuple, part);
    tuple->list = std::move(parts);
    tuple->at = Since(first);
    return tuple;
}

Expression* Parser::ParseArray() {
    const Token& first = Take();
    const Bracket inside(*this, false);
    Expression* array = New(ExpressionKind::ArrayLiteral, first);
    while (!At("]") && !AtEnd() && !failed_) {
        Expression* value = ParseExpression();
        if (value == nullptr) break;
        array->list.push_back(value);
        Grow(array, value);
        if (array->list.size() == 1 && TakeIf(";")) {
            array->kind = ExpressionKind::ArrayFill;
            array->a = value;
            array->b = ParseExpression();
            array->list.clear();
            Grow(array, array->b);
            break;
        }
        if (!TakeIf(",")) break;
    }
    if (!Expect("]", "the elements")) return nullptr;
    if (array->kind == ExpressionKind::ArrayFill && array->b == nullptr) return nullptr;
    array->at = Since(first);
    return array;
}

// Type { field = value, ... }: an upper-case path may have its brace on the next line, as the document writes it.
bool Parser::AtStructLiteral(const Expression* path) const {
    if (noLiteral_ || !At("{") || path->inside) return false;
    if (path->kind != ExpressionKind::Name && path->kind != ExpressionKind::Member) return false;
    for (const Expression* part = path; part->kind != ExpressionKind::Name; part = part->a) {
        if (part->kind != ExpressionKind::Member) return false;
    }
    const bool looksLikeType = !path->name.empty() && path->name[0] >= 'A' && path->name[0] <= 'Z';
    if (!looksLikeType) return false;
    if (Peek(1).Is("}")) return true;
    return Peek(1).kind == TokenKind::Name && (Peek(2).Is("=") || Peek(2).Is(":"));
}

TypeExpression* Parser::PathType(Expression* path, std::vector<TypeExpression*> types) {
    TypeExpression* type = NewType(TypeForm::Named, lexed_.tokens.back());
    type->at = path->at;
    for (Expression* part = path; part != nullptr; part = part->a) type->path.insert(type->path.begin(), part->name);
    for (const TypeExpression* argument : types) Grow(type, argument);
    type->arguments = std::move(types);
    return type;
}

Expression* Parser::ParseStructLiteral(Expression* path, const Token& first, std::vector<TypeExpression*> types) {
    Expression* literal = New(ExpressionKind::StructLiteral, first);
    literal->type = PathType(path, std::move(types));
    literal->nameAt = path->at;
    Take();
    const Bracket inside(*this, true);
    while (!At("}") && !AtEnd() && !failed_) {
        FieldValue field;
        field.at = Peek().at;
        field.name = TakeName("a field's name, or `}`");
        if (field.name.empty()) break;
        if (!TakeIf(":") && !Expect("=", "a field's name")) break;
        field.value = ParseExpression();
        if (field.value == nullptr) break;
        Grow(literal, field.value);
        literal->fields.push_back(field);
        // A comma, a line end, or both.
        if (!TakeIf(",") && !At("}") && !Peek().newLine) break;
    }
    if (!Expect("}", "the fields")) {
        if (!quiet_) SkipTo("}");
        return nullptr;
    }
    literal->at = Since(first);
    return literal;
}

}  // namespace residue::scenario::detail
