// Holes in lists by size, blocks with boundary tags: what segregated fit and TLSF have in common. They differ in the
// map from sizes to lists, and in where they start to search; `Classes` says both:
//     kName, kShape            what it is called, and what Inspect says of it
//     kRows, kColumns          the lists, see bin_table.hpp
//     kGoodFit                 starts at the first list whose every hole is large enough, not at the request's own
//     BinOf(bytes)             the list of a hole of that size (gross); grows with the size
//     LeastOf(bin)             the smallest size of a list; the last list has no largest
//
// The layout of blocks is drawn in tagged_blocks.hpp; segregated_allocator.hpp and tlsf_allocator.hpp say what each
// costs, and are what one includes. Immediate coalescing both ways. A hole goes to the front of its list.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"
#include "alloc/decisions.hpp"
#include "alloc/detail/bin_table.hpp"
#include "alloc/detail/tagged_blocks.hpp"
#include "alloc/emitter.hpp"
#include "alloc/heap_memory.hpp"
#include "alloc/inspect.hpp"

namespace residue::alloc {

template <class Observer, class Classes>
struct BasicTaggedAllocator : Allocator {
    static BasicTaggedAllocator Make(const HeapMemory& memory);
    void AttachSink(events::EventSink* sink, const char* name, AllocatorId parent = {});
    // Gives regions back to the parent. Safe to call twice.
    void Destroy();

    std::uint64_t Probes() const { return probes_; }    // holes looked at by the last request
    std::uint64_t FreeBytes() const { return free_; }   // gross
    const BinTable<Classes>& Bins() const { return bins_; }

    [[no_unique_address]] Observer observer;

private:
    static constexpr std::uint32_t kBins = BinTable<Classes>::kBins;
    using Link = TaggedBlocks::Link;
    static constexpr Link kNone = TaggedBlocks::kNone;
    static_assert(kNone == BinTable<Classes>::kEmpty);

    // A hole that is in a list (Search) or in none (Grow), and how far up in it the block begins.
    struct Place {
        HeapRegion* region = nullptr;
        std::uintptr_t hole = 0;
        std::uint64_t gap = 0;
    };

    static const AllocatorOptions kOptions;
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    static Result<void*> OnResize(Allocator* self, void* pointer, std::size_t bytes, std::size_t alignment);
    static void OnInspect(const Allocator* self, Inspector& inspector);
    static bool OnOwns(const Allocator* self, const void* pointer);
    static Result<void> OnReset(Allocator* self);

    void StartOver();
    void Insert(const HeapRegion& region, std::uintptr_t hole);
    void Remove(std::uintptr_t hole);

    static std::uint32_t SureBin(std::uint64_t bytes);
    Place FirstOf(std::uint32_t from, std::uint32_t to, std::uint64_t need, std::size_t alignment);
    bool Fits(std::uintptr_t hole, std::uint64_t need, std::size_t alignment, std::uint64_t& gap);
    Place Search(std::uint64_t need, std::size_t alignment);
    Place Grow(std::uint64_t need, std::size_t alignment);
    Place Find(std::uint64_t need, std::size_t alignment);
    MemoryError WhyNot(std::uint64_t need, std::size_t alignment) const;
    std::uint64_t LargestHole() const;
    Request Described(std::size_t bytes, std::size_t alignment) const;

    std::uintptr_t Take(const Place& place, std::uint64_t need, std::size_t bytes);
    void Give(HeapRegion& region, std::uintptr_t block);
    void Refit(HeapRegion& region, std::uintptr_t block, std::uint64_t need);
    bool ResizeInPlace(HeapRegion& region, std::uintptr_t block, std::uint64_t need);
    void Decide(DecisionKind kind, std::uintptr_t at, std::uint64_t bytes, std::uintptr_t other = 0,
                std::uint64_t otherBytes = 0, ProbeVerdict verdict = ProbeVerdict::Taken);

    std::uint64_t InspectRegion(const HeapRegion& region, Inspector& inspector, std::uint64_t& holes) const;
    bool InspectBin(std::uint32_t bin, Inspector& inspector, std::uint64_t& count) const;
    void InspectBins(Inspector& inspector, std::uint64_t holes) const;

    TaggedBlocks blocks_;
    BinTable<Classes> bins_;
    std::uint64_t free_ = 0;    // bytes in holes
    std::uint64_t holes_ = 0;   // in lists
    std::uint64_t probes_ = 0;
    Emitter emitter_;
};

}  // namespace residue::alloc
