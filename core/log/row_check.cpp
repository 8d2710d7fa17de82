#include "log/row_check.hpp"

#include <fmt/format.h>

#include "log/block_range.hpp"

namespace residue::log {
namespace {

using events::Event;
using events::EventKind;

bool IsMemoryError(std::uint8_t error) { return error >= 1 && error <= 5; }

bool IsBirth(const Event& event) {
    return event.kind == EventKind::Allocated || (event.kind == EventKind::ResizeEnds && !event.Failed());
}

// The facts beside blocks; empty: they are as the appender would have them.
const char* WrongFact(const Event& event) {
    if (event.alignmentLog2 > 63) return "an alignment that does not exist";
    switch (event.kind) {
        case EventKind::AllocateFailed:
        case EventKind::FreeFailed: return IsMemoryError(event.error) ? "" : "an error that does not exist";
        case EventKind::ResizeEnds:
            return !event.Failed() || IsMemoryError(event.error) ? "" : "an error that does not exist";
        case EventKind::AccessFailed:
            return event.error >= 1 && event.error <= static_cast<std::uint8_t>(events::AccessError::OutOfBounds)
                       ? "" : "an error that does not exist";
        case EventKind::AllocatorCreated:
            if (event.rounding > event.size) return "more bookkeeping than bytes";
            [[fallthrough]];
        case EventKind::RegionGrown:
        case EventKind::RegionShrunk:
        case EventKind::BulkFreed:
            return CheckedAdd(event.address, event.size) ? "" : "a range that passes the end of memory";
        case EventKind::Continuation: return "a continuation";
        default: return event.kind > EventKind::Continuation ? "an unknown kind" : "";
    }
}

}  // namespace

std::string RowCheck::TakeBirth(const LoggedEvent& row) {
    if (row.block.value != live_.size() + 1) {
        return fmt::format("bears block {} where {} is next", row.block.value, live_.size() + 1);
    }
    if (!RangeOf(row.event)) return "bears a block outside of the address space";
    live_.push_back(true);
    allocator_.push_back(row.event.allocator.value);
    return {};
}

std::string RowCheck::TakeDeath(BlockId block, AllocatorId allocator) {
    const std::size_t at = std::size_t{block.value} - 1;
    if (block.value == 0 || at >= live_.size() || !live_[at]) {
        return fmt::format("ends block {}, which is not alive", block.value);
    }
    if (allocator_[at] != allocator.value) {
        return fmt::format("ends block {} of allocator {} in allocator {}", block.value, allocator_[at],
                           allocator.value);
    }
    live_[at] = false;
    return {};
}

std::string RowCheck::Take(const LoggedEvent& row, std::span<const BlockId> diedTogether) {
    const Event& event = row.event;
    if (const char* const wrong = WrongFact(event); *wrong != '\0') return fmt::format("has {}", wrong);
    const bool many = event.kind == EventKind::BulkFreed || event.kind == EventKind::AllocatorDestroyed ||
                      event.kind == EventKind::RegionShrunk;
    if (!diedTogether.empty() && (!many || event.IsSampledRegion())) return "ends several blocks";
    const bool resized = event.kind == EventKind::ResizeEnds && !event.Failed();
    if (event.kind == EventKind::Freed || (resized && row.oldBlock)) {
        std::string wrong = TakeDeath(resized ? row.oldBlock : row.block, event.allocator);
        if (!wrong.empty()) return wrong;
    } else if (row.oldBlock) {
        return fmt::format("has an old block {}", row.oldBlock.value);
    }
    if (IsBirth(event)) return TakeBirth(row);
    if (row.block.value > live_.size()) return fmt::format("names block {}, which was not born yet", row.block.value);
    for (const BlockId block : diedTogether) {
        std::string wrong = TakeDeath(block, event.allocator);
        if (!wrong.empty()) return wrong;
    }
    return {};
}

}  // namespace residue::log
