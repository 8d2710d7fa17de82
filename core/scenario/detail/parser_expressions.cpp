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

struct OperatorName {
    std::string_view symbol;
    Operation operation;
};
constexpr OperatorName kComparisons[] = {{"==", Operation::Equal},    {"!=", Operation::NotEqual},
                                         {"<=", Operation::LessEqual}, {">=", Operation::GreaterEqual},
                                         {"<", Operation::Less},      {">", Operation::Greater}};
constexpr OperatorName kSums[] = {{"+", Operation::Add}, {"-", Operation::Subtract}};
constexpr OperatorName kProducts[] = {{"*", Operation::Multiply}, {"/", Operation::Divide}, {"%", Operation::Remainder}};

template <std::size_t count>
std::optional<Operation> OperatorAt(const Token& token, const OperatorName (&names)[count]) {
    for (const OperatorName& each : names) {
        if (token.Is(each.symbol)) return each.operation;
    }
    return std::nullopt;
}

}  // namespace

Expression* Parser::New(ExpressionKind kind, const Token& first) {
    Expression& expression = program_.expressions.emplace_back();
    expression.id = static_cast<std::uint32_t>(program_.expressions.size() - 1);
    expression.kind = kind;
    expression.at = first.at;
    return &expression;
}

void Parser::Grow(Expression* expression, const Expression* child) {
    if (child == nullptr) return;
    expression->depth = std::max(expression->depth, child->depth + 1);
    (void)TooDeep(expression->depth, expression->at);
}

Expression* Parser::Combine(ExpressionKind kind, const Token& first, Expression* a, Expression* b) {
    Expression* both = New(kind, first);
    both->a = a;
    both->b = b;
    Grow(both, a);
    Grow(both, b);
    both->at = Since(first);
    return both;
}

bool Parser::BeginsOperand(const Token& token) const {
    if (brackets_ == 0 && token.newLine) return false;
    switch (token.kind) {
        case TokenKind::Name:
        case TokenKind::Integer:
        case TokenKind::Float:
        case TokenKind::String:
        case TokenKind::Character: return true;
        case TokenKind::Keyword:
            return token.Is("true") || token.Is("false") || token.Is("nothing") || token.Is("try") || token.Is("unsafe") ||
                   token.Is("not");
        case TokenKind::Symbol:
            return token.Is("(") || token.Is("[") || token.Is(".") || token.Is("-") || token.Is("&") || token.Is("!");
        default: return false;
    }
}

// e ? d, and a..<b: the loosest.
Expression* Parser::ParseExpression() {
    const Token& first = Peek();
    ++nesting_;
    if (TooDeep(nesting_, first.at)) {
        --nesting_;
        return nullptr;
    }
    Expression* value = ParseOr();
    while (value != nullptr && At("?") && !(brackets_ == 0 && Peek().newLine)) {
        Take();
        Expression* other = ParseOr();
        if (other == nullptr) break;
        value = Combine(ExpressionKind::Default, first, value, other);
    }
    if (value != nullptr && (At("..<") || At("..="))) {
        const bool inclusive = Take().text == "..=";
        Expression* end = ParseOr();
        if (end != nullptr) {
            value = Combine(ExpressionKind::Range, first, value, end);
            value->truth = inclusive;
        }
    }
    --nesting_;
    return value;
}

Expression* Parser::ParseCondition() {
    const bool before = std::exchange(noLiteral_, true);
    Expression* condition = ParseExpression();
    noLiteral_ = before;
    return condition;
}

Expression* Parser::ParseOr() {
    const Token& first = Peek();
    Expression* left = ParseAnd();
    while (left != nullptr && (At("or") || At("||"))) {
        Take();
        Expression* right = ParseAnd();
        if (right == nullptr) return left;
        left = Combine(ExpressionKind::Or, first, left, right);
    }
    return left;
}

Expression* Parser::ParseAnd() {
    const Token& first = Peek();
    Expression* left = ParseNot();
    while (left != nullptr && (At("and") || At("&&"))) {
        Take();
        Expression* right = ParseNot();
        if (right == nullptr) return left;
        left = Combine(ExpressionKind::And, first, left, right);
    }
    return left;
}

Expression* Parser::ParseNot() {
    const Token& first = Peek();
    if (!At("not")) return ParseComparison();
    Take();
    ++nesting_;
    Expression* operand = TooDeep(nesting_, first.at) ? nullptr : ParseNot();
    --nesting_;
    return operand == nullptr ? nullptr : Combine(ExpressionKind::Not, first, operand, nullptr);
}

Expression* Parser::ParseComparison() {
    const Token& first = Peek();
    Expression* left = ParseSum();
    while (left != nullptr && !(brackets_ == 0 && Peek().newLine)) {
        const auto operation = OperatorAt(Peek(), kComparisons);
        if (!operation) break;
        Take();
        Expression* right = ParseSum();
        if (right == nullptr) return left;
        left = Combine(ExpressionKind::Binary, first, left, right);
        left->operation = *operation;
    }
    return left;
}

Expression* Parser::ParseSum() {
    const Token& first = Peek();
    Expression* left = ParseProduct();
    while (left != nullptr && !(brackets_ == 0 && Peek().newLine)) {
        const auto operation = OperatorAt(Peek(), kSums);
        if (!operation) break;
        Take();
        Expression* right = ParseProduct();
        if (right == nullptr) return left;
        left = Combine(ExpressionKind::Binary, first, left, right);
        left->operation = *operation;
    }
    return left;
}

Expression* Parser::ParseProduct() {
    const Token& first = Peek();
    Expression* left = ParseCast();
    while (left != nullptr && !(brackets_ == 0 && Peek().newLine)) {
        const auto operation = OperatorAt(Peek(), kProducts);
        if (!operation) break;
        Take();
        Expression* right = ParseCast();
        if (right == nullptr) return left;
        left = Combine(ExpressionKind::Binary, first, left, right);
        left->operation = *operation;
    }
    return left;
}

Expression* Parser::ParseCast() {
    const Token& first = Peek();
    Expression* value = ParseUnary();
    while (value != nullptr && At("as") && !(brackets_ == 0 && Peek().newLine)) {
        Take();
        TypeExpression* type = ParseType();
        if (type == nullptr) return value;
        value = Combine(ExpressionKind::Cast, first, value, nullptr);
        value->type = type;
    }
    return value;
}

Expression* Parser::ParseUnary() {
    struct Prefix {
        std::string_view symbol;
        ExpressionKind kind;
    };
    static constexpr Prefix kPrefixes[] = {{"-", ExpressionKind::Negate},
                                           {"!", ExpressionKind::Not},
                                           {"&", ExpressionKind::AddressOf},
                                           {"try", ExpressionKind::Try},
                                           {"unsafe", ExpressionKind::Unsafe}};
    const Token& first = Peek();
    for (const Prefix& prefix : kPrefixes) {
        if (!At(prefix.symbol)) continue;
        Take();
        ++nesting_;
        Expression* operand = TooDeep(nesting_, first.at) ? nullptr : ParseUnary();
        --nesting_;
        return operand == nullptr ? nullptr : Combine(prefix.kind, first, operand, nullptr);
    }
    return ParsePostfix();
}

Expression* Parser::ParsePostfix() {
    const Token& first = Peek();
    Expression* value = ParsePrimary();
    while (value != nullptr && !failed_) {
        const Token& next = Peek();
        if (AtStructLiteral(value)) {
            value = ParseStructLiteral(value, first, {});
        } else if (brackets_ == 0 && next.newLine) {
            break;
        } else if (next.Is(".") && Peek(1).kind == TokenKind::Name) {
            Take();
            Expression* member = Combine(ExpressionKind::Member, first, value, nullptr);
            member->nameAt = Peek().at;
            member->name = Take().text;
            member->at = Since(first);
            value = member;
        } else if (next.Is(".")) {
            Take();
            Unexpected("a field's name");
            return value;
        } else if (next.Is("^")) {
            Take();
            value = Combine(ExpressionKind::Dereference, first, value, nullptr);
        } else if (next.Is("[")) {
            Take();
            const Bracket inside(*this, false);
            Expression* index = ParseExpression();
            Expect("]", "an index");
            if (index == nullptr) return value;
            value = Combine(ExpressionKind::Index, first, value, index);
        } else if (next.Is("(")) {
            value = ParseCall(value, first, {});
        } else if (next.Is("!") && !Peek(1).Is("(")) {
            Take();
            value = Combine(ExpressionKind::Force, first, value, nullptr);
        } else if (next.Is("?") && !BeginsOperand(Peek(1))) {
            Take();
            value = Combine(ExpressionKind::Keep, first, value, nullptr);
        } else if (next.Is("<") && (value->kind == ExpressionKind::Name || value->kind == ExpressionKind::Member)) {
            auto types = TryTypeArguments();
            if (!types) break;
            value = At("(") ? ParseCall(value, first, std::move(*types))
                            : ParseStructLiteral(value, first, std::move(*types));
        } else {
            break;
        }
    }
    return value;
}

Expression* Parser::ParsePrimary() {
    const Token& first = Peek();
    switch (first.kind) {
        case TokenKind::Integer:
        case TokenKind::Character: {
            Expression* value = New(first.kind == TokenKind::Integer ? ExpressionKind::Integer : ExpressionKind::Character, first);
            value->integer = Take().integer;
            return value;
        }
        case TokenKind::Float: {
            Expression* value = New(ExpressionKind::Real, first);
            value->real = Take().real;
            return value;
        }
        case TokenKind::String: {
            Expression* value = New(ExpressionKind::String, first);
            value->text = program_.strings.emplace_back(Take().value);
            return value;
        }
        case TokenKind::Name: {
            if (Peek(1).Is("!") && Peek(2).Is("(") && Peek(1).begin == first.end && Peek(2).begin == Peek(1).end) {
                return ParseMacro(first);
            }
            Expression* value = New(ExpressionKind::Name, first);
            value->nameAt = first.at;
            value->name = Take().text;
            return value;
        }
        default: break;
    }
    if (At("true") || At("false")) {
        Expression* value = New(ExpressionKind::Boolean, first);
        value->truth = Take().text == "true";
        return value;
    }
    if (At("nothing")) {
        Take();
        return New(ExpressionKind::Nothing, first);
    }
    if (At("(")) return ParseBracketed();
    if (At("[")) return ParseArray();
    if (At(".") && Peek(1).kind == TokenKind::Name) {
        Take();
        Expression* value = New(ExpressionKind::EnumCase, first);
        value->nameAt = Peek().at;
        value->name = Take().text;
        value->at = Since(first);
        return value;
    }
    Unexpected("a value");
    return nullptr;
}

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
        if (quiet_) failed_ = true;
        else messages_.Error(macro->at, fmt::format("`{}!` with {} arguments", name.text, count), any ? "at least one" : "one");
        return nullptr;
    }
    return macro;
}

Expression* Parser::ParseBracketed() {
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

Expression* Parser::ParseCall(Expression* callee, const Token& first, std::vector<TypeExpression*> types) {
    Expression* call = Combine(ExpressionKind::Call, first, callee, nullptr);
    call->types = std::move(types);
    Take();
    {
        const Bracket inside(*this, false);
        while (!At(")") && !AtEnd() && !failed_) {
            Expression* argument = ParseExpression();
            if (argument == nullptr) break;
            call->list.push_back(argument);
            Grow(call, argument);
            if (!TakeIf(",")) break;
        }
        if (!Expect(")", "the arguments")) {
            SkipLine();
            return nullptr;
        }
    }
    call->at = Since(first);
    return call;
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
