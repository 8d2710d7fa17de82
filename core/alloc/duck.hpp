// What a Residue allocator leaves behind: the duck of the design document, byte for byte (trailing blanks too).
#pragma once

#include <cstddef>

namespace residue::alloc {

inline constexpr char kDuck[] =
    "      __\n"
    "  __( o)>  A real programmer\n"
    "  \\ <_ )      manages his own memory.\n"
    "   `---'              - A wise duck\n"
    "     ||     \n"
    "   ==^^==\n";

inline constexpr std::size_t kDuckLength = sizeof(kDuck) - 1;

}  // namespace residue::alloc
