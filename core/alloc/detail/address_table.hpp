// Blocks by address: an open hash table (linear probing, deletion by shifting back, at most 3/4 full) in memory that
// it takes from an allocator. Finding, adding and removing are O(1) on average. Knuth, TAOCP 3, 6.4, algorithms L, R.
//
//     AddressTable table(parent);
//     if (!table.Reserve()) ...                 // room for one more, before the block is asked for
//     table.Add({.address = at, .size = bytes});
//
// Thread safety: none. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"

namespace residue::alloc {

struct TrackedBlock {
    std::uintptr_t address = 0;  // 0: an empty slot
    std::uint64_t size = 0;      // as requested
    std::uint64_t serial = 0;    // live: counts allocations. Freed: counts frees
    std::uint32_t trace = 0;     // a node of the tracker's trace table; 0: none
    bool live = true;            // else: remembered as given back
};

class AddressTable {
public:
    explicit AddressTable(Allocator* parent) : parent_(parent) {}
    ~AddressTable() { Release(); }
    AddressTable(const AddressTable&) = delete;
    AddressTable& operator=(const AddressTable&) = delete;

    std::size_t Count() const { return count_; }

    // Makes room for one more entry. Errors: the parent's; the table is then as it was.
    Result<void> Reserve();
    // There must be room and no entry of that address.
    void Add(const TrackedBlock& block);
    TrackedBlock* Find(std::uintptr_t address);  // null: none. Valid until the next Reserve, Add or Remove
    const TrackedBlock* Find(std::uintptr_t address) const;
    void Remove(std::uintptr_t address);

    // The live entry nearest to an address (the last at or below, else the first above); null: none. O(capacity).
    const TrackedBlock* Nearest(std::uintptr_t address) const;

    // Every entry, in no order.
    template <class Visit>
    void ForEach(Visit visit) const {
        for (std::size_t i = 0; i < capacity_; ++i) {
            if (slots_[i].address != 0) visit(slots_[i]);
        }
    }

    // Takes the live entries out as a list in order of allocation, which ends the table's use but for Release.
    // The list lies in the table's own memory. O(n log n).
    TrackedBlock* SortLive(std::size_t& count);

    // Gives the memory back.
    void Release();

private:
    std::size_t SlotOf(std::uintptr_t address) const;

    Allocator* parent_;
    TrackedBlock* slots_ = nullptr;
    std::size_t capacity_ = 0;  // a power of two, or 0
    std::size_t count_ = 0;
};

}  // namespace residue::alloc
