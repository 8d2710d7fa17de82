// Live payload of a log in which no heap is known: one allocator without regions, as recordings of a program's malloc
// are. What it tells is what HeapModel tells of the same rows, for a tenth of the cost, and it needs no BlockOrder: so
// it can follow a log of any length while that is read.
//
// Rows that it is not made for (an allocator's region, a second allocator, a block that is a region or stays dead) it
// refuses; from there on take HeapModel. Cost: O(1) a row, O(blocks) where many die together. Memory: 4 bytes a block
// that was ever born. One thread.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::model {

class PayloadModel {
public:
    Row Applied() const { return applied_; }
    bool Takes(const log::LoggedEvent& logged) const;  // false: it is refused
    // Takes(logged), which is log.At(Applied()).
    void Apply(const log::LogView& log, const log::LoggedEvent& logged);

    void Settle() {  // no Apply comes any more: gives its memory back
        sizes_ = {};
        large_ = {};
    }

    // As HeapModel's; of the totals `payload` alone is kept. At most one.
    const std::vector<AllocatorState>& Allocators() const { return states_; }
    std::uint64_t Payload() const { return payload_; }

private:
    static constexpr std::uint32_t kNotLive = 0, kLarge = 0xffffffff;

    void Meet(AllocatorId id);
    void Birth(const log::LogView& log, const log::LoggedEvent& logged);
    void Death(BlockId block);
    void SetPayload(std::uint64_t payload) {
        payload_ = payload;
        states_.front().totals.payload = payload;
    }

    Row applied_{};
    std::uint64_t payload_ = 0;
    std::vector<AllocatorState> states_;
    std::vector<std::uint32_t> sizes_;                          // by block: size + 1, or one of the above
    std::unordered_map<std::uint32_t, std::uint64_t> large_;    // sizes that are kLarge
};

}  // namespace residue::model
