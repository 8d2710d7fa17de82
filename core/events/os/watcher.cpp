#include "events/os/watcher.hpp"

#include <cstring>

#include "events/residue.h"

namespace residue::events {
namespace {

#define RESIDUE_SAME(kind, name) static_assert(static_cast<int>(EventKind::kind) == name)
RESIDUE_SAME(AllocatorCreated, RESIDUE_POOL_CREATED);
RESIDUE_SAME(AllocatorDestroyed, RESIDUE_POOL_DESTROYED);
RESIDUE_SAME(Allocated, RESIDUE_ALLOCATED);
RESIDUE_SAME(Freed, RESIDUE_FREED);
RESIDUE_SAME(ResizeBegins, RESIDUE_RESIZE_BEGINS);
RESIDUE_SAME(ResizeEnds, RESIDUE_RESIZE_ENDS);
RESIDUE_SAME(AllocateFailed, RESIDUE_ALLOCATE_FAILED);
RESIDUE_SAME(FreeFailed, RESIDUE_FREE_FAILED);
RESIDUE_SAME(AccessFailed, RESIDUE_ACCESS_FAILED);
RESIDUE_SAME(BulkFreed, RESIDUE_BULK_FREED);
RESIDUE_SAME(RegionGrown, RESIDUE_REGION_GROWN);
RESIDUE_SAME(RegionShrunk, RESIDUE_REGION_SHRUNK);
RESIDUE_SAME(Output, RESIDUE_OUTPUT);
RESIDUE_SAME(Marker, RESIDUE_MARKER);
RESIDUE_SAME(Duck, RESIDUE_DUCK);
#undef RESIDUE_SAME
static_assert(static_cast<int>(MemoryError::InsufficientMemory) == RESIDUE_INSUFFICIENT_MEMORY);
static_assert(static_cast<int>(MemoryError::InvalidPointer) == RESIDUE_INVALID_POINTER);

residue_told ToldOf(const Event& event) noexcept {
    residue_told told{};
    told.bytes = sizeof(told);
    told.pool = event.allocator.value;
    told.address = event.address;
    told.size = event.size;
    told.argument = event.argument;
    told.rounding = event.rounding;
    told.padding = event.padding;
    told.slack = event.slack;
    told.trace = event.trace.value;
    told.kind = static_cast<std::uint8_t>(event.kind);
    if (event.kind == EventKind::AllocatorCreated) told.parent = event.Parent().value;
    else told.header = event.header;
    told.error = event.error;
    told.alignment_log2 = event.alignmentLog2;
    told.flags = event.flags;
    return told;
}

class WatcherSink final : public EventSink {
public:
    std::uint64_t Begin() noexcept override { return 0; }
    void Emit(const Event* records, std::size_t count, std::uint64_t) noexcept override {
        for (std::size_t i = 0; i < count;) {
            residue_told told = ToldOf(records[i++]);
            char text[kMaxText];
            while (i < count && records[i].kind == EventKind::Continuation) {
                Continuation part;
                std::memcpy(&part, &records[i++], sizeof part);
                std::size_t used = part.used < kContinuationBytes ? part.used : kContinuationBytes;
                if (used > kMaxText - told.text_bytes) used = kMaxText - told.text_bytes;
                std::memcpy(text + told.text_bytes, part.bytes, used);
                told.text_bytes += used;
            }
            if (told.text_bytes != 0) told.text = text;
            (void)residue_tell(&told);
        }
    }
    TraceId Capture(unsigned skip) noexcept override {
        std::uint32_t (*trace)(unsigned) = nullptr;
        RESIDUE_WEAK_ADDRESS(residue_v1_trace, trace);
        if (trace == nullptr) return {};
        const TraceId taken{trace(skip + 1)};  // this function is a frame of its own …
        asm volatile("" ::: "memory");         // … so it must not become a jump
        return taken;
    }
    AllocatorId NextAllocatorId() noexcept override {
        std::uint32_t (*pool)() = nullptr;
        RESIDUE_WEAK_ADDRESS(residue_v1_pool, pool);
        return AllocatorId{static_cast<std::uint16_t>(pool != nullptr ? pool() : 0)};
    }
};

constinit WatcherSink watcher;  // has no state

}  // namespace

EventSink* Watcher() noexcept { return residue_listener() != nullptr ? &watcher : nullptr; }

}  // namespace residue::events
