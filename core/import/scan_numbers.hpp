// Numbers, words and blanks of a line that ends in '\n' (or of any text that is followed by a byte which is none of
// theirs): each function moves `at` over what it has read, and leaves it where it was when there is none.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

namespace residue::import {

namespace detail {
constexpr std::array<std::uint8_t, 256> MakeHexDigits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(255);
    for (unsigned i = 0; i < 10; ++i) digits['0' + i] = static_cast<std::uint8_t>(i);
    for (unsigned i = 0; i < 6; ++i) digits['a' + i] = digits['A' + i] = static_cast<std::uint8_t>(10 + i);
    return digits;
}
inline constexpr std::array<std::uint8_t, 256> kHexDigits = MakeHexDigits();
}  // namespace detail

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool IsBlank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

inline void SkipBlanks(const char*& at) {
    while (IsBlank(*at)) ++at;
}

// Hexadecimal without 0x. False: no digit, or more than 64 bits.
[[gnu::always_inline]] inline bool ScanHex(const char*& at, std::uint64_t& value) {
    const char* to = at;
    std::uint64_t sum = 0;
    for (std::uint8_t digit; (digit = detail::kHexDigits[static_cast<unsigned char>(*to)]) < 16; ++to) {
        sum = sum << 4 | digit;
    }
    if (to == at) return false;
    if (to - at > 16) {
        while (*at == '0') ++at;
        if (to - at > 16) return false;
    }
    value = sum;
    at = to;
    return true;
}

// Decimal. False: no digit, or more than 64 bits.
inline bool ScanDecimal(const char*& at, std::uint64_t& value) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    const char* to = at;
    std::uint64_t sum = 0;
    for (; IsDigit(*to); ++to) {
        const auto digit = static_cast<std::uint64_t>(*to - '0');
        if (sum > (kMost - digit) / 10) return false;
        sum = sum * 10 + digit;
    }
    if (to == at) return false;
    value = sum;
    at = to;
    return true;
}

inline bool ScanWord(const char*& at, std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (at[i] != word[i]) return false;
    }
    at += word.size();
    return true;
}

// 0x1f, 31, -1 (as C converts it), and NULL as the tools write it.
inline bool ScanNumber(const char*& at, std::uint64_t& value) {
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        const char* digits = at + 2;
        if (!ScanHex(digits, value)) return false;
        at = digits;
        return true;
    }
    if (IsDigit(*at)) return ScanDecimal(at, value);
    if (*at == '-' && IsDigit(at[1])) {
        const char* digits = at + 1;
        if (!ScanDecimal(digits, value)) return false;
        value = ~value + 1;
        at = digits;
        return true;
    }
    for (const std::string_view null : {"(nil)", "nil", "NULL", "(null)"}) {
        if (ScanWord(at, null)) {
            value = 0;
            return true;
        }
    }
    return false;
}

}  // namespace residue::import
