#include "scenario/detail/value.hpp"

#include <cstring>

namespace residue::scenario::detail {

std::uint64_t Wrapped(const Type* type, std::uint64_t bits) {
    if (type->size >= 8) return bits;
    const unsigned width = static_cast<unsigned>(type->size) * 8;
    const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
    bits &= mask;
    if (type->isSigned && (bits >> (width - 1)) != 0) bits |= ~mask;
    return bits;
}

bool Fits(const Type* type, std::uint64_t bits, bool isSigned) {
    const bool negative = isSigned && static_cast<std::int64_t>(bits) < 0;
    if (!type->isSigned) return !negative && Wrapped(type, bits) == bits;
    if (!negative && static_cast<std::int64_t>(bits) < 0) return false;  // beyond every signed type
    return Wrapped(type, bits) == bits;
}

Value LoadValue(const Type* type, const std::byte* from) {
    Value value;
    value.type = type;
    switch (type->kind) {
        case TypeKind::Integer:
        case TypeKind::Enum:
        case TypeKind::Char:
            std::memcpy(&value.bits, from, type->size);
            value.bits = Wrapped(type, value.bits);
            break;
        case TypeKind::Bool: value.bits = *from != std::byte{0} ? 1 : 0; break;
        case TypeKind::Pointer:
        case TypeKind::Procedure: std::memcpy(&value.bits, from, 8); break;
        case TypeKind::Float:
            if (type->size == 4) {
                float real = 0;
                std::memcpy(&real, from, sizeof real);
                value.bits = std::bit_cast<std::uint64_t>(static_cast<double>(real));
            } else {
                std::memcpy(&value.bits, from, 8);
            }
            break;
        default: value.bytes.assign(from, from + type->size); break;
    }
    return value;
}

void StoreValue(const Value& value, std::byte* to) {
    switch (value.type->kind) {
        case TypeKind::Integer:
        case TypeKind::Enum:
        case TypeKind::Char:
        case TypeKind::Bool:
        case TypeKind::Pointer:
        case TypeKind::Procedure: std::memcpy(to, &value.bits, value.type->size); break;
        case TypeKind::Float:
            if (value.type->size == 4) {
                const auto real = static_cast<float>(value.Real());
                std::memcpy(to, &real, sizeof real);
            } else {
                std::memcpy(to, &value.bits, 8);
            }
            break;
        default:
            if (!value.bytes.empty()) std::memcpy(to, value.bytes.data(), value.bytes.size());
            break;
    }
}

}  // namespace residue::scenario::detail
