// The operating system's memory: the document's InternalAllocator, over malloc. Every hosted allocator starts from it.
//
//     SystemAllocator memory = CreateSystemAllocator();
//     auto numbers = Allocate<int>(&memory, 5);
//
// It keeps no books of its own: a null pointer is InvalidPointer, but any other pointer that it did not give out, or
// got back already, is undefined behaviour, as with free(). DefaultAllocator tells them apart. Its events say what
// malloc lets one see: the block's usable bytes; malloc's own headers are not in them.
// Errors: BufferTooLarge beyond the address space (2^47 bytes), InsufficientMemory when malloc has none.
// Cost: malloc's, and a test for a sink. Thread-safe (attach before it is shared). OS part.
#pragma once

#include "alloc/allocator.hpp"
#include "alloc/emitter.hpp"
#include "alloc/os/os.hpp"

#if RESIDUE_OS_SUPPORTED

namespace residue::alloc {

struct SystemAllocator : Allocator {
    SystemAllocator();
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Blocks that are live stay so: they are malloc's.
    void Destroy() { emitter_.Destroyed(), emitter_ = {}; }

private:
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static const AllocatorOptions kOptions;

    Emitter emitter_;
};

SystemAllocator CreateSystemAllocator();
void DestroySystemAllocator(SystemAllocator* allocator);

// The one that is always there, has no sink, and needs no destruction. Usable before main and after it.
Allocator* InternalAllocator() noexcept;

}  // namespace residue::alloc

#endif
