// Values that are written out: cases, structs, arrays, tuples, macros.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "scenario/detail/interpreter.hpp"
#include "scenario/detail/near_name.hpp"

namespace residue::scenario::detail {

Value Interpreter::EnumValue(const Type* type, std::string_view name, const Location& at) {
    const auto found = std::find(type->cases.begin(), type->cases.end(), name);
    if (found != type->cases.end()) return Value::Of(type, static_cast<std::uint64_t>(found - type->cases.begin()));
    NearName near(name);
    for (const std::string_view each : type->cases) near.Offer(each);
    Stop(at, fmt::format("{} has no case `{}`", type->name, name), "", near.Hint());
}

void Interpreter::StopNoField(const Type* type, std::string_view name, const Location& at) {
    NearName near(name);
    for (const Field& field : type->fields) near.Offer(field.name);
    const std::string list = FieldList(type);
    Stop(at, fmt::format("{} has no field `{}`", type->name, name), list.empty() ? "a struct" : list, near.Hint());
}

Value Interpreter::EvaluateStruct(const Expression& expression) {
    const Type* type = Resolve(expression.type);
    if (type->kind != TypeKind::Struct)
        Stop(expression.nameAt, fmt::format("{} has no fields", type->name), "a struct");
    if (HoldsIncomplete(type)) Stop(expression.at, fmt::format("{} is not known as a whole here", type->name));
    Value value = Value::Zero(type);
    std::vector<bool> given(type->fields.size());
    for (const FieldValue& each : expression.fields) {
        const Field* field = type->Find(each.name);
        // The document writes Alloc where its struct has Allocate.
        if (field == nullptr && each.name == "Alloc") field = type->Find("Allocate");
        if (field == nullptr) StopNoField(type, each.name, each.at);
        if (field->type->kind == TypeKind::Unknown)
            Stop(each.at, fmt::format("the type of `{}` is not known", each.name), "type arguments");
        given[static_cast<std::size_t>(field - type->fields.data())] = true;
        StoreValue(Coerce(EvaluateMoving(*each.value, field->type), field->type, each.value->at),
                   value.bytes.data() + field->offset);
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        const Field& field = type->fields[i];
        if (given[i]) continue;
        if (field.type->kind == TypeKind::Pointer) {
            Stop(expression.at, fmt::format("the field `{}` of {} has no value", field.name, type->name),
                 "a value: pointers have no zero");
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
        if (!number.type->IsInteger() || (number.Signed() < 0))
            Stop(expression.a->at, "the count of an array", "a number from 0 on");
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
    if (element == nullptr)
        Stop(expression.at, "an array of what?", "at least one element, or a type after the variable's name");
    const Type* type = types_.ArrayOf(element, count);
    if (type == nullptr || type->size > options_.memoryBudget) {
        End(Ending::MemoryBudget, fmt::format("an array of {} elements of {} bytes", count, element->size),
            fmt::format("at most {} bytes", options_.memoryBudget));
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
    const bool asked =
        want != nullptr && want->kind == TypeKind::Tuple && want->fields.size() == expression.list.size();
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
    if (type == nullptr)
        Stop(expression.at, "this tuple is too large", fmt::format("at most {} bytes", kMostTypeBytes));
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
            Append(text, EvaluateShown(*expression.list[0]), 0);
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
                return Unsigned(
                    TraceLength(static_cast<std::uint32_t>(PartOf(value, types_.Scalar(ScalarKind::U32), 0).bits)));
            }
            Stop(expression.at, fmt::format("{} has no length", value.type->name),
                 "an array, a DynamicArray, a string or a call trace");
        }
        case MacroKind::Least:
        case MacroKind::Most: {
            Value best = EvaluatePlain(*expression.list[0], want);
            for (std::size_t i = 1; i < expression.list.size(); ++i) {
                Value other = EvaluatePlain(*expression.list[i], want);
                const auto operation = expression.macro == MacroKind::Least ? Operation::Less : Operation::Greater;
                // Both come to one type first: that of the one that has one.
                if (best.type->kind == TypeKind::UntypedInteger && other.type->kind == TypeKind::Integer)
                    best = Coerce(std::move(best), other.type, expression.at);
                else if (other.type->kind == TypeKind::UntypedInteger && best.type->kind == TypeKind::Integer)
                    other = Coerce(std::move(other), best.type, expression.at);
                if (Compare(operation, other, best, expression.at).bits != 0) best = std::move(other);
            }
            return best;
        }
    }
    return Value::Of(types_.Of(TypeKind::Void), 0);
}

}  // namespace residue::scenario::detail
