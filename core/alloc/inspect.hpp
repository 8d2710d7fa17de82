// Walking an allocator: its regions, its blocks and holes in address order, its free structure in its own order and
// shape, and a check of its invariants. What it tells must equal the heap model's reconstruction of the events
// (a test compares them after every call).
//
//     struct Counter final : Inspector { std::size_t holes = 0; void OnHole(const Hole&) override { ++holes; } };
//     allocator.options->Inspect(&allocator, counter);
#pragma once

#include <cstddef>
#include <cstdint>

namespace residue::alloc {

// All addresses are real ones, all sizes bytes.
struct Region {
    std::uintptr_t base = 0;
    std::size_t bytes = 0;       // what the allocator has from below, bookkeeping included
    std::size_t bookkeeping = 0; // of these, at the end of the region: bytes it can never give out
};

struct LiveBlock {
    std::uintptr_t address = 0;  // of the payload
    std::size_t size = 0;        // as requested
    std::size_t header = 0;
    std::size_t padding = 0;
    std::size_t rounding = 0;
    std::size_t slack = 0;
};

// What the allocator could hand out again; maximal runs.
struct Hole {
    std::uintptr_t address = 0;  // gross: its own header included
    std::size_t bytes = 0;
};

// Given back, and not to be had again before a reset: neither block nor hole (METRICS.md's `dead`). One run a block.
struct DeadRun {
    std::uintptr_t address = 0;  // of the first byte set aside
    std::size_t bytes = 0;
};

// How an allocator finds what is free.
enum class FreeShape : std::uint8_t {
    Top,     // everything from one address up (arena, stack): one node
    List,    // one list: bin 0
    Bins,    // a list for each size class
    Tree,    // bin i: the free blocks of one size, each half as large as those of bin i + 1, aligned in the region to
             // their size (buddy)
    Matrix,  // bins in rows of `columns`: first level by second level (TLSF)
};

struct FreeStructure {
    FreeShape shape = FreeShape::List;
    std::uint32_t bins = 1;
    std::uint32_t columns = 1;   // Matrix: bins in a row
};

// The gross sizes that a bin is for. Empty bins are told too.
struct FreeBin {
    std::uint32_t bin = 0;
    std::size_t least = 0;
    std::size_t most = 0;        // ~0: no limit
};

// One node of the free structure, in the structure's own order (list order, bin by bin, level by level).
struct FreeNode {
    std::uintptr_t address = 0;
    std::size_t bytes = 0;
    std::uint32_t bin = 0;       // list, bin or level it is in
};

// A place one can go back to: an arena's mark. Oldest first.
struct Mark {
    std::uintptr_t address = 0;
};

// In this order: all regions; blocks, holes and dead runs, region by region in address order; marks; the structure;
// each bin, followed by its nodes; and whatever is broken, as it is found.
class Inspector {
public:
    virtual void OnRegion(const Region&) {}
    virtual void OnBlock(const LiveBlock&) {}
    virtual void OnHole(const Hole&) {}
    virtual void OnDead(const DeadRun&) {}
    virtual void OnMark(const Mark&) {}
    virtual void OnFreeStructure(const FreeStructure&) {}
    virtual void OnFreeBin(const FreeBin&) {}
    virtual void OnFreeNode(const FreeNode&) {}
    virtual void OnBroken(const char* invariant, std::uintptr_t where) { (void)invariant, (void)where; }

protected:
    ~Inspector() = default;
};

}  // namespace residue::alloc
