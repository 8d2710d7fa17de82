// The design document's allocator: a value with two callbacks that is passed to whatever allocates.
//
// Writing one is writing two functions:
//     Result<void*> MyAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
//     Result<void>  MyFree(Allocator* self, void* pointer);
//     Allocator mine{MyAllocate, MyFree};
// A struct that derives from Allocator keeps its state behind `self`. Everything else is optional (AllocatorOptions).
//
// Thread safety: that of the allocator itself; System, Default and Global are thread-safe, all others only inside
// LockedAllocator. Freestanding: no heap, no OS, no exceptions, no RTTI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/checked.hpp"
#include "base/result.hpp"

namespace residue::alloc {

struct Allocator;
class Inspector;  // alloc/inspect.hpp

// What an allocator may also be able to do. Any entry may be null.
struct AllocatorOptions {
    const char* name = nullptr;  // "fixed buffer, first fit"

    // Makes the block larger or smaller, in place or by moving it (contents kept). On an error it stays as it was.
    Result<void*> (*Resize)(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment) = nullptr;
    // Walks everything there is; see Inspector. Does not change the allocator.
    void (*Inspect)(const Allocator* self, Inspector& inspector) = nullptr;
    // Is `pointer` the start of a live block of this allocator?
    bool (*Owns)(const Allocator* self, const void* pointer) = nullptr;
    // Gives every block back at once.
    Result<void> (*Reset)(Allocator* self) = nullptr;
};

struct Allocator {
    // bytes >= 1 and `alignment` a power of two (0 counts as 1); an error leaves the allocator as it was.
    // bytes == 0 is treated as 1: every success is a block of its own.
    Result<void*> (*Allocate)(Allocator* self, std::size_t bytes, std::size_t alignment) = nullptr;
    // `pointer` must be the start of a live block; null is InvalidPointer.
    Result<void> (*Free)(Allocator* self, void* pointer) = nullptr;
    const AllocatorOptions* options = nullptr;
};

// Room for `count` objects of type T, uninitialised. Errors: the allocator's; BufferTooLarge if count * size overflows.
template <class T>
Result<T*> Allocate(Allocator* allocator, std::size_t count) {
    static_assert(std::is_object_v<T>);
    const auto bytes = CheckedMultiply(count, sizeof(T));
    // An overflowing request still reaches the allocator, so that the failure is one of its events.
    const std::size_t asked = bytes ? static_cast<std::size_t>(*bytes) : ~std::size_t{0};
    const Result<void*> block = allocator->Allocate(allocator, asked, alignof(T));
    if (!block) return Fail(bytes ? block.error() : MemoryError::BufferTooLarge);
    return static_cast<T*>(*block);
}

// Gives the buffer back and, on success only, clears the owner. Runs no destructor.
template <class T>
Result<void> Free(Allocator* allocator, T*& buffer) {
    const Result<void> freed = allocator->Free(allocator, const_cast<std::remove_cv_t<T>*>(buffer));
    if (freed) buffer = nullptr;
    return freed;
}

// Gives the buffer back and leaves the owner's pointer dangling. That is how one stages a double free.
template <class T>
Result<void> UnsafeFree(Allocator* allocator, T* buffer) {
    return allocator->Free(allocator, const_cast<std::remove_cv_t<T>*>(buffer));
}

}  // namespace residue::alloc
