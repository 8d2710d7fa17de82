#include "alloc/os/default_allocator.hpp"

#if RESIDUE_OS_SUPPORTED

#include <cstring>

#include "events/stack_walk.hpp"

namespace residue::alloc {
namespace {

template <Profile profile>
constexpr unsigned kTraceDepth = profile == Profile::Debug ? events::kMaxTraceDepth : 16;

events::StackBounds ThisThreadsStack() {
    thread_local const events::StackBounds bounds = events::OwnStack();
    return bounds;
}

}  // namespace

// Without the tracker a block's size is not known, so that it cannot be copied elsewhere.
template <Profile profile>
const AllocatorOptions DefaultAllocator<profile>::kOptions{
    "default", kTracks ? OnResize : nullptr, kTracks ? OnInspect : nullptr, kTracks ? OnOwns : nullptr};

template <Profile profile>
DefaultAllocator<profile>::DefaultAllocator(const DefaultAllocatorSettings& settings)
    : Allocator{OnAllocate, OnFree, &kOptions},
      parent_(settings.parent != nullptr ? settings.parent : InternalAllocator()),
      tracking_(settings, parent_) {}

template <Profile profile>
void DefaultAllocator<profile>::AttachSink(events::EventSink* sink, const char* name, AllocatorId parent) {
    emitter_.Attach(sink, name, {}, parent);
}

template <Profile profile>
std::size_t DefaultAllocator<profile>::Destroy() {
    emitter_.Destroyed();  // before the memory goes back
    emitter_ = {};
    if constexpr (kTracks) {
        const std::lock_guard lock(tracking_.mutex);
        return tracking_.tracker.ReportAndGiveBack(tracking_.writer, tracking_.writerContext);
    } else {
        return 0;
    }
}

template <Profile profile>
std::size_t DefaultAllocator<profile>::LiveCount() {
    if constexpr (kTracks) {
        const std::lock_guard lock(tracking_.mutex);
        return tracking_.tracker.LiveCount();
    } else {
        return 0;
    }
}

// `frame`: the callback's own, so that traces begin at whoever called the allocator.
template <Profile profile>
Result<void*> DefaultAllocator<profile>::Take(std::size_t bytes, std::size_t alignment, const void* frame) {
    if constexpr (kTracks) {
        std::uintptr_t frames[kTraceDepth<profile>];
        const unsigned count = events::WalkFrames(frame, ThisThreadsStack(), frames, kTraceDepth<profile>, 0);
        const std::lock_guard lock(tracking_.mutex);
        const Result<void> room = tracking_.tracker.Reserve();
        if (!room) return Fail(room.error());
        const Result<void*> block = parent_->Allocate(parent_, bytes, alignment);
        if (block) tracking_.tracker.Add(*block, bytes, frames, count);
        return block;
    } else {
        (void)frame;
        return parent_->Allocate(parent_, bytes, alignment);
    }
}

template <Profile profile>
Result<void*> DefaultAllocator<profile>::OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<DefaultAllocator*>(self);
    if (bytes == 0) bytes = 1;
    const Result<void*> block = me.Take(bytes, alignment, __builtin_frame_address(0));
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

template <Profile profile>
Result<void> DefaultAllocator<profile>::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<DefaultAllocator*>(self);
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    if constexpr (kTracks) {
        std::unique_lock lock(me.tracking_.mutex);
        const Result<TrackedBlock> block = me.tracking_.tracker.Locate(pointer);
        if (!block) {
            const std::uintptr_t nearest = me.emitter_.IsAttached() ? me.tracking_.tracker.Nearest(address) : 0;
            lock.unlock();
            me.emitter_.FreeFailed(block.error(), address, nearest);
            return Fail(block.error());
        }
        me.tracking_.tracker.Forget(address);
    } else if (pointer == nullptr) {
        me.emitter_.FreeFailed(MemoryError::InvalidPointer, 0, 0);
        return Fail(MemoryError::InvalidPointer);
    }
    // Nobody else can get this address before the parent has it back.
    me.emitter_.Freed(address);
    return me.parent_->Free(me.parent_, pointer);
}

template <Profile profile>
Result<void*> DefaultAllocator<profile>::OnResize(Allocator* self, void* pointer, std::size_t bytes,
                                                  std::size_t alignment) {
    auto& me = *static_cast<DefaultAllocator*>(self);
    if constexpr (kTracks) {
        if (bytes == 0) bytes = 1;
        const auto old = reinterpret_cast<std::uintptr_t>(pointer);
        me.emitter_.ResizeBegins(old, bytes);
        std::unique_lock lock(me.tracking_.mutex);
        const Result<TrackedBlock> located = me.tracking_.tracker.Locate(pointer);
        lock.unlock();
        const Result<void*> block =
            located ? me.Take(bytes, alignment, __builtin_frame_address(0)) : Fail(located.error());
        if (!block) {
            me.emitter_.ResizeFailed({bytes, alignment}, block.error());
            return block;
        }
        std::memcpy(*block, pointer, located->size < bytes ? static_cast<std::size_t>(located->size) : bytes);
        lock.lock();
        me.tracking_.tracker.Forget(old);
        lock.unlock();
        Block described;
        described.address = reinterpret_cast<std::uintptr_t>(*block);
        described.size = bytes;
        me.emitter_.ResizeEnds(described, alignment, old);
        (void)me.parent_->Free(me.parent_, pointer);
        return block;
    } else {
        return Fail(MemoryError::InvalidPointer);
    }
}

template <Profile profile>
void DefaultAllocator<profile>::OnInspect(const Allocator* self, Inspector& inspector) {
    if constexpr (kTracks) {
        const auto& me = *static_cast<const DefaultAllocator*>(self);
        const std::lock_guard lock(me.tracking_.mutex);
        me.tracking_.tracker.Inspect(inspector);
    }
}

template <Profile profile>
bool DefaultAllocator<profile>::OnOwns(const Allocator* self, const void* pointer) {
    if constexpr (kTracks) {
        const auto& me = *static_cast<const DefaultAllocator*>(self);
        const std::lock_guard lock(me.tracking_.mutex);
        return me.tracking_.tracker.Locate(pointer).has_value();
    } else {
        return false;
    }
}

template struct DefaultAllocator<Profile::Debug>;
template struct DefaultAllocator<Profile::Release>;
template struct DefaultAllocator<Profile::Distribution>;

}  // namespace residue::alloc

#endif
