// Rows of the pools that a program tells of. See capture/rows.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "base/checked.hpp"
#include "capture/rows.hpp"

namespace residue::capture {

using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

constexpr std::size_t kMostBorrowed = 4096;  // of a pool: the model's regions are a sorted array
constexpr std::uint64_t kMisusesMarked = 100;

std::uint64_t BytesOf(const Event& event) {
    return SaturatingAdd(SaturatingAdd(event.header, event.padding),
                         SaturatingAdd(event.size, SaturatingAdd(event.rounding, event.slack)));
}

std::uint64_t BeginOf(const Event& event) {
    const std::uint64_t before = std::uint64_t{event.header} + event.padding;
    return event.address - std::min(before, event.address);
}

// A change of what a pool has, beside another event.
Event RegionEvent(EventKind kind, const Event& beside, std::uint64_t begin, std::uint64_t end) {
    Event event;
    event.kind = kind;
    event.stamp = beside.stamp;
    event.thread = beside.thread;
    event.allocator = beside.allocator;
    event.address = begin;
    event.size = end - begin;
    return event;
}

}  // namespace

// Where its creation was not seen (events were lost), it is made up.
PoolBook::Pool& Rows::PoolOf(const Event& event) {
    if (PoolBook::Pool* const known = pools_.Find(event.allocator)) return *known;
    Event created;
    created.kind = EventKind::AllocatorCreated;
    created.stamp = event.stamp;
    created.thread = event.thread;
    created.allocator = event.allocator;
    created.header = kMalloc.value;
    created.flags = static_cast<std::uint8_t>(events::Bit(EventFlag::NotACall) | events::Bit(EventFlag::Inferred));
    PoolBook::Pool& pool = pools_.Create(event.allocator, kMalloc);
    pool.name = fmt::format("pool {}", event.allocator.value - 1);
    if (!inherits_ && unseen_.times++ == 0) unseen_.first = pool.name;
    appender_.Append(created, pool.name);
    return pool;
}

void Rows::OfPool(Event event, std::string_view text) {
    if (event.kind == EventKind::Gap || event.kind == EventKind::Step) {  // not a program's to tell
        ++odd_.times;
        return;
    }
    if (event.kind == EventKind::AllocatorCreated) return Created(event, text);
    if (!event.allocator) {
        if (event.kind == EventKind::Marker || event.kind == EventKind::Output || event.kind == EventKind::Duck) {
            appender_.Append(event, text);
        } else {
            ++odd_.times;
        }
        return;
    }
    PoolBook::Pool& pool = PoolOf(event);
    if (IsInherited(event)) return;
    switch (event.kind) {
        case EventKind::Allocated: return Born(pool, event, text);
        case EventKind::ResizeEnds:
            if (event.Failed()) break;
            Born(pool, event, text);
            if (event.OldAddress() != event.address) GiveBack(pool, event, event.OldAddress());
            return;
        case EventKind::Freed:
            appender_.Append(event, text);
            return GiveBack(pool, event, event.address);
        case EventKind::BulkFreed:
            appender_.Append(event, text);
            return GiveBackIn(pool, event);
        case EventKind::RegionGrown:
            PoolBook::Grow(pool, event.address, event.size);
            break;
        case EventKind::RegionShrunk:
            PoolBook::Shrink(pool, event.address, event.size);
            break;
        case EventKind::AllocatorDestroyed:
            pools_.Destroy(event.allocator);
            break;
        default: break;
    }
    appender_.Append(event, text);
}

void Rows::Created(Event event, std::string_view text) {
    if (!event.allocator) {
        ++odd_.times;
        return;
    }
    // Nobody's: malloc's, if it lies in a block of malloc's or may come to.
    AllocatorId parent{};
    if (event.header != 0 && event.header <= kMostPools) {
        parent = AllocatorId{static_cast<std::uint16_t>(event.header + 1)};
    }
    if (!parent || parent == event.allocator || pools_.Find(parent) == nullptr) {
        const bool unknown = event.size == 0;
        parent = unknown || appender_.HoldsInOneBlock(kMalloc, event.address, event.size) ? kMalloc : AllocatorId{};
    }
    event.header = parent.value;
    PoolBook::Pool& pool = pools_.Create(event.allocator, parent);
    pool.name = text.empty() ? fmt::format("pool {}", event.allocator.value - 1) : std::string(text);
    if (event.size != 0) PoolBook::Grow(pool, event.address, event.size);
    appender_.Append(event, pool.name);
}

void Rows::Born(PoolBook::Pool& pool, const Event& event, std::string_view text) {
    if (!PoolBook::Holds(pool, BeginOf(event), BytesOf(event))) return Outside(pool, event);
    if (pool.regions.empty()) Borrow(pool, event);
    appender_.Append(event, text);
}

void Rows::Outside(const PoolBook::Pool& pool, Event event) {
    if (outside_.times++ == 0) {
        outside_.first = fmt::format("{:#x}, {} bytes, in '{}'", event.address, event.size, pool.name);
    }
    event.kind = EventKind::AccessFailed;
    event.error = static_cast<std::uint8_t>(events::AccessError::OutOfBounds);
    event.argument = 0;
    appender_.Append(event, {});
}

// Of a pool of whose memory nothing is known: is this block one of its parent's, or inside one?
void Rows::Borrow(PoolBook::Pool& pool, const Event& event) {
    const std::uint64_t begin = BeginOf(event), bytes = BytesOf(event);
    if (bytes == 0 || !appender_.HoldsInOneBlock(pool.parent, begin, bytes)) return;
    const auto known = pool.borrowed.find(event.address);
    if (known == pool.borrowed.end() && pool.borrowed.size() >= kMostBorrowed) {
        if (unborrowed_.times++ == 0) unborrowed_.first = fmt::format("{:#x} in '{}'", event.address, pool.name);
        return;
    }
    if (known != pool.borrowed.end()) GiveBack(pool, event, event.address);
    pool.borrowed[event.address] = {begin, begin + bytes};
    appender_.Append(RegionEvent(EventKind::RegionGrown, event, begin, begin + bytes), {});
}

void Rows::GiveBack(PoolBook::Pool& pool, const Event& event, std::uint64_t address) {
    const auto found = pool.borrowed.find(address);
    if (found == pool.borrowed.end()) return;
    const PoolBook::Borrowed range = found->second;
    pool.borrowed.erase(found);
    appender_.Append(RegionEvent(EventKind::RegionShrunk, event, range.begin, range.end), {});
}

void Rows::GiveBackIn(PoolBook::Pool& pool, const Event& event) {
    const std::uint64_t end = SaturatingAdd(event.address, event.size);
    for (auto at = pool.borrowed.lower_bound(event.address); at != pool.borrowed.end() && at->first < end;) {
        const std::uint64_t address = (at++)->first;
        GiveBack(pool, event, address);
    }
}

void Rows::Misused(const Record& record, const Event& event) {
    const auto kind = static_cast<std::uint8_t>(std::min<std::uint64_t>(record.Size(), 0xFF));
    if (!events::IsKnownKind(kind)) {
        ++odd_.times;
        return;
    }
    const std::string what = fmt::format("'{}' ({:#x}) on handle {:#x}",
                                         events::Info(static_cast<EventKind>(kind)).text, event.address,
                                         record.rounding);
    if (misused_.times++ == 0) misused_.first = what;
    if (misused_.times > kMisusesMarked) return;
    Event marker;
    marker.kind = EventKind::Marker;
    marker.stamp = event.stamp;
    marker.thread = event.thread;
    appender_.Append(marker, "a pool that is not there: " + what);
}

}  // namespace residue::capture
