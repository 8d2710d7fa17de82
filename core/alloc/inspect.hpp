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

struct Hole {
    std::uintptr_t address = 0;  // gross: its own header included
    std::size_t bytes = 0;
};

// One node of the free structure, in the structure's own order (list order, bin by bin, level by level).
struct FreeNode {
    std::uintptr_t address = 0;
    std::size_t bytes = 0;
    std::uint32_t bin = 0;       // list, bin or level it is in
};

class Inspector {
public:
    virtual void OnRegion(const Region&) {}
    virtual void OnBlock(const LiveBlock&) {}
    virtual void OnHole(const Hole&) {}
    virtual void OnFreeNode(const FreeNode&) {}
    virtual void OnBroken(const char* invariant, std::uintptr_t where) { (void)invariant, (void)where; }

protected:
    ~Inspector() = default;
};

}  // namespace residue::alloc
