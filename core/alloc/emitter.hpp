// The one piece through which every allocator tells what it did. Costs a test of a null pointer while no sink is
// attached. It keeps the order that events/sink.hpp asks for: Freed takes its stamp before the memory goes back,
// Allocated takes it after the memory arrived, and no pair of Begin and Emit contains another.
//
//     emitter_.Allocated(block, alignment, probes);         // after it arrived
//     emitter_.Freed(address);                              // before it goes back
//
// Call it from the allocator's callbacks themselves, not from helpers: call traces leave out exactly the emitter's
// frame and the callback's, so that they start at whoever called the allocator.
//
// Thread safety: that of the sink; Attach before the allocator is shared. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/sink.hpp"

// Inlined without optimisation too: a frame more would show up in call traces.
#define RESIDUE_EMIT_INLINE __attribute__((always_inline)) inline
#define RESIDUE_EMIT_CALL __attribute__((noinline))

namespace residue::alloc {

// A block as the allocator laid it out; see events/event.hpp.
struct Block {
    std::uintptr_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t rounding = 0;
    std::uint32_t padding = 0;
    std::uint32_t slack = 0;
    std::uint16_t header = 0;
};

// A request that could not be served, and what was free then (gross; 0 where it is not known).
struct Request {
    std::uint64_t bytes = 0;
    std::size_t alignment = 1;
    std::uint64_t freeBytes = 0;
    std::uint64_t largestHole = 0;
};

// The number by which AllocatorCreated tells what sort of allocator it is. Source: FNV-1a, 64 bits.
std::uint64_t KindId(const char* kind) noexcept;

class Emitter {
public:
    struct Created {
        std::uintptr_t base = 0;  // base and bytes 0: not known
        std::uint64_t bytes = 0;
        std::uint64_t bookkeeping = 0;
    };

    bool IsAttached() const noexcept { return sink_ != nullptr; }
    AllocatorId Id() const noexcept { return id_; }

    // Takes an id and emits AllocatorCreated. A null sink detaches. The sink attached before hears "destroyed".
    // `kind`: what sort of allocator it is, as its options name it ("arena"); null: it cannot be run again from its
    // events (replay/reexecution.hpp).
    void Attach(events::EventSink* sink, const char* name, const Created& created, AllocatorId parent,
                const char* kind = nullptr) noexcept;

    RESIDUE_EMIT_INLINE void Destroyed() noexcept {
        if (sink_ != nullptr) EmitDestroyed();
    }
    RESIDUE_EMIT_INLINE void Duck(const char* text, std::size_t length) noexcept {
        if (sink_ != nullptr) EmitDuck(text, length);
    }
    // probes: holes looked at; 0 where the allocator does not search.
    RESIDUE_EMIT_INLINE void Allocated(const Block& block, std::size_t alignment, std::uint64_t probes = 0) noexcept {
        if (sink_ != nullptr) EmitBlock(events::EventKind::Allocated, block, alignment, probes);
    }
    RESIDUE_EMIT_INLINE void Freed(std::uintptr_t address) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::Freed, address);
    }
    // The block is gone and its bytes are not to be had again before a BulkFreed, Reclaimed or RegionShrunk over them.
    RESIDUE_EMIT_INLINE void FreedStaysDead(std::uintptr_t address) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::Freed, address, 0, 0, events::EventFlag::StaysDead);
    }
    // Part of another call: these bytes can be given out again; what is live in them is gone.
    RESIDUE_EMIT_INLINE void Reclaimed(std::uintptr_t address, std::uint64_t bytes) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::BulkFreed, address, bytes, 0, events::EventFlag::NotACall);
    }
    RESIDUE_EMIT_INLINE void ResizeBegins(std::uintptr_t address, std::uint64_t bytes) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::ResizeBegins, address, bytes);
    }
    // After the new block arrived and before the old one goes back (or stays dead, see FreedStaysDead).
    RESIDUE_EMIT_INLINE void ResizeEnds(const Block& block, std::size_t alignment, std::uintptr_t old,
                                        bool oldStaysDead = false) noexcept {
        if (sink_ == nullptr) return;
        EmitBlock(events::EventKind::ResizeEnds, block, alignment, old,
                  oldStaysDead ? events::EventFlag::StaysDead : events::EventFlag{});
    }
    // bookkeeping: bytes of these, at their end, that can never be given out.
    RESIDUE_EMIT_INLINE void RegionGrown(std::uintptr_t address, std::uint64_t bytes,
                                         std::uint64_t bookkeeping = 0) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::RegionGrown, address, bytes, bookkeeping);
    }
    RESIDUE_EMIT_INLINE void RegionShrunk(std::uintptr_t address, std::uint64_t bytes) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::RegionShrunk, address, bytes);
    }
    // `mark`: 1 for the oldest mark of an arena and so on, when it is one that is released; 0: a reset.
    RESIDUE_EMIT_INLINE void BulkFreed(std::uintptr_t address, std::uint64_t bytes, std::uint64_t mark = 0) noexcept {
        if (sink_ != nullptr) EmitPlain(events::EventKind::BulkFreed, address, bytes, 0, {}, mark);
    }
    // A call of its own, so that the moment between two marks can be gone to.
    RESIDUE_EMIT_INLINE void Marked(std::uintptr_t address, std::uint64_t mark) noexcept {
        if (sink_ != nullptr) EmitMark(address, mark);
    }
    RESIDUE_EMIT_INLINE void AllocateFailed(const Request& request, MemoryError error) noexcept {
        if (sink_ != nullptr) EmitFailure(events::EventKind::AllocateFailed, request, error);
    }
    RESIDUE_EMIT_INLINE void ResizeFailed(const Request& request, MemoryError error) noexcept {
        if (sink_ != nullptr) EmitFailure(events::EventKind::ResizeEnds, request, error);
    }
    // nearest 0: there is none, or it is not known.
    RESIDUE_EMIT_INLINE void FreeFailed(MemoryError error, std::uintptr_t pointer, std::uintptr_t nearest) noexcept {
        if (sink_ != nullptr) EmitFreeFailed(error, pointer, nearest);
    }

private:
    RESIDUE_EMIT_CALL void EmitDestroyed() noexcept;
    RESIDUE_EMIT_CALL void EmitDuck(const char* text, std::size_t length) noexcept;
    RESIDUE_EMIT_CALL void EmitBlock(events::EventKind kind, const Block& block, std::size_t alignment,
                                     std::uint64_t argument, events::EventFlag flag = {}) noexcept;
    RESIDUE_EMIT_CALL void EmitPlain(events::EventKind kind, std::uintptr_t address, std::uint64_t size = 0,
                                     std::uint64_t bookkeeping = 0, events::EventFlag flag = {},
                                     std::uint64_t argument = 0) noexcept;
    RESIDUE_EMIT_CALL void EmitMark(std::uintptr_t address, std::uint64_t mark) noexcept;
    RESIDUE_EMIT_CALL void EmitFailure(events::EventKind kind, const Request& request, MemoryError error) noexcept;
    RESIDUE_EMIT_CALL void EmitFreeFailed(MemoryError error, std::uintptr_t pointer, std::uintptr_t nearest) noexcept;

    events::EventSink* sink_ = nullptr;
    AllocatorId id_{};
};

}  // namespace residue::alloc

#undef RESIDUE_EMIT_INLINE
#undef RESIDUE_EMIT_CALL
