#include "alloc/os/system_allocator.hpp"

#if RESIDUE_OS_SUPPORTED

#include <malloc.h>

#include <cstdlib>
#include <cstring>

namespace residue::alloc {
namespace {

constexpr std::uint64_t kAddressSpace = std::uint64_t{1} << 47;

Result<void*> Take(std::size_t bytes, std::size_t alignment) {
    if (SaturatingAdd(bytes, alignment) > kAddressSpace) return Fail(MemoryError::BufferTooLarge);
    void* block = nullptr;
    if (alignment <= alignof(std::max_align_t)) {
        block = std::malloc(bytes);
    } else if (posix_memalign(&block, alignment, bytes) != 0) {
        block = nullptr;
    }
    if (block == nullptr) return Fail(MemoryError::InsufficientMemory);
    return block;
}

Block Describe(void* pointer, std::size_t bytes) {
    Block block;
    block.address = reinterpret_cast<std::uintptr_t>(pointer);
    block.size = bytes;
    block.rounding = malloc_usable_size(pointer) - bytes;
    return block;
}

Result<void*> InternalAllocate(Allocator*, std::size_t bytes, std::size_t alignment) {
    return Take(bytes == 0 ? 1 : bytes, alignment);
}

Result<void> InternalFree(Allocator*, void* pointer) {
    if (pointer == nullptr) return Fail(MemoryError::InvalidPointer);
    std::free(pointer);
    return {};
}

constexpr AllocatorOptions kInternalOptions{"system"};
constinit Allocator internalAllocator{InternalAllocate, InternalFree, &kInternalOptions};  // has no state

}  // namespace

Allocator* InternalAllocator() noexcept { return &internalAllocator; }

const AllocatorOptions SystemAllocator::kOptions{"system", OnResize};

SystemAllocator::SystemAllocator() : Allocator{OnAllocate, OnFree, &kOptions} {}

void SystemAllocator::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, {}, parent);
}

Result<void*> SystemAllocator::OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<SystemAllocator*>(self);
    if (bytes == 0) bytes = 1;
    const Result<void*> block = Take(bytes, alignment);
    if (!block) {
        me.emitter_.AllocateFailed({bytes, alignment}, block.error());
        return block;
    }
    if (me.emitter_.IsAttached()) me.emitter_.Allocated(Describe(*block, bytes), alignment);
    return block;
}

Result<void> SystemAllocator::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<SystemAllocator*>(self);
    if (pointer == nullptr) {
        me.emitter_.FreeFailed(MemoryError::InvalidPointer, 0, 0);
        return Fail(MemoryError::InvalidPointer);
    }
    me.emitter_.Freed(reinterpret_cast<std::uintptr_t>(pointer));
    std::free(pointer);
    return {};
}

// While somebody listens not realloc(): that gives the old block back before the event that says so could be stamped.
Result<void*> SystemAllocator::OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<SystemAllocator*>(self);
    if (bytes == 0) bytes = 1;
    if (alignment == 0) alignment = 1;
    const auto old = reinterpret_cast<std::uintptr_t>(pointer);
    me.emitter_.ResizeBegins(old, bytes);
    if (pointer == nullptr) {
        me.emitter_.ResizeFailed({bytes, alignment}, MemoryError::InvalidPointer);
        return Fail(MemoryError::InvalidPointer);
    }
    if (!me.emitter_.IsAttached() && alignment <= alignof(std::max_align_t)) {
        if (bytes > kAddressSpace) return Fail(MemoryError::BufferTooLarge);
        void* const block = std::realloc(pointer, bytes);
        if (block == nullptr) return Fail(MemoryError::InsufficientMemory);
        return block;
    }
    const std::size_t usable = malloc_usable_size(pointer);
    if (bytes <= usable && bytes >= usable / 2 && (old & (alignment - 1)) == 0) {
        if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(Describe(pointer, bytes), alignment, old);
        return pointer;
    }
    const Result<void*> block = Take(bytes, alignment);
    if (!block) {
        me.emitter_.ResizeFailed({bytes, alignment}, block.error());
        return block;
    }
    std::memcpy(*block, pointer, usable < bytes ? usable : bytes);
    if (me.emitter_.IsAttached()) me.emitter_.ResizeEnds(Describe(*block, bytes), alignment, old);
    std::free(pointer);
    return block;
}

SystemAllocator CreateSystemAllocator() { return SystemAllocator(); }

void DestroySystemAllocator(SystemAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc

#endif
