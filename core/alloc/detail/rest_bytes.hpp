// What a payload leaves of its block, told in the very bytes that are left: the last one says how many there are, or,
// where there are more than 8, the 8 bytes before it do. A rest of 0 has no room: it is a flag elsewhere
// (GranuleBits::MarkLive). So the size that was asked for costs nothing to remember.
// Cost: O(1). Thread safety: none. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace residue::alloc {

inline constexpr unsigned char kRestIsFar = 255;  // the last byte where the rest is told in the 8 bytes before

// Into the last bytes before `end`.
inline void StoreRest(std::uintptr_t end, std::uint64_t rest) {
    if (rest == 0) return;
    auto* const last = reinterpret_cast<unsigned char*>(end - 1);
    *last = rest <= 8 ? static_cast<unsigned char>(rest) : kRestIsFar;
    if (rest > 8) std::memcpy(last - sizeof rest, &rest, sizeof rest);
}

// `room`: the bytes from the payload's start to `end`. 0: they were written over, no payload leaves such a rest.
inline std::uint64_t LoadRest(std::uintptr_t end, std::uint64_t room) {
    const auto* const last = reinterpret_cast<const unsigned char*>(end - 1);
    std::uint64_t rest = *last;
    if (rest > 8) {
        if (rest != kRestIsFar || room <= 9) return 0;
        std::memcpy(&rest, last - sizeof rest, sizeof rest);
        if (rest <= 8) return 0;
    }
    return rest < room ? rest : 0;
}

}  // namespace residue::alloc
