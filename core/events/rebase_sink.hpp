// Rewrites the addresses of one range to a fixed base, so that every run of a scenario or a replay shows the same
// addresses, wherever the system put its memory. Everything else passes unchanged. Freestanding.
//
//   events::RebaseSink sink(lanes, reinterpret_cast<std::uintptr_t>(memory), bytes, 0x1000'0000);
//
// or those of several ranges, each to a base of its own.
//
// Rewritten are, by kind: the address; also the old address of a resize that worked and the nearest block of a failed
// free, whose offset is then taken again. Sizes that live in those fields (free bytes, largest hole) never are.
// Cost: a copy of the records, and a binary search of the ranges for each address. As thread-safe as the next sink.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/sink.hpp"

namespace residue::events {

struct RebaseWindow {
    std::uint64_t realBase = 0;
    std::uint64_t bytes = 0;
    std::uint64_t fixedBase = 0;
};

class RebaseSink final : public EventSink {
public:
    // Addresses in [realBase, realBase + bytes) become fixedBase + offset. Neither range may wrap.
    RebaseSink(EventSink& next, std::uintptr_t realBase, std::uint64_t bytes, std::uint64_t fixedBase) noexcept
        : next_(next), own_{realBase, bytes, fixedBase}, windows_(&own_), count_(1) {}
    // `windows` stays the caller's; by realBase, apart from each other.
    RebaseSink(EventSink& next, const RebaseWindow* windows, std::size_t count) noexcept
        : next_(next), windows_(windows), count_(count) {}
    RebaseSink(const RebaseSink&) = delete;
    RebaseSink& operator=(const RebaseSink&) = delete;

    std::uint64_t Begin() noexcept override { return next_.Begin(); }
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned skip) noexcept override;
    AllocatorId NextAllocatorId() noexcept override { return next_.NextAllocatorId(); }

    std::uint64_t Rebased(std::uint64_t address) const noexcept {
        // The last window that begins at or below it, or the first.
        std::size_t low = 0;
        for (std::size_t high = count_; high - low > 1;) {
            const std::size_t middle = low + (high - low) / 2;
            (windows_[middle].realBase <= address ? low : high) = middle;
        }
        if (count_ == 0) return address;
        const std::uint64_t offset = address - windows_[low].realBase;  // wraps far above its bytes when below
        return offset < windows_[low].bytes ? windows_[low].fixedBase + offset : address;
    }
    Event Rebased(const Event& event) const noexcept;

private:
    EventSink& next_;
    RebaseWindow own_{};
    const RebaseWindow* windows_;
    std::size_t count_;
};

}  // namespace residue::events
