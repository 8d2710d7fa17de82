#include <pthread.h>

#include "events/stack_walk.hpp"

namespace residue::events {

StackBounds OwnStack() noexcept {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
    void* low = nullptr;
    std::size_t bytes = 0;
    const bool known = pthread_attr_getstack(&attributes, &low, &bytes) == 0;
    pthread_attr_destroy(&attributes);
    if (!known) return {};
    const auto begin = reinterpret_cast<std::uintptr_t>(low);
    return {begin, begin + bytes};
}

}  // namespace residue::events
