#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/parser.hpp"

namespace residue::scenario::detail {

TypeExpression* Parser::NewType(TypeForm form, const Token& first) {
    TypeExpression& type = program_.types.emplace_back();
    type.id = static_cast<std::uint32_t>(program_.types.size() - 1);
    type.form = form;
    type.at = first.at;
    return &type;
}

void Parser::Grow(TypeExpression* type, const TypeExpression* child) {
    if (child == nullptr) return;
    type->depth = std::max(type->depth, child->depth + 1);
    (void)TooDeep(type->depth, type->at);
}

bool Parser::BeginsType(const Token& token) const {
    if (brackets_ == 0 && token.newLine) return false;
    return token.kind == TokenKind::Name || token.Is("^") || token.Is("[") || token.Is("(") || token.Is("?") ||
           token.Is("proc");
}

// E?T, E?, ?T, and everything that ParsePlainType knows.
TypeExpression* Parser::ParseType() {
    const Token& first = Peek();
    ++nesting_;
    TypeExpression* type = nullptr;
    if (TooDeep(nesting_, first.at)) {
        // told
    } else if (TakeIf("?")) {
        type = NewType(TypeForm::Union, first);
        type->element = ParsePlainType();
        Grow(type, type->element);
    } else {
        type = ParsePlainType();
        if (type != nullptr && At("?") && !(brackets_ == 0 && Peek().newLine)) {
            Take();
            TypeExpression* both = NewType(TypeForm::Union, first);
            both->error = type;
            if (BeginsType(Peek())) both->element = ParsePlainType();
            Grow(both, both->error);
            Grow(both, both->element);
            type = both;
        }
    }
    if (type != nullptr) type->at = Since(first);
    --nesting_;
    return type;
}

TypeExpression* Parser::ParsePlainType() {
    const Token& first = Peek();
    ++nesting_;
    TypeExpression* type = nullptr;
    if (TooDeep(nesting_, first.at)) {
        // told
    } else if (TakeIf("^")) {
        type = NewType(TypeForm::Pointer, first);
        type->element = ParsePlainType();
        Grow(type, type->element);
    } else if (At("[")) {
        Take();
        type = NewType(TypeForm::Array, first);
        const Bracket inside(*this, false);
        if (quiet_) {  // a trial must not try again
            if (Peek().kind == TokenKind::Integer || Peek().kind == TokenKind::Name)
                type->count = ParsePrimary();
            else
                failed_ = true;
        } else {
            type->count = ParseExpression();
        }
        if (Expect(";", "the count of an array type")) type->element = ParseType();
        Expect("]", "an array type");
        Grow(type, type->element);
    } else if (At("(")) {
        Take();
        type = NewType(TypeForm::Tuple, first);
        const Bracket inside(*this, false);
        while (!At(")") && !AtEnd() && !failed_) {
            type->arguments.push_back(ParseType());
            Grow(type, type->arguments.back());
            if (type->arguments.back() == nullptr || !TakeIf(",")) break;
        }
        Expect(")", "a tuple type");
        std::erase(type->arguments, nullptr);
    } else if (At("proc")) {
        type = ParseProcedureType();
    } else if (Peek().kind == TokenKind::Name) {
        type = ParseNamedType();
    } else {
        Unexpected("a type, as in u32, ^T, [10; u8] or (A, B)");
    }
    if (type != nullptr) type->at = Since(first);
    --nesting_;
    return type;
}

TypeExpression* Parser::ParseNamedType() {
    TypeExpression* type = NewType(TypeForm::Named, Peek());
    type->path.push_back(Take().text);
    while (At(".") && Peek(1).kind == TokenKind::Name) {
        Take();
        type->path.push_back(Take().text);
    }
    if (type->path.size() == 1 && IsTypeName(type->path[0])) return type;
    if (!At("<") || (brackets_ == 0 && Peek().newLine)) return type;
    Take();
    const Bracket inside(*this, false);
    while (!At(">") && !AtEnd() && !failed_) {
        type->arguments.push_back(ParseType());
        Grow(type, type->arguments.back());
        if (type->arguments.back() == nullptr || !TakeIf(",")) break;
    }
    Expect(">", "type arguments");
    std::erase(type->arguments, nullptr);
    return type;
}

TypeExpression* Parser::ParseProcedureType() {
    TypeExpression* type = NewType(TypeForm::Procedure, Take());
    if (Expect("(", "proc")) {
        const Bracket inside(*this, false);
        while (!At(")") && !AtEnd() && !failed_) {
            // A parameter may have a name in front.
            if (Peek().kind == TokenKind::Name && Peek(1).Is(":")) Take(), Take();
            type->arguments.push_back(ParseType());
            Grow(type, type->arguments.back());
            if (type->arguments.back() == nullptr || !TakeIf(",")) break;
        }
        Expect(")", "the parameters");
    }
    std::erase(type->arguments, nullptr);
    if (TakeIf("->")) {
        type->element = ParseType();
        Grow(type, type->element);
    }
    return type;
}

std::optional<std::vector<TypeExpression*>> Parser::TryTypeArguments() {
    if (quiet_ || !At("<") || (brackets_ == 0 && Peek().newLine)) return std::nullopt;
    const std::size_t begin = at_;
    const std::size_t pool = program_.types.size();
    const std::size_t expressions = program_.expressions.size();
    const std::uint32_t nesting = nesting_;
    quiet_ = true;
    failed_ = false;
    nesting_ = 0;
    Take();
    std::vector<TypeExpression*> types;
    {
        const Bracket inside(*this, false);
        do types.push_back(ParseType());
        while (!failed_ && types.back() != nullptr && TakeIf(","));
    }
    const bool closed = !failed_ && TakeIf(">");
    const bool isCall = At("(") && !Peek().newLine;
    quiet_ = false;
    nesting_ = nesting;
    if (closed && (isCall || At("{"))) return types;
    failed_ = false;
    at_ = begin;
    program_.types.resize(pool);
    program_.expressions.resize(expressions);
    return std::nullopt;
}

}  // namespace residue::scenario::detail
