// The allocators by name: what replay, sandbox, CLI and window let the user choose from.
//
//     alignas(kAllocatorStorageAlignment) std::byte storage[kAllocatorStorageBytes];
//     const Registration* entry = FindRegistration("first-fit");
//     Allocator* allocator = entry->Create(storage, {.base = range, .reserved = bytes, .capacity = std::nullopt});
//     entry->Attach(allocator, &sink, entry->name);
//     ...
//     entry->Destroy(allocator);                       // before the storage and the range go
//
// All state of an allocator `inBuffer` is in its range and its storage, so that a copy of both is a checkpoint, valid
// at the same addresses (the Residue allocator's log is the exception: it comes from the system).
// Adding an allocator costs its own files and one line in os/registry.cpp.
// Thread safety: the table is constant; the allocators as each says (system and default are thread-safe).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "alloc/allocator.hpp"
#include "alloc/decisions.hpp"
#include "alloc/heap_memory.hpp"
#include "events/sink.hpp"

namespace residue::alloc {

struct MakeOptions {
    void* base = nullptr;         // the range for allocators that live in one; readable, writable, zeroed
    std::size_t reserved = 0;     // its bytes; may be reserved address space that becomes memory when touched
    // Bytes the allocator has, bookkeeping included (cut to `reserved`). None: its heap starts at 0 and grows.
    std::optional<std::uint64_t> capacity = std::nullopt;
    // Instead of a range: regions of that many bytes from another allocator, which outlives it. Those that can be
    // observed and are no fixed buffer take it.
    Allocator* parent = nullptr;
    std::size_t regionBytes = HeapMemory::kRegionBytes;
    std::size_t slotBytes = 0;    // a pool's; 0: kPoolSlotBytes
    bool quiet = false;           // prints nothing at its end (the duck)
};

inline constexpr std::size_t kAllocatorStorageBytes = 2048;
inline constexpr std::size_t kAllocatorStorageAlignment = 64;

// What an allocator with marks (the arena) offers: moments to go back to, one inside the other.
struct MarkOperations {
    std::uint32_t (*Count)(const Allocator* allocator);                   // marks that are valid now
    // `mark`: 1 is the oldest. Where the blocks begin that go with it; 0: there is none of that number.
    std::uintptr_t (*Address)(const Allocator* allocator, std::uint32_t mark);
    Result<void> (*Set)(Allocator* allocator);                            // InsufficientMemory: as many as it can have
    // What was allocated since goes at once, and this mark with all younger ones. InvalidPointer: there is none of
    // that number.
    Result<void> (*Release)(Allocator* allocator, std::uint64_t mark);
};

// The same allocator, compiled with an observer that is told its decisions: for re-execution (replay/reexecution.hpp).
struct ObservedForm {
    const char* (*Kind)();  // options->name of its instances: what AllocatorCreated tells as KindId
    Allocator* (*Create)(void* storage, const MakeOptions& options);
    void (*Destroy)(Allocator* allocator);
    void (*Attach)(Allocator* allocator, events::EventSink* sink, const char* name);
    void (*Observe)(Allocator* allocator, DecisionSink* sink);  // null: nobody
    const MarkOperations* marks;  // null: it has none
    bool (*GoOnAs)(Allocator* allocator, std::uint64_t kindId);  // as Registration::GoOnAs
};

struct Registration {
    const char* name;   // "first-fit"
    const char* title;  // "fixed buffer, first fit"
    const char* rule;   // one plain sentence
    bool inBuffer;      // it lives in [base, base + reserved); otherwise it takes memory from the OS
    // Builds it in `storage` (kAllocatorStorageBytes, aligned to kAllocatorStorageAlignment). Never fails: where the
    // range is too small, every request to it fails.
    Allocator* (*Create)(void* storage, const MakeOptions& options);
    // Blocks that are still live are given back ("system" keeps no books: they are lost).
    void (*Destroy)(Allocator* allocator);
    // From here on it emits its events to `sink` (null: no longer). Attach before the first request.
    void (*Attach)(Allocator* allocator, events::EventSink* sink, const char* name);
    // Holes looked at by the last request; 0 where it does not search.
    std::uint64_t (*Probes)(const Allocator* allocator);
    const MarkOperations* marks;   // null: it has none
    const ObservedForm* observed;  // null: all that is to be known of its inside is in the events, or in the OS
    // From here on it decides as the allocator of that kind (KindId), its heap as it is. False: it cannot, and nothing
    // has changed. Null: it never can.
    bool (*GoOnAs)(Allocator* allocator, std::uint64_t kindId);
};

std::span<const Registration> Registry();

// Null where there is none of that name.
const Registration* FindRegistration(std::string_view name);

// By what AllocatorCreated carries; null where no allocator of that kind can be observed.
const ObservedForm* FindObservedForm(std::uint64_t kindId);
const char* RuleOfKind(std::uint64_t kindId);  // Registration::rule; empty where there is none of that kind

}  // namespace residue::alloc
