// CRC-32C (Castagnoli polynomial, reflected), eight bytes a step ("slicing by 8", Kounavis and Berry 2005): some
// GB/s without special instructions. Crc32c(b, Crc32c(a)) is that of a followed by b. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace residue::log {
namespace detail {

using Crc32cTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Crc32cTables MakeCrc32cTables() {
    Crc32cTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
        tables[0][byte] = crc;
    }
    for (std::size_t t = 1; t < 8; ++t) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[t - 1][byte];
            tables[t][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

inline constexpr Crc32cTables kCrc32cTables = MakeCrc32cTables();

}  // namespace detail

inline std::uint32_t Crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept {
    const auto& tables = detail::kCrc32cTables;
    std::uint32_t crc = ~before;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word = 0;
        __builtin_memcpy(&word, bytes.data() + i, 8);
        word ^= crc;
        crc = 0;
        for (std::size_t b = 0; b < 8; ++b) crc ^= tables[7 - b][(word >> (8 * b)) & 0xFF];
    }
    for (; i < bytes.size(); ++i) {
        crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<std::uint32_t>(bytes[i])) & 0xFF];
    }
    return ~crc;
}

}  // namespace residue::log
