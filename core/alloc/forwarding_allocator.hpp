// What decorators have in common: every call goes on to an inner allocator, and it can do what the inner one can (an
// option that is null there is null here). Derived adds
//     auto Enter() const;                     an object that lives as long as the call does (a lock; or nothing)
//     std::optional<MemoryError> Refuse();    asked before each allocation and resize: the error to give instead
// Events are the inner one's: attach the sink there. The inner allocator must outlive it. Not movable. Freestanding.
#pragma once

#include <optional>

#include "alloc/allocator.hpp"

namespace residue::alloc {

template <class Derived>
struct ForwardingAllocator : Allocator {
    // `name` for an inner one that has none.
    ForwardingAllocator(Allocator* inner, const char* name) : Allocator{OnAllocate, OnFree, &options_}, inner_(inner) {
        options_.name = name;
        const AllocatorOptions* theirs = inner->options;
        if (theirs == nullptr) return;
        if (theirs->name != nullptr) options_.name = theirs->name;
        if (theirs->Resize != nullptr) options_.Resize = OnResize;
        if (theirs->Inspect != nullptr) options_.Inspect = OnInspect;
        if (theirs->Owns != nullptr) options_.Owns = OnOwns;
        if (theirs->Reset != nullptr) options_.Reset = OnReset;
    }
    ForwardingAllocator(const ForwardingAllocator&) = delete;
    ForwardingAllocator& operator=(const ForwardingAllocator&) = delete;

    Allocator* Inner() const { return inner_; }

private:
    static Derived& Me(Allocator* self) { return *static_cast<Derived*>(self); }
    static const Derived& Me(const Allocator* self) { return *static_cast<const Derived*>(self); }

    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
        Derived& me = Me(self);
        [[maybe_unused]] const auto entered = me.Enter();
        if (const auto refused = me.Refuse()) return Fail(*refused);
        return me.inner_->Allocate(me.inner_, bytes, alignment);
    }
    static Result<void> OnFree(Allocator* self, void* pointer) {
        Derived& me = Me(self);
        [[maybe_unused]] const auto entered = me.Enter();
        return me.inner_->Free(me.inner_, pointer);
    }
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment) {
        Derived& me = Me(self);
        [[maybe_unused]] const auto entered = me.Enter();
        if (const auto refused = me.Refuse()) return Fail(*refused);
        return me.inner_->options->Resize(me.inner_, pointer, bytes, alignment);
    }
    static void OnInspect(const Allocator* self, Inspector& inspector) {
        const Derived& me = Me(self);
        [[maybe_unused]] const auto entered = me.Enter();
        me.inner_->options->Inspect(me.inner_, inspector);
    }
    static bool OnOwns(const Allocator* self, const void* pointer) {
        const Derived& me = Me(self);
        [[maybe_unused]] const auto entered = me.Enter();
        return me.inner_->options->Owns(me.inner_, pointer);
    }
    static Result<void> OnReset(Allocator* self) {
        Derived& me = Me(self);
        [[maybe_unused]] const auto entered = me.Enter();
        return me.inner_->options->Reset(me.inner_);
    }

    AllocatorOptions options_;
    Allocator* inner_;
};

}  // namespace residue::alloc
