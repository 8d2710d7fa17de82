// The five ways in which a request to an allocator can go wrong, as the design document names them.
// What tells them apart (design: METRICS.md, "Why a request failed"):
//   InsufficientMemory  the free bytes are fewer than the request needs
//   Fragmentation       the free bytes would do, but no single hole does (too small, or too small once aligned)
//   BufferTooLarge      larger than the allocator could ever give, or count * size overflows
//   DoubleFree          the allocator gave that address out, got it back, and has not given it out again
//   InvalidPointer      not the start of a block that the allocator ever gave out
#pragma once

#include <cstdint>

namespace residue {

// Zero is kept free, so that an error fits beside "no error" in one byte of an event.
enum class MemoryError : std::uint8_t {
    InsufficientMemory = 1,
    Fragmentation = 2,
    BufferTooLarge = 3,
    DoubleFree = 4,
    InvalidPointer = 5,
};

constexpr const char* Name(MemoryError error) noexcept {
    switch (error) {
        case MemoryError::InsufficientMemory: return "InsufficientMemory";
        case MemoryError::Fragmentation: return "Fragmentation";
        case MemoryError::BufferTooLarge: return "BufferTooLarge";
        case MemoryError::DoubleFree: return "DoubleFree";
        case MemoryError::InvalidPointer: return "InvalidPointer";
    }
    return "unknown error";
}

}  // namespace residue
