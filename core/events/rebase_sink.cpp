#include "events/rebase_sink.hpp"

namespace residue::events {

Event RebaseSink::Rebased(const Event& event) const noexcept {
    Event moved = event;
    switch (event.kind) {
        case EventKind::Allocated:
        case EventKind::Freed:
        case EventKind::ResizeBegins:
        case EventKind::AllocatorCreated:
        case EventKind::AccessFailed:
        case EventKind::BulkFreed:
        case EventKind::RegionGrown:
        case EventKind::RegionShrunk:
            moved.address = Rebased(event.address);
            break;
        case EventKind::Marker:
            if (event.allocator) moved.address = Rebased(event.address);  // an arena's mark
            break;
        case EventKind::ResizeEnds:
            if (event.Failed()) break;  // then the fields hold the largest hole and the free bytes
            moved.address = Rebased(event.address);
            moved.argument = Rebased(event.argument);
            break;
        case EventKind::FreeFailed:
            moved.address = Rebased(event.address);
            moved.argument = Rebased(event.argument);
            if (moved.argument != 0) moved.size = moved.address - moved.argument;
            break;
        case EventKind::AllocateFailed:
        case EventKind::AllocatorDestroyed:
        case EventKind::Step:
        case EventKind::Output:
        case EventKind::Gap:
        case EventKind::Duck:
        case EventKind::Continuation:
            break;  // no address in it
    }
    return moved;
}

void RebaseSink::Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    constexpr std::size_t kAtOnce = 32;  // more than an event with the longest text
    Event moved[kAtOnce];
    for (;;) {
        std::size_t part = count < kAtOnce ? count : kAtOnce;
        // A longer batch is split before an event, never inside its text.
        while (part < count && part > 1 && records[part].kind == EventKind::Continuation) --part;
        for (std::size_t i = 0; i < part; ++i) moved[i] = Rebased(records[i]);
        next_.Emit(moved, part, stamp);
        records += part;
        count -= part;
        if (count == 0) return;
        (void)next_.Begin();  // every Emit has its Begin; the stamp stays that of the batch
    }
}

TraceId RebaseSink::Capture(unsigned skip) noexcept {
    const TraceId id = next_.Capture(skip + 1);  // this function is a frame of its own …
    asm volatile("" ::: "memory");               // … so it must not become a jump
    return id;
}

}  // namespace residue::events
