#include "analysis/format.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace residue::analysis {

std::string FormatCount(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

std::string FormatBytesExact(std::uint64_t bytes) { return FormatCount(bytes) + " B"; }

std::string FormatBytes(std::uint64_t bytes) {
    constexpr std::uint64_t kKibi = 1024;
    if (bytes < 10 * kKibi) return FormatBytesExact(bytes);
    static constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t unit = 0;
    double value = static_cast<double>(bytes) / static_cast<double>(kKibi);
    // 1,023.95 would be printed as 1024.0: that is one of the next unit.
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= static_cast<double>(kKibi);
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string FormatAddress(std::uint64_t address) {
    const std::uint64_t high = address >> 32;
    std::string text = "0x";
    if (high > 0xFFFF) text += fmt::format("{:04x}'", high >> 16);
    if (high > 0) text += fmt::format("{:04x}'", high & 0xFFFF);
    return text + fmt::format("{:04x}'{:04x}", (address >> 16) & 0xFFFF, address & 0xFFFF);
}

std::string FormatFraction(double value) {
    if (!std::isfinite(value)) return "?";
    std::string digits = fmt::format("{:.3f}", std::fabs(value));
    const bool zero = digits.find_first_not_of("0.") == std::string::npos;
    if (digits.rfind("0.", 0) == 0) digits.erase(0, 1);
    return value < 0 && !zero ? fmt::format("\u2212{}", digits) : digits;
}

}  // namespace residue::analysis
