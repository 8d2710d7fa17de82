#include "model/payload_model.hpp"

#include <string>

#include "model/block_entry.hpp"

namespace residue::model {

using events::Event;
using events::EventFlag;
using events::EventKind;

bool PayloadModel::Takes(const log::LoggedEvent& logged) const {
    const Event& event = logged.event;
    const bool concernsBlock = event.kind == EventKind::Allocated || event.kind == EventKind::ResizeEnds;
    if ((event.allocator || concernsBlock) && !states_.empty() && states_.front().id != event.allocator) return false;
    constexpr std::uint8_t kTold = events::Bit(EventFlag::StaysDead) | events::Bit(EventFlag::Region);
    switch (event.kind) {
        case EventKind::Allocated:
        case EventKind::Freed:
        case EventKind::ResizeEnds: return (event.flags & kTold) == 0;
        case EventKind::AllocatorCreated: return event.address == 0 && event.size == 0 && !event.Parent();
        case EventKind::AllocatorDestroyed: return (event.flags & kTold) == 0;
        case EventKind::RegionGrown:
        case EventKind::RegionShrunk: return event.IsSampledRegion();
        default: return true;
    }
}

void PayloadModel::Meet(AllocatorId id) {
    if (!states_.empty()) return;
    states_.emplace_back();
    states_.front().id = id;
}

void PayloadModel::Birth(const log::LogView& log, const log::LoggedEvent& logged) {
    const std::uint32_t id = logged.block.value;
    if (id == 0 || id > log.Blocks() || !BlockEntry::Of(logged)) return;
    if (id >= sizes_.size()) sizes_.resize(std::size_t{id} + 1, kNotLive);
    if (sizes_[id] != kNotLive) return;
    const std::uint64_t size = logged.event.size;
    if (size + 1 >= kLarge) large_[id] = size;
    sizes_[id] = size + 1 >= kLarge ? kLarge : static_cast<std::uint32_t>(size + 1);
    SetPayload(payload_ + size);
}

void PayloadModel::Death(BlockId block) {
    const std::uint32_t id = block.value;
    if (id >= sizes_.size() || sizes_[id] == kNotLive) return;
    std::uint64_t size = std::uint64_t{sizes_[id]} - 1;
    if (sizes_[id] == kLarge) {
        const auto found = large_.find(id);
        size = found->second;
        large_.erase(found);
    }
    sizes_[id] = kNotLive;
    SetPayload(payload_ - size);
}

void PayloadModel::Apply(const log::LogView& log, const log::LoggedEvent& logged) {
    const Event& event = logged.event;
    const bool concernsBlock = event.kind == EventKind::Allocated || event.kind == EventKind::ResizeEnds;
    if (event.allocator || concernsBlock) Meet(event.allocator);
    switch (event.kind) {
        case EventKind::Allocated:
            Birth(log, logged);
            break;
        case EventKind::Freed:
            Death(logged.block);
            break;
        case EventKind::ResizeEnds:
            if (event.Failed()) break;
            Death(logged.oldBlock);
            Birth(log, logged);
            break;
        case EventKind::AllocatorDestroyed:  // a program that became another one
            if (event.allocator) states_.front().alive = false;
            [[fallthrough]];
        case EventKind::BulkFreed:
            for (const BlockId block : log.DiedTogether(applied_)) Death(block);
            break;
        case EventKind::AllocatorCreated:
            if (!event.allocator) break;
            states_.front().name = std::string(log.Text(applied_));
            states_.front().alive = true;
            break;
        default:
            break;
    }
    ++applied_;
}

}  // namespace residue::model
