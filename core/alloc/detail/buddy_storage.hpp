// The first words of a block of BasicBuddyAllocator. Included by buddy_allocator.cpp and buddy_walk.hpp alone.
//   free: the distances to the next and to the previous block in the list; 0: there is none.
//   live, and the payload begins inside the block: how far, + 1. An odd number, as no distance is.
#pragma once

#include <cstdint>
#include <cstring>

namespace residue::alloc::buddy {

inline std::uint64_t LoadWord(std::uintptr_t at) {
    std::uint64_t word;
    std::memcpy(&word, reinterpret_cast<const void*>(at), sizeof word);
    return word;
}
inline void StoreWord(std::uintptr_t at, std::uint64_t word) {
    std::memcpy(reinterpret_cast<void*>(at), &word, sizeof word);
}

inline std::uintptr_t Linked(std::uintptr_t block, std::uint64_t distance) {
    return distance == 0 ? 0 : block + distance;
}
inline std::uint64_t DistanceTo(std::uintptr_t block, std::uintptr_t other) { return other == 0 ? 0 : other - block; }

inline std::uintptr_t NextOf(std::uintptr_t block) { return Linked(block, LoadWord(block)); }
inline std::uintptr_t PreviousOf(std::uintptr_t block) { return Linked(block, LoadWord(block + 8)); }
inline void SetNext(std::uintptr_t block, std::uintptr_t next) { StoreWord(block, DistanceTo(block, next)); }
inline void SetPrevious(std::uintptr_t block, std::uintptr_t previous) {
    StoreWord(block + 8, DistanceTo(block, previous));
}

inline bool SaysPadding(std::uintptr_t block) { return (LoadWord(block) & 1) != 0; }
inline std::uint64_t PaddingOf(std::uintptr_t block) { return LoadWord(block) - 1; }
inline void SetPadding(std::uintptr_t block, std::uint64_t padding) { StoreWord(block, padding + 1); }

}  // namespace residue::alloc::buddy
