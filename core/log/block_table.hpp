// When each block of a log was born and when it died, by number from 0 on: 8 bytes a block. Births come in order of
// rows. A part of the log.
//
// A birth is kept as how far it is behind the one of the first block of its group of 4,096, a death as how far it is
// behind the birth; where that takes more than 32 bits, it is kept apart.
//
// Threads: one appends and lets blocks die; any reads what was there when it looked at Size(). A death that comes while
// it is read shows or does not; who reads takes it for none if it is not below the rows that he knows.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <unordered_map>

#include "log/stable_vector.hpp"

namespace residue::log {

class BlockTable {
public:
    static constexpr std::uint64_t kAlive = std::numeric_limits<std::uint64_t>::max();

    // The writer's.
    void SpillTo(Spill* spill) { blocks_.SpillTo(spill); }
    void Push(std::uint64_t born) {
        const std::size_t index = blocks_.Size();
        if (index % kGroup == 0) bases_.Push(born);
        const std::uint64_t behind = born - bases_[index / kGroup];
        if (behind >= kFar) [[unlikely]] farBirths_.Push(index, born);
        blocks_.Push(static_cast<std::uint32_t>(behind < kFar ? behind : kFar), kNever);
    }
    // It has not died yet, or stays as it was. index < Size()
    void Die(std::size_t index, std::uint64_t died) {
        std::atomic<std::uint32_t>& lived = blocks_[index].lived;
        if (lived.load(std::memory_order_relaxed) != kNever) return;
        const std::uint64_t behind = died - Born(index);
        if (behind >= kFar) [[unlikely]] {
            const std::lock_guard lock(lock_);
            farDeaths_.emplace(index, died);
        }
        lived.store(static_cast<std::uint32_t>(behind < kFar ? behind : kFar), std::memory_order_relaxed);
    }
    [[gnu::always_inline]] void Prefetch(std::size_t index) const { __builtin_prefetch(&blocks_[index], 1); }

    // Any thread. index < Size()
    std::size_t Size() const { return blocks_.Size(); }
    std::uint64_t Born(std::size_t index) const {
        const std::uint32_t behind = blocks_[index].born;
        if (behind == kFar) [[unlikely]] return FarBirth(index);
        return bases_[index / kGroup] + behind;
    }
    // Its row; kAlive: none yet.
    std::uint64_t Died(std::size_t index) const {
        const std::uint32_t lived = blocks_[index].lived.load(std::memory_order_relaxed);
        if (lived == kNever) return kAlive;
        if (lived == kFar) [[unlikely]] return FarDeath(index);
        return Born(index) + lived;
    }
    // How many of the first `size` were born before `row`.
    std::size_t BornBefore(std::size_t size, std::uint64_t row) const;
    std::size_t ResidentBytes() const;

private:
    static constexpr std::size_t kGroup = 4096;
    static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint32_t kFar = kNever - 1;

    struct Block {
        std::uint32_t born;                // behind its group's first; kFar: in farBirths_
        std::atomic<std::uint32_t> lived;  // kNever: it is alive; kFar: in farDeaths_
    };
    struct FarBlock {
        std::size_t index;
        std::uint64_t born;
    };
    std::uint64_t FarBirth(std::size_t index) const;
    std::uint64_t FarDeath(std::size_t index) const;

    StableVector<Block> blocks_;
    StableVector<std::uint64_t> bases_;
    StableVector<FarBlock> farBirths_;
    mutable std::mutex lock_;
    std::unordered_map<std::size_t, std::uint64_t> farDeaths_;
};

}  // namespace residue::log
