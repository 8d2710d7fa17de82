#include "capture/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/checked.hpp"
#include "log/trace_store.hpp"

namespace residue::capture {

using events::Event;
using events::EventFlag;
using events::EventKind;

namespace {

constexpr std::uint8_t kFlagsOfPrograms =
    events::Bit(EventFlag::IsCall) | events::Bit(EventFlag::NotACall) | events::Bit(EventFlag::StaysDead);

AllocatorId PoolId(std::uint16_t pool) {
    return pool == 0 ? AllocatorId{} : AllocatorId{static_cast<std::uint16_t>(pool + 1)};
}

}  // namespace

Rows::Rows(const Channel& channel, std::uint32_t traceNodes, log::EventLog& log)
    : channel_(channel), traceNodes_(traceNodes), log_(log), appender_(log) {}

void Rows::Add(const Batch& batch) {
    if (!batch.IsEmpty()) TellFullTraces(batch.begin()->record.stamp);
    for (const Told& told : batch) {
        if (IsPlain(told.record)) {
            AddPlain(told);
            continue;
        }
        FlushCalls();
        if (Continues(told.record.Kind())) {
            Continue(told);
        } else {
            Flush();
            while (!sightings_.empty() && sightings_.front().stamp <= told.record.stamp) {
                Take(sightings_.front());
                sightings_.pop_front();
            }
            AddOne(told);
        }
    }
    FlushCalls();
    Flush();
}

// A call of malloc's that nothing else has to be thought of at.
bool Rows::IsPlain(const Record& record) const {
    const RecordKind kind = record.Kind();
    return (kind == RecordKind::Allocated || kind == RecordKind::Freed) && begun_ && !inherits_ && !pending_ &&
           (sightings_.empty() || sightings_.front().stamp > record.stamp);
}

void Rows::AddPlain(const Told& told) {
    const Record& record = told.record;
    const TraceId trace = TraceOf(record);
    log::PlainCall& call = calls_[plain_++];
    call.stamp = record.stamp;
    call.address = record.Address();
    call.size = record.Kind() == RecordKind::Freed ? log::PlainCall::kFreed : record.Size();
    call.rounding = record.rounding;
    call.trace = trace;
    call.thread = ThreadId{told.thread};
    call.alignmentLog2 = record.AlignmentLog2();
    if (plain_ == calls_.size()) FlushCalls();
}

void Rows::FlushCalls() {
    if (plain_ == 0) return;
    appender_.Append(kMalloc, std::span(calls_).first(std::exchange(plain_, 0)));
}

TraceId Rows::TraceOf(const Record& record) {
    if (record.trace == 0 || record.trace > traceNodes_) return {};
    CopyTraces(record.trace);
    return TraceId{record.trace};
}

void Rows::Continue(const Told& told) {
    const Record& record = told.record;
    if (!pending_ || pending_->event.thread.value != told.thread) {
        ++odd_.times;
        return;
    }
    if (record.Kind() == RecordKind::Detail) {
        const Detail detail = Detail::Of(record);
        Event& event = pending_->event;
        event.argument = detail.argument;
        event.padding = detail.padding;
        event.slack = detail.slack;
        event.header = detail.header;
        event.rounding |= std::uint64_t{detail.roundingHigh} << 32;
        event.flags = detail.flags & kFlagsOfPrograms;
        event.error = detail.error;
        return;
    }
    char bytes[kTextBytes];
    __builtin_memcpy(bytes, &record.address, 8);
    __builtin_memcpy(bytes + 8, &record.trace, 4);
    __builtin_memcpy(bytes + 12, &record.rounding, 4);
    std::string& text = pending_->text;
    const std::size_t used = std::min<std::uint64_t>(record.Size(), kTextBytes);
    text.append(bytes, std::min<std::size_t>(used, events::kMaxText - text.size()));
}

void Rows::Flush() {
    if (!pending_) return;
    const Pending whole = std::move(*pending_);
    pending_.reset();
    OfPool(whole.event, whole.text);
}

void Rows::SeeRest() {
    Flush();
    for (const Sighting& sighting : sightings_) Take(sighting);
    sightings_.clear();
}

void Rows::Take(const Sighting& sighting) {
    if (!begun_) return;
    constexpr std::uint64_t kStretch = 1 << 20, kMostStretches = 4096;
    std::vector<Mapping> seen;
    for (const Mapping& mapping : sighting.mappings) {
        const std::uint64_t bytes = mapping.end - mapping.begin;
        const std::uint64_t stretch =
            mapping.isBreak ? bytes : std::max(kStretch, bytes / kMostStretches / kStretch * kStretch);
        for (std::uint64_t begin = mapping.begin; begin < mapping.end;) {
            const std::uint64_t next = mapping.isBreak ? mapping.end : (begin / stretch + 1) * stretch;
            const std::uint64_t end = next <= begin ? mapping.end : std::min(mapping.end, next);
            if (IsOurs(begin, end)) {
                if (!seen.empty() && seen.back().end == begin) seen.back().end = end;
                else seen.push_back({begin, end});
            }
            begin = end;
        }
    }
    TellRegions(Without(regions_, seen), EventKind::RegionShrunk, sighting.stamp);
    TellRegions(Without(seen, regions_), EventKind::RegionGrown, sighting.stamp);
    regions_ = std::move(seen);
}

bool Rows::IsOurs(std::uint64_t begin, std::uint64_t end) const {
    const auto known = std::upper_bound(regions_.begin(), regions_.end(), begin,
                                        [](std::uint64_t at, const Mapping& each) { return at < each.end; });
    return (known != regions_.end() && known->begin < end) || appender_.AnyLiveIn(kMalloc, begin, end);
}

void Rows::TellRegions(const std::vector<Mapping>& mappings, EventKind kind, std::uint64_t stamp) {
    Event event;
    event.kind = kind;
    event.stamp = stamp;
    event.allocator = kMalloc;
    event.flags = events::Bit(EventFlag::Sampled);
    for (const Mapping& mapping : mappings) {
        event.address = mapping.begin;
        event.size = mapping.end - mapping.begin;
        appender_.Append(event, {});
    }
}

Event Rows::EventOf(const Told& told) {
    const Record& record = told.record;
    Event event;
    event.stamp = record.stamp;
    event.address = record.Address();
    event.size = record.Size();
    event.rounding = record.rounding;
    event.thread = ThreadId{told.thread};
    event.alignmentLog2 = record.AlignmentLog2();
    event.trace = TraceOf(record);
    return event;
}

void Rows::AddOne(const Told& told) {
    const Record& record = told.record;
    const RecordKind kind = record.Kind();
    if (kind == RecordKind::Attached) return Begins(record.stamp, record.Size());
    if (!begun_) Begins(record.stamp);
    if (kind == RecordKind::Misused) {
        Record of = record;
        of.trace = 0;
        return Misused(record, EventOf({of, told.thread}));
    }
    Event event = EventOf(told);
    if (!IsTold(kind)) return OfMalloc(event, kind);
    if (record.Allocator() > kMostPools || EventKindOf(kind) == EventKind::Continuation) {
        ++odd_.times;
        return;
    }
    event.kind = EventKindOf(kind);
    event.allocator = PoolId(record.Allocator());
    pending_.emplace(Pending{event, {}});
}

void Rows::CopyTraces(std::uint32_t upTo) {
    while (traces_ < upTo) {
        const Channel::Node node = channel_.TraceAt(++traces_);
        log_.AddTrace(TraceId{node.parent}, node.frame);
    }
}

void Rows::TellFullTraces(std::uint64_t stamp) {
    if (toldFullTraces_ || channel_.Count().tracesRefused == 0) return;
    toldFullTraces_ = true;
    Event marker;
    marker.kind = EventKind::Marker;
    marker.stamp = stamp;
    appender_.Append(marker, log::kNoRoomForTraces);
}

// The program, or another one in its place: what was alive is gone with its memory.
void Rows::Begins(std::uint64_t stamp, std::uint64_t inherited) {
    Event event;
    event.stamp = stamp;
    event.flags = events::Bit(EventFlag::NotACall);
    event.kind = EventKind::AllocatorDestroyed;
    for (const AllocatorId pool : pools_.All()) {
        event.allocator = pool;
        appender_.Append(event, {});
    }
    pools_.Clear();
    TellRegions(std::exchange(regions_, {}), EventKind::RegionShrunk, stamp);
    event.allocator = kMalloc;
    if (std::exchange(begun_, true)) appender_.Append(event, {});
    event.kind = EventKind::AllocatorCreated;
    appender_.Append(event, "malloc");
    inherits_ = inherited != kFromTheStart;
    midLife_ = inherited == kInMidLife;
    ours_.clear();
    if (!inherits_) return;
    Event marker;
    marker.kind = EventKind::Marker;
    marker.stamp = stamp;
    appender_.Append(marker, inherited == kForked
                                 ? "forked here: blocks from before are not shown, nor are their frees"
                                 : "attached here: blocks from before are not shown, nor are their frees");
}

// Is it about a block from before the first event? Called once for each event of a heap that was not new.
bool Rows::IsInherited(const Event& event) {
    if (!inherits_) return false;
    if (midLife_) {
        return (event.kind == EventKind::Freed || event.kind == EventKind::ResizeBegins) &&
               !appender_.IsLive(event.allocator, event.address);
    }
    const std::uint64_t key = event.address | std::uint64_t{event.allocator.value} << 48;
    switch (event.kind) {
        case EventKind::Allocated:
        case EventKind::ResizeEnds:
            if (!event.Failed()) ours_.insert(key);
            return false;
        case EventKind::Freed: return !appender_.IsLive(event.allocator, event.address) && ours_.insert(key).second;
        case EventKind::ResizeBegins:
            return !appender_.IsLive(event.allocator, event.address) && !ours_.contains(key);
        default: return false;
    }
}

void Rows::OfMalloc(Event event, RecordKind kind) {
    event.allocator = kMalloc;
    switch (kind) {
        case RecordKind::Allocated: event.kind = EventKind::Allocated; break;
        case RecordKind::AllocateFailed:
            event.kind = EventKind::AllocateFailed;
            event.address = 0;  // what holes there were is not known
            event.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
            break;
        case RecordKind::Freed:
            event.kind = EventKind::Freed;
            event.size = 0;
            break;
        case RecordKind::ResizeBegins: event.kind = EventKind::ResizeBegins; break;
        case RecordKind::ResizeEnds: event.kind = EventKind::ResizeEnds; break;
        case RecordKind::ResizeFailed:
            event.kind = EventKind::ResizeEnds;
            event.address = 0;
            event.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
            break;
        case RecordKind::Gap:
            event.kind = EventKind::Gap;
            event.argument = event.size;
            event.size = 0;
            event.address = 0;
            event.allocator = {};
            break;
        default: return;
    }
    if (IsInherited(event)) ++inheritedTimes_;
    else appender_.Append(event, {});
}

std::vector<Warning> Rows::Warnings() const {
    std::vector<Warning> warnings = appender_.Warnings();
    const auto add = [&](const Complaint& complaint, std::string text) {
        if (complaint.times == 0) return;
        if (!complaint.first.empty()) text += ": the first is " + complaint.first;
        warnings.push_back({"residue.h", std::move(text)});
    };
    add(misused_, fmt::format("{} calls name a pool that is not there", misused_.times));
    add(outside_, fmt::format("{} blocks do not lie in what their pool said it has (residue_pool_grown tells of more); "
                              "they are failed accesses in the recording", outside_.times));
    add(unseen_, fmt::format("{} pools are told of whose creation was not seen", unseen_.times));
    add(unborrowed_, fmt::format("{} blocks of pools whose memory is not known count twice, as their pool's and as the "
                                 "block that they are of the allocator below it", unborrowed_.times));
    add(odd_, fmt::format("{} records of pools could not be, and were left out", odd_.times));
    return warnings;
}

}  // namespace residue::capture
