// The event record: what an allocator says about one thing that happened. 64 bytes, trivially copyable, one cache
// line; the same record in lanes and in the API. The log keeps events as columns (log/event_log.hpp).
//
// A block in memory, in address order:   [ padding | header | payload (size) | rounding | slack ]
//                                                            ^ address
// so the bytes set aside for it are SetAside() = header + padding + size + rounding + slack, starting at Begin().
// Which fields a kind uses is said in events/kinds.hpp. All sizes are bytes.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/checked.hpp"
#include "base/ids.hpp"
#include "base/memory_error.hpp"
#include "events/kinds.hpp"

namespace residue::events {

enum class AccessError : std::uint8_t { Dangling = 1, OutOfBounds = 2 };

enum class EventFlag : std::uint8_t {
    IsCall = 1,       // counts as a call though its kind does not (a trace operation without effect, an arena's mark)
    NotACall = 2,     // does not count as a call though its kind does (an allocator's own request to its parent)
    Inferred = 4,     // not observed: the appender put it in to make the log legal
    Sampled = 8,      // seen by looking now and then, not when it happened: regions of a recorded program
    HasText = 16,     // in lanes: continuation records follow. In the log: it has a text
    Region = 32,      // the block is the region of a child allocator: totals leave it out
    Uncertain = 64,   // events were lost before this one
    StaysDead = 128,  // Freed, ResizeEnds (of the old block): the bytes are not to be had again before a bulk free or a
                      // shrinking over them
};

constexpr std::uint8_t Bit(EventFlag flag) noexcept { return static_cast<std::uint8_t>(flag); }

struct Event {
    std::uint64_t stamp = 0;     // time stamp counter ticks or steps; the source says which
    std::uint64_t address = 0;
    std::uint64_t size = 0;      // payload as requested
    std::uint64_t argument = 0;  // by kind
    std::uint64_t rounding = 0;  // bytes after the payload, up to the granule or size class
    std::uint32_t padding = 0;   // bytes before the header, for alignment
    std::uint32_t slack = 0;     // bytes after the rounding: a remainder too small to be a hole
    TraceId trace{};
    ThreadId thread{};
    std::uint16_t header = 0;    // bytes of bookkeeping directly before the payload; AllocatorCreated: parent's id
    AllocatorId allocator{};
    EventKind kind = EventKind::Marker;
    std::uint8_t error = 0;          // 0, or a MemoryError (AccessFailed: an AccessError)
    std::uint8_t alignmentLog2 = 0;  // alignment asked for: 1 << alignmentLog2
    std::uint8_t flags = 0;          // EventFlag bits

    bool Has(EventFlag flag) const noexcept { return (flags & Bit(flag)) != 0; }
    bool Failed() const noexcept { return error != 0; }
    MemoryError Error() const noexcept { return static_cast<MemoryError>(error); }

    // Blocks (Allocated, ResizeEnds without error).
    std::uint64_t Begin() const noexcept { return address - header - padding; }
    std::uint64_t SetAside() const noexcept { return header + size + rounding + padding + slack; }
    std::uint64_t End() const noexcept { return Begin() + SetAside(); }

    // Names for fields that mean something else in some kinds.
    std::uint64_t LargestHole() const noexcept { return address; }       // AllocateFailed
    std::uint64_t FreeBytes() const noexcept { return argument; }        // AllocateFailed
    std::uint64_t NearestBlock() const noexcept { return argument; }     // FreeFailed; 0: there is none
    std::uint64_t NearestOffset() const noexcept { return size; }        // FreeFailed: pointer - nearest, wraps below
    std::uint64_t OldAddress() const noexcept { return argument; }       // ResizeEnds
    std::uint64_t Bookkeeping() const noexcept { return rounding; }      // AllocatorCreated, RegionGrown
    AllocatorId Parent() const noexcept { return AllocatorId{header}; }  // AllocatorCreated
    std::uint64_t Dropped() const noexcept { return argument; }          // Gap
    std::uint64_t Line() const noexcept { return argument; }             // Step
    std::uint64_t Probes() const noexcept { return argument; }           // Allocated: holes looked at; 0: not counted

    // Does this event end a call (so that the position after it is one higher)?
    bool EndsCall() const noexcept {
        if (Has(EventFlag::IsCall)) return true;
        return Info(kind).role == Role::Call && !Has(EventFlag::NotACall);
    }

    // A region as it was seen: what is shown of it is no part of the heap model.
    bool IsSampledRegion() const noexcept {
        return Has(EventFlag::Sampled) && (kind == EventKind::RegionGrown || kind == EventKind::RegionShrunk);
    }

    // Does it belong to the position that was reached before it? A child that makes a block of its parent's its region
    // does: there is no position at which that block counts as a request and as a region's bytes.
    bool Trails() const noexcept {
        if (IsSampledRegion()) return true;
        if (kind == EventKind::RegionGrown && Has(EventFlag::Region)) return true;
        return Info(kind).role == Role::Trails && !EndsCall();
    }
};

static_assert(sizeof(Event) == 64);
static_assert(std::is_trivially_copyable_v<Event>);

// A text rides behind its event in continuation records, at most kMaxText bytes; longer ones are cut.
inline constexpr std::uint32_t kContinuationBytes = 51;
inline constexpr std::uint32_t kMaxText = 20 * kContinuationBytes;

struct Continuation {
    std::uint64_t stamp;
    char bytes[kContinuationBytes];
    std::uint8_t used;           // 0..kContinuationBytes
    EventKind kind;              // at the same offset as in Event
    std::uint8_t last;           // 1: the text ends here
    std::uint8_t unused[2];
};

static_assert(sizeof(Continuation) == sizeof(Event));
static_assert(__builtin_offsetof(Continuation, kind) == __builtin_offsetof(Event, kind));

}  // namespace residue::events
