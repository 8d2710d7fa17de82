// Where events go. An allocator with a sink attached emits through it; without one it pays a test of a null pointer.
//
//   auto ticket = sink->Begin();            // before memory goes back (a free) or before a call with several events
//   ... the effect ...
//   sink->Emit(&event, 1, ticket);          // or Begin() after the effect, for an allocation
//
// Order across threads (design: PERFORMANCE.md, "Order across threads without a lock"): the stamp of a free is taken
// before the memory goes back, that of an allocation after it arrived. Begin() takes that stamp and, in a lane, marks
// the writer busy until Emit() has published; so every Begin() is followed by exactly one Emit() (of zero or more
// records) on the same thread, and pairs do not nest: an allocator that calls its parent emits its own free before it
// does so, and begins its own allocation event afterwards. So the stamps of one writer never go back.
//
// Thread safety: each implementation says. None allocates on the allocator it watches.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/event.hpp"

namespace residue::events {

class EventSink {
public:
    // Marks this thread's writer busy and returns the stamp for what happens next.
    virtual std::uint64_t Begin() noexcept = 0;

    // Takes `count` records (an event with a text: the event, then its continuations). Each gets `stamp` and, where it
    // has none, this thread's id. Never fails: what cannot be kept is counted and becomes a Gap event.
    virtual void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept = 0;

    // Begin and Emit in one, for one event whose effect is already there (an allocation). Writers call EmitNow().
    virtual void BeginAndEmit(const Event& event) noexcept {
        const std::uint64_t stamp = Begin();
        Emit(&event, 1, stamp);
    }

    // The call trace of the caller, `skip` frames above this call left out; id 0 when traces are off.
    virtual TraceId Capture(unsigned skip) noexcept = 0;

    // A new id, unique within this sink, for an allocator that attaches itself.
    virtual AllocatorId NextAllocatorId() noexcept = 0;

protected:
    ~EventSink() = default;  // sinks are not owned through this interface; no operator delete in freestanding code
};

// One event whose effect is already there (an allocation): stamp and emit.
inline void EmitNow(EventSink& sink, const Event& event) noexcept { sink.BeginAndEmit(event); }

// An event with a text, cut to kMaxText bytes.
void EmitText(EventSink& sink, Event event, const char* text, std::size_t length) noexcept;

}  // namespace residue::events
