// What procedures are given, and what they give.
#include <fmt/format.h>

#include "scenario/detail/checker.hpp"
#include "scenario/detail/signatures.hpp"

namespace residue::scenario::detail {

const Type* Checker::CallType(const Expression& call, const Type* want) {
    const Expression& callee = *call.a;
    if (callee.reference.kind == ReferenceKind::Procedure)
        return ScriptCallType(program_.procedures[callee.reference.index], call);
    if (callee.reference.kind == ReferenceKind::Library)
        return LibraryCallType(kLibrary[callee.reference.index].id, call, want);
    // A procedure in a variable or a field: what it takes and gives is the run's affair.
    const Type* type = Known(PlainOf(callee));
    if (type != nullptr && type->kind != TypeKind::Procedure)
        messages_.Error(callee.at, fmt::format("{} cannot be called", type->name), "a procedure");
    for (const Expression* argument : call.list) Visit(*argument);
    return nullptr;
}

const Type* Checker::ScriptCallType(const Procedure& procedure, const Expression& call) {
    const std::size_t takes = procedure.parameters.size();
    const std::size_t leftOut = takes - call.list.size();  // the context of an allocator's procedure
    for (std::size_t i = 0; i < call.list.size(); ++i) {
        const Expression& argument = *call.list[i];
        const Parameter& parameter = procedure.parameters[i + leftOut];
        const Type* want = Resolve(parameter.type);
        const Type* value = TypeOf(argument, want);
        if (value == nullptr || want == nullptr || !RequireLiteral(argument, want) || Fits(value, want)) continue;
        // The array itself where a pointer to it is wanted: the document passes it so.
        const bool isArray = value->arrayElement != nullptr && want->kind == TypeKind::Pointer &&
                             want->element == value && argument.kind == ExpressionKind::Name;
        if (isArray) continue;
        Wrong(argument.at, value, want->name).others.push_back(PlaceOf(program_.files, parameter.at));
    }
    return procedure.result == nullptr ? types_.Of(TypeKind::Void) : Resolve(procedure.result);
}

const Type* Checker::LibraryCallType(LibraryId id, const Expression& call, const Type* want) {
    const Type* done = types_.UnionOf(types_.MemoryError(), nullptr);
    const Type* none = types_.Of(TypeKind::Void);
    switch (id) {
        case LibraryId::Allocate: CheckAllocator(*call.list[0]); return AllocateType(call, 1, want);
        case LibraryId::OsAllocate: return AllocateType(call, 0, nullptr);
        case LibraryId::Free:
        case LibraryId::UnsafeFree:
            CheckAllocator(*call.list[0]);
            (void)CheckPointer(*call.list[1], "a pointer to free");
            return done;
        case LibraryId::OsFree: (void)CheckPointer(*call.list[0], "a pointer"); return done;
        case LibraryId::Resize: {
            CheckAllocator(*call.list[0]);
            const Type* pointer = CheckPointer(*call.list[1], "a pointer");
            CheckCount(*call.list[2]);
            return pointer == nullptr ? nullptr : types_.UnionOf(types_.MemoryError(), pointer);
        }
        case LibraryId::Reset: CheckAllocator(*call.list[0]); return done;
        case LibraryId::Mark:
            CheckAllocator(*call.list[0]);
            return types_.UnionOf(types_.MemoryError(), types_.Scalar(ScalarKind::U32));
        case LibraryId::Release:
            CheckAllocator(*call.list[0]);
            CheckCount(*call.list[1]);
            return done;
        case LibraryId::Copy:
            (void)CheckPointer(*call.list[0], "two pointers and a count");
            (void)CheckPointer(*call.list[1], "two pointers and a count");
            CheckCount(*call.list[2]);
            return none;
        case LibraryId::GetGlobalAllocator: return types_.PointerTo(types_.Allocator());
        case LibraryId::CreateFailing:
            CheckAllocator(*call.list[0]);
            CheckCount(*call.list[1]);
            return types_.Allocator();
        case LibraryId::DestroyAllocator: CheckAllocator(*call.list[0]); return none;
        case LibraryId::CreateDynamicArray: {
            CheckAllocator(*call.list[0]);
            const Type* element =
                call.types.empty() ? (want == nullptr ? nullptr : want->arrayElement) : Known(Resolve(call.types[0]));
            return element == nullptr || !element->HasSize() ? nullptr : types_.DynamicArrayOf(element);
        }
        case LibraryId::PushToDynamicArray: return PushType(call);
        case LibraryId::PopDynamicArray:
        case LibraryId::DynamicArrayAt: {
            const Type* element = CheckDynamicArray(*call.list[0]);
            if (call.list.size() > 1) Visit(*call.list[1]);
            return element == nullptr ? nullptr : types_.UnionOf(types_.MemoryError(), element);
        }
        case LibraryId::DynamicArrayRemoveAt:
        case LibraryId::ClearDynamicArray:
        case LibraryId::DestroyDynamicArray:
            (void)CheckDynamicArray(*call.list[0]);
            if (call.list.size() > 1) Visit(*call.list[1]);
            return done;
        default: break;
    }
    for (const Expression* argument : call.list) Visit(*argument);
    switch (id) {
        case LibraryId::Print:
        case LibraryId::PrintLine:
        case LibraryId::Error:
        case LibraryId::ErrorLine: return none;
        case LibraryId::GetStackTrace: return types_.CallTrace();
        case LibraryId::IsSupported: return types_.Boolean();
        default: return EntryOf(id).name.starts_with("Create") ? types_.Allocator() : nullptr;
    }
}

const Type* Checker::AllocateType(const Expression& call, std::size_t count, const Type* want) {
    for (std::size_t i = count; i < call.list.size(); ++i) CheckCount(*call.list[i]);
    const Type* type = nullptr;
    if (!call.types.empty())
        type = Known(Resolve(call.types[0]));
    else if (want != nullptr && want->kind == TypeKind::Pointer)
        type = Known(want->element);
    return type == nullptr ? nullptr : types_.UnionOf(types_.MemoryError(), types_.PointerTo(type));
}

const Type* Checker::PushType(const Expression& call) {
    const Type* element = CheckDynamicArray(*call.list[0]);
    for (std::size_t i = 1; i < call.list.size(); ++i) {
        const Type* value = TypeOf(*call.list[i], element);
        Require(*call.list[i], value, element);
    }
    return types_.UnionOf(types_.MemoryError(), nullptr);
}

void Checker::CheckAllocator(const Expression& argument) {
    const Type* type = Known(PlainOf(argument));
    if (type == nullptr || type->IsAllocator()) return;
    if (type->kind == TypeKind::Pointer && (Known(type->element) == nullptr || type->element->IsAllocator())) return;
    Wrong(argument.at, type, "a pointer to an allocator, as in &allocator");
}

void Checker::CheckCount(const Expression& argument) {
    Require(argument, TypeOf(argument), types_.Scalar(ScalarKind::U32));
}

const Type* Checker::CheckPointer(const Expression& argument, const char* expected) {
    const Type* type = Known(PlainOf(argument));
    if (type == nullptr || type->kind == TypeKind::Pointer) return type;
    Wrong(argument.at, type, expected);
    return nullptr;
}

// Its elements' type.
const Type* Checker::CheckDynamicArray(const Expression& argument) {
    const Type* type = Known(PlainOf(argument));
    if (type == nullptr) return nullptr;
    const Type* array = type->kind == TypeKind::Pointer ? Known(type->element) : type;
    if (array == nullptr) return nullptr;
    if (array->arrayElement == nullptr) Wrong(argument.at, type, "a DynamicArray, as in &array");
    return array->arrayElement;
}

// The procedures that are to make an allocator are looked at where the allocator is made, not where it is used.
void Checker::CheckCallbacks(const Expression& literal, const Type* type) {
    bool has[2] = {false, false};
    for (const FieldValue& each : literal.fields) {
        const bool allocates = each.name == "Allocate" || each.name == "Alloc";
        if (!allocates && each.name != "Free") continue;
        has[allocates ? 0 : 1] = true;
        if (each.value->reference.kind != ReferenceKind::Procedure) continue;
        const Procedure& procedure = program_.procedures[each.value->reference.index];
        if (allocates ? IsAllocate(procedure) : IsFree(procedure)) continue;
        messages_.Error(each.value->at, NoCallback(procedure, allocates), CallbackExpected(procedure, allocates))
            .others.push_back(PlaceOf(program_.files, procedure.at));
    }
    if (has[0] == has[1]) return;
    messages_.Error(literal.at, fmt::format("this allocator has no `{}`", has[0] ? "Free" : "Allocate"),
                    fmt::format("{} {{ Allocate = ..., Free = ... }}", type->name));
}

}  // namespace residue::scenario::detail
