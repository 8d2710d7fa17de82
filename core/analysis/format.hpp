// How figures are written, in one place: the window, the command line and the exports print the same text (UTF-8).
// Thread-safe. Cost: one small string.
#pragma once

#include <cstdint>
#include <string>

namespace residue::analysis {

std::string FormatBytes(std::uint64_t bytes);       // "1,024 B" below 10 KiB, then "12.4 KiB", "1.0 MiB", ...
std::string FormatBytesExact(std::uint64_t bytes);  // "12,697 B"
std::string FormatCount(std::uint64_t count);       // "1,234,567"
std::string FormatAddress(std::uint64_t address);   // "0x0000'0190"; 12 or 16 digits where 8 do not do
// Three digits behind the point, no zero before it: ".875", "1.000", "−.333" (with a minus sign, U+2212). What is no
// number is "?".
std::string FormatFraction(double value);

}  // namespace residue::analysis
