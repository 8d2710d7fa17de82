// Two allocators that only ever move one address up: the arena and the stack.
//
//     std::byte buffer[4096];
//     ArenaAllocator arena = CreateArenaAllocator(HeapMemory::Buffer(buffer));
//     auto kept = Allocate<int>(&arena, 5);
//     const auto mark = arena.Mark();
//     auto scratch = Allocate<char>(&arena, 100);
//     arena.Release(*mark);                        // scratch is gone, in one event
//     DestroyArenaAllocator(&arena);
//
// Layout. Blocks follow each other; everything is a multiple of 8 bytes.
//
//   | hdr payload | hdr payload | n . . . | hdr payload |        free        |
//   ' begin                     ' padding               ' top                ' end of the region
//
//   header, 16 bytes, directly before the payload:
//     u64  1 | dead | unused bytes of the payload (3 bits) | bytes of header and payload / 8
//     u64  where the block below begins, + 1 (0: there is none) | the mark it was born under (16 bits)
//   padding begins with a u64 that is its bytes / 8, so that blocks can be walked upwards.
//
// A purist's arena has no headers. These are for the walk, for exact errors and for the stack's way back; what they
// cost is shown as what it is.
//
// Placement: the first region whose rest is large enough (there is only one, but with a parent). There is nothing to
// search in, so nothing is probed but those rests.
//
// The difference is what a free does. In the arena a freed block stays dead: neither live nor to be had again before a
// reset, or a release of a mark older than it. In the stack the topmost block goes, and with it whatever lies dead
// below: what is freed in order comes back at once, what is freed out of order waits for all above it.
//
// What is dead is not free: a request that only dead bytes could serve fails with InsufficientMemory. Fragmentation
// needs several regions, or an alignment.
//
// Costs: allocate O(1), free O(1) (stack: each block once more), reset and release O(blocks that go) for the books.
// Limits: 16 GiB a region, 64 marks in each other. Thread safety: none. Freestanding.
// Source: Hanson, Fast allocation and deallocation of memory based on object lifetimes, 1990 (arenas); TAOCP 1, 2.2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"
#include "alloc/decisions.hpp"
#include "alloc/detail/heap_regions.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"

namespace residue::alloc {

enum class Bump : std::uint8_t { Arena, Stack };

// A place in an arena to go back to. Valid until it, or an older one, is released, or the arena is reset.
struct ArenaMark {
    std::uint32_t depth = 0;   // marks that were set when it was, itself included; 0: none
    std::uint64_t serial = 0;
};

template <class Observer, Bump kind>
struct BasicBumpAllocator : Allocator {
    static BasicBumpAllocator Make(const HeapMemory& memory);
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Gives regions back to the parent. Safe to call twice.
    void Destroy();

    // Arena only. Errors: InsufficientMemory beyond 64 marks in each other.
    Result<ArenaMark> Mark();
    // Everything allocated since goes at once, and this mark with all that were set after it. Errors: InvalidPointer
    // for a mark that is not valid any more.
    Result<void> Release(ArenaMark mark);
    std::uint32_t Marks() const { return depth_; }
    // The mark of that depth, 1 the oldest; one that is not valid where there is none.
    ArenaMark MarkAt(std::uint32_t depth) const {
        return depth == 0 || depth > depth_ ? ArenaMark{} : ArenaMark{depth, marks_[depth - 1].serial};
    }

    // Where the blocks begin that go with it, in the youngest region; 0 where there is no such mark.
    std::uintptr_t MarkAddress(std::uint32_t depth) const {
        return depth == 0 || depth > depth_ ? 0 : marks_[depth - 1].address;
    }

    std::uint64_t Probes() const { return probes_; }  // rests of regions looked at by the last request

    [[no_unique_address]] Observer observer;

private:
    static constexpr std::uint32_t kMostMarks = 64;
    static constexpr std::uint64_t kHeaderBytes = 16;
    struct Header;
    struct Place {
        HeapRegion* region = nullptr;
        std::uint64_t padding = 0;
    };

    static const AllocatorOptions kOptions;
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static Result<void> OnReset(Allocator* self);

    static std::uint64_t& Top(HeapRegion& region) { return region.own[0]; }         // offset of the first free byte
    static std::uint64_t Top(const HeapRegion& region) { return region.own[0]; }
    static std::uint64_t& LastBlock(HeapRegion& region) { return region.own[1]; }   // offset of its begin, + 1; 0: none
    static std::uint64_t Rest(const HeapRegion& region) { return region.used - region.own[0]; }

    static Header Load(std::uintptr_t payload);
    static void Store(std::uintptr_t payload, const Header& header);
    static std::uint64_t PaddingAt(std::uintptr_t begin);  // bytes before the header
    static std::uint64_t PaddingFor(std::uintptr_t top, std::size_t alignment);
    static std::uint64_t NeedOf(std::size_t bytes);        // header and payload; ~0: more than any heap has

    Place Find(std::uint64_t need, std::size_t alignment);
    MemoryError WhyNot(std::uint64_t need, std::size_t alignment) const;
    Request Described(std::size_t bytes, std::size_t alignment) const;
    std::uintptr_t Take(const Place& place, std::uint64_t need, std::size_t bytes);
    Block Describe(const HeapRegion& region, std::uintptr_t payload) const;
    bool IsTopmost(const HeapRegion& region, std::uintptr_t payload) const;
    bool ResizeInPlace(HeapRegion& region, std::uintptr_t payload, std::uint64_t need, std::size_t bytes);
    void Give(HeapRegion& region, std::uintptr_t payload);
    void Reclaim(HeapRegion& region);
    void LowerTo(HeapRegion& region, std::uint32_t depth);
    void InspectRegion(const HeapRegion& region, Inspector& inspector) const;
    void Decide(DecisionKind decision, std::uintptr_t at, std::uint64_t bytes, std::uintptr_t other = 0,
                std::uint64_t otherBytes = 0, ProbeVerdict verdict = ProbeVerdict::Taken);

    struct Marked {
        std::uint64_t serial;
        std::uintptr_t address;
    };

    HeapRegions regions_;
    std::uint64_t probes_ = 0;
    std::uint64_t marksMade_ = 0;
    std::uint32_t depth_ = 0;
    Marked marks_[kind == Bump::Arena ? kMostMarks : 1] = {};
    Emitter emitter_;
};

using ArenaAllocator = BasicBumpAllocator<NoObserver, Bump::Arena>;
using ObservedArenaAllocator = BasicBumpAllocator<DecisionObserver, Bump::Arena>;
using StackAllocator = BasicBumpAllocator<NoObserver, Bump::Stack>;
using ObservedStackAllocator = BasicBumpAllocator<DecisionObserver, Bump::Stack>;

extern template struct BasicBumpAllocator<NoObserver, Bump::Arena>;
extern template struct BasicBumpAllocator<DecisionObserver, Bump::Arena>;
extern template struct BasicBumpAllocator<NoObserver, Bump::Stack>;
extern template struct BasicBumpAllocator<DecisionObserver, Bump::Stack>;

inline ArenaAllocator CreateArenaAllocator(const HeapMemory& memory) { return ArenaAllocator::Make(memory); }
inline StackAllocator CreateStackAllocator(const HeapMemory& memory) { return StackAllocator::Make(memory); }
inline void DestroyArenaAllocator(ArenaAllocator* allocator) { allocator->Destroy(); }
inline void DestroyStackAllocator(StackAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
