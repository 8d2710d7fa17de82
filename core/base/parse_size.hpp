// Sizes as people type them, in the window and on the command line: "1024", "64K", "1.5 MiB", "0x400".
// Pure, freestanding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace residue {

// Bytes; K, M, G, T (with or without "iB" or "B", any case) are powers of 1,024. Nothing for what is no size, is
// negative, or does not fit 64 bits. Fractions are cut to whole bytes.
std::optional<std::uint64_t> ParseBytes(std::string_view text);

// A whole number, decimal or with 0x; commas, apostrophes and blanks between digits are skipped.
std::optional<std::uint64_t> ParseWhole(std::string_view text);

}  // namespace residue
