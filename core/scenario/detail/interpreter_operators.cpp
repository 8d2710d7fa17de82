// Arithmetic and comparison.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "scenario/detail/interpreter.hpp"
#include "scenario/detail/near_name.hpp"

namespace residue::scenario::detail {
namespace {

const char* SignOf(Operation operation) {
    static constexpr const char* kSigns[] = {"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="};
    return kSigns[static_cast<std::size_t>(operation)];
}

bool Holds(Operation operation, int order) {
    switch (operation) {
        case Operation::Equal: return order == 0;
        case Operation::NotEqual: return order != 0;
        case Operation::Less: return order < 0;
        case Operation::LessEqual: return order <= 0;
        case Operation::Greater: return order > 0;
        default: return order >= 0;
    }
}

template <class T>
int OrderOf(T a, T b) {
    return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

Value Interpreter::EvaluateBinary(const Expression& expression, const Type* want) {
    const bool compares = expression.operation >= Operation::Equal;
    Value left = Evaluate(*expression.a, compares ? nullptr : want);
    if (left.type->kind == TypeKind::Union && !compares) left = Unwrap(std::move(left), expression.a->at);
    const Type* hint = left.type->kind == TypeKind::Union ? left.type->error
                       : left.type->HasSize()             ? left.type
                                                          : nullptr;
    Value right = Evaluate(*expression.b, hint);
    if (!compares)
        return Binary(expression.operation, std::move(left), Plain(std::move(right), expression.b->at), expression.at);
    return Compare(expression.operation, std::move(left), std::move(right), expression.at);
}

Value Interpreter::Binary(Operation operation, Value left, Value right, const Location& at) {
    if (left.type->IsInteger() && right.type->IsInteger()) return BinaryInteger(operation, left, right, at);
    const bool numbers =
        (left.type->IsReal() || left.type->IsInteger()) && (right.type->IsReal() || right.type->IsInteger());
    if (numbers && operation != Operation::Remainder) {
        const Type* f64 = types_.Scalar(ScalarKind::F64);
        const bool mixed = (left.type->kind == TypeKind::Integer) || (right.type->kind == TypeKind::Integer);
        if (!mixed) {
            const Type* type = left.type->kind == TypeKind::Float    ? left.type
                               : right.type->kind == TypeKind::Float ? right.type
                               : left.type->IsReal()                 ? left.type
                                                                     : right.type;
            Value result = BinaryReal(operation, left.type->IsReal() ? left : Coerce(left, f64, at),
                                      right.type->IsReal() ? right : Coerce(right, f64, at));
            result.type = type;
            return result;
        }
    }
    std::string hint;
    if (left.type->kind == TypeKind::Pointer || right.type->kind == TypeKind::Pointer)
        hint = "an element behind a pointer is p[i], its address &p[i]";
    Stop(at, fmt::format("{} {} {} means nothing", left.type->name, SignOf(operation), right.type->name),
         "two integers or two reals; `as` makes one of the other", hint);
}

Value Interpreter::BinaryReal(Operation operation, const Value& left, const Value& right) {
    double result = 0;
    switch (operation) {
        case Operation::Add: result = left.Real() + right.Real(); break;
        case Operation::Subtract: result = left.Real() - right.Real(); break;
        case Operation::Multiply: result = left.Real() * right.Real(); break;
        default:
            result = right.Real() == 0
                         ? (left.Real() == 0 ? std::numeric_limits<double>::quiet_NaN()
                                             : std::copysign(std::numeric_limits<double>::infinity(), left.Real()))
                         : left.Real() / right.Real();
            break;
    }
    return Value::OfReal(left.type, result);
}

// The type of the result: that of the one that has one; the larger of two, of equal ones the left.
Value Interpreter::BinaryInteger(Operation operation, const Value& left, const Value& right, const Location& at) {
    const bool leftTyped = left.type->kind == TypeKind::Integer;
    const bool rightTyped = right.type->kind == TypeKind::Integer;
    const Type* type = !leftTyped                                           ? right.type
                       : !rightTyped || right.type->size <= left.type->size ? left.type
                                                                            : right.type;
    const auto wide = [](const Value& value) -> __int128 {
        const bool isSigned = value.type->kind == TypeKind::UntypedInteger || value.type->isSigned;
        return isSigned ? static_cast<__int128>(value.Signed()) : static_cast<__int128>(value.bits);
    };
    const __int128 a = wide(left);
    const __int128 b = wide(right);
    __int128 result = 0;
    switch (operation) {
        case Operation::Add: result = a + b; break;
        case Operation::Subtract: result = a - b; break;
        case Operation::Multiply:
            // Two numbers of 64 bits: the product may pass 127.
            if (__builtin_mul_overflow(a, b, &result)) {
                Overflowed(at, type);
                result = static_cast<__int128>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
            }
            break;
        default:
            if (b == 0) Stop(at, "a division by zero", "a divisor that is not 0");
            result = operation == Operation::Divide ? a / b : a % b;
            break;
    }
    const auto bits = static_cast<std::uint64_t>(result);
    if (type->kind == TypeKind::UntypedInteger) {
        if (result != static_cast<__int128>(static_cast<std::int64_t>(bits)))
            Stop(at, "this number is too large", "at most 9223372036854775807");
        return Value::Of(type, bits);
    }
    const std::uint64_t wrapped = detail::Wrapped(type, bits);
    const __int128 back =
        type->isSigned ? static_cast<__int128>(static_cast<std::int64_t>(wrapped)) : static_cast<__int128>(wrapped);
    if (back != result) Overflowed(at, type);
    return Value::Of(type, wrapped);
}

Value Interpreter::Compare(Operation operation, Value left, Value right, const Location& at) {
    const bool isEquality = operation == Operation::Equal || operation == Operation::NotEqual;
    // A result is compared with an error's name as the error that it is.
    for (Value* side : {&left, &right}) {
        Value& other = side == &left ? right : left;
        if (side->type->kind != TypeKind::Union) continue;
        const bool nameOfError = other.type->kind == TypeKind::Shorthand ||
                                 (side->type->error != nullptr && other.type == side->type->error);
        if (nameOfError && side->type->error != nullptr) {
            if (!IsError(*side)) return Boolean(operation == Operation::NotEqual);
            *side = PartOf(*side, side->type->error, side->type->payload);
        } else if (other.type->kind == TypeKind::Nothing) {
            return Boolean(IsError(*side) == (operation == Operation::Equal));
        } else {
            *side = Unwrap(std::move(*side), at);
        }
    }
    if (left.type->kind == TypeKind::Shorthand && right.type->kind == TypeKind::Enum)
        left = Coerce(std::move(left), right.type, at);
    if (right.type->kind == TypeKind::Shorthand && left.type->kind == TypeKind::Enum)
        right = Coerce(std::move(right), left.type, at);
    const TypeKind kind = left.type->kind;
    if (left.type->IsInteger() && right.type->IsInteger()) {
        const auto wide = [](const Value& value) -> __int128 {
            const bool isSigned = value.type->kind == TypeKind::UntypedInteger || value.type->isSigned;
            return isSigned ? static_cast<__int128>(value.Signed()) : static_cast<__int128>(value.bits);
        };
        return Boolean(Holds(operation, OrderOf(wide(left), wide(right))));
    }
    if (left.type->IsReal() || right.type->IsReal()) {
        const Type* f64 = types_.Scalar(ScalarKind::F64);
        if (left.type->IsInteger()) left = Coerce(std::move(left), f64, at);
        if (right.type->IsInteger()) right = Coerce(std::move(right), f64, at);
        if (left.type->IsReal() && right.type->IsReal()) {
            const double a = left.Real();
            const double b = right.Real();
            if (std::isnan(a) || std::isnan(b)) return Boolean(operation == Operation::NotEqual);
            return Boolean(Holds(operation, OrderOf(a, b)));
        }
    }
    if (kind == TypeKind::Pointer && right.type->kind == TypeKind::Pointer) {
        return Boolean(Holds(operation, OrderOf(detail::AddressOf(left.bits), detail::AddressOf(right.bits))));
    }
    if (kind == TypeKind::String && right.type->kind == TypeKind::String) {
        return Boolean(Holds(operation, TextOf(left).compare(TextOf(right))));
    }
    const bool ordered = kind == TypeKind::Char && right.type->kind == TypeKind::Char;
    const bool same =
        left.type == right.type && (kind == TypeKind::Bool || kind == TypeKind::Enum || kind == TypeKind::Procedure);
    if (ordered || (same && isEquality)) return Boolean(Holds(operation, OrderOf(left.bits, right.bits)));
    Stop(at, fmt::format("{} {} {} cannot be compared", left.type->name, SignOf(operation), right.type->name));
}

}  // namespace residue::scenario::detail
