// An allocator for arrays of megabytes that are filled once and read once: it asks for large pages (2 MiB), where the
// first touch of small ones would cost more than what is written there. Small arrays come from malloc. OS part.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace residue::capture::detail {

inline constexpr std::size_t kLargePage = std::size_t{2} << 20;

template <class T>
struct LargePages {
    using value_type = T;

    LargePages() = default;
    template <class U>
    LargePages(const LargePages<U>&) noexcept {}

    // Throws std::bad_alloc, as containers expect.
    T* allocate(std::size_t count) {
        if (count > (std::numeric_limits<std::size_t>::max() - kLargePage) / sizeof(T)) throw std::bad_alloc();
        const std::size_t bytes = count * sizeof(T);
        void* memory = nullptr;
        if (bytes < kLargePage / 2) {
            memory = std::malloc(bytes);
        } else {
            const std::size_t pages = (bytes + kLargePage - 1) / kLargePage * kLargePage;
            memory = std::aligned_alloc(kLargePage, pages);
            if (memory != nullptr) (void)::madvise(memory, pages, MADV_HUGEPAGE);  // without them it is but slower
        }
        if (memory == nullptr) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) noexcept { std::free(memory); }

    friend bool operator==(const LargePages&, const LargePages&) { return true; }
};

}  // namespace residue::capture::detail
