// Every address that an allocator ever gave out: what tells a double free from an invalid pointer, exactly.
// Kept only from the first bad free on (the appender then reads the log once), so a program without mistakes pays
// nothing. One thread; 8 to 16 bytes an address.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"

namespace residue::log {

class GivenAddresses {
public:
    void Add(AllocatorId allocator, std::uint64_t address) { sets_[allocator.value].Add(address); }  // address not 0
    bool Contains(AllocatorId allocator, std::uint64_t address) const {
        const auto set = sets_.find(allocator.value);
        return set != sets_.end() && set->second.Contains(address);
    }

private:
    // Open addressing, linear probing, at most half full; 0 is an empty slot.
    class Set {
    public:
        void Add(std::uint64_t address) {
            if (2 * (used_ + 1) > slots_.size()) Grow();
            if (Put(address)) ++used_;
        }
        bool Contains(std::uint64_t address) const {
            if (slots_.empty() || address == 0) return false;
            std::size_t slot = SlotOf(address);
            while (slots_[slot] != 0 && slots_[slot] != address) slot = (slot + 1) & (slots_.size() - 1);
            return slots_[slot] == address;
        }

    private:
        std::size_t SlotOf(std::uint64_t address) const {
            const std::uint64_t mixed = address * 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio
            return static_cast<std::size_t>(mixed ^ (mixed >> 32)) & (slots_.size() - 1);
        }
        bool Put(std::uint64_t address) {
            std::size_t slot = SlotOf(address);
            while (slots_[slot] != 0) {
                if (slots_[slot] == address) return false;
                slot = (slot + 1) & (slots_.size() - 1);
            }
            slots_[slot] = address;
            return true;
        }
        void Grow() {
            std::vector<std::uint64_t> old(slots_.empty() ? 64 : slots_.size() * 2, 0);
            old.swap(slots_);
            for (const std::uint64_t address : old) {
                if (address != 0) Put(address);
            }
        }

        std::vector<std::uint64_t> slots_;
        std::size_t used_ = 0;
    };

    std::unordered_map<std::uint16_t, Set> sets_;
};

}  // namespace residue::log
