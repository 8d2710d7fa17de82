// A pointer as a successful Result, for an allocation that takes a few nanoseconds. As gcc 12 lays the return of a
// Result out, it writes one byte and reads eight back at once, which the processor answers only after the write is
// done: 4 ns. This writes all eight. Out of line, because in line the two words are joined to one of 16 bytes, with the
// same effect. Freestanding.
#pragma once

#include <bit>
#include <cstdint>

#include "base/result.hpp"

namespace residue::alloc {

template <class T>
[[gnu::noinline]] Result<T*> Succeed(T* pointer) {
    struct Image {
        T* value;
        std::uint64_t hasValue;
    };
    static_assert(sizeof(Image) == sizeof(Result<T*>) && std::endian::native == std::endian::little);
    return std::bit_cast<Result<T*>>(Image{pointer, 1});
}

}  // namespace residue::alloc
