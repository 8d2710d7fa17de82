// The functions that stand before the C library's in a watched program.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "capture/shim/attach.hpp"
#include "capture/shim/real.hpp"
#include "capture/shim/writer.hpp"

#define RESIDUE_HOOK extern "C" __attribute__((visibility("default"), noinline))

namespace residue::capture::shim {
namespace {

[[gnu::cold, gnu::noinline]] void Begin() noexcept {
    if (real.malloc == nullptr) {
        static constinit std::atomic<int> finding{0};
        int never = 0;
        // Whoever comes meanwhile (dlsym itself, on this thread) is served by the arena.
        if (finding.compare_exchange_strong(never, 1)) FindReal();
    }
    if (real.malloc != nullptr) AttachOnce();
}

inline bool Begun() noexcept {
    if (real.malloc != nullptr && active.load(std::memory_order_relaxed) != nullptr) [[likely]] return true;
    Begin();
    return real.malloc != nullptr;
}

std::uint64_t Product(std::size_t a, std::size_t b) noexcept {
    std::size_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? kLow48 : product;
}

unsigned Log2(std::size_t alignment) noexcept {
    return alignment == 0 ? 0 : static_cast<unsigned>(63 - __builtin_clzll(alignment));
}

// Tells of an allocation that has been made, or has failed.
void Tell(Writer& writer, const void* block, std::uint64_t size, unsigned alignmentLog2, const Place& place) noexcept {
    const TraceId trace = writer.Trace(place);
    if (block == nullptr) return writer.Emit(RecordKind::AllocateFailed, nullptr, size, alignmentLog2, 0, trace);
    const std::size_t usable = real.malloc_usable_size(const_cast<void*>(block));
    writer.Emit(RecordKind::Allocated, block, size, alignmentLog2, usable > size ? usable - size : 0, trace);
}

// `allocate` is the real call. Early: before there is one.
template <class Allocate>
[[gnu::always_inline]] inline void* Allocating(std::uint64_t size, std::size_t alignment, const Place& place,
                                               Allocate allocate) noexcept {
    if (!Begun()) [[unlikely]] return EarlyAllocate(size, alignment);
    Writer* const writer = Enter();
    void* const block = allocate();
    if (writer != nullptr) {
        Tell(*writer, block, size, Log2(alignment), place);
        Leave();
    }
    return block;
}

void Freeing(void* block) noexcept {
    if (block == nullptr || IsEarly(block)) return;
    if (!Begun()) return;  // whose it was cannot be known
    if (Writer* const writer = Enter()) {
        writer->Emit(RecordKind::Freed, block, 0);
        Leave();
    }
    real.free(block);
}

void* Resizing(void* block, std::size_t size, const Place& place) noexcept {
    Writer* const writer = Enter();
    if (writer == nullptr) return real.realloc(block, size);
    const TraceId trace = writer->Trace(place);
    if (size == 0) writer->Emit(RecordKind::Freed, block, 0);  // what glibc makes of it
    else writer->Emit(RecordKind::ResizeBegins, block, size, 0, 0, trace);
    void* const moved = real.realloc(block, size);
    if (moved != nullptr) {
        const std::size_t usable = real.malloc_usable_size(moved);
        writer->Emit(size == 0 ? RecordKind::Allocated : RecordKind::ResizeEnds, moved, size, 0,
                     usable > size ? usable - size : 0, trace);
    } else if (size != 0) {
        writer->Emit(RecordKind::ResizeFailed, nullptr, size, 0, 0, trace);
    }
    Leave();
    return moved;
}

}  // namespace

bool EnsureBegun() noexcept { return Begun(); }

}  // namespace residue::capture::shim

using namespace residue::capture::shim;

#define RESIDUE_PLACE (Place{__builtin_frame_address(0), residue::capture::Here()})

RESIDUE_HOOK void* malloc(std::size_t size) {
    return Allocating(size, 0, RESIDUE_PLACE, [&] { return real.malloc(size); });
}

RESIDUE_HOOK void* calloc(std::size_t count, std::size_t size) {
    return Allocating(Product(count, size), 0, RESIDUE_PLACE, [&] { return real.calloc(count, size); });
}

RESIDUE_HOOK void free(void* block) { Freeing(block); }
RESIDUE_HOOK void cfree(void* block) { Freeing(block); }

RESIDUE_HOOK void* realloc(void* block, std::size_t size) {
    if (block == nullptr) {
        return Allocating(size, 0, RESIDUE_PLACE, [&] { return real.realloc(nullptr, size); });
    }
    if (!Begun() || IsEarly(block)) {  // from the arena: it is copied, and stays there
        void* const moved = Begun() ? malloc(size) : EarlyAllocate(size, 0);
        const std::size_t had = IsEarly(block) ? EarlySize(block) : 0;
        if (moved != nullptr) __builtin_memcpy(moved, block, had < size ? had : size);
        return moved;
    }
    return Resizing(block, size, RESIDUE_PLACE);
}

RESIDUE_HOOK void* reallocarray(void* block, std::size_t count, std::size_t size) {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    if (block == nullptr) {
        return Allocating(bytes, 0, RESIDUE_PLACE, [&] { return real.realloc(nullptr, bytes); });
    }
    if (!Begun() || IsEarly(block)) return realloc(block, bytes);
    return Resizing(block, bytes, RESIDUE_PLACE);
}

RESIDUE_HOOK void* memalign(std::size_t alignment, std::size_t size) {
    return Allocating(size, alignment, RESIDUE_PLACE, [&] { return real.memalign(alignment, size); });
}

RESIDUE_HOOK void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return Allocating(size, alignment, RESIDUE_PLACE, [&] { return real.aligned_alloc(alignment, size); });
}

RESIDUE_HOOK int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    int error = 0;
    void* made = nullptr;
    const void* const result = Allocating(size, alignment, RESIDUE_PLACE, [&]() -> void* {
        error = real.posix_memalign(&made, alignment, size);
        return error == 0 ? made : nullptr;
    });
    if (error == 0 && result == nullptr) return ENOMEM;  // the arena is used up
    if (error == 0) *block = const_cast<void*>(result);
    return error;
}

RESIDUE_HOOK void* valloc(std::size_t size) {
    return Allocating(size, 4096, RESIDUE_PLACE, [&] { return real.valloc(size); });
}

RESIDUE_HOOK void* pvalloc(std::size_t size) {
    return Allocating((size + 4095) / 4096 * 4096, 4096, RESIDUE_PLACE, [&] { return real.pvalloc(size); });
}

RESIDUE_HOOK std::size_t malloc_usable_size(void* block) {
    if (block == nullptr) return 0;
    if (IsEarly(block)) return EarlySize(block);
    return Begun() ? real.malloc_usable_size(block) : 0;
}

// Code that is gone must not be taken for what comes to its place.
RESIDUE_HOOK int dlclose(void* handle) {
    static constinit std::atomic<int (*)(void*)> known{nullptr};
    auto close = known.load(std::memory_order_acquire);
    if (close == nullptr) {
        void* const symbol = dlsym(RTLD_NEXT, "dlclose");
        __builtin_memcpy(&close, &symbol, sizeof(close));
        known.store(close, std::memory_order_release);
    }
    const int result = close(handle);
    if (active.load(std::memory_order_acquire) != nullptr) ModuleGone();
    return result;
}

// It allocates while it holds a lock of the thread that it is asked about. A thread's own first allocation has the shim
// ask about that thread (where its stack ends), and would wait for ever: so that is done before.
RESIDUE_HOOK int pthread_getattr_np(pthread_t thread, pthread_attr_t* attributes) noexcept {
    static constinit std::atomic<int (*)(pthread_t, pthread_attr_t*)> known{nullptr};
    auto ask = known.load(std::memory_order_acquire);
    if (ask == nullptr) {
        void* const symbol = dlsym(RTLD_NEXT, "pthread_getattr_np");
        __builtin_memcpy(&ask, &symbol, sizeof(ask));
        known.store(ask, std::memory_order_release);
    }
    if (!self.busy && Begun() && Enter() != nullptr) Leave();
    return ask(thread, attributes);
}

// The same functions under names that nothing outside can come before.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmissing-attributes"  // nobody calls them by these names
#endif
#define RESIDUE_ALIAS(result, name, ...) \
    extern "C" __attribute__((alias(#name), visibility("hidden"))) result residue_hook_##name(__VA_ARGS__)
RESIDUE_ALIAS(void*, malloc, std::size_t);
RESIDUE_ALIAS(void*, calloc, std::size_t, std::size_t);
RESIDUE_ALIAS(void, free, void*);
RESIDUE_ALIAS(void*, realloc, void*, std::size_t);
RESIDUE_ALIAS(void*, reallocarray, void*, std::size_t, std::size_t);
RESIDUE_ALIAS(void*, memalign, std::size_t, std::size_t);
RESIDUE_ALIAS(void*, aligned_alloc, std::size_t, std::size_t);
RESIDUE_ALIAS(int, posix_memalign, void**, std::size_t, std::size_t);
RESIDUE_ALIAS(void*, valloc, std::size_t);
RESIDUE_ALIAS(void*, pvalloc, std::size_t);

namespace residue::capture::shim {

HookTable AllocatorHooks() noexcept {
#define RESIDUE_SLOT(function) {#function, reinterpret_cast<void*>(&residue_hook_##function)}
    static Slot slots[] = {RESIDUE_SLOT(malloc),        RESIDUE_SLOT(calloc),   RESIDUE_SLOT(free),
                                     RESIDUE_SLOT(realloc),       RESIDUE_SLOT(memalign), RESIDUE_SLOT(reallocarray),
                                     RESIDUE_SLOT(aligned_alloc), RESIDUE_SLOT(valloc),   RESIDUE_SLOT(posix_memalign),
                                     RESIDUE_SLOT(pvalloc)};
    return {slots, sizeof(slots) / sizeof(slots[0])};
}

}  // namespace residue::capture::shim

__attribute__((constructor(101))) static void Constructed() { (void)Begun(); }
