// The types of a run, each made once, so that two equal types are one pointer. Sizes are bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scenario/detail/ast.hpp"
#include "scenario/detail/scalars.hpp"

namespace residue::scenario::detail {

enum class TypeKind : std::uint8_t {
    Void,            // a procedure without a result
    UntypedInteger,  // a literal that no place has given a type yet
    UntypedReal,
    Shorthand,  // .Case, before its enum is known
    Nothing,
    Integer,
    Float,
    Bool,
    Char,
    String,  // address and length
    Pointer,
    Array,
    Tuple,
    Union,  // E?T, E?, ?T: one byte that says which (E?T: 0 the value, 1 the error; ?T: 0 nothing, 1 the value, so
            // that what is zeroed is nothing), then either
    Struct,
    Enum,
    Procedure,
    Unknown,  // a type parameter that nobody has given
};

struct Type;

struct Field {
    std::string_view name;
    const Type* type = nullptr;
    std::uint64_t offset = 0;
};

struct Type {
    TypeKind kind = TypeKind::Void;
    bool isSigned = false;
    bool complete = true;  // Struct: its fields are laid out
    bool begun = false;    // Struct: somebody is at it
    std::uint32_t alignment = 1;
    std::uint64_t size = 0;
    std::string name;
    const Type* element = nullptr;        // Pointer, Array; Union: its value (null: none)
    const Type* error = nullptr;          // Union (null: nothing instead of a value)
    std::uint64_t count = 0;              // Array
    std::uint64_t payload = 0;            // Union: where value or error begins
    std::vector<Field> fields;            // Struct, Tuple
    std::vector<std::string_view> cases;  // Enum
    const Type* base = nullptr;           // Struct: using
    std::vector<const Type*> arguments;   // Struct: what its type parameters are
    // Struct: where an allocator keeps which one it is; 0: this is no allocator.
    std::uint64_t identity = 0;
    std::uint64_t allocateField = 0;
    std::uint64_t freeField = 0;
    const Type* arrayElement = nullptr;  // Struct: of a DynamicArray

    // Kept in Value::bits.
    bool IsScalar() const {
        return kind == TypeKind::Integer || kind == TypeKind::Float || kind == TypeKind::Bool ||
               kind == TypeKind::Char || kind == TypeKind::Pointer || kind == TypeKind::Enum ||
               kind == TypeKind::Procedure || kind == TypeKind::UntypedInteger || kind == TypeKind::UntypedReal ||
               kind == TypeKind::Shorthand;
    }
    bool IsInteger() const { return kind == TypeKind::Integer || kind == TypeKind::UntypedInteger; }
    bool IsReal() const { return kind == TypeKind::Float || kind == TypeKind::UntypedReal; }
    bool IsAllocator() const { return identity != 0; }
    bool HasSize() const {
        return kind != TypeKind::Void && kind != TypeKind::UntypedInteger && kind != TypeKind::UntypedReal &&
               kind != TypeKind::Shorthand && kind != TypeKind::Nothing && kind != TypeKind::Unknown;
    }
    const Field* Find(std::string_view field) const {
        for (const Field& each : fields) {
            if (each.name == field) return &each;
        }
        return nullptr;
    }
};

inline constexpr std::uint64_t kMostTypeBytes = std::uint64_t{256} << 20;

class TypeTable {
public:
    TypeTable();

    const Type* Scalar(ScalarKind kind) const { return scalars_[static_cast<std::size_t>(kind)]; }
    const Type* Of(TypeKind kind) const { return plain_[static_cast<std::size_t>(kind)]; }  // those without parts
    const Type* PointerTo(const Type* element);
    const Type* ArrayOf(const Type* element, std::uint64_t count);  // null: more than kMostTypeBytes
    const Type* TupleOf(const std::vector<const Type*>& parts);     // null: likewise
    const Type* UnionOf(const Type* error, const Type* element);    // either may be null
    // Enums and structs are named by whoever declares them.
    const Type* EnumOf(Reference declaration, std::string_view name, const std::vector<std::string_view>& cases);
    // The struct's type; new ones are not complete, and wait for Lay().
    Type* StructOf(Reference declaration, std::string_view name, const std::vector<const Type*>& arguments);
    // Gives the fields their offsets and the struct its size; false: more than kMostTypeBytes.
    static bool Lay(Type& type);

    const Type* Boolean() const { return Scalar(ScalarKind::Bool); }
    const Type* MemoryError() const { return memoryError_; }
    const Type* AccessError() const { return accessError_; }
    const Type* Placement() const { return placement_; }
    const Type* Profile() const { return profile_; }
    const Type* Allocator() const { return allocator_; }
    const Type* CallTrace() const { return callTrace_; }
    const Type* TraceEntry() const { return traceEntry_; }
    const Type* DynamicArrayOf(const Type* element);
    std::size_t Count() const { return types_.size(); }

private:
    Type* New(TypeKind kind, std::string name, std::uint64_t size, std::uint32_t alignment);
    Type* NewStruct(std::string name, std::vector<Field> fields);

    std::deque<Type> types_;
    const Type* scalars_[13] = {};
    const Type* plain_[18] = {};
    std::unordered_map<const Type*, const Type*> pointers_;
    std::map<std::pair<const Type*, std::uint64_t>, const Type*> arrays_;
    std::map<std::vector<const Type*>, const Type*> tuples_;
    std::map<std::pair<const Type*, const Type*>, const Type*> unions_;
    std::map<std::uint64_t, const Type*> enums_;
    std::map<std::pair<std::uint64_t, std::vector<const Type*>>, Type*> structs_;
    std::unordered_map<const Type*, const Type*> dynamicArrays_;
    const Type* memoryError_ = nullptr;
    const Type* accessError_ = nullptr;
    const Type* placement_ = nullptr;
    const Type* profile_ = nullptr;
    const Type* allocator_ = nullptr;
    const Type* callTrace_ = nullptr;
    const Type* traceEntry_ = nullptr;
};

// Is a struct in it whose fields are not laid out yet? (Behind a pointer it does no harm.)
bool HoldsIncomplete(const Type* type);

// The name of an enum's case; its number where there is none.
std::string CaseName(const Type* type, std::uint64_t which);

// "x, y, z": for a message; at most a dozen.
std::string FieldList(const Type* type);

// Is `type` this struct, or one that begins with it?
bool IsOrUses(const Type* type, const Type* base);

}  // namespace residue::scenario::detail
