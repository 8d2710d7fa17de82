// Equal slots, the free ones in a list: the fastest allocator there is, for one size.
//
//     std::byte buffer[4096];
//     PoolAllocator pool = CreatePoolAllocator(HeapMemory::Buffer(buffer), 48);
//     auto node = Allocate<Node>(&pool, 1);
//     DestroyPoolAllocator(&pool);
//
// Layout. No header; a free slot holds the link to the next one.
//
//   | payload . | next . . . | payload . | payload . | not used yet . . . . | bits |
//     ' slot      ' free                               ' frontier
//
// Placement: the slot that was freed last (it is in the cache), else the first that was never used. So the list's order
// is that of the frees backwards, not that of addresses. A slot's rest is `rounding`; how much it is stands in the
// slot's last bytes, or, where there is none, as a flag beside the live bit.
//
// A request that is larger than a slot, or more aligned than slots are, is BufferTooLarge. Every free slot fits every
// request, so nothing ever fails with Fragmentation. Holes are told as runs of free slots, as they lie.
//
// Costs: allocate O(1), free O(1) (with a parent: one look at each region). Thread safety: none. Freestanding.
// Source: Kenwright, Fast efficient fixed-size memory pool, 2012 (the frontier).
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

inline constexpr std::size_t kPoolSlotBytes = 64;

template <class Observer>
struct BasicPoolAllocator : Allocator {
    // `slotBytes` is raised to a multiple of 8, at least 8. Slots are aligned to the largest power of two that divides
    // it, at most 4,096.
    static BasicPoolAllocator Make(const HeapMemory& memory, std::size_t slotBytes = kPoolSlotBytes);
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Gives regions back to the parent. Safe to call twice.
    void Destroy();

    std::size_t SlotBytes() const { return slot_; }
    std::uint64_t Probes() const { return probes_; }

    [[no_unique_address]] Observer observer;

private:
    static const AllocatorOptions kOptions;
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static Result<void> OnReset(Allocator* self);

    static std::uint64_t& Frontier(HeapRegion& region) { return region.own[0]; }  // offset of the first unused slot
    static std::uint64_t Frontier(const HeapRegion& region) { return region.own[0]; }

    bool CouldEver(std::size_t bytes, std::size_t alignment) const;
    std::uintptr_t TakeSlot(HeapRegion*& home);
    void SetSize(HeapRegion& region, std::uintptr_t slot, std::size_t bytes);
    std::size_t SizeOf(const HeapRegion& region, std::uintptr_t slot) const;
    Block Describe(const HeapRegion& region, std::uintptr_t slot) const;
    Request Described(std::size_t bytes, std::size_t alignment) const;
    void InspectRegion(const HeapRegion& region, Inspector& inspector) const;
    void InspectList(Inspector& inspector) const;
    void Decide(DecisionKind decision, std::uintptr_t slot);

    HeapRegions regions_;
    std::size_t slot_ = kPoolSlotBytes;
    std::size_t alignment_ = kPoolSlotBytes;
    std::uintptr_t head_ = 0;      // of the list; 0: it is empty
    std::uint64_t listed_ = 0;
    std::uint64_t probes_ = 0;
    Emitter emitter_;
};

using PoolAllocator = BasicPoolAllocator<NoObserver>;
using ObservedPoolAllocator = BasicPoolAllocator<DecisionObserver>;

extern template struct BasicPoolAllocator<NoObserver>;
extern template struct BasicPoolAllocator<DecisionObserver>;

inline PoolAllocator CreatePoolAllocator(const HeapMemory& memory, std::size_t slotBytes = kPoolSlotBytes) {
    return PoolAllocator::Make(memory, slotBytes);
}
inline void DestroyPoolAllocator(PoolAllocator* allocator) { allocator->Destroy(); }

}  // namespace residue::alloc
