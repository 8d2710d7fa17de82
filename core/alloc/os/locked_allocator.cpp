#include "alloc/os/locked_allocator.hpp"

namespace residue::alloc {

struct LockedCallbacks {
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
        auto& me = *static_cast<LockedAllocator*>(self);
        const std::lock_guard lock(me.mutex_);
        return me.inner_->Allocate(me.inner_, bytes, alignment);
    }
    static Result<void> OnFree(Allocator* self, void* pointer) {
        auto& me = *static_cast<LockedAllocator*>(self);
        const std::lock_guard lock(me.mutex_);
        return me.inner_->Free(me.inner_, pointer);
    }
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment) {
        auto& me = *static_cast<LockedAllocator*>(self);
        const std::lock_guard lock(me.mutex_);
        return me.inner_->options->Resize(me.inner_, pointer, bytes, alignment);
    }
    static void OnInspect(const Allocator* self, Inspector& inspector) {
        const auto& me = *static_cast<const LockedAllocator*>(self);
        const std::lock_guard lock(me.mutex_);
        me.inner_->options->Inspect(me.inner_, inspector);
    }
    static bool OnOwns(const Allocator* self, const void* pointer) {
        const auto& me = *static_cast<const LockedAllocator*>(self);
        const std::lock_guard lock(me.mutex_);
        return me.inner_->options->Owns(me.inner_, pointer);
    }
    static Result<void> OnReset(Allocator* self) {
        auto& me = *static_cast<LockedAllocator*>(self);
        const std::lock_guard lock(me.mutex_);
        return me.inner_->options->Reset(me.inner_);
    }
};

LockedAllocator::LockedAllocator(Allocator* inner)
    : Allocator{LockedCallbacks::OnAllocate, LockedCallbacks::OnFree, &options_}, inner_(inner) {
    options_.name = "locked";
    const AllocatorOptions* theirs = inner->options;
    if (theirs == nullptr) return;
    if (theirs->name != nullptr) options_.name = theirs->name;
    if (theirs->Resize != nullptr) options_.Resize = LockedCallbacks::OnResize;
    if (theirs->Inspect != nullptr) options_.Inspect = LockedCallbacks::OnInspect;
    if (theirs->Owns != nullptr) options_.Owns = LockedCallbacks::OnOwns;
    if (theirs->Reset != nullptr) options_.Reset = LockedCallbacks::OnReset;
}

LockedAllocator CreateLockedAllocator(Allocator* inner) { return LockedAllocator(inner); }

void DestroyLockedAllocator(LockedAllocator* allocator) {
    *static_cast<Allocator*>(allocator) = Allocator{};  // using it any more is a null call, not a silent success
}

}  // namespace residue::alloc
