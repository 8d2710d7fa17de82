#include "alloc/os/residue_allocator.hpp"

#include <cstring>

#include "alloc/duck.hpp"

namespace residue::alloc {

const AllocatorOptions ResidueAllocator::kOptions{"residue", OnResize, OnInspect, OnOwns};

ResidueAllocator::ResidueAllocator(const ResidueAllocatorSettings& settings)
    : Allocator{OnAllocate, OnFree, &kOptions},
      parent_(settings.parent != nullptr ? settings.parent : InternalAllocator()),
      writer_(settings.writer),
      writerContext_(settings.writerContext),
      ownsParent_(settings.ownsParent),
      log_(parent_, settings.logParent != nullptr ? settings.logParent : parent_, 65'536) {
    hook_.owner = this;
    hook_.Run = [](ExitHook* hook) { static_cast<Hook*>(hook)->owner->Destroy(); };
    RunAtExit(&hook_);
}

void ResidueAllocator::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, {}, parent);
    duck_ = emitter_;
}

void ResidueAllocator::Destroy() {
    if (ended_) return;
    ended_ = true;
    CancelAtExit(&hook_);
    Sweep();
    if (writer_ != nullptr) writer_(writerContext_, kDuck, kDuckLength);
    duck_.Duck(kDuck, kDuckLength);
    emitter_.Destroyed();
    emitter_ = {};
    duck_ = {};
}

void ResidueAllocator::Sweep() {
    if (ownsParent_ && parent_->options != nullptr && parent_->options->Reset != nullptr) {
        log_.Clear();  // it may lie in the parent
        (void)parent_->options->Reset(parent_);
        return;
    }
    const Tracker::Span span = log_.LiveSpan();
    if (span.bytes != 0) emitter_.BulkFreed(span.address, span.bytes);
    log_.ReportAndGiveBack(nullptr, nullptr);
}

// A block of the parent's, with its entry in the log.
Result<void*> ResidueAllocator::Take(std::size_t bytes, std::size_t alignment) {
    if (ended_) return Fail(MemoryError::BufferTooLarge);
    const Result<void> room = log_.Reserve();
    if (!room) return Fail(room.error());
    const Result<void*> block = parent_->Allocate(parent_, bytes, alignment);
    if (block) log_.Add(*block, bytes, nullptr, 0);
    return block;
}

Result<void*> ResidueAllocator::OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<ResidueAllocator*>(self);
    if (bytes == 0) bytes = 1;
    const Result<void*> block = me.Take(bytes, alignment);
    if (!block) {
        me.emitter_.AllocateFailed({bytes, alignment}, block.error());
        return block;
    }
    Block described;
    described.address = reinterpret_cast<std::uintptr_t>(*block);
    described.size = bytes;
    me.emitter_.Allocated(described, alignment);
    return block;
}

Result<void> ResidueAllocator::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<ResidueAllocator*>(self);
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    if (me.ownsParent_) {  // then the parent knows as much, and tells it in its own events
        const Result<void> freed = me.parent_->Free(me.parent_, pointer);
        if (freed) me.log_.Forget(address);
        return freed;
    }
    const Result<TrackedBlock> block = me.log_.Locate(pointer);
    if (!block) {
        me.emitter_.FreeFailed(block.error(), address, me.emitter_.IsAttached() ? me.log_.Nearest(address) : 0);
        return Fail(block.error());
    }
    me.log_.Forget(address);
    me.emitter_.Freed(address);
    return me.parent_->Free(me.parent_, pointer);
}

Result<void*> ResidueAllocator::OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<ResidueAllocator*>(self);
    if (bytes == 0) bytes = 1;
    const auto old = reinterpret_cast<std::uintptr_t>(pointer);
    if (me.ownsParent_ && me.parent_->options != nullptr && me.parent_->options->Resize != nullptr) {
        const Result<void> room = me.log_.Reserve();
        if (!room) return Fail(room.error());
        const Result<void*> block = me.parent_->options->Resize(me.parent_, pointer, bytes, alignment);
        if (!block) return block;
        me.log_.Forget(old);
        me.log_.Add(*block, bytes, nullptr, 0);
        return block;
    }
    me.emitter_.ResizeBegins(old, bytes);
    const Result<TrackedBlock> located = me.log_.Locate(pointer);
    const Result<void*> block = located ? me.Take(bytes, alignment) : Fail(located.error());
    if (!block) {
        me.emitter_.ResizeFailed({bytes, alignment}, block.error());
        return block;
    }
    std::memcpy(*block, pointer, located->size < bytes ? static_cast<std::size_t>(located->size) : bytes);
    Block described;
    described.address = reinterpret_cast<std::uintptr_t>(*block);
    described.size = bytes;
    me.emitter_.ResizeEnds(described, alignment, old);
    me.log_.Forget(old);
    (void)me.parent_->Free(me.parent_, pointer);
    return block;
}

void ResidueAllocator::OnInspect(const Allocator* self, Inspector& inspector) {
    const auto& me = *static_cast<const ResidueAllocator*>(self);
    if (me.ownsParent_ && me.parent_->options != nullptr && me.parent_->options->Inspect != nullptr) {
        me.parent_->options->Inspect(me.parent_, inspector);
    } else {
        me.log_.Inspect(inspector);
    }
}

bool ResidueAllocator::OnOwns(const Allocator* self, const void* pointer) {
    return static_cast<const ResidueAllocator*>(self)->log_.Locate(pointer).has_value();
}

ResidueAllocator CreateResidueAllocator(Allocator* parent) { return ResidueAllocator({.parent = parent}); }

void DestroyResidueAllocator(ResidueAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
