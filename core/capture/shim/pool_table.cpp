#include "capture/shim/pool_table.hpp"

#include <unistd.h>

#include "events/ticks.hpp"

namespace residue::capture::shim {

namespace {
constexpr int kPatience = 10'000'000;  // turns: some tenths of a second
}

bool PoolTable::Lock() noexcept {
    const auto own = static_cast<std::uint32_t>(getpid());
    for (int turn = 0; turn < kPatience; ++turn) {
        std::uint32_t owner = owner_.load(std::memory_order_relaxed);
        if (owner != own && owner_.compare_exchange_weak(owner, own, std::memory_order_acquire)) return true;
        events::Relax();
    }
    return false;
}

std::uint32_t PoolTable::Add() noexcept {
    if (!Lock()) return 0;
    std::uint16_t id = 0;
    if (firstFree_ != 0 && (used_ >= kDistinct || used_ == kMostPools)) {
        id = firstFree_;
        firstFree_ = slots_[id].next;
        if (firstFree_ == 0) lastFree_ = 0;
    } else if (used_ < kMostPools) {
        id = ++used_;
    }
    std::uint32_t handle = 0;
    if (id != 0) {
        Slot& slot = slots_[id];
        slot.times = slot.times == 0xFFFF ? std::uint16_t{1} : static_cast<std::uint16_t>(slot.times + 1);
        handle = std::uint32_t{slot.times} << 16 | id;
        slot.handle.store(handle, std::memory_order_release);
    }
    Unlock();
    return handle;
}

bool PoolTable::Remove(std::uint32_t handle) noexcept {
    if (!Lock()) return false;
    const std::uint16_t id = Find(handle);
    if (id != 0) {
        slots_[id].handle.store(0, std::memory_order_release);
        slots_[id].next = 0;
        if (lastFree_ != 0) slots_[lastFree_].next = id;
        else firstFree_ = id;
        lastFree_ = id;
    }
    Unlock();
    return id != 0;
}

std::uint16_t PoolTable::Find(std::uint32_t handle) const noexcept {
    const auto id = static_cast<std::uint16_t>(handle);
    if (id == 0 || id > kMostPools) return 0;
    const std::uint32_t there = slots_[id].handle.load(std::memory_order_acquire);
    return there != 0 && (there == handle || handle >> 16 == 0) ? id : std::uint16_t{0};
}

}  // namespace residue::capture::shim
