// Types from what is written, and which of them fit where.
#include <fmt/format.h>

#include <algorithm>

#include "scenario/detail/checker.hpp"
#include "scenario/detail/value.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::uint32_t kMostStructsInside = 64;
constexpr std::size_t kMostTypes = 100'000;

}  // namespace

const Type* Checker::Known(const Type* type) const {
    const bool vague = type != nullptr && (type->kind == TypeKind::Unknown || HoldsIncomplete(type));
    return vague ? nullptr : type;
}

const Type* Checker::Resolve(const TypeExpression* type) {
    if (type == nullptr) return nullptr;
    if (type->form == TypeForm::Procedure) return types_.Of(TypeKind::Procedure);
    if (type->generic || type->varies || types_.Count() > kMostTypes) return nullptr;
    std::vector<const Type*> parts;
    for (const TypeExpression* part : type->arguments) {
        parts.push_back(Resolve(part));
        if (parts.back() == nullptr) return nullptr;
    }
    switch (type->form) {
        case TypeForm::Named: {
            if (parts.empty()) return ResolveNamed(*type);
            const bool isArray = type->reference.kind == ReferenceKind::Library &&
                                 kLibrary[type->reference.index].id == LibraryId::DynamicArrayType;
            return isArray && parts[0]->HasSize() ? types_.DynamicArrayOf(parts[0]) : nullptr;
        }
        case TypeForm::Pointer: {
            const Type* element = Resolve(type->element);
            return element == nullptr ? nullptr : types_.PointerTo(element);
        }
        case TypeForm::Array: {
            const Type* element = Resolve(type->element);
            return element == nullptr ? nullptr : types_.ArrayOf(element, type->count->integer);
        }
        case TypeForm::Tuple: return types_.TupleOf(parts);
        case TypeForm::Union: {
            const Type* error = Resolve(type->error);
            const Type* element = Resolve(type->element);
            if ((type->error != nullptr && (error == nullptr || error->kind != TypeKind::Enum)) ||
                (type->element != nullptr && element == nullptr))
                return nullptr;
            return types_.UnionOf(error, element);
        }
        case TypeForm::Procedure: break;
    }
    return nullptr;
}

const Type* Checker::ResolveNamed(const TypeExpression& type) {
    const Reference reference = type.reference;
    switch (reference.kind) {
        case ReferenceKind::Scalar: return types_.Scalar(static_cast<ScalarKind>(reference.index));
        case ReferenceKind::Enum: {
            const EnumDeclaration& declaration = program_.enums[reference.index];
            return types_.EnumOf(reference, declaration.name, declaration.cases);
        }
        case ReferenceKind::Struct: return ResolveStruct(reference.index);
        case ReferenceKind::Library: break;
        default: return nullptr;
    }
    switch (kLibrary[reference.index].id) {
        case LibraryId::MemoryErrorType: return types_.MemoryError();
        case LibraryId::AccessErrorType: return types_.AccessError();
        case LibraryId::PlacementType: return types_.Placement();
        case LibraryId::ProfileType: return types_.Profile();
        case LibraryId::CallTraceType: return types_.CallTrace();
        case LibraryId::TraceEntryType: return types_.TraceEntry();
        case LibraryId::AllocatorType:
        case LibraryId::CoreAllocatorType: return types_.Allocator();
        default: return nullptr;
    }
}

// Its fields, but not where they lie: sizes are the run's affair.
const Type* Checker::ResolveStruct(std::uint32_t index) {
    const StructDeclaration& declaration = program_.structs[index];
    if (structs_ == kMostStructsInside) return nullptr;
    const Reference reference{ReferenceKind::Struct, index};
    // One with type parameters whose arguments nobody has said.
    if (!declaration.generics.empty()) return nullptr;
    Type* type = types_.StructOf(reference, declaration.name, {});
    if (type->begun) return type;
    type->begun = true;
    bool whole = true;
    ++structs_;
    if (declaration.base != nullptr) {
        const Type* base = Resolve(declaration.base);
        if (base != nullptr && base->kind == TypeKind::Struct) {
            type->base = base;
            type->fields = base->fields;
            type->identity = base->identity;
        } else {
            whole = false;
        }
    }
    for (const FieldDeclaration& field : declaration.fields) {
        const Type* fieldType = Resolve(field.type);
        type->fields.push_back({field.name, fieldType == nullptr ? types_.Of(TypeKind::Unknown) : fieldType, 0});
    }
    const auto isProcedure = [&](std::string_view name) {
        const Field* field = type->Find(name);
        return field != nullptr && field->type != nullptr && field->type->kind == TypeKind::Procedure;
    };
    if ((isProcedure("Allocate") || isProcedure("Alloc")) && isProcedure("Free")) type->identity = 1;
    --structs_;
    type->complete = whole;
    return type;
}

bool Checker::PointersFit(const Type* from, const Type* to) const {
    if (from == to || Known(from) == nullptr || Known(to) == nullptr) return true;
    if (from->kind == TypeKind::Array && PointersFit(from->element, to)) return true;
    if (from->kind == TypeKind::Struct && IsOrUses(from, to)) return true;
    return from->IsAllocator() && to->IsAllocator();
}

// As Interpreter::TryCoerce and Coerce: could a value of one become one of the other? In doubt, yes.
bool Checker::Fits(const Type* from, const Type* to) const {
    if (Known(from) == nullptr || Known(to) == nullptr || from == to) return true;
    if (to->kind == TypeKind::Union) {
        if (from->kind == TypeKind::Union) return true;
        if (from->kind == TypeKind::Nothing) return to->error == nullptr || to->element == nullptr;
        if (from->kind == TypeKind::Void) return to->element == nullptr;
        if (to->error != nullptr && (from->kind == TypeKind::Shorthand || from->kind == TypeKind::Enum)) return true;
        return to->element != nullptr && Fits(from, to->element);
    }
    switch (from->kind) {
        case TypeKind::Union: return from->element != nullptr && Fits(from->element, to);
        case TypeKind::Shorthand: return to->kind == TypeKind::Enum;
        case TypeKind::UntypedInteger:
        case TypeKind::Integer: return to->IsInteger() || to->IsReal();
        case TypeKind::UntypedReal:
        case TypeKind::Float: return to->IsReal();
        case TypeKind::Pointer: return to->kind == TypeKind::Pointer && PointersFit(from->element, to->element);
        case TypeKind::Procedure: return to->kind == TypeKind::Procedure;
        case TypeKind::Tuple: {
            if (to->kind != TypeKind::Tuple || to->fields.size() != from->fields.size()) return false;
            for (std::size_t i = 0; i < from->fields.size(); ++i) {
                if (!Fits(from->fields[i].type, to->fields[i].type)) return false;
            }
            return true;
        }
        default: return false;
    }
}

// A literal shows more than its type: whether it fits, whether its enum has it.
bool Checker::RequireLiteral(const Expression& value, const Type* to) {
    if (value.kind == ExpressionKind::EnumCase && to->kind == TypeKind::Enum) {
        if (std::find(to->cases.begin(), to->cases.end(), value.name) != to->cases.end()) return true;
        messages_.Error(value.at, fmt::format("{} has no case `{}`", to->name, Shown(value.name)));
        return false;
    }
    const bool isNegative = value.kind == ExpressionKind::Negate && value.a->kind == ExpressionKind::Integer;
    const bool isInteger = value.kind == ExpressionKind::Integer || isNegative;
    const std::uint64_t size = isNegative ? value.a->integer : value.integer;
    constexpr std::uint64_t kMostUntyped = ~std::uint64_t{0} >> 1;
    if (!isInteger || to->kind != TypeKind::Integer || size > kMostUntyped) return true;
    const std::uint64_t bits = isNegative ? std::uint64_t{0} - size : size;
    if (detail::Fits(to, bits, true)) return true;
    messages_.Error(value.at, fmt::format("{} does not fit", static_cast<std::int64_t>(bits)),
                    fmt::format("a number that fits {}", to->name));
    return false;
}

void Checker::Require(const Expression& value, const Type* from, const Type* to) {
    if (from == nullptr || to == nullptr || !RequireLiteral(value, to)) return;
    if (!Fits(from, to)) Wrong(value.at, from, to->name);
}

}  // namespace residue::scenario::detail
