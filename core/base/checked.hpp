// Sizes that cannot wrap: every sum, product and rounding of bytes that comes from outside goes through these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace residue {

constexpr bool IsPowerOfTwo(std::uint64_t value) noexcept { return value != 0 && (value & (value - 1)) == 0; }

constexpr std::optional<std::uint64_t> CheckedAdd(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
    return sum;
}

constexpr std::optional<std::uint64_t> CheckedMultiply(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
    return product;
}

// `alignment` must be a power of two.
constexpr std::optional<std::uint64_t> CheckedAlignUp(std::uint64_t value, std::uint64_t alignment) noexcept {
    const auto raised = CheckedAdd(value, alignment - 1);
    if (!raised) return std::nullopt;
    return *raised & ~(alignment - 1);
}

constexpr std::uint64_t AlignDown(std::uint64_t value, std::uint64_t alignment) noexcept {
    return value & ~(alignment - 1);
}

constexpr std::uint64_t SaturatingAdd(std::uint64_t a, std::uint64_t b) noexcept {
    return CheckedAdd(a, b).value_or(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace residue
