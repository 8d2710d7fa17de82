#include "model/heap_gatherer.hpp"

#include <algorithm>
#include <utility>

#include "model/heap_model_state.hpp"

namespace residue::model {
namespace {

using events::Event;
using events::EventKind;

// While one row is stepped through, so many blocks are looked at, or two put where they live.
constexpr std::uint64_t kBlocksForARow = 64, kBlocksForALiveOne = 32;

}  // namespace

HeapGatherer::HeapGatherer(log::LogView log, Row target)
    : log_(std::move(log)), target_(std::min(target, log_.Rows())) {}

std::uint64_t HeapGatherer::CostInRows(const log::LogView& log, std::uint64_t live) {
    return (log.Blocks() + live * kBlocksForALiveOne) / kBlocksForARow;
}

// The allocators there are. False: the log is not plain.
bool HeapGatherer::TakeRareRows() {
    HeapModel::State& state = *heap_.state_;
    for (std::uint64_t i = 0; i < log_.RareRows() && log_.RareRow(i) < target_; ++i) {
        const Row row = log_.RareRow(i);
        const Event event = log_.At(row).event;
        constexpr std::uint8_t kSpecial =
            events::Bit(events::EventFlag::Region) | events::Bit(events::EventFlag::StaysDead);
        state.applied = row;
        if (event.kind == EventKind::AllocatorCreated) {
            if (event.address != 0 || event.size != 0 || event.Parent()) return false;
            heap_.Apply(log_);
            continue;
        }
        const bool ofRegions = event.kind == EventKind::RegionGrown || event.kind == EventKind::RegionShrunk;
        if ((event.flags & kSpecial) != 0) return false;
        if (ofRegions && !event.IsSampledRegion()) return false;
        state.MeetAllocator(log_, event.allocator);
        // Its blocks are none of the heap's yet; of those that live at the target, none is from before.
        if (event.kind == EventKind::AllocatorDestroyed && event.allocator) state.DestroyAllocator(event);
    }
    return true;
}

bool HeapGatherer::Step(std::uint64_t budgetRows) {
    if (!begun_) plain_ = TakeRareRows();
    begun_ = true;
    if (!plain_) return true;
    HeapModel::State& state = *heap_.state_;
    std::uint64_t left = std::clamp<std::uint64_t>(budgetRows, 1, std::uint64_t{1} << 40) * kBlocksForARow;
    const std::uint32_t blocks = log_.Blocks();
    for (; next_ != 0 && next_ <= blocks && left > 0; ++next_, --left) {
        const log::BlockLife life = log_.Life(BlockId{next_});
        if (life.born >= target_) {
            next_ = blocks;  // those behind it were born later
            continue;
        }
        if (life.died < target_) continue;
        state.applied = life.born;
        state.Birth(log_, log_.Birth(BlockId{next_}));
        left -= std::min(left - 1, kBlocksForALiveOne);
    }
    if (next_ != 0 && next_ <= blocks) return false;
    state.applied = target_;
    plain_ = state.ignored.empty() && state.overlapping.empty();
    return true;
}

std::optional<HeapModel> HeapGatherer::Take() {
    if (!plain_) return std::nullopt;
    return std::move(heap_);
}

}  // namespace residue::model
