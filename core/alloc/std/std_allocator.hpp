// An Allocator behind the standard library's containers.
//
//     std::vector<int, StdAllocator<int>> numbers{StdAllocator<int>(&allocator)};
//
// Throws std::bad_alloc where the allocator fails (that is what containers expect), std::bad_array_new_length where
// count * size overflows. Copies and rebound ones share the allocator; two are equal when it is the same. Containers
// take it along when they are moved, copied or swapped. Thread safety: the allocator's. Hosted: needs exceptions.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>

#include "alloc/allocator.hpp"

namespace residue::alloc {

template <class T>
class StdAllocator {
public:
    using value_type = T;
    using propagate_on_container_copy_assignment = std::true_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;

    explicit StdAllocator(Allocator* allocator) noexcept : allocator_(allocator) {}
    template <class Other>
    StdAllocator(const StdAllocator<Other>& other) noexcept : allocator_(other.Inner()) {}

    [[nodiscard]] T* allocate(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
        const Result<void*> block = allocator_->Allocate(allocator_, count * sizeof(T), alignof(T));
        if (!block) throw std::bad_alloc();
        return static_cast<T*>(*block);
    }
    void deallocate(T* pointer, std::size_t) noexcept { (void)allocator_->Free(allocator_, pointer); }

    Allocator* Inner() const noexcept { return allocator_; }
    template <class Other>
    bool operator==(const StdAllocator<Other>& other) const noexcept {
        return allocator_ == other.Inner();
    }

private:
    Allocator* allocator_;
};

}  // namespace residue::alloc
