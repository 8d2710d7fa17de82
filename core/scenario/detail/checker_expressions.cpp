// The types that values will have.
#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/checker.hpp"
#include "scenario/detail/near_name.hpp"

namespace residue::scenario::detail {

void Checker::Visit(const Expression& expression) {
    (void)TypeOf(expression);
}

const Type* Checker::TypeOf(const Expression& expression, const Type* want) {
    switch (expression.kind) {
        case ExpressionKind::Integer:
            return expression.integer > ~std::uint64_t{0} >> 1 ? types_.Scalar(ScalarKind::U64)
                                                               : types_.Of(TypeKind::UntypedInteger);
        case ExpressionKind::Real: return types_.Of(TypeKind::UntypedReal);
        case ExpressionKind::String: return types_.Scalar(ScalarKind::String);
        case ExpressionKind::Character: return types_.Scalar(ScalarKind::Char);
        case ExpressionKind::Boolean: return types_.Boolean();
        case ExpressionKind::Nothing: return types_.Of(TypeKind::Nothing);
        case ExpressionKind::EnumCase: return types_.Of(TypeKind::Shorthand);
        case ExpressionKind::Name: return NameType(expression);
        case ExpressionKind::Member: return MemberType(expression);
        case ExpressionKind::Index: return IndexType(expression);
        case ExpressionKind::Dereference: {
            const Type* pointer = Known(PlainOf(*expression.a));
            if (pointer == nullptr) return nullptr;
            if (pointer->kind == TypeKind::Pointer) return Known(pointer->element);
            Wrong(expression.at, pointer, "a pointer before `^`");
            return nullptr;
        }
        case ExpressionKind::Call: return CallType(expression, want);
        case ExpressionKind::Macro: return MacroType(expression);
        case ExpressionKind::Negate: return NegateType(expression, want);
        case ExpressionKind::Not: CheckCondition(*expression.a); return types_.Boolean();
        case ExpressionKind::And:
        case ExpressionKind::Or:
            CheckCondition(*expression.a);
            CheckCondition(*expression.b);
            return types_.Boolean();
        case ExpressionKind::AddressOf: {
            const Type* type = Known(TypeOf(*expression.a));
            return type == nullptr || !type->HasSize() ? nullptr : types_.PointerTo(type);
        }
        case ExpressionKind::Binary: return BinaryType(expression, want);
        case ExpressionKind::Default: {
            const Type* type = TypeOf(*expression.a);
            const Type* element = type != nullptr && type->kind == TypeKind::Union ? type->element : nullptr;
            const Type* other = TypeOf(*expression.b, element);
            if (element != nullptr) Require(*expression.b, other, element);
            return type != nullptr && type->kind == TypeKind::Union && element == nullptr ? nullptr : Plain(type);
        }
        case ExpressionKind::Keep:
        case ExpressionKind::Unsafe: return TypeOf(*expression.a, want);
        case ExpressionKind::Force: return PlainOf(*expression.a);
        case ExpressionKind::Try: return PlainOf(*expression.a, want);
        case ExpressionKind::Cast: {
            const Type* to = Resolve(expression.type);
            (void)TypeOf(*expression.a, to != nullptr && to->kind == TypeKind::Enum ? to : nullptr);
            return to;
        }
        case ExpressionKind::StructLiteral: return StructType(expression);
        case ExpressionKind::ArrayLiteral:
        case ExpressionKind::ArrayFill: return ArrayType(expression, want);
        case ExpressionKind::Tuple: return TupleType(expression, want);
        case ExpressionKind::Range:
            Visit(*expression.a);
            Visit(*expression.b);
            return nullptr;
    }
    return nullptr;
}

const Type* Checker::NameType(const Expression& name) const {
    const std::uint32_t index = name.reference.index;
    switch (name.reference.kind) {
        case ReferenceKind::Local: return index < locals_.size() ? locals_[index].type : nullptr;
        case ReferenceKind::Global: return index < globals_.size() ? globals_[index].type : nullptr;
        case ReferenceKind::Procedure: return types_.Of(TypeKind::Procedure);
        case ReferenceKind::Library:
            switch (kLibrary[index].id) {
                case LibraryId::ProfileValue: return types_.Profile();
                case LibraryId::GlobalAllocatorValue: return types_.Allocator();
                default: return types_.Of(TypeKind::Procedure);
            }
        default: return nullptr;
    }
}

void Checker::NoField(const Location& at, const Type* type, std::string_view name) {
    NearName near(name);
    for (const Field& field : type->fields) near.Offer(field.name);
    const std::string list = FieldList(type);
    messages_.Error(at, fmt::format("{} has no field `{}`", type->name, Shown(name)), list.empty() ? "a struct" : list,
                    near.Hint());
}

const Type* Checker::MemberType(const Expression& member) {
    if (member.reference.kind != ReferenceKind::None) return NameType(member);
    const Reference owner = member.a->reference;
    const bool isType = owner.kind == ReferenceKind::Enum ||
                        (owner.kind == ReferenceKind::Library && kLibrary[owner.index].kind == LibraryKind::Type);
    if (isType) {
        TypeExpression type;
        type.reference = owner;
        return ResolveNamed(type);
    }
    const Type* whole = Known(PlainOf(*member.a));
    if (whole != nullptr && whole->kind == TypeKind::Pointer) whole = Known(whole->element);
    if (whole == nullptr || whole->kind == TypeKind::Union) return nullptr;
    const Field* field = whole->kind == TypeKind::Struct ? whole->Find(member.name) : nullptr;
    if (field != nullptr) return Known(field->type);
    // The document calls an allocator's procedure by either name.
    const bool callback = member.name == "Allocate" || member.name == "Alloc";
    if (!(callback && whole->IsAllocator())) NoField(member.nameAt, whole, member.name);
    return nullptr;
}

const Type* Checker::IndexType(const Expression& index) {
    const Type* whole = Known(PlainOf(*index.a));
    const Type* number = Known(PlainOf(*index.b));
    if (number != nullptr && !number->IsInteger()) {
        messages_.Error(index.b->at, fmt::format("an index that is {}", number->name), "an integer");
    }
    if (whole != nullptr && whole->kind == TypeKind::Pointer) {
        whole = Known(whole->element);
        if (whole == nullptr) return nullptr;
        if (whole->kind != TypeKind::Array && whole->arrayElement == nullptr) return whole;
    }
    if (whole == nullptr) return nullptr;
    if (whole->arrayElement != nullptr) return whole->arrayElement;
    if (whole->kind == TypeKind::Array) return whole->element;
    if (whole->kind == TypeKind::String) return types_.Scalar(ScalarKind::Char);
    if (whole == types_.CallTrace()) return types_.TraceEntry();
    messages_.Error(index.at, fmt::format("{} has no elements", whole->name),
                    "an array, a pointer, a DynamicArray or a string");
    return nullptr;
}

const Type* Checker::NegateType(const Expression& negate, const Type* want) {
    const Type* type = Known(PlainOf(*negate.a, want));
    if (type == nullptr) return nullptr;
    if (negate.a->kind == ExpressionKind::Integer) return types_.Of(TypeKind::UntypedInteger);
    if (type->IsInteger() || type->IsReal()) return type;
    messages_.Error(negate.at, fmt::format("{} has no negative", type->name), "a number");
    return nullptr;
}

const Type* Checker::BinaryType(const Expression& binary, const Type* want) {
    const bool compares = binary.operation >= Operation::Equal;
    const Type* left = TypeOf(*binary.a, compares ? nullptr : want);
    if (!compares) left = Plain(left);
    const Type* hint = left;
    if (left != nullptr && left->kind == TypeKind::Union) hint = left->error;
    if (hint != nullptr && !hint->HasSize()) hint = nullptr;
    const Type* right = TypeOf(*binary.b, hint);
    if (compares) {
        const bool isCase = hint != nullptr && hint->kind == TypeKind::Enum;
        if (!isCase || RequireLiteral(*binary.b, hint)) CheckComparison(binary, left, right);
        return types_.Boolean();
    }
    return Computed(binary.at, binary.operation, Known(left), Known(Plain(right)));
}

// What arithmetic gives.
const Type* Checker::Computed(const Location& at, Operation operation, const Type* left, const Type* right) {
    if (left == nullptr || right == nullptr) return nullptr;
    if (left->IsInteger() && right->IsInteger()) {
        if (left->kind == TypeKind::UntypedInteger) return right;
        return right->kind == TypeKind::UntypedInteger || right->size <= left->size ? left : right;
    }
    const auto isReal = [](const Type* type) { return type->IsReal() || type->kind == TypeKind::UntypedInteger; };
    if (isReal(left) && isReal(right) && operation != Operation::Remainder) {
        if (left->kind == TypeKind::Float) return left;
        return right->kind == TypeKind::Float ? right : types_.Of(TypeKind::UntypedReal);
    }
    static constexpr const char* kSigns[] = {"+", "-", "*", "/", "%"};
    const bool pointers = left->kind == TypeKind::Pointer || right->kind == TypeKind::Pointer;
    messages_.Error(
        at, fmt::format("{} {} {} means nothing", left->name, kSigns[static_cast<std::size_t>(operation)], right->name),
        "two integers or two reals; `as` makes one of the other",
        pointers ? "an element behind a pointer is p[i], its address &p[i]" : "");
    return nullptr;
}

void Checker::CheckComparison(const Expression& comparison, const Type* left, const Type* right) {
    left = Known(left);
    right = Known(right);
    if (left == nullptr || right == nullptr) return;
    const auto group = [](const Type* type) {
        if (type->IsInteger() || type->IsReal()) return 1;
        switch (type->kind) {
            case TypeKind::Bool: return 2;
            case TypeKind::Char: return 3;
            case TypeKind::String: return 4;
            case TypeKind::Pointer: return 5;
            default: return 0;  // a result, a case, ...: it depends
        }
    };
    if (group(left) == 0 || group(right) == 0 || group(left) == group(right)) return;
    static constexpr const char* kSigns[] = {"==", "!=", "<", "<=", ">", ">="};
    const auto sign = static_cast<std::size_t>(comparison.operation) - static_cast<std::size_t>(Operation::Equal);
    messages_.Error(comparison.at, fmt::format("{} {} {} cannot be compared", left->name, kSigns[sign], right->name));
}

const Type* Checker::StructType(const Expression& literal) {
    const Type* type = Known(Resolve(literal.type));
    if (type != nullptr && type->kind != TypeKind::Struct) {
        messages_.Error(literal.nameAt, fmt::format("{} has no fields", type->name), "a struct");
        type = nullptr;
    }
    if (type == nullptr) {
        for (const FieldValue& each : literal.fields) Visit(*each.value);
        return nullptr;
    }
    std::vector<bool> given(type->fields.size());
    for (const FieldValue& each : literal.fields) {
        const Field* field = type->Find(each.name);
        if (field == nullptr && each.name == "Alloc") field = type->Find("Allocate");
        const Type* value = TypeOf(*each.value, field == nullptr ? nullptr : field->type);
        if (field == nullptr) {
            NoField(each.at, type, each.name);
            return type;
        }
        given[static_cast<std::size_t>(field - type->fields.data())] = true;
        Require(*each.value, value, field->type);
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i] || type->fields[i].type->kind != TypeKind::Pointer) continue;
        messages_.Error(literal.at, fmt::format("the field `{}` of {} has no value", type->fields[i].name, type->name),
                        "a value: pointers have no zero");
    }
    if (type->IsAllocator()) CheckCallbacks(literal, type);
    return type;
}

const Type* Checker::ArrayType(const Expression& literal, const Type* want) {
    const Type* element = want != nullptr && want->kind == TypeKind::Array ? Known(want->element) : nullptr;
    const bool isFill = literal.kind == ExpressionKind::ArrayFill;
    std::vector<const Expression*> values(literal.list.begin(), literal.list.end());
    if (isFill) {
        Visit(*literal.a);
        values = {literal.b};
    }
    for (const Expression* each : values) {
        const Type* value = TypeOf(*each, element);
        if (element != nullptr)
            Require(*each, value, element);
        else if ((element = Known(Settled(value, *each))) == nullptr)
            return nullptr;
    }
    if (element == nullptr || (isFill && literal.a->kind != ExpressionKind::Integer)) return nullptr;
    return types_.ArrayOf(element, isFill ? literal.a->integer : values.size());
}

const Type* Checker::TupleType(const Expression& literal, const Type* want) {
    const bool asked = want != nullptr && want->kind == TypeKind::Tuple && want->fields.size() == literal.list.size();
    std::vector<const Type*> parts;
    bool known = true;
    for (std::size_t i = 0; i < literal.list.size(); ++i) {
        const Expression& each = *literal.list[i];
        const Type* part = asked ? Known(want->fields[i].type) : nullptr;
        const Type* value = TypeOf(each, part);
        if (part != nullptr) {
            Require(each, value, part);
            parts.push_back(part);
        } else {
            parts.push_back(Known(Settled(value, each)));
        }
        known = known && parts.back() != nullptr;
    }
    return known ? types_.TupleOf(parts) : nullptr;
}

const Type* Checker::MacroType(const Expression& macro) {
    for (const Expression* each : macro.list) Visit(*each);
    switch (macro.macro) {
        case MacroKind::SizeOf:
        case MacroKind::Length: return types_.Scalar(ScalarKind::U32);
        case MacroKind::ToString: return types_.Scalar(ScalarKind::String);
        default: return nullptr;
    }
}

}  // namespace residue::scenario::detail
