// Running at the bottom of a call stack of known depth, and the unwinder that call traces are measured against.
//
//     bench::AtDepth(16, body);                                  // body() has 16 frames or more above it
//     if (const auto unwind = bench::CachedUnwind()) unwind(frames, 16);
//
// libunwind is loaded with dlopen: linked, it would replace glibc's backtrace().
#pragma once

#include <dlfcn.h>

namespace residue::bench {

// The asm keeps each call a call.
template <class Body>
[[gnu::noinline]] void AtDepth(unsigned depth, Body& body) {
    if (depth == 0) body();
    else AtDepth(depth - 1, body);
    asm volatile("" ::: "memory");
}

// unw_backtrace, set to cache for each thread; null where libunwind is not there or cannot be set so.
using Unwind = int (*)(void** frames, int most);
inline Unwind CachedUnwind() {
    static const Unwind unwind = []() -> Unwind {
        using SetCaching = int (*)(void*, int);
        void* const library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) return nullptr;
        const auto set = reinterpret_cast<SetCaching>(dlsym(library, "_ULx86_64_set_caching_policy"));
        auto* const space = static_cast<void**>(dlsym(library, "_ULx86_64_local_addr_space"));
        constexpr int kPerThread = 2;
        if (set == nullptr || space == nullptr || set(*space, kPerThread) != 0) return nullptr;
        return reinterpret_cast<Unwind>(dlsym(library, "unw_backtrace"));
    }();
    return unwind;
}

}  // namespace residue::bench
