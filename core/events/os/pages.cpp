#include "events/os/pages.hpp"

#include <sys/mman.h>

namespace residue::events::os {

void* ReservePages(std::size_t bytes) noexcept {
    constexpr int kLazily = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kLazily, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

void ReleasePages(void* pages, std::size_t bytes) noexcept {
    if (pages != nullptr) munmap(pages, bytes);
}

}  // namespace residue::events::os
