#include "scenario/detail/signatures.hpp"

#include <fmt/format.h>

#include "scenario/detail/scalars.hpp"

namespace residue::scenario::detail {
namespace {

std::string ListOf(const std::vector<TypeExpression*>& types) {
    std::string list;
    for (const TypeExpression* type : types) list += (list.empty() ? "" : ", ") + WrittenType(*type);
    return list;
}

bool IsInteger(const TypeExpression& type) {
    if (type.form != TypeForm::Named || type.reference.kind != ReferenceKind::Scalar) return false;
    return static_cast<ScalarKind>(type.reference.index) <= ScalarKind::I64;
}

// What it points to may be any struct: which of them are allocators is another question.
bool IsContext(const TypeExpression& type) {
    if (type.form != TypeForm::Pointer || type.element->form != TypeForm::Named) return false;
    const ReferenceKind kind = type.element->reference.kind;
    return kind == ReferenceKind::Struct || kind == ReferenceKind::Library || kind == ReferenceKind::Generic;
}

bool HasContext(const Procedure& procedure) {
    if (procedure.parameters.size() == 1) return true;
    return procedure.parameters.size() == 2 && IsContext(*procedure.parameters[0].type);
}

}  // namespace

std::string WrittenType(const TypeExpression& type) {
    switch (type.form) {
        case TypeForm::Named: {
            std::string name;
            for (const std::string_view part : type.path) name += (name.empty() ? "" : ".") + std::string(part);
            return type.arguments.empty() ? name : name + "<" + ListOf(type.arguments) + ">";
        }
        case TypeForm::Pointer: return "^" + WrittenType(*type.element);
        case TypeForm::Array: return "[...; " + WrittenType(*type.element) + "]";
        case TypeForm::Tuple: return "(" + ListOf(type.arguments) + ")";
        case TypeForm::Union:
            return (type.error == nullptr ? "" : WrittenType(*type.error)) + "?" +
                   (type.element == nullptr ? "" : WrittenType(*type.element));
        case TypeForm::Procedure:
            return "proc(" + ListOf(type.arguments) + ")" +
                   (type.element == nullptr ? "" : " -> " + WrittenType(*type.element));
    }
    return "";
}

std::string SignatureOf(const Procedure& procedure) {
    std::string list;
    for (const Parameter& each : procedure.parameters) list += (list.empty() ? "" : ", ") + WrittenType(*each.type);
    return "proc(" + list + ")" + (procedure.result == nullptr ? "" : " -> " + WrittenType(*procedure.result));
}

bool IsAllocate(const Procedure& procedure) {
    if (!HasContext(procedure) || !IsInteger(*procedure.parameters.back().type)) return false;
    const TypeExpression* result = procedure.result;
    if (result != nullptr && result->form == TypeForm::Union) result = result->element;
    return result != nullptr && result->form == TypeForm::Pointer;
}

bool IsFree(const Procedure& procedure) {
    if (!HasContext(procedure) || procedure.parameters.back().type->form != TypeForm::Pointer) return false;
    return procedure.result == nullptr ||
           (procedure.result->form == TypeForm::Union && procedure.result->element == nullptr);
}

std::string NoCallback(const Procedure& procedure, bool allocates) {
    return fmt::format("`{}` cannot be an allocator's {}", procedure.name, allocates ? "Allocate" : "Free");
}

std::string CallbackExpected(const Procedure& procedure, bool allocates) {
    return fmt::format("{}, got {}",
                       allocates ? "proc(^Allocator, u32) -> MemoryError?^T" : "proc(^Allocator, ^T) -> MemoryError?",
                       SignatureOf(procedure));
}

}  // namespace residue::scenario::detail
