#include "capture/shim/real.hpp"

#include <dlfcn.h>

#include <atomic>
#include <cstdint>

namespace residue::capture::shim {

constinit Real real;

namespace {

// dlsym asks for a few hundred bytes; other threads do not run yet when it does.
constexpr std::size_t kArena = 64 * 1024;
alignas(64) constinit char arena[kArena];
constinit std::atomic<std::size_t> used{0};

template <class Function>
void Find(Function& function, const char* name) noexcept {
    void* const symbol = dlsym(RTLD_NEXT, name);
    __builtin_memcpy(&function, &symbol, sizeof(function));
}

}  // namespace

void FindReal() noexcept {
    Real found;
    Find(found.calloc, "calloc");
    Find(found.free, "free");
    Find(found.realloc, "realloc");
    Find(found.memalign, "memalign");
    Find(found.posix_memalign, "posix_memalign");
    Find(found.aligned_alloc, "aligned_alloc");
    Find(found.valloc, "valloc");
    Find(found.pvalloc, "pvalloc");
    Find(found.malloc_usable_size, "malloc_usable_size");
    Find(found.malloc, "malloc");
    real = found;
}

// Each block has its size in the 16 bytes before it.
void* EarlyAllocate(std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > kArena || alignment > 4096) return nullptr;
    if (alignment < 16) alignment = 16;
    std::size_t at = used.load(std::memory_order_relaxed);
    std::size_t begin = 0;
    do {
        const auto base = reinterpret_cast<std::uintptr_t>(arena);
        begin = ((base + at + 16 + alignment - 1) & ~(alignment - 1)) - base;
        if (begin + bytes > kArena) return nullptr;
    } while (!used.compare_exchange_weak(at, begin + bytes, std::memory_order_relaxed));
    __builtin_memcpy(arena + begin - 16, &bytes, sizeof(bytes));
    return arena + begin;
}

bool IsEarly(const void* block) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(block);
    return address - reinterpret_cast<std::uintptr_t>(arena) < kArena;
}

std::size_t EarlySize(const void* block) noexcept {
    std::size_t bytes = 0;
    __builtin_memcpy(&bytes, static_cast<const char*>(block) - 16, sizeof(bytes));
    return bytes;
}

}  // namespace residue::capture::shim
