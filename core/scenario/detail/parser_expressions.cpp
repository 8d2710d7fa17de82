#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/parser.hpp"

namespace residue::scenario::detail {
namespace {

struct OperatorName {
    std::string_view symbol;
    Operation operation;
};
constexpr OperatorName kComparisons[] = {{"==", Operation::Equal},     {"!=", Operation::NotEqual},
                                         {"<=", Operation::LessEqual}, {">=", Operation::GreaterEqual},
                                         {"<", Operation::Less},       {">", Operation::Greater}};
constexpr OperatorName kSums[] = {{"+", Operation::Add}, {"-", Operation::Subtract}};
constexpr OperatorName kProducts[] = {
    {"*", Operation::Multiply}, {"/", Operation::Divide}, {"%", Operation::Remainder}};

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
            return token.Is("true") || token.Is("false") || token.Is("nothing") || token.Is("try") ||
                   token.Is("unsafe") || token.Is("not");
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
            Expression* value =
                New(first.kind == TokenKind::Integer ? ExpressionKind::Integer : ExpressionKind::Character, first);
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

}  // namespace residue::scenario::detail
