#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario::detail {

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
            if (value.type->kind == TypeKind::Union && to->kind != TypeKind::Union)
                value = Unwrap(std::move(value), expression.a->at);
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
        case ReferenceKind::Procedure:
            return Value::Of(types_.Of(TypeKind::Procedure), std::uint64_t{expression.reference.index} + 1);
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
    if (field == nullptr) StopNoField(whole.type, expression.name, expression.nameAt);
    return PartOf(whole, field->type, field->offset);
}

Value Interpreter::EvaluateIndex(const Expression& expression) {
    if (const auto spot = LocateIndex(expression)) return Load(*spot, expression.at);
    const Value whole = EvaluatePlain(*expression.a);
    const std::uint64_t index = IndexOf(*expression.b);
    const Location at = expression.at;
    if (whole.type == types_.CallTrace()) {
        const auto trace = static_cast<std::uint32_t>(PartOf(whole, types_.Scalar(ScalarKind::U32), 0).bits);
        StopOutside(index, TraceLength(trace), "call trace", at);
        return TraceEntry(trace, index);
    }
    if (whole.type->kind == TypeKind::String) {
        const std::string_view text = TextOf(whole);
        StopOutside(index, text.size(), "string", at);
        return Value::Of(types_.Scalar(ScalarKind::Char), static_cast<unsigned char>(text[index]));
    }
    if (whole.type->kind == TypeKind::Array) {
        StopOutside(index, whole.type->count, "array", at);
        return PartOf(whole, whole.type->element, index * whole.type->element->size);
    }
    Stop(at, fmt::format("{} has no elements", whole.type->name), "an array, a pointer, a DynamicArray or a string");
}

// Of a value on its way, which has no address.
void Interpreter::StopOutside(std::uint64_t index, std::uint64_t count, const char* of, const Location& at) {
    if (index < count) return;
    if (expecting_ != 0) errorNames_.emplace_back("OutOfBounds");
    Stop(
        at, fmt::format("index {} is out of bounds", static_cast<std::int64_t>(index)),
        count == 0 ? fmt::format("none: this {} is empty", of) : fmt::format("0 to {}, as this {} has", count - 1, of));
}

bool Interpreter::IsTrue(const Expression& condition) {
    const Value value = Evaluate(condition);
    if (value.type->kind == TypeKind::Bool) return value.bits != 0;
    if (value.type->kind == TypeKind::Union) {
        if (IsError(value)) return false;
        // A bool in a union is asked for what it is.
        if (value.type->element != nullptr && value.type->element->kind == TypeKind::Bool)
            return Unwrap(value, condition.at).bits != 0;
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
    if (value.type->kind == TypeKind::Integer && value.bits != 0 &&
        (!value.type->isSigned || detail::Wrapped(value.type, negative) == value.bits)) {
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
    // One behind the last is all right to name.
    const bool isEnd = spot->count != 0 && spot->index == static_cast<std::int64_t>(spot->count);
    if (spot->outside && !isEnd) OutsideFailed(*spot, false, expression.at);
    return Value::Of(types_.PointerTo(spot->type), PointerTo(*spot));
}

}  // namespace residue::scenario::detail
