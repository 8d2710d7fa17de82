// A value on its way through an expression. Scalars are in `bits` (reals as a double's), everything else as the bytes
// that it has in memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "scenario/detail/types.hpp"

namespace residue::scenario::detail {

// A pointer: 32 bits of address, and 32 that say what it was made for (0: not known; a block's number; a frame's, with
// kFrameTag). So a pointer into a block that is gone is known as stale even where a new block lies.
inline constexpr std::uint64_t kFrameTag = 0x8000'0000;
inline std::uint64_t AddressOf(std::uint64_t pointer) {
    return pointer & 0xFFFF'FFFF;
}
inline std::uint64_t TagOf(std::uint64_t pointer) {
    return pointer >> 32;
}
inline std::uint64_t MakePointer(std::uint64_t address, std::uint64_t tag) {
    return (address & 0xFFFF'FFFF) | tag << 32;
}

struct Value {
    const Type* type = nullptr;
    std::uint64_t bits = 0;
    std::vector<std::byte> bytes;

    std::int64_t Signed() const { return static_cast<std::int64_t>(bits); }
    double Real() const { return std::bit_cast<double>(bits); }
    static Value Of(const Type* type, std::uint64_t bits) {
        Value value;
        value.type = type;
        value.bits = bits;
        return value;
    }
    static Value OfReal(const Type* type, double real) { return Of(type, std::bit_cast<std::uint64_t>(real)); }
    static Value Zero(const Type* type) {
        Value value;
        value.type = type;
        if (!type->IsScalar()) value.bytes.resize(type->size);
        return value;
    }
};

// To and from bytes; `type` has a size. Whatever the bytes are, the value is one of its type.
Value LoadValue(const Type* type, const std::byte* from);
void StoreValue(const Value& value, std::byte* to);
// A part of a value that is in bytes.
inline Value PartOf(const Value& whole, const Type* type, std::uint64_t offset) {
    return LoadValue(type, whole.bytes.data() + offset);
}

// Cuts to the type's width, and extends again: what is in a variable of this type.
std::uint64_t Wrapped(const Type* type, std::uint64_t bits);
// Does the number (negative where `isSigned` and the top bit say so) fit the integer type?
bool Fits(const Type* type, std::uint64_t bits, bool isSigned);

}  // namespace residue::scenario::detail
