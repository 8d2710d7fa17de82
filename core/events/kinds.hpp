// The kinds of events: one table gives the enum, the names shown and written, and the documentation.
//
// Role says how a kind counts towards positions ("after N calls"):
//   Call    the event ends a call: the position after it is one higher (unless the flag NotACall is set)
//   Leads   it belongs to the call that follows it
//   Trails  it belongs to the position that was reached before it
#pragma once

#include <cstddef>
#include <cstdint>

namespace residue::events {

// X(Name, text, role, documentation)
#define RESIDUE_EVENT_KINDS(X)                                                                                        \
    X(AllocatorCreated, "allocator created", Trails,                                                                  \
      "address: base; size: bytes it has at its start; bookkeeping: bytes of it that it can never give out, at the "  \
      "end of the range; parent: the allocator below it; argument: its kind (alloc::KindId; 0: none of ours); text: "  \
      "its name. size 0 and base 0: what it has is not known")                                                        \
    X(AllocatorDestroyed, "allocator destroyed", Call, "its live blocks die with it")                                 \
    X(Allocated, "allocated", Call, "address, size, parts, alignment; argument: holes looked at (0: not counted)")    \
    X(Freed, "freed", Call,                                                                                           \
      "address. With the flag StaysDead: its bytes cannot be had again before a bulk free or a shrinking over them")  \
    X(ResizeBegins, "resize begins", Leads, "address: the block to resize; size: bytes wanted")                       \
    X(ResizeEnds, "resized", Call,                                                                                    \
      "address, size, parts: the block as it is now; argument: its old address. With an error: the old block stays "  \
      "as it was, and free bytes and largest hole are as in allocate failed")                                         \
    X(AllocateFailed, "allocate failed", Call,                                                                        \
      "size and alignment asked for; error; address: largest hole; argument: free bytes (both gross)")                \
    X(FreeFailed, "free failed", Call, "address: the pointer; error; argument: nearest block; size: offset from it")  \
    X(AccessFailed, "access failed", Call,                                                                            \
      "address, size; error: AccessError; argument: 1 a read, 2 a write (0: not known)")                              \
    X(BulkFreed, "bulk freed", Call,                                                                                  \
      "address, size: every live block that starts in this range dies, and what stayed dead in it can be had again; " \
      "argument: which of an arena's marks was released, 1 the oldest (0: none)")                                     \
    X(RegionGrown, "region grown", Leads,                                                                             \
      "address, size: bytes that the allocator got from below; bookkeeping: of these, at their end, never given out. "\
      "In the log with the flag Region it trails: they are a block of its parent's. With the flag Sampled they were " \
      "seen to be there, and trail: no hole and no heap size follows from them")                                      \
    X(RegionShrunk, "region shrunk", Leads,                                                                           \
      "address, size: bytes that it gave back; blocks in them die. With the flag Sampled they were seen to be gone, " \
      "trail, and no block dies")                                                                                     \
    X(Step, "step", Leads,                                                                                            \
      "argument: line; text: file, when it changed. Of a scenario also address: first column, size: bytes on that "   \
      "line, bookkeeping: scenario::StepMark bits. With the flag IsCall: a call without effect")                      \
    X(Output, "output", Trails, "text; argument: 2 for the error stream")                                             \
    X(Marker, "marker", Trails,                                                                                       \
      "text: a name or a narration. size: the kind (alloc::KindId) as which the allocator goes on; 0: as before. Of " \
      "an allocator, with the flag IsCall: address: an arena's mark; argument: which one, 1 the oldest")              \
    X(Gap, "gap", Trails, "argument: events dropped here; what follows is uncertain")                                 \
    X(Duck, "duck", Trails, "a Residue allocator has ended: the duck yells")                                          \
    X(Continuation, "continuation", Leads, "more bytes of the text of the event before it; never in the log")

enum class Role : std::uint8_t { Call, Leads, Trails };

enum class EventKind : std::uint8_t {
#define RESIDUE_KIND_ENUMERATOR(name, text, role, documentation) name,
    RESIDUE_EVENT_KINDS(RESIDUE_KIND_ENUMERATOR)
#undef RESIDUE_KIND_ENUMERATOR
};

struct KindInfo {
    EventKind kind;
    const char* identifier;     // "AllocateFailed"
    const char* text;           // "allocate failed"
    Role role;
    const char* documentation;  // which fields mean what
};

inline constexpr KindInfo kKinds[] = {
#define RESIDUE_KIND_ROW(name, text, role, documentation) {EventKind::name, #name, text, Role::role, documentation},
    RESIDUE_EVENT_KINDS(RESIDUE_KIND_ROW)
#undef RESIDUE_KIND_ROW
};
inline constexpr std::size_t kKindCount = sizeof(kKinds) / sizeof(kKinds[0]);

constexpr bool IsKnownKind(std::uint8_t value) noexcept { return value < kKindCount; }
constexpr const KindInfo& Info(EventKind kind) noexcept { return kKinds[static_cast<std::size_t>(kind)]; }

}  // namespace residue::events
