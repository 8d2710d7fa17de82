// Types from what is written, and values that become others.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "scenario/detail/interpreter.hpp"
#include "scenario/detail/messages.hpp"
#include "scenario/detail/near_name.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::size_t kMostTypes = 100'000;
constexpr std::uint32_t kMostStructsInside = 64;

}  // namespace

const Type* Interpreter::Resolve(const TypeExpression* type) {
    const Environment* environment = Top().environment;
    const std::uint64_t key = std::uint64_t{type->generic ? environment->id : 0} << 32 | type->id;
    if (!type->varies) {
        const auto known = resolved_.find(key);
        if (known != resolved_.end()) return known->second;
    }
    if (types_.Count() > kMostTypes)
        Stop(type->at, "the program makes too many types", fmt::format("at most {}", kMostTypes));
    const Type* made = nullptr;
    switch (type->form) {
        case TypeForm::Named: made = ResolveNamed(*type); break;
        case TypeForm::Pointer: made = types_.PointerTo(Resolve(type->element)); break;
        case TypeForm::Array: {
            const Type* element = Resolve(type->element);
            const Value count = EvaluatePlain(*type->count);
            if (!count.type->IsInteger() || count.Signed() < 0)
                Stop(type->count->at, "the count of an array", "a number from 0 on");
            if (!element->HasSize()) Stop(type->at, fmt::format("no array can hold {}", element->name));
            if (HoldsIncomplete(element))
                Stop(type->at, fmt::format("`{}` contains itself", element->name), "a pointer to it");
            made = types_.ArrayOf(element, count.bits);
            break;
        }
        case TypeForm::Tuple: {
            std::vector<const Type*> parts;
            for (const TypeExpression* part : type->arguments) {
                parts.push_back(Resolve(part));
                if (!parts.back()->HasSize()) Stop(part->at, fmt::format("no tuple can hold {}", parts.back()->name));
                if (HoldsIncomplete(parts.back()))
                    Stop(part->at, fmt::format("`{}` contains itself", parts.back()->name), "a pointer to it");
            }
            made = types_.TupleOf(parts);
            break;
        }
        case TypeForm::Union: {
            const Type* error = type->error == nullptr ? nullptr : Resolve(type->error);
            const Type* element = type->element == nullptr ? nullptr : Resolve(type->element);
            for (const Type* part : {error, element}) {
                if (part != nullptr && HoldsIncomplete(part))
                    Stop(type->at, fmt::format("`{}` contains itself", part->name), "a pointer to it");
            }
            if (error != nullptr && error->kind != TypeKind::Enum)
                Stop(type->error->at, fmt::format("{} is no error", error->name), "an enum before `?`");
            made = types_.UnionOf(error, element);
            break;
        }
        case TypeForm::Procedure: made = types_.Of(TypeKind::Procedure); break;
    }
    if (made == nullptr) Stop(type->at, "this type is too large", fmt::format("at most {} bytes", kMostTypeBytes));
    if (!type->varies) resolved_[key] = made;
    return made;
}

const Type* Interpreter::ResolveNamed(const TypeExpression& type) {
    const Reference reference = type.reference;
    std::vector<const Type*> arguments;
    for (const TypeExpression* argument : type.arguments) arguments.push_back(Resolve(argument));
    switch (reference.kind) {
        case ReferenceKind::Scalar: return types_.Scalar(static_cast<ScalarKind>(reference.index));
        case ReferenceKind::Generic: {
            const Environment* environment = Top().environment;
            return reference.index < environment->types.size() ? environment->types[reference.index]
                                                               : types_.Of(TypeKind::Unknown);
        }
        case ReferenceKind::Enum: {
            const EnumDeclaration& declaration = program_.enums[reference.index];
            return types_.EnumOf(reference, declaration.name, declaration.cases);
        }
        case ReferenceKind::Struct: return ResolveStruct(reference.index, arguments, type.at);
        case ReferenceKind::Library: break;
        default: Stop(type.at, "this is no type");
    }
    switch (kLibrary[reference.index].id) {
        case LibraryId::MemoryErrorType: return types_.MemoryError();
        case LibraryId::AccessErrorType: return types_.AccessError();
        case LibraryId::PlacementType: return types_.Placement();
        case LibraryId::ProfileType: return types_.Profile();
        case LibraryId::CallTraceType: return types_.CallTrace();
        case LibraryId::TraceEntryType: return types_.TraceEntry();
        case LibraryId::DynamicArrayType:
            if (arguments.empty() || !arguments[0]->HasSize())
                Stop(type.at, "a DynamicArray of what?", "DynamicArray<u32>, for example");
            return types_.DynamicArrayOf(arguments[0]);
        default: return types_.Allocator();
    }
}

const Type* Interpreter::ResolveStruct(std::uint32_t index, const std::vector<const Type*>& arguments,
                                       const Location& at) {
    const StructDeclaration& declaration = program_.structs[index];
    Type* type = types_.StructOf({ReferenceKind::Struct, index}, declaration.name, arguments);
    if (type->complete || type->begun) return type;
    type->begun = true;
    if (inStruct_ == kMostStructsInside) Stop(at, "structs lie too deep in each other");
    // Its fields see the struct's own type parameters.
    Frame inside;
    inside.environment = EnvironmentOf(arguments);
    inside.file = declaration.at.file;
    inside.code = ~0u - declaration.at.file;
    inside.line = declaration.at.line;
    frames_.push_back(inside);
    ++inStruct_;
    if (declaration.base != nullptr) {
        const Type* base = Resolve(declaration.base);
        if (base->kind != TypeKind::Struct || !base->complete) {
            Stop(declaration.base->at, fmt::format("`{}` cannot be used as a base", base->name),
                 "a struct that is declared by itself");
        }
        type->base = base;
        type->fields = base->fields;
    }
    std::vector<Field> own;
    for (const FieldDeclaration& field : declaration.fields) {
        const Type* fieldType = Resolve(field.type);
        if (HoldsIncomplete(fieldType)) {  // behind a pointer it may be itself
            Stop(field.at, fmt::format("`{}` contains itself", declaration.name), "a pointer to it");
        }
        own.push_back({field.name, fieldType, 0});
    }
    for (Field& field : own) {
        if (type->Find(field.name) != nullptr)
            Stop(declaration.at, fmt::format("`{}` has two fields `{}`", declaration.name, field.name));
        if (!field.type->HasSize() && field.type->kind != TypeKind::Unknown)
            Stop(declaration.at, fmt::format("no field can be {}", field.type->name));
        type->fields.push_back(field);
    }
    --inStruct_;
    frames_.pop_back();
    if (!TypeTable::Lay(*type))
        Stop(at, fmt::format("`{}` is too large", type->name), fmt::format("at most {} bytes", kMostTypeBytes));
    return type;
}

const Interpreter::Environment* Interpreter::EnvironmentOf(std::vector<const Type*> types) {
    const Environment*& known = environmentByTypes_[types];
    if (known == nullptr) {
        auto made = std::make_unique<Environment>();
        made->types = std::move(types);
        made->id = static_cast<std::uint32_t>(environments_.size());
        known = made.get();
        environments_.push_back(std::move(made));
    }
    return known;
}

// What the type parameters must be for `pattern` to be `type`.
bool Interpreter::Infer(const TypeExpression& pattern, const Type* type, std::vector<const Type*>& types) {
    if (!pattern.generic || type == nullptr) return true;
    switch (pattern.form) {
        case TypeForm::Named: {
            if (pattern.reference.kind == ReferenceKind::Generic) {
                const Type*& known = types[pattern.reference.index];
                if (known->kind != TypeKind::Unknown) return true;
                if (type->kind == TypeKind::UntypedInteger) type = types_.Scalar(ScalarKind::I32);
                if (type->kind == TypeKind::UntypedReal) type = types_.Scalar(ScalarKind::F64);
                if (type->HasSize()) known = type;
                return true;
            }
            if (type->arrayElement != nullptr && pattern.arguments.size() == 1)
                return Infer(*pattern.arguments[0], type->arrayElement, types);
            for (std::size_t i = 0; i < std::min(type->arguments.size(), pattern.arguments.size()); ++i) {
                (void)Infer(*pattern.arguments[i], type->arguments[i], types);
            }
            return true;
        }
        case TypeForm::Pointer: return type->kind != TypeKind::Pointer || Infer(*pattern.element, type->element, types);
        case TypeForm::Array: return type->kind != TypeKind::Array || Infer(*pattern.element, type->element, types);
        case TypeForm::Tuple:
            for (std::size_t i = 0;
                 type->kind == TypeKind::Tuple && i < std::min(type->fields.size(), pattern.arguments.size()); ++i) {
                (void)Infer(*pattern.arguments[i], type->fields[i].type, types);
            }
            return true;
        case TypeForm::Union:
            if (pattern.element != nullptr)
                return Infer(*pattern.element, type->kind == TypeKind::Union ? type->element : type, types);
            return true;
        case TypeForm::Procedure: return true;
    }
    return true;
}

Value Interpreter::Coerce(Value value, const Type* want, const Location& at) {
    if (want == nullptr || value.type == want) return value;
    auto coerced = TryCoerce(value, want, at);
    if (coerced) return std::move(*coerced);
    if (value.type->kind == TypeKind::Union && want->kind != TypeKind::Union) {
        return Coerce(Unwrap(std::move(value), at), want, at);
    }
    std::string is = value.type->name;
    if (value.type->kind == TypeKind::Void) is = "no value";
    Stop(at, fmt::format("this is {}", is), want->name);
}

std::optional<Value> Interpreter::TryCoerce(const Value& value, const Type* want, const Location& at) {
    if (value.type == want) return value;
    const TypeKind from = value.type->kind;
    if (want->kind == TypeKind::Union) return CoerceIntoUnion(value, want, at);
    if (from == TypeKind::Shorthand && want->kind == TypeKind::Enum) {
        return EnumValue(want, reinterpret_cast<const Expression*>(value.bits)->name, at);
    }
    if (value.type->IsInteger() || value.type->IsReal()) return CoerceNumber(value, want, at);
    if (from == TypeKind::Pointer && want->kind == TypeKind::Pointer &&
        PointersFit(value.type->element, want->element)) {
        return Value::Of(want, value.bits);
    }
    if (from == TypeKind::Procedure && want->kind == TypeKind::Procedure) return Value::Of(want, value.bits);
    if (from == TypeKind::Tuple || from == TypeKind::Array) return CoerceParts(value, want, at);
    if (from == TypeKind::Struct && want->kind == TypeKind::Struct && value.type->IsAllocator() &&
        want->base == value.type) {
        return std::nullopt;
    }
    return std::nullopt;
}

bool Interpreter::PointersFit(const Type* from, const Type* to) const {
    if (from == to || to->kind == TypeKind::Unknown || from->kind == TypeKind::Unknown) return true;
    if (from->kind == TypeKind::Array && PointersFit(from->element, to)) return true;  // to its first element
    if (from->kind == TypeKind::Struct && IsOrUses(from, to)) return true;
    return from->IsAllocator() && to->IsAllocator();  // each struct of two callbacks is one
}

std::optional<Value> Interpreter::CoerceNumber(const Value& value, const Type* want, const Location& at) {
    const bool untyped = value.type->kind == TypeKind::UntypedInteger;
    if (want->kind == TypeKind::UntypedInteger || want->kind == TypeKind::UntypedReal) return std::nullopt;
    if (value.type->IsReal()) {
        if (want->kind != TypeKind::Float) return std::nullopt;
        const double real = want->size == 4 ? static_cast<double>(static_cast<float>(value.Real())) : value.Real();
        return Value::OfReal(want, real);
    }
    const bool isSigned = untyped || value.type->isSigned;
    if (want->kind == TypeKind::Float) {
        return Value::OfReal(want, isSigned ? static_cast<double>(value.Signed()) : static_cast<double>(value.bits));
    }
    if (want->kind != TypeKind::Integer) return std::nullopt;
    if (!Fits(want, value.bits, isSigned)) {
        if (untyped)
            Stop(at, fmt::format("{} does not fit", value.Signed()), fmt::format("a number that fits {}", want->name));
        Overflowed(at, want);
    }
    return Value::Of(want, detail::Wrapped(want, value.bits));
}

void Interpreter::Overflowed(const Location& at, const Type* type) {
    Warn(at, "overflow", fmt::format("a number does not fit {} and wraps around", type->name));
}

std::optional<Value> Interpreter::CoerceIntoUnion(const Value& value, const Type* want, const Location& at) {
    const TypeKind from = value.type->kind;
    if (from == TypeKind::Nothing) {
        if (want->error != nullptr && want->element != nullptr) return std::nullopt;
        return Value::Zero(want);
    }
    if (from == TypeKind::Void && want->element == nullptr) return Value::Zero(want);
    if (from == TypeKind::Union) {
        if (IsError(value)) {
            if (value.type->error == nullptr)
                return want->error == nullptr ? CoerceIntoUnion(Value::Of(types_.Of(TypeKind::Nothing), 0), want, at)
                                              : std::nullopt;
            if (want->error == nullptr || want->error->kind != TypeKind::Enum) return std::nullopt;
            const Value error = PartOf(value, value.type->error, value.type->payload);
            if (value.type->error == want->error) return ErrorUnion(want, want->error, error.bits);
            // Another enum with a case of that name: the document's own MemoryError, and ours.
            const std::string name = ErrorName(value);
            const auto known = std::find(want->error->cases.begin(), want->error->cases.end(), name);
            if (known == want->error->cases.end()) return std::nullopt;
            return ErrorUnion(want, want->error, static_cast<std::uint64_t>(known - want->error->cases.begin()));
        }
        if (want->element == nullptr) return Value::Zero(want);
        if (value.type->element == nullptr) return std::nullopt;
        const auto inner = TryCoerce(PartOf(value, value.type->element, value.type->payload), want->element, at);
        return inner ? std::optional(SuccessUnion(want, *inner)) : std::nullopt;
    }
    const bool maybeError = want->error != nullptr && want->error->kind == TypeKind::Enum &&
                            (from == TypeKind::Shorthand || value.type == want->error);
    const bool isEnum =
        want->element != nullptr && want->element->kind == TypeKind::Enum && from == TypeKind::Shorthand;
    if (maybeError && !isEnum) {
        const auto error = TryCoerce(value, want->error, at);
        if (error) {
            if (expecting_ != 0) errorNames_.push_back(CaseName(want->error, error->bits));
            return ErrorUnion(want, want->error, error->bits);
        }
    }
    if (want->element == nullptr) return std::nullopt;
    const auto inner = TryCoerce(value, want->element, at);
    return inner ? std::optional(SuccessUnion(want, *inner)) : std::nullopt;
}

std::optional<Value> Interpreter::CoerceParts(const Value& value, const Type* want, const Location& at) {
    if (value.type->kind == TypeKind::Array) return std::nullopt;
    if (want->kind != TypeKind::Tuple || want->fields.size() != value.type->fields.size()) return std::nullopt;
    Value made = Value::Zero(want);
    for (std::size_t i = 0; i < want->fields.size(); ++i) {
        const Field& from = value.type->fields[i];
        const auto part = TryCoerce(PartOf(value, from.type, from.offset), want->fields[i].type, at);
        if (!part) return std::nullopt;
        StoreValue(*part, made.bytes.data() + want->fields[i].offset);
    }
    return made;
}

Value Interpreter::ErrorUnion(const Type* type, const Type* error, std::uint64_t which) {
    Value value = Value::Zero(type);
    value.bytes[0] = std::byte{1};
    StoreValue(Value::Of(error, which), value.bytes.data() + type->payload);
    return value;
}

Value Interpreter::SuccessUnion(const Type* type, const Value& inner) {
    Value value = Value::Zero(type);
    if (type->error == nullptr) value.bytes[0] = std::byte{1};
    StoreValue(inner, value.bytes.data() + type->payload);
    return value;
}

std::string Interpreter::ErrorName(const Value& value) const {
    if (value.type->error == nullptr) return "nothing";
    const Value error = PartOf(value, value.type->error, value.type->payload);
    return CaseName(error.type, error.bits);
}

// The value that is in a union; where there is none, the program stops.
Value Interpreter::Unwrap(Value value, const Location& at) {
    if (value.type->kind != TypeKind::Union) return value;
    if (IsError(value)) {
        if (value.type->error == nullptr)
            Stop(at, "there is nothing here",
                 fmt::format("a value of {}", value.type->element == nullptr ? "it" : value.type->element->name),
                 "test it with `if` first");
        const std::string name = ErrorName(value);
        if (expecting_ != 0) errorNames_.push_back(name);
        Stop(at, fmt::format("this failed with {}{}, and is used as its value", name, Because(name)), "",
             "test it with `if`, hand the error on with `try`, or give a value with `?`");
    }
    if (value.type->element == nullptr) return Value::Of(types_.Of(TypeKind::Void), 0);
    return PartOf(value, value.type->element, value.type->payload);
}

// For a variable whose type is not written.
Value Interpreter::Settled(Value value, const Expression& from) {
    if (value.type->kind == TypeKind::Union && from.kind != ExpressionKind::Keep)
        value = Unwrap(std::move(value), from.at);
    switch (value.type->kind) {
        case TypeKind::UntypedInteger: {
            const Type* i32 = types_.Scalar(ScalarKind::I32);
            if (Fits(i32, value.bits, true)) return Value::Of(i32, value.bits);
            return Value::Of(types_.Scalar(ScalarKind::I64), value.bits);
        }
        case TypeKind::UntypedReal: return Value::OfReal(types_.Scalar(ScalarKind::F64), value.Real());
        case TypeKind::Shorthand:
            Stop(from.at, fmt::format("of which enum is `.{}`?", reinterpret_cast<const Expression*>(value.bits)->name),
                 "the enum before the dot, or a type after the variable's name");
        case TypeKind::Nothing:
            Stop(from.at, "nothing of which type?", "a type after the variable's name, as in next : ?^Node = nothing");
        case TypeKind::Void: Stop(from.at, "this gives no value", "a value");
        case TypeKind::Unknown: Stop(from.at, "the type of this is not known", "type arguments, as in f<u32>(...)");
        default: return value;
    }
}

Value Interpreter::Cast(const Value& value, const Type* to, const Location& at) {
    const Type* from = value.type;
    if (from == to) return value;
    const bool fromNumber = from->IsInteger() || from->kind == TypeKind::Bool || from->kind == TypeKind::Char ||
                            from->kind == TypeKind::Enum;
    if (to->kind == TypeKind::Integer) {
        if (fromNumber) return Value::Of(to, detail::Wrapped(to, value.bits));
        if (from->kind == TypeKind::Pointer) return Value::Of(to, detail::Wrapped(to, detail::AddressOf(value.bits)));
        if (from->IsReal()) {
            const double real = value.Real();
            if (std::isnan(real)) return Value::Of(to, 0);
            const double least = to->isSigned ? -std::ldexp(1.0, static_cast<int>(to->size) * 8 - 1) : 0;
            const double most = std::ldexp(1.0, static_cast<int>(to->size) * 8 - (to->isSigned ? 1 : 0));
            std::uint64_t bits = 0;
            if (real >= most)
                bits = to->isSigned ? std::numeric_limits<std::uint64_t>::max() >> (65 - to->size * 8)
                                    : ~std::uint64_t{0} >> (64 - to->size * 8);
            else if (real <= least)
                bits = to->isSigned ? static_cast<std::uint64_t>(static_cast<std::int64_t>(least)) : 0;
            else
                bits = real < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(real))
                                : static_cast<std::uint64_t>(real);
            return Value::Of(to, detail::Wrapped(to, bits));
        }
    }
    if (to->kind == TypeKind::Float && (from->IsInteger() || from->IsReal())) return *CoerceNumber(value, to, at);
    if (to->kind == TypeKind::Char && from->IsInteger()) return Value::Of(to, value.bits & 0xFF);
    if (to->kind == TypeKind::Bool && from->IsInteger()) return Value::Of(to, value.bits != 0 ? 1 : 0);
    if (to->kind == TypeKind::Enum && from->IsInteger()) return Value::Of(to, value.bits & 0xFFFF'FFFF);
    if (to->kind == TypeKind::Pointer) {
        if (from->kind == TypeKind::Pointer) return Value::Of(to, value.bits);
        if (from->IsInteger()) return Value::Of(to, value.bits & 0xFFFF'FFFF);
    }
    if (auto coerced = TryCoerce(value, to, at)) return std::move(*coerced);
    Stop(at, fmt::format("{} cannot become {}", from->name, to->name));
}

Value Interpreter::StringValue(std::string_view text) {
    const auto address = memory_.AddString(text);
    if (!address) End(Ending::MemoryBudget, "there is no room for more strings", "shorter strings, or fewer");
    CheckMemory();
    Value value = Value::Zero(types_.Scalar(ScalarKind::String));
    const std::uint64_t length = text.size();
    std::memcpy(value.bytes.data(), &*address, 8);
    std::memcpy(value.bytes.data() + 8, &length, 8);
    return value;
}

// Whatever the bytes of a string value are, this is a text that is there.
std::string_view Interpreter::TextOf(const Value& string) const {
    std::uint64_t address = 0;
    std::uint64_t length = 0;
    std::memcpy(&address, string.bytes.data(), 8);
    std::memcpy(&length, string.bytes.data() + 8, 8);
    if (!memory_.IsLiveStatic(address, 0) || length > kMostTypeBytes || !memory_.IsLiveStatic(address, length))
        return {};
    return {reinterpret_cast<const char*>(memory_.Real(address)), static_cast<std::size_t>(length)};
}

}  // namespace residue::scenario::detail
