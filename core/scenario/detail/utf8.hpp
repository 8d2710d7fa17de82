// UTF-8, as far as scripts and their messages need it.
#pragma once

#include <cstddef>
#include <string_view>

namespace residue::scenario::detail {

// Bytes of the character that begins at `text` (not empty); 0: it is none.
inline std::size_t CharacterBytes(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xC2 ? 0
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF5 ? 4
                                              : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
    }
    return length;
}

}  // namespace residue::scenario::detail
