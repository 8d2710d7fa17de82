// The joke of the design document, kept in earnest: an allocator that remembers everything it gave out and gives all
// of it back in one sweep, at its destruction or at the program's end, whichever is first. Freeing by hand works and
// is never needed. Then a duck yells at you, once, on the error stream and as an event.
//
//     ResidueAllocator allocator = CreateResidueAllocator(&parent);
//     auto ints = Allocate<int>(&allocator, 5);
//     DestroyResidueAllocator(&allocator);
//
// Errors: the parent's; DoubleFree and InvalidPointer as DefaultAllocator tells them (the last 65,536 frees).
// Cost: a hash look-up a call, and 32 to 64 bytes a block for the log. Thread safety: none (LockedAllocator).
// Not movable. OS part (the program's end, the error stream).
#pragma once

#include <cstddef>

#include "alloc/allocator.hpp"
#include "alloc/emitter.hpp"
#include "alloc/os/at_exit.hpp"
#include "alloc/os/system_allocator.hpp"
#include "alloc/os/tracker.hpp"

namespace residue::alloc {

struct ResidueAllocatorSettings {
    Allocator* parent = nullptr;      // of the blocks; null: InternalAllocator()
    Allocator* logParent = nullptr;   // of the log; null: the same
    // The parent serves nobody else: the sweep is its Reset, in one event.
    bool ownsParent = false;
    ReportWriter writer = WriteToStandardError;  // where the duck yells
    void* writerContext = nullptr;
};

struct ResidueAllocator : Allocator {
    explicit ResidueAllocator(const ResidueAllocatorSettings& settings);
    ~ResidueAllocator() { Destroy(); }
    ResidueAllocator(const ResidueAllocator&) = delete;
    ResidueAllocator& operator=(const ResidueAllocator&) = delete;

    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // For one whose parent emits every block's events: only the duck is told, through the parent's emitter.
    void AnnounceThrough(const Emitter& parents) { duck_ = parents; }
    // Sweeps, and the duck yells. After that every request fails with BufferTooLarge. Safe to call twice.
    void Destroy();
    Allocator* Parent() const { return parent_; }

private:
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static const AllocatorOptions kOptions;

    Result<void*> Take(std::size_t bytes, std::size_t alignment);
    void Sweep();

    struct Hook : ExitHook {
        ResidueAllocator* owner = nullptr;
    };

    Allocator* parent_;
    Emitter emitter_;
    Emitter duck_;
    ReportWriter writer_;
    void* writerContext_;
    bool ownsParent_;
    bool ended_ = false;
    Hook hook_;
    Tracker log_;
};

ResidueAllocator CreateResidueAllocator(Allocator* parent = nullptr);
void DestroyResidueAllocator(ResidueAllocator* allocator);

}  // namespace residue::alloc
