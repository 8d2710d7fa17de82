// The ids of a program's pools. A handle is an id and how often it was given out before (16 bits each), so that a
// handle of a pool that is gone is known as such until its id has been given out 65,535 times.
//
// An id is given out again only where it must: so that two pools are two in the recording too. Threads: Find is
// lock-free; Add and Remove hold a lock for some instructions. A child of fork breaks the lock that its parent held.
#pragma once

#include <atomic>
#include <cstdint>

#include "capture/layout.hpp"

namespace residue::capture::shim {

class PoolTable {
public:
    std::uint32_t Add() noexcept;               // a handle; 0: there are too many
    bool Remove(std::uint32_t handle) noexcept;  // false: it is none
    // The id behind a handle; 0: it is none. A handle without the upper half is an id: any pool that is there.
    std::uint16_t Find(std::uint32_t handle) const noexcept;

private:
    static constexpr std::uint16_t kDistinct = 255;  // so many ids are given out before one is used again
    struct Slot {
        std::atomic<std::uint32_t> handle{0};  // 0: not there
        std::uint16_t times = 0;
        std::uint16_t next = 0;  // of the ids that are free again
    };
    bool Lock() noexcept;
    void Unlock() noexcept { owner_.store(0, std::memory_order_release); }

    std::atomic<std::uint32_t> owner_{0};          // the process that holds the lock
    std::uint16_t used_ = 0;                       // ids 1..used_ were given out
    std::uint16_t firstFree_ = 0, lastFree_ = 0;   // the one that is free longest comes first
    Slot slots_[std::uint32_t{kMostPools} + 1];
};

}  // namespace residue::capture::shim
