// Memory of the two programs that run a trace for the lab (host/, peer/). They need nothing but the C library.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

namespace residue::lab {

// All of what a descriptor shares; null where it cannot be had.
inline void* MapShared(int descriptor, int protection) {
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) return nullptr;
    void* const memory = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), protection, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

// `count` of them and one more, all zero, outside of every heap; null where there is no memory.
template <class T>
T* Table(std::uint64_t count) {
    void* const memory = ::mmap(nullptr, (count + 1) * sizeof(T), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
}

}  // namespace residue::lab
