// Where the blocks of a recording without addresses are drawn: a growing heap of our own. Each size class takes back
// the slot that it gave up last, else the heap grows at its end; so blocks of one time lie side by side, as with most
// allocators, and a free costs nothing to look for. It says nothing about where the blocks really were.
//
//     const auto slot = layout.Take(size);     // layout.AddressOf(slot)
//     layout.GiveBack(slot, size);
//
// Cost: some 3 ns; 16 bytes a slot. Threads: one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace residue::import {

class SimulatedLayout {
public:
    static constexpr std::uint64_t kBase = 0x10'0000'0000;
    static constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;
    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

    // kNone: it does not fit into any address space.
    std::uint32_t Take(std::uint64_t size) {
        const Class fitting = ClassOf(size);
        std::uint32_t& spare = spare_[fitting.index];
        if (spare != kNone) {
            const std::uint32_t slot = spare;
            spare = slots_[slot].kept.slot;
            return slot;
        }
        if (fitting.bytes > kEnd - top_ || slots_.size() >= kNone) return kNone;
        slots_.push_back({top_, {kNone, 0}});
        top_ += fitting.bytes;
        return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    // `size` as it was taken.
    void GiveBack(std::uint32_t slot, std::uint64_t size) {
        std::uint32_t& spare = spare_[ClassOf(size).index];
        slots_[slot].kept.slot = spare;
        spare = slot;
    }
    std::uint64_t AddressOf(std::uint32_t slot) const { return slots_[slot].address; }
    // While a slot is taken, something may be kept with it.
    struct Kept {
        std::uint32_t slot;
        std::uint32_t number;
    };
    Kept& Note(std::uint32_t slot) { return slots_[slot].kept; }

private:
    struct Slot {
        std::uint64_t address;
        Kept kept;  // of a spare one: the next spare slot of its class
    };
    struct Class {
        std::size_t index;
        std::uint64_t bytes;
    };
    static constexpr std::uint64_t kGranule = 16;
    static constexpr std::uint64_t kFine = 1024;  // up to here a class each 16 bytes, then eight a doubling
    static constexpr std::size_t kFineClasses = kFine / kGranule;

    static Class ClassOf(std::uint64_t size) {
        if (size <= kFine) {
            const std::uint64_t granules = size == 0 ? 1 : (size + kGranule - 1) / kGranule;
            return {granules - 1, granules * kGranule};
        }
        const auto log = static_cast<unsigned>(std::bit_width(size - 1) - 1);  // 2^log < size <= 2^(log + 1)
        const std::uint64_t step = std::uint64_t{1} << (log - 3);
        const std::uint64_t eighth = (size - 1 - (std::uint64_t{1} << log)) >> (log - 3);  // 0..7
        const std::size_t index = kFineClasses + (log - 10) * 8 + eighth;
        return {index, log >= 62 ? kEnd : (std::uint64_t{1} << log) + (eighth + 1) * step};
    }
    static constexpr std::array<std::uint32_t, kFineClasses + 54 * 8> NoneSpare() {
        std::array<std::uint32_t, kFineClasses + 54 * 8> spare{};
        spare.fill(kNone);
        return spare;
    }

    std::array<std::uint32_t, kFineClasses + 54 * 8> spare_ = NoneSpare();
    std::vector<Slot> slots_;
    std::uint64_t top_ = kBase;
};

}  // namespace residue::import
