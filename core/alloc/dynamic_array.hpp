// The design document's array on any allocator: the proof that a library can take its memory from whoever calls it.
//
//     DynamicArray<int> numbers = CreateDynamicArray<int>(&allocator);
//     if (!PushToDynamicArray(&numbers, 1, 2, 3)) ...        // all three or none
//     int* second = *DynamicArrayAt(&numbers, 1);
//     DestroyDynamicArray(&numbers);
//
// It grows by doubling and shrinks by half when a quarter full, so that a push or a pop costs O(1) on average. Elements
// move when it does: pointers to them last until the next push, pop or removal.
// Errors: the allocator's, the array then being as it was; InvalidPointer for an index that is not in the array.
// An element's constructor and destructor must not throw. Thread safety: none. Freestanding.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "alloc/allocator.hpp"

namespace residue::alloc {

template <class T>
struct DynamicArray {
    Allocator* allocator = nullptr;
    T* buffer = nullptr;
    std::size_t size = 0;      // elements
    std::size_t capacity = 0;  // elements

    T* begin() { return buffer; }
    T* end() { return buffer + size; }
    const T* begin() const { return buffer; }
    const T* end() const { return buffer + size; }
};

inline constexpr std::size_t kSmallestDynamicArray = 4;

template <class T>
DynamicArray<T> CreateDynamicArray(Allocator* allocator) {
    return {allocator};
}

// Moves the elements into a buffer of exactly `capacity` elements, at least `size` (0 gives the buffer back).
template <class T>
Result<void> SetDynamicArrayCapacity(DynamicArray<T>* array, std::size_t capacity) {
    if (capacity < array->size) return Fail(MemoryError::BufferTooLarge);
    T* fresh = nullptr;
    if (capacity != 0) {
        const Result<T*> buffer = Allocate<T>(array->allocator, capacity);
        if (!buffer) return Fail(buffer.error());
        fresh = *buffer;
    }
    for (std::size_t i = 0; i < array->size; ++i) {
        new (fresh + i) T(std::move(array->buffer[i]));
        array->buffer[i].~T();
    }
    T* old = array->buffer;
    array->buffer = fresh;
    array->capacity = capacity;
    // The elements have moved either way; an allocator that refuses its own block is the one to tell.
    if (old != nullptr) (void)UnsafeFree(array->allocator, old);
    return {};
}

template <class T, class... Values>
Result<void> PushToDynamicArray(DynamicArray<T>* array, Values&&... values) {
    constexpr std::size_t count = sizeof...(Values);
    static_assert(count > 0);
    // Made first, so that an element of this very array can be pushed while it moves.
    T staged[count] = {T(std::forward<Values>(values))...};
    const auto needed = CheckedAdd(array->size, count);
    if (!needed) return Fail(MemoryError::BufferTooLarge);
    if (*needed > array->capacity) {
        std::size_t capacity = array->capacity < kSmallestDynamicArray ? kSmallestDynamicArray : array->capacity;
        while (capacity < *needed) capacity = static_cast<std::size_t>(SaturatingAdd(capacity, capacity));
        const Result<void> grown = SetDynamicArrayCapacity(array, capacity);
        if (!grown) return grown;
    }
    for (T& value : staged) new (array->buffer + array->size++) T(std::move(value));
    return {};
}

template <class T>
Result<T*> DynamicArrayAt(DynamicArray<T>* array, std::size_t index) {
    if (index >= array->size) return Fail(MemoryError::InvalidPointer);
    return array->buffer + index;
}

template <class T>
Result<const T*> DynamicArrayAt(const DynamicArray<T>* array, std::size_t index) {
    if (index >= array->size) return Fail(MemoryError::InvalidPointer);
    return array->buffer + index;
}

// Shrinking is a kindness: where there is no memory to move to, the larger buffer stays.
template <class T>
void ShrinkDynamicArray(DynamicArray<T>* array) {
    if (array->capacity <= kSmallestDynamicArray || array->size > array->capacity / 4) return;
    (void)SetDynamicArrayCapacity(array, array->capacity / 2);
}

// Takes the last element out.
template <class T>
Result<T> PopDynamicArray(DynamicArray<T>* array) {
    if (array->size == 0) return Fail(MemoryError::InvalidPointer);
    T& last = array->buffer[array->size - 1];
    Result<T> popped(std::move(last));
    last.~T();
    --array->size;
    ShrinkDynamicArray(array);
    return popped;
}

// Removes one element; those behind it move up. O(size - index).
template <class T>
Result<void> DynamicArrayRemoveAt(DynamicArray<T>* array, std::size_t index) {
    if (index >= array->size) return Fail(MemoryError::InvalidPointer);
    for (std::size_t i = index; i + 1 < array->size; ++i) array->buffer[i] = std::move(array->buffer[i + 1]);
    array->buffer[array->size - 1].~T();
    --array->size;
    ShrinkDynamicArray(array);
    return {};
}

// Destroys the elements and keeps the buffer.
template <class T>
void ClearDynamicArray(DynamicArray<T>* array) {
    while (array->size > 0) array->buffer[--array->size].~T();
}

// Destroys the elements and gives the buffer back. Safe to call twice.
template <class T>
Result<void> DestroyDynamicArray(DynamicArray<T>* array) {
    ClearDynamicArray(array);
    array->capacity = 0;
    if (array->buffer == nullptr) return {};
    return Free(array->allocator, array->buffer);
}

}  // namespace residue::alloc
