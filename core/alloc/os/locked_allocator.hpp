// A mutex around any allocator: how those that are not thread-safe are shared.
//
//     FixedBufferAllocator buffer = CreateFixedBufferAllocator(bytes);
//     LockedAllocator shared = CreateLockedAllocator(&buffer);
//
// Cost: a lock and an unlock a call. Thread-safe; Inspect's callbacks run inside the lock. The inner allocator must be
// used through it alone. Otherwise as alloc/forwarding_allocator.hpp says. OS part.
#pragma once

#include <mutex>

#include "alloc/forwarding_allocator.hpp"

namespace residue::alloc {

struct LockedAllocator : ForwardingAllocator<LockedAllocator> {
    explicit LockedAllocator(Allocator* inner) : ForwardingAllocator(inner, "locked") {}

private:
    friend ForwardingAllocator;
    std::lock_guard<std::mutex> Enter() const { return std::lock_guard(mutex_); }
    std::optional<MemoryError> Refuse() { return std::nullopt; }

    mutable std::mutex mutex_;
};

inline LockedAllocator CreateLockedAllocator(Allocator* inner) { return LockedAllocator(inner); }

// The inner allocator stays as it is.
inline void DestroyLockedAllocator(LockedAllocator* allocator) {
    *static_cast<Allocator*>(allocator) = Allocator{};  // using it any more is a null call, not a silent success
}

}  // namespace residue::alloc
