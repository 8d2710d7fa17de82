// Rewrites the addresses of one range to a fixed base, so that every run of a scenario or a replay shows the same
// addresses, wherever the system put its memory. Everything else passes unchanged. Freestanding.
//
//   events::RebaseSink sink(lanes, reinterpret_cast<std::uintptr_t>(memory), bytes, 0x1000'0000);
//
// Rewritten are, by kind: the address; also the old address of a resize that worked and the nearest block of a failed
// free, whose offset is then taken again. Sizes that live in those fields (free bytes, largest hole) never are.
// Cost: a copy of the records. As thread-safe as the next sink.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/sink.hpp"

namespace residue::events {

class RebaseSink final : public EventSink {
public:
    // Addresses in [realBase, realBase + bytes) become fixedBase + offset. Neither range may wrap.
    RebaseSink(EventSink& next, std::uintptr_t realBase, std::uint64_t bytes, std::uint64_t fixedBase) noexcept
        : next_(next), realBase_(realBase), bytes_(bytes), fixedBase_(fixedBase) {}

    std::uint64_t Begin() noexcept override { return next_.Begin(); }
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned skip) noexcept override;
    AllocatorId NextAllocatorId() noexcept override { return next_.NextAllocatorId(); }

    std::uint64_t Rebased(std::uint64_t address) const noexcept {
        const std::uint64_t offset = address - realBase_;  // wraps far above bytes_ when below the base
        return offset < bytes_ ? fixedBase_ + offset : address;
    }
    Event Rebased(const Event& event) const noexcept;

private:
    EventSink& next_;
    std::uint64_t realBase_;
    std::uint64_t bytes_;
    std::uint64_t fixedBase_;
};

}  // namespace residue::events
