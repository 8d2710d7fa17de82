#include <dlfcn.h>
#include <pthread.h>

#include "events/stack_walk.hpp"

namespace residue::events {
namespace {

// Lock-free and safe in signal handlers, unlike dladdr; glibc has it from 2.35 on.
#if defined(DLFO_STRUCT_HAS_EH_DBASE)
bool IsInModule(std::uintptr_t address) noexcept {
    dl_find_object found;
    return _dl_find_object(reinterpret_cast<void*>(address), &found) == 0;
}
constexpr auto kIsCode = &IsInModule;
#else
constexpr bool (*kIsCode)(std::uintptr_t) noexcept = nullptr;
#endif

}  // namespace

StackBounds OwnStack() noexcept {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
    void* low = nullptr;
    std::size_t bytes = 0;
    const bool known = pthread_attr_getstack(&attributes, &low, &bytes) == 0;
    pthread_attr_destroy(&attributes);
    if (!known) return {};
    const auto begin = reinterpret_cast<std::uintptr_t>(low);
    return {begin, begin + bytes, kIsCode};
}

}  // namespace residue::events
