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

Value Interpreter::Evaluate(const Expression& expression, const Type* want) {
    const Deeper deeper(*this, expression.at);
    return EvaluateKind(expression, want);
}

Value Interpreter::EvaluateKind(const Expression& expression, const Type* want) {
    switch (expression.kind) {
        case ExpressionKind::Integer:
            if (expression.integer > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                return Value::Of(types_.Scalar(ScalarKind::U64), expression.integer);
            }
            return Value::Of(types_.Of(TypeKind::UntypedInteger), expression.integer);
        case ExpressionKind::Real: return Value::OfReal(types_.Of(TypeKind::UntypedReal), expression.real);
        case ExpressionKind::String: return StringValue(expression.text);
        case ExpressionKind::Character: return Value::Of(types_.Scalar(ScalarKind::Char), expression.integer);
        case ExpressionKind::Boolean: return Boolean(expression.truth);
        case ExpressionKind::Nothing: return Value::Of(types_.Of(TypeKind::Nothing), 0);
        case ExpressionKind::EnumCase:
            if (want != nullptr && want->kind == TypeKind::Enum) return EnumValue(want, expression.name, expression.at);
            return Value::Of(types_.Of(TypeKind::Shorthand), reinterpret_cast<std::uint64_t>(&expression));
        case ExpressionKind::Name: return EvaluateName(expression);
        case ExpressionKind::Member: return EvaluateMember(expression);
        case ExpressionKind::Index: return EvaluateIndex(expression);
        case ExpressionKind::Dereference: {
            const auto spot = Locate(expression);
            return Load(*spot, expression.at);
        }
        case ExpressionKind::Call: return EvaluateCall(expression, want);
        case ExpressionKind::Macro: return EvaluateMacro(expression, want);
        case ExpressionKind::Negate: return EvaluateNegate(expression, want);
        case ExpressionKind::Not: return Boolean(!IsTrue(*expression.a));
        case ExpressionKind::AddressOf: return EvaluateAddress(expression);
        case ExpressionKind::Binary: return EvaluateBinary(expression, want);
        case ExpressionKind::And: return Boolean(IsTrue(*expression.a) && IsTrue(*expression.b));
        case ExpressionKind::Or: return Boolean(IsTrue(*expression.a) || IsTrue(*expression.b));
        case ExpressionKind::Default: return EvaluateDefault(expression, want);
        case ExpressionKind::Keep: return Evaluate(*expression.a, want);
        case ExpressionKind::Force: {
            Value value = Evaluate(*expression.a);
            return value.type->kind == TypeKind::Union ? Unwrap(std::move(value), expression.at) : value;
        }
        case ExpressionKind::Try: return EvaluateTry(expression, want);
        case ExpressionKind::Unsafe: return Evaluate(*expression.a, want);
        case ExpressionKind::Cast: {
            const Type* to = Resolve(expression.type);
            Value value = Evaluate(*expression.a, to->kind == TypeKind::Enum ? to : nullptr);
            if (value.type->kind == TypeKind::Union && to->kind != TypeKind::Union) value = Unwrap(std::move(value), expression.a->at);
            return Cast(value, to, expression.at);
        }
        case ExpressionKind::StructLiteral: return EvaluateStruct(expression);
        case ExpressionKind::ArrayLiteral:
        case ExpressionKind::ArrayFill: return EvaluateArray(expression, want);
        case ExpressionKind::Tuple: return EvaluateTuple(expression, want);
        case ExpressionKind::Range: Stop(expression.at, "a range is no value", "a range only in `for`");
    }
    return Value::Of(types_.Of(TypeKind::Void), 0);
}

Value Interpreter::EvaluateName(const Expression& expression) {
    switch (expression.reference.kind) {
        case ReferenceKind::Local:
        case ReferenceKind::Global: {
            const auto spot = Locate(expression);
            CheckOwned(*spot->slot, expression);
            Charge(spot->type->size / 64);
            return LoadValue(spot->type, memory_.Real(spot->address));
        }
        case ReferenceKind::Procedure: return Value::Of(types_.Of(TypeKind::Procedure), std::uint64_t{expression.reference.index} + 1);
        case ReferenceKind::Library: {
            const LibraryEntry& entry = kLibrary[expression.reference.index];
            if (entry.kind == LibraryKind::Value) return LibraryValue(entry.id, expression.at);
            return Value::Of(types_.Of(TypeKind::Procedure), kFrameTag | static_cast<std::uint64_t>(entry.id));
        }
        default: Stop(expression.at, fmt::format("`{}` has no value", expression.name));
    }
}

Value Interpreter::EvaluateMember(const Expression& expression) {
    if (expression.reference.kind != ReferenceKind::None) {  // of a module
        Expression name = expression;
        name.kind = ExpressionKind::Name;
        return EvaluateName(name);
    }
    const Reference owner = expression.a->reference;
    const bool isType = owner.kind == ReferenceKind::Enum ||
                        (owner.kind == ReferenceKind::Library && kLibrary[owner.index].kind == LibraryKind::Type);
    if (isType) {
        TypeExpression type;
        type.reference = owner;
        type.at = expression.a->at;
        return EnumValue(ResolveNamed(type), expression.name, expression.nameAt);
    }
    if (const auto spot = Locate(expression)) return Load(*spot, expression.at);
    Value whole = EvaluatePlain(*expression.a);
    if (whole.type->kind == TypeKind::Pointer) {
        whole = Load(SpotOfPointer(whole, expression), expression.at);
    }
    const Field* field = whole.type->kind == TypeKind::Struct ? whole.type->Find(expression.name) : nullptr;
    if (field == nullptr) {
        NearName near(expression.name);
        for (const Field& each : whole.type->fields) near.Offer(each.name);
        Stop(expression.nameAt, fmt::format("{} has no field `{}`", whole.type->name, expression.name), "", near.Hint());
    }
    return PartOf(whole, field->type, field->offset);
}

Value Interpreter::EvaluateIndex(const Expression& expression) {
    if (const auto spot = LocateIndex(expression)) return Load(*spot, expression.at);
    const Value whole = EvaluatePlain(*expression.a);
    const std::uint64_t index = IndexOf(*expression.b);
    const Location at = expression.at;
    if (whole.type == types_.CallTrace()) {
        const auto trace = static_cast<std::uint32_t>(PartOf(whole, types_.Scalar(ScalarKind::U32), 0).bits);
        if (index >= TraceLength(trace)) Stop(at, fmt::format("this call trace has {} entries", TraceLength(trace)), "a smaller index");
        return TraceEntry(trace, index);
    }
    if (whole.type->kind == TypeKind::String) {
        const std::string_view text = TextOf(whole);
        if (index >= text.size()) Stop(at, fmt::format("this string has {} bytes", text.size()), "a smaller index");
        return Value::Of(types_.Scalar(ScalarKind::Char), static_cast<unsigned char>(text[index]));
    }
    if (whole.type->kind == TypeKind::Array) {
        if (index >= whole.type->count) Stop(at, fmt::format("this array has {} elements", whole.type->count), "a smaller index");
        return PartOf(whole, whole.type->element, index * whole.type->element->size);
    }
    Stop(at, fmt::format("{} has no elements", whole.type->name), "an array, a pointer, a DynamicArray or a string");
}

bool Interpreter::IsTrue(const Expression& condition) {
    const Value value = Evaluate(condition);
    if (value.type->kind == TypeKind::Bool) return value.bits != 0;
    if (value.type->kind == TypeKind::Union) {
        if (IsError(value)) return false;
        // A bool in a union is asked for what it is.
        if (value.type->element != nullptr && value.type->element->kind == TypeKind::Bool) return Unwrap(value, condition.at).bits != 0;
        return true;
    }
    Stop(condition.at, fmt::format("this is {}", value.type->name), "true or false: a bool, or a result to test");
}

Value Interpreter::EvaluateTry(const Expression& expression, const Type* want) {
    const Type* result = Top().result;
    // The operand's own type, even where it is kept: try takes it apart.
    Value value = Evaluate(*expression.a, want);
    if (value.type->kind != TypeKind::Union) return value;
    if (!IsError(value)) return Unwrap(std::move(value), expression.at);
    if (Top().procedure == nullptr || result == nullptr || result->kind != TypeKind::Union) {
        Stop(expression.at, fmt::format("this failed with {}, and nobody takes the error", ErrorName(value)));
    }
    returned_ = Coerce(std::move(value), result, expression.at);
    throw TryReturn{};
}

Value Interpreter::EvaluateDefault(const Expression& expression, const Type* want) {
    Value value = Evaluate(*expression.a);
    if (value.type->kind != TypeKind::Union) return value;
    if (!IsError(value)) return Unwrap(std::move(value), expression.at);
    const Type* element = value.type->element;
    Value other = EvaluatePlain(*expression.b, element != nullptr ? element : want);
    return element != nullptr ? Coerce(std::move(other), element, expression.b->at) : other;
}

Value Interpreter::EvaluateNegate(const Expression& expression, const Type* want) {
    Value value = EvaluatePlain(*expression.a, want);
    if (value.type->IsReal()) return Value::OfReal(value.type, -value.Real());
    if (!value.type->IsInteger()) Stop(expression.at, fmt::format("{} has no negative", value.type->name), "a number");
    const std::uint64_t negative = std::uint64_t{0} - value.bits;
    // 9223372036854775808 is no i64, its negative is one.
    const bool literal = expression.a->kind == ExpressionKind::Integer && value.bits == std::uint64_t{1} << 63;
    if (literal) return Value::Of(types_.Of(TypeKind::UntypedInteger), negative);
    if (value.type->kind == TypeKind::Integer && value.bits != 0 && (!value.type->isSigned || detail::Wrapped(value.type, negative) == value.bits)) {
        Overflowed(expression.at, value.type);
    }
    value.bits = value.type->kind == TypeKind::Integer ? detail::Wrapped(value.type, negative) : negative;
    return value;
}

Value Interpreter::EvaluateAddress(const Expression& expression) {
    const Expression& of = *expression.a;
    if (of.kind == ExpressionKind::Name && of.reference.kind == ReferenceKind::Library &&
        kLibrary[of.reference.index].id == LibraryId::GlobalAllocatorValue) {
        return GlobalAllocatorPointer(of.at);
    }
    if (of.kind == ExpressionKind::Member && of.reference.kind == ReferenceKind::Library &&
        kLibrary[of.reference.index].id == LibraryId::GlobalAllocatorValue) {
        return GlobalAllocatorPointer(of.at);
    }
    const auto spot = Locate(of);
    if (!spot) Stop(expression.at, "this has no address", "a variable, a field or an element after `&`");
    if (spot->outside) {  // one behind the last is all right to name
        AccessFailed(spot->address, spot->type->size, false, 0, false, expression.at);
    }
    return Value::Of(types_.PointerTo(spot->type), PointerTo(*spot));
}

Value Interpreter::EvaluateBinary(const Expression& expression, const Type* want) {
    const bool compares = expression.operation >= Operation::Equal;
    Value left = Evaluate(*expression.a, compares ? nullptr : want);
    if (left.type->kind == TypeKind::Union && !compares) left = Unwrap(std::move(left), expression.a->at);
    const Type* hint = left.type->kind == TypeKind::Union ? left.type->error : left.type->HasSize() ? left.type : nullptr;
    Value right = Evaluate(*expression.b, hint);
    if (!compares) return Binary(expression.operation, std::move(left), Plain(std::move(right), expression.b->at), expression.at);
    return Compare(expression.operation, std::move(left), std::move(right), expression.at);
}

Value Interpreter::Binary(Operation operation, Value left, Value right, const Location& at) {
    if (left.type->IsInteger() && right.type->IsInteger()) return BinaryInteger(operation, left, right, at);
    const bool numbers = (left.type->IsReal() || left.type->IsInteger()) && (right.type->IsReal() || right.type->IsInteger());
    if (numbers && operation != Operation::Remainder) {
        const Type* f64 = types_.Scalar(ScalarKind::F64);
        const bool mixed = (left.type->kind == TypeKind::Integer) || (right.type->kind == TypeKind::Integer);
        if (!mixed) {
            const Type* type = left.type->kind == TypeKind::Float ? left.type : right.type->kind == TypeKind::Float ? right.type : left.type->IsReal() ? left.type : right.type;
            Value result = BinaryReal(operation, left.type->IsReal() ? left : Coerce(left, f64, at), right.type->IsReal() ? right : Coerce(right, f64, at));
            result.type = type;
            return result;
        }
    }
    std::string hint;
    if (left.type->kind == TypeKind::Pointer || right.type->kind == TypeKind::Pointer) hint = "an element behind a pointer is p[i], its address &p[i]";
    Stop(at, fmt::format("{} {} {} means nothing", left.type->name, SignOf(operation), right.type->name),
         "two integers or two reals; `as` makes one of the other", hint);
}

Value Interpreter::BinaryReal(Operation operation, const Value& left, const Value& right) {
    double result = 0;
    switch (operation) {
        case Operation::Add: result = left.Real() + right.Real(); break;
        case Operation::Subtract: result = left.Real() - right.Real(); break;
        case Operation::Multiply: result = left.Real() * right.Real(); break;
        default: result = right.Real() == 0 ? (left.Real() == 0 ? std::numeric_limits<double>::quiet_NaN() : std::copysign(std::numeric_limits<double>::infinity(), left.Real())) : left.Real() / right.Real(); break;
    }
    return Value::OfReal(left.type, result);
}

// The type of the result: that of the one that has one; the larger of two, of equal ones the left.
Value Interpreter::BinaryInteger(Operation operation, const Value& left, const Value& right, const Location& at) {
    const bool leftTyped = left.type->kind == TypeKind::Integer;
    const bool rightTyped = right.type->kind == TypeKind::Integer;
    const Type* type = !leftTyped ? right.type : !rightTyped || right.type->size <= left.type->size ? left.type : right.type;
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
        if (result != static_cast<__int128>(static_cast<std::int64_t>(bits))) Stop(at, "this number is too large", "at most 9223372036854775807");
        return Value::Of(type, bits);
    }
    const std::uint64_t wrapped = detail::Wrapped(type, bits);
    const __int128 back = type->isSigned ? static_cast<__int128>(static_cast<std::int64_t>(wrapped)) : static_cast<__int128>(wrapped);
    if (back != result) Overflowed(at, type);
    return Value::Of(type, wrapped);
}

Value Interpreter::Compare(Operation operation, Value left, Value right, const Location& at) {
    const bool isEquality = operation == Operation::Equal || operation == Operation::NotEqual;
    // A result is compared with an error's name as the error that it is.
    for (Value* side : {&left, &right}) {
        Value& other = side == &left ? right : left;
        if (side->type->kind != TypeKind::Union) continue;
        const bool nameOfError = other.type->kind == TypeKind::Shorthand || (side->type->error != nullptr && other.type == side->type->error);
        if (nameOfError && side->type->error != nullptr) {
            if (!IsError(*side)) return Boolean(operation == Operation::NotEqual);
            *side = PartOf(*side, side->type->error, side->type->payload);
        } else if (other.type->kind == TypeKind::Nothing) {
            return Boolean(IsError(*side) == (operation == Operation::Equal));
        } else {
            *side = Unwrap(std::move(*side), at);
        }
    }
    if (left.type->kind == TypeKind::Shorthand && right.type->kind == TypeKind::Enum) left = Coerce(std::move(left), right.type, at);
    if (right.type->kind == TypeKind::Shorthand && left.type->kind == TypeKind::Enum) right = Coerce(std::move(right), left.type, at);
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
    const bool same = left.type == right.type && (kind == TypeKind::Bool || kind == TypeKind::Enum || kind == TypeKind::Procedure);
    if (ordered || (same && isEquality)) return Boolean(Holds(operation, OrderOf(left.bits, right.bits)));
    Stop(at, fmt::format("{} {} {} cannot be compared", left.type->name, SignOf(operation), right.type->name));
}

Value Interpreter::EnumValue(const Type* type, std::string_view name, const Location& at) {
    const auto found = std::find(type->cases.begin(), type->cases.end(), name);
    if (found != type->cases.end()) return Value::Of(type, static_cast<std::uint64_t>(found - type->cases.begin()));
    NearName near(name);
    for (const std::string_view each : type->cases) near.Offer(each);
    Stop(at, fmt::format("{} has no case `{}`", type->name, name), "", near.Hint());
}

Value Interpreter::EvaluateStruct(const Expression& expression) {
    const Type* type = Resolve(expression.type);
    if (type->kind != TypeKind::Struct) Stop(expression.nameAt, fmt::format("{} has no fields", type->name), "a struct");
    if (HoldsIncomplete(type)) Stop(expression.at, fmt::format("{} is not known as a whole here", type->name));
    Value value = Value::Zero(type);
    std::vector<bool> given(type->fields.size());
    for (const FieldValue& each : expression.fields) {
        const Field* field = type->Find(each.name);
        // The document writes Alloc where its struct has Allocate.
        if (field == nullptr && each.name == "Alloc") field = type->Find("Allocate");
        if (field == nullptr) {
            NearName near(each.name);
            for (const Field& known : type->fields) near.Offer(known.name);
            Stop(each.at, fmt::format("{} has no field `{}`", type->name, each.name), "", near.Hint());
        }
        if (field->type->kind == TypeKind::Unknown) Stop(each.at, fmt::format("the type of `{}` is not known", each.name), "type arguments");
        given[static_cast<std::size_t>(field - type->fields.data())] = true;
        StoreValue(Coerce(EvaluateMoving(*each.value, field->type), field->type, each.value->at), value.bytes.data() + field->offset);
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        const Field& field = type->fields[i];
        if (given[i]) continue;
        if (field.type->kind == TypeKind::Pointer) {
            Stop(expression.at, fmt::format("the field `{}` of {} has no value", field.name, type->name), "a value: pointers have no zero");
        }
    }
    return value;
}

Value Interpreter::EvaluateArray(const Expression& expression, const Type* want) {
    const Type* element = want != nullptr && want->kind == TypeKind::Array ? want->element : nullptr;
    const bool isFill = expression.kind == ExpressionKind::ArrayFill;
    std::vector<Value> values;
    std::uint64_t count = expression.list.size();
    if (isFill) {
        const Value number = EvaluatePlain(*expression.a);
        if (!number.type->IsInteger() || (number.Signed() < 0)) Stop(expression.a->at, "the count of an array", "a number from 0 on");
        count = number.bits;
    }
    const auto settle = [&](const Expression& each) {
        Value value = EvaluateMoving(each, element);
        value = element != nullptr ? Coerce(std::move(value), element, each.at) : Settled(std::move(value), each);
        element = value.type;
        return value;
    };
    if (isFill) values.push_back(settle(*expression.b));
    for (const Expression* each : expression.list) values.push_back(settle(*each));
    if (element == nullptr) Stop(expression.at, "an array of what?", "at least one element, or a type after the variable's name");
    const Type* type = types_.ArrayOf(element, count);
    if (type == nullptr || type->size > options_.memoryBudget) {
        End(Ending::MemoryBudget, fmt::format("an array of {} elements of {} bytes", count, element->size), fmt::format("at most {} bytes", options_.memoryBudget));
    }
    Charge(type->size / 16);
    ThrowIfHalted();
    Value whole = Value::Zero(type);
    for (std::uint64_t i = 0; i < count; ++i) {
        StoreValue(values[isFill ? 0 : static_cast<std::size_t>(i)], whole.bytes.data() + i * element->size);
    }
    return whole;
}

Value Interpreter::EvaluateTuple(const Expression& expression, const Type* want) {
    const bool asked = want != nullptr && want->kind == TypeKind::Tuple && want->fields.size() == expression.list.size();
    std::vector<Value> values;
    std::vector<const Type*> parts;
    for (std::size_t i = 0; i < expression.list.size(); ++i) {
        const Expression& each = *expression.list[i];
        const Type* part = asked ? want->fields[i].type : nullptr;
        Value value = EvaluateMoving(each, part);
        values.push_back(part != nullptr ? Coerce(std::move(value), part, each.at) : Settled(std::move(value), each));
        parts.push_back(values.back().type);
    }
    const Type* type = types_.TupleOf(parts);
    if (type == nullptr) Stop(expression.at, "this tuple is too large", fmt::format("at most {} bytes", kMostTypeBytes));
    Value tuple = Value::Zero(type);
    for (std::size_t i = 0; i < values.size(); ++i) StoreValue(values[i], tuple.bytes.data() + type->fields[i].offset);
    return tuple;
}

Value Interpreter::EvaluateMacro(const Expression& expression, const Type* want) {
    switch (expression.macro) {
        case MacroKind::SizeOf: {
            const Type* type = Resolve(expression.types[0]);
            if (!type->HasSize()) Stop(expression.at, fmt::format("{} has no size", type->name));
            return Unsigned(type->size);
        }
        case MacroKind::ToString: {
            std::string text;
            Append(text, Evaluate(*expression.list[0]), 0);
            return StringValue(text);
        }
        case MacroKind::Length: {
            const auto spot = LocateThrough(*expression.list[0]);
            if (spot && spot->type->arrayElement != nullptr) return Unsigned(ReadField(*spot, "size"));
            if (spot && spot->type->kind == TypeKind::Array) return Unsigned(spot->type->count);
            const Value value = spot ? Load(*spot, expression.at) : EvaluatePlain(*expression.list[0]);
            if (value.type->kind == TypeKind::Array) return Unsigned(value.type->count);
            if (value.type->kind == TypeKind::String) return Unsigned(TextOf(value).size());
            if (value.type == types_.CallTrace()) {
                return Unsigned(TraceLength(static_cast<std::uint32_t>(PartOf(value, types_.Scalar(ScalarKind::U32), 0).bits)));
            }
            Stop(expression.at, fmt::format("{} has no length", value.type->name), "an array, a DynamicArray, a string or a call trace");
        }
        case MacroKind::Least:
        case MacroKind::Most: {
            Value best = EvaluatePlain(*expression.list[0], want);
            for (std::size_t i = 1; i < expression.list.size(); ++i) {
                Value other = EvaluatePlain(*expression.list[i], want);
                const auto operation = expression.macro == MacroKind::Least ? Operation::Less : Operation::Greater;
                // Both come to one type first: that of the one that has one.
                if (best.type->kind == TypeKind::UntypedInteger && other.type->kind == TypeKind::Integer) best = Coerce(std::move(best), other.type, expression.at);
                else if (other.type->kind == TypeKind::UntypedInteger && best.type->kind == TypeKind::Integer) other = Coerce(std::move(other), best.type, expression.at);
                if (Compare(operation, other, best, expression.at).bits != 0) best = std::move(other);
            }
            return best;
        }
    }
    return Value::Of(types_.Of(TypeKind::Void), 0);
}

}  // namespace residue::scenario::detail
