#include "scenario/detail/types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::size_t kMostNameBytes = 120;

std::string Cut(std::string name) {
    if (name.size() > kMostNameBytes) name = name.substr(0, kMostNameBytes) + "…";
    return name;
}

std::uint64_t AlignUp(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

std::uint64_t KeyOf(Reference declaration) {
    return std::uint64_t{static_cast<std::uint8_t>(declaration.kind)} << 32 | declaration.index;
}

}  // namespace

TypeTable::TypeTable() {
    for (const ScalarInfo& info : kScalars) {
        TypeKind kind = TypeKind::Integer;
        if (info.kind == ScalarKind::F32 || info.kind == ScalarKind::F64) kind = TypeKind::Float;
        if (info.kind == ScalarKind::Bool) kind = TypeKind::Bool;
        if (info.kind == ScalarKind::Char) kind = TypeKind::Char;
        if (info.kind == ScalarKind::String) kind = TypeKind::String;
        Type* type = New(kind, std::string(info.name), info.size, info.alignment);
        type->isSigned = info.name[0] == 'i';
        scalars_[static_cast<std::size_t>(info.kind)] = type;
    }
    static constexpr std::pair<TypeKind, const char*> kPlain[] = {{TypeKind::Void, "no value"},
                                                                  {TypeKind::UntypedInteger, "an integer"},
                                                                  {TypeKind::UntypedReal, "a real number"},
                                                                  {TypeKind::Shorthand, "a case"},
                                                                  {TypeKind::Nothing, "nothing"},
                                                                  {TypeKind::Unknown, "a type that is not known"}};
    for (const auto& [kind, name] : kPlain) plain_[static_cast<std::size_t>(kind)] = New(kind, name, 0, 1);
    plain_[static_cast<std::size_t>(TypeKind::Procedure)] = New(TypeKind::Procedure, "proc", 8, 8);
    const auto library = [this](LibraryId id) {
        const LibraryEntry& entry = EntryOf(id);
        return EnumOf({ReferenceKind::Library, static_cast<std::uint32_t>(id)}, entry.name, LibraryCases(id));
    };
    memoryError_ = library(LibraryId::MemoryErrorType);
    accessError_ = library(LibraryId::AccessErrorType);
    placement_ = library(LibraryId::PlacementType);
    profile_ = library(LibraryId::ProfileType);
    const Type* procedure = Of(TypeKind::Procedure);
    const Type* u32 = Scalar(ScalarKind::U32);
    const Type* string = Scalar(ScalarKind::String);
    allocator_ = NewStruct("Allocator", {{"Allocate", procedure}, {"Free", procedure}});
    callTrace_ = NewStruct("CallTrace", {{"id", u32}});
    traceEntry_ = NewStruct("TraceEntry", {{"name", string}, {"file", string}, {"line", u32}});
}

Type* TypeTable::New(TypeKind kind, std::string name, std::uint64_t size, std::uint32_t alignment) {
    Type& type = types_.emplace_back();
    type.kind = kind;
    type.name = Cut(std::move(name));
    type.size = size;
    type.alignment = alignment;
    return &type;
}

Type* TypeTable::NewStruct(std::string name, std::vector<Field> fields) {
    Type* type = New(TypeKind::Struct, std::move(name), 0, 1);
    type->fields = std::move(fields);
    (void)Lay(*type);
    return type;
}

const Type* TypeTable::PointerTo(const Type* element) {
    const Type*& known = pointers_[element];
    if (known == nullptr) {
        Type* type = New(TypeKind::Pointer, "^" + element->name, 8, 8);
        type->element = element;
        known = type;
    }
    return known;
}

const Type* TypeTable::ArrayOf(const Type* element, std::uint64_t count) {
    const auto bytes = CheckedMultiply(element->size, count);
    if (!bytes || *bytes > kMostTypeBytes) return nullptr;
    const Type*& known = arrays_[{element, count}];
    if (known == nullptr) {
        Type* type = New(TypeKind::Array, fmt::format("[{}; {}]", count, element->name), *bytes, element->alignment);
        type->element = element;
        type->count = count;
        known = type;
    }
    return known;
}

const Type* TypeTable::TupleOf(const std::vector<const Type*>& parts) {
    const auto found = tuples_.find(parts);
    if (found != tuples_.end()) return found->second;
    std::string name;
    Type* type = New(TypeKind::Tuple, "", 0, 1);
    for (const Type* part : parts) {
        name += (name.empty() ? "(" : ", ") + part->name;
        type->fields.push_back({"", part, 0});
    }
    type->name = Cut(name + ")");
    if (!Lay(*type)) return nullptr;
    tuples_.emplace(parts, type);
    return type;
}

const Type* TypeTable::UnionOf(const Type* error, const Type* element) {
    const Type*& known = unions_[{error, element}];
    if (known != nullptr) return known;
    Type* type = New(TypeKind::Union,
                     (error != nullptr ? error->name : "") + "?" + (element != nullptr ? element->name : ""), 0, 1);
    type->error = error;
    type->element = element;
    std::uint64_t payload = 0;
    for (const Type* part : {error, element}) {
        if (part == nullptr) continue;
        payload = std::max(payload, part->size);
        type->alignment = std::max(type->alignment, part->alignment);
    }
    type->payload = type->alignment;
    type->size = AlignUp(type->payload + payload, type->alignment);
    return known = type;
}

const Type* TypeTable::EnumOf(Reference declaration, std::string_view name,
                              const std::vector<std::string_view>& cases) {
    const Type*& known = enums_[KeyOf(declaration)];
    if (known == nullptr) {
        Type* type = New(TypeKind::Enum, std::string(name), 4, 4);
        type->cases = cases;
        known = type;
    }
    return known;
}

Type* TypeTable::StructOf(Reference declaration, std::string_view name, const std::vector<const Type*>& arguments) {
    Type*& known = structs_[{KeyOf(declaration), arguments}];
    if (known == nullptr) {
        std::string whole(name);
        for (std::size_t i = 0; i < arguments.size(); ++i) whole += (i == 0 ? "<" : ", ") + arguments[i]->name;
        if (!arguments.empty()) whole += ">";
        known = New(TypeKind::Struct, whole, 0, 1);
        known->complete = false;
        known->arguments = arguments;
    }
    return known;
}

bool TypeTable::Lay(Type& type) {
    std::uint64_t at = 0;
    const auto place = [&](const Type& part) {
        type.alignment = std::max(type.alignment, part.alignment);
        const std::uint64_t offset = AlignUp(at, part.alignment);
        at = offset + part.size;
        return offset;
    };
    std::size_t first = 0;
    if (type.base != nullptr) {  // its fields come first, at the same offsets
        at = type.base->size;
        type.alignment = type.base->alignment;
        type.identity = type.base->identity;
        type.allocateField = type.base->allocateField;
        type.freeField = type.base->freeField;
        first = type.base->fields.size();
    }
    for (std::size_t i = first; i < type.fields.size(); ++i) {
        type.fields[i].offset = place(*type.fields[i].type);
        if (at > kMostTypeBytes) return false;
    }
    // Two procedures of these names make an allocator, which remembers which one it is.
    if (type.kind == TypeKind::Struct && type.identity == 0) {
        const Field* allocate = type.Find("Allocate");
        if (allocate == nullptr) allocate = type.Find("Alloc");
        const Field* free = type.Find("Free");
        const bool both = allocate != nullptr && free != nullptr && allocate->type->kind == TypeKind::Procedure &&
                          free->type->kind == TypeKind::Procedure;
        if (both) {
            type.allocateField = allocate->offset;
            type.freeField = free->offset;
            type.alignment = std::max<std::uint32_t>(type.alignment, 8);
            type.identity = AlignUp(at, 8);
            at = type.identity + 8;
        }
    }
    type.size = AlignUp(at, type.alignment);
    type.complete = true;
    return type.size <= kMostTypeBytes;
}

const Type* TypeTable::DynamicArrayOf(const Type* element) {
    const Type*& known = dynamicArrays_[element];
    if (known == nullptr) {
        const Type* u32 = Scalar(ScalarKind::U32);
        Type* type = NewStruct(
            "DynamicArray<" + element->name + ">",
            {{"allocator", PointerTo(allocator_)}, {"buffer", PointerTo(element)}, {"size", u32}, {"capacity", u32}});
        type->arrayElement = element;
        known = type;
    }
    return known;
}

bool HoldsIncomplete(const Type* type) {
    switch (type->kind) {
        case TypeKind::Struct: return !type->complete;
        case TypeKind::Array: return HoldsIncomplete(type->element);
        case TypeKind::Tuple:
            return std::any_of(type->fields.begin(), type->fields.end(),
                               [](const Field& field) { return HoldsIncomplete(field.type); });
        case TypeKind::Union:
            return (type->element != nullptr && HoldsIncomplete(type->element)) ||
                   (type->error != nullptr && HoldsIncomplete(type->error));
        default: return false;
    }
}

std::string CaseName(const Type* type, std::uint64_t which) {
    return which < type->cases.size() ? std::string(type->cases[which]) : fmt::format("{}({})", type->name, which);
}

std::string FieldList(const Type* type) {
    constexpr std::size_t kMostListed = 12;
    std::string list;
    for (std::size_t i = 0; i < type->fields.size() && type->kind == TypeKind::Struct; ++i) {
        if (i == kMostListed) return list + ", …";
        list += (list.empty() ? "" : ", ") + std::string(type->fields[i].name);
    }
    return list;
}

bool IsOrUses(const Type* type, const Type* base) {
    for (; type != nullptr; type = type->base) {
        if (type == base) return true;
    }
    return false;
}

}  // namespace residue::scenario::detail
