// What the reader knows of the pools that a program tells of: which there are, what memory each has, which of their
// blocks are blocks of the pool's parent. Believes nothing: an id may be told of that was never created.
//
// Cost: O(log of a pool's regions) a call. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace residue::capture {

class PoolBook {
public:
    struct Borrowed {
        std::uint64_t begin = 0, end = 0;
    };
    struct Pool {
        std::string name;
        AllocatorId parent{};
        std::map<std::uint64_t, std::uint64_t> regions;  // begin to end, disjoint; empty: what it has is not known
        // Where nothing is known of its memory, each of its blocks may be a block of its parent's: those that are,
        // by address.
        std::map<std::uint64_t, Borrowed> borrowed;
    };

    // Null: there is none of that id.
    Pool* Find(AllocatorId id);
    Pool& Create(AllocatorId id, AllocatorId parent);
    void Destroy(AllocatorId id);
    std::vector<AllocatorId> All() const;
    void Clear() { pools_.clear(); }

    static void Grow(Pool& pool, std::uint64_t address, std::uint64_t size);
    static void Shrink(Pool& pool, std::uint64_t address, std::uint64_t size);
    // Does [address, address + size) lie in what it has? True where that is not known.
    static bool Holds(const Pool& pool, std::uint64_t address, std::uint64_t size);

private:
    std::vector<std::unique_ptr<Pool>> pools_;  // by id
};

}  // namespace residue::capture
