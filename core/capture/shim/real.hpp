// The allocation functions behind the shim's: the C library's, or those of a library that the program brings.
#pragma once

#include <cstddef>

namespace residue::capture::shim {

struct Real {
    void* (*malloc)(std::size_t) = nullptr;
    void* (*calloc)(std::size_t, std::size_t) = nullptr;
    void* (*realloc)(void*, std::size_t) = nullptr;
    void (*free)(void*) = nullptr;
    void* (*memalign)(std::size_t, std::size_t) = nullptr;
    int (*posix_memalign)(void**, std::size_t, std::size_t) = nullptr;
    void* (*aligned_alloc)(std::size_t, std::size_t) = nullptr;
    void* (*valloc)(std::size_t) = nullptr;
    void* (*pvalloc)(std::size_t) = nullptr;
    std::size_t (*malloc_usable_size)(void*) = nullptr;
};

extern Real real;

// Finds them. Looking them up allocates itself: what is asked for meanwhile comes from a small arena and stays there.
void FindReal() noexcept;

// The functions are found, and the process is attached where it is to be watched; false: too early. hooks.cpp.
bool EnsureBegun() noexcept;

// From the arena, zeroed; null where it is used up.
void* EarlyAllocate(std::size_t bytes, std::size_t alignment) noexcept;
bool IsEarly(const void* block) noexcept;
std::size_t EarlySize(const void* block) noexcept;

}  // namespace residue::capture::shim
