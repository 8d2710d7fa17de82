// A mutex around any allocator: how those that are not thread-safe are shared.
//
//     FixedBufferAllocator buffer = CreateFixedBufferAllocator(bytes);
//     LockedAllocator shared = CreateLockedAllocator(&buffer);
//
// It can do what the inner one can: an option that is null there is null here. Events are the inner one's: attach the
// sink there. Cost: a lock and an unlock a call. Thread-safe, but for Inspect's callbacks: they run inside the lock.
// The inner allocator must outlive it, and be used through it alone. Not movable. OS part.
#pragma once

#include <mutex>

#include "alloc/allocator.hpp"

namespace residue::alloc {

struct LockedAllocator : Allocator {
    explicit LockedAllocator(Allocator* inner);
    LockedAllocator(const LockedAllocator&) = delete;
    LockedAllocator& operator=(const LockedAllocator&) = delete;

private:
    AllocatorOptions options_;
    Allocator* inner_;
    mutable std::mutex mutex_;

    friend struct LockedCallbacks;
};

LockedAllocator CreateLockedAllocator(Allocator* inner);
void DestroyLockedAllocator(LockedAllocator* allocator);  // the inner allocator stays as it is

}  // namespace residue::alloc
