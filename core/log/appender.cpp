#include "log/appender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/checked.hpp"
#include "log/block_range.hpp"
#include "log/given_addresses.hpp"
#include "log/live_blocks.hpp"

namespace residue::log {
namespace {

using events::Bit;
using events::Event;
using events::EventFlag;
using events::EventKind;

constexpr std::size_t kMaxWarnings = 1000;
constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();

std::uint64_t CutAtEndOfMemory(std::uint64_t address, std::uint64_t size) {
    return std::min(size, kLastAddress - address);
}

bool IsMemoryError(std::uint8_t error) { return error >= 1 && error <= 5; }

BlockId IdOf(const std::optional<LiveBlock>& block) { return block ? block->id : BlockId{}; }

}  // namespace

struct Appender::State {
    explicit State(EventLog& logToWrite) : log(logToWrite) {}

    struct AllocatorRow {
        LiveBlocks live;
        AllocatorId parent{};
        bool created = false;
    };
    struct PendingResize {
        BlockId block{};
        std::uint64_t address = 0;
    };
    struct TextInProgress {
        Event event;
        std::string text;
    };

    EventLog& log;
    std::vector<std::unique_ptr<AllocatorRow>> allocators;            // by id
    std::unordered_map<std::uint64_t, PendingResize> resizes;         // by thread and allocator
    std::optional<GivenAddresses> given;
    std::optional<TextInProgress> unfinished;
    std::vector<BlockId> dying;
    std::vector<PlacedCall> placed;  // memory of Take's
    std::uint32_t blocks = 0;
    std::uint64_t records = 0;
    Totals totals;
    std::vector<Warning> warnings;
    std::uint64_t moreWarnings = 0;
    bool warnedUnknown = false;
    bool warnedOrphan = false;

    void Warn(std::string text) {
        if (warnings.size() < kMaxWarnings) {
            warnings.push_back({fmt::format("event {}", records), std::move(text)});
        } else {
            ++moreWarnings;
        }
    }

    AllocatorRow& Of(AllocatorId id) {
        if (id.value >= allocators.size()) allocators.resize(std::size_t{id.value} + 1);
        auto& row = allocators[id.value];
        if (!row) row = std::make_unique<AllocatorRow>();
        return *row;
    }

    static std::uint64_t ResizeKey(const Event& event) {
        return std::uint64_t{event.thread.value} << 16 | event.allocator.value;
    }

    bool WasGiven(AllocatorId allocator, std::uint64_t address) {
        if (!given) {
            given.emplace();
            const LogView view = log.View();
            for (std::uint32_t id = 1; id <= view.Blocks(); ++id) {
                const Event birth = view.Birth(BlockId{id}).event;
                given->Add(birth.allocator, birth.address);
            }
        }
        return given->Contains(allocator, address);
    }

    // Asks for the memory that records to come will be looked up in. (A call of a function that does nothing else may
    // be left out by a compiler: hence inline.)
    [[gnu::always_inline]] void LookAhead(const Event* record, const Event* end) const {
        constexpr std::ptrdiff_t kNear = 16, kClose = 8;  // records
        if (end - record <= kNear) return;
        const Event &near = record[kNear], &close = record[kClose];
        if (const AllocatorRow* const of = Known(near.allocator)) of->live.PrefetchNear(near.address);
        if (const AllocatorRow* const of = Known(close.allocator)) of->live.PrefetchClose(close.address);
    }
    const AllocatorRow* Known(AllocatorId id) const {
        return id.value < allocators.size() ? allocators[id.value].get() : nullptr;
    }

    void Take(const Event& event, std::string_view text);
    void Take(AllocatorId id, std::span<const PlainCall> calls);
    void Allocated(Event& event, std::string_view text);
    void Freed(Event& event, std::string_view text);
    void FreeFailed(Event& event, std::string_view text);
    void ResizeBegins(const Event& event, std::string_view text);
    void ResizeEnds(Event& event, std::string_view text);
    void DieTogether(Event& event, std::string_view text);
    void Created(Event& event, std::string_view text);

    bool HasRoomFor(const Event& event, const std::optional<BlockRange>& range);
    void MakeRoom(const Event& event, AllocatorRow& allocator, BlockRange range);
    BlockId Bear(const Event& event, AllocatorRow& allocator, BlockRange range);
    BlockId MarkRegion(Event& event, AllocatorId parent);
    PendingResize* FindPending(const Event& event);
    void Forget(const Event& event, AllocatorRow& allocator);
};

bool Appender::State::HasRoomFor(const Event& event, const std::optional<BlockRange>& range) {
    if (range && blocks != std::numeric_limits<std::uint32_t>::max()) return true;
    ++totals.leftOut;
    Warn(range ? "more than 4,294,967,295 blocks: left out"
               : fmt::format("a block at {:#x} of {} bytes does not lie in the address space: left out", event.address,
                             event.size));
    return false;
}

// Whatever lies where the new block will be must have gone unseen.
void Appender::State::MakeRoom(const Event& event, AllocatorRow& allocator, BlockRange range) {
    while (const auto over = allocator.live.FirstTouching(range.begin, range.end)) {
        LoggedEvent freed;
        freed.event.kind = EventKind::Freed;
        freed.event.stamp = event.stamp;
        freed.event.address = over->address;
        freed.event.allocator = event.allocator;
        freed.event.thread = event.thread;
        freed.event.flags = static_cast<std::uint8_t>(Bit(EventFlag::Inferred) | Bit(EventFlag::NotACall) |
                                                      (over->region ? Bit(EventFlag::Region) : 0));
        freed.block = over->id;
        if (!over->resizing) {
            ++totals.inferredFrees;
            Warn(fmt::format("a block at {:#x} is allocated over the live one at {:#x}: taken as freed unseen",
                             event.address, over->address));
        }
        allocator.live.Remove(over->address);
        log.Append(freed);
    }
}

BlockId Appender::State::Bear(const Event& event, AllocatorRow& allocator, BlockRange range) {
    ++blocks;
    LiveBlock block;
    block.begin = range.begin;
    block.end = range.end;
    block.address = event.address;
    block.id = log.AddBlock();
    block.region = event.Has(EventFlag::Region);
    allocator.live.Insert(block);
    if (given) given->Add(event.allocator, event.address);
    return block.id;
}

void Appender::State::Allocated(Event& event, std::string_view text) {
    event.error = 0;
    const auto range = RangeOf(event);
    if (!HasRoomFor(event, range)) return;
    AllocatorRow& allocator = Of(event.allocator);
    MakeRoom(event, allocator, *range);
    const BlockId block = Bear(event, allocator, *range);
    log.Append({event, block, {}}, text);
}

void Appender::State::Freed(Event& event, std::string_view text) {
    AllocatorRow& allocator = Of(event.allocator);
    const auto block = allocator.live.Remove(event.address);
    if (!block) {
        ++totals.rewrittenFrees;
        event.kind = EventKind::FreeFailed;
        event.error = 0;
        event.argument = 0;
        FreeFailed(event, text);
        return;
    }
    event.error = 0;
    if (block->region) event.flags |= Bit(EventFlag::Region);
    log.Append({event, block->id, {}}, text);
}

void Appender::State::FreeFailed(Event& event, std::string_view text) {
    LiveBlocks& live = Of(event.allocator).live;
    if (!IsMemoryError(event.error)) {
        const bool twice = !live.Find(event.address) && WasGiven(event.allocator, event.address);
        event.error = static_cast<std::uint8_t>(twice ? MemoryError::DoubleFree : MemoryError::InvalidPointer);
    }
    std::optional<LiveBlock> nearest;
    if (event.NearestBlock() != 0) {
        nearest = live.Find(event.NearestBlock());
    } else {
        nearest = live.Nearest(event.address);
        event.argument = nearest ? nearest->address : 0;
        event.size = nearest ? event.address - nearest->address : 0;  // wraps below the block
    }
    log.Append({event, IdOf(nearest), {}}, text);
}

Appender::State::PendingResize* Appender::State::FindPending(const Event& event) {
    const auto found = resizes.find(ResizeKey(event));
    return found == resizes.end() ? nullptr : &found->second;
}

// Ends the thread's pending resize, if there is one.
void Appender::State::Forget(const Event& event, AllocatorRow& allocator) {
    const auto found = resizes.find(ResizeKey(event));
    if (found == resizes.end()) return;
    if (auto block = allocator.live.Find(found->second.address); block && block->id == found->second.block) {
        block->resizing = false;
        allocator.live.Mark(*block);
    }
    resizes.erase(found);
}

void Appender::State::ResizeBegins(const Event& event, std::string_view text) {
    AllocatorRow& allocator = Of(event.allocator);
    Forget(event, allocator);
    auto block = allocator.live.Find(event.address);
    if (block) {
        block->resizing = true;
        allocator.live.Mark(*block);
        resizes[ResizeKey(event)] = {block->id, block->address};
    }
    log.Append({event, IdOf(block), {}}, text);
}

void Appender::State::ResizeEnds(Event& event, std::string_view text) {
    AllocatorRow& allocator = Of(event.allocator);
    const PendingResize* const pending = FindPending(event);
    auto old = allocator.live.Find(pending != nullptr ? pending->address : event.OldAddress());
    if (old && pending != nullptr && old->id != pending->block) old.reset();  // it has moved on already

    if (event.Failed()) {
        if (!IsMemoryError(event.error)) event.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
        Forget(event, allocator);
        log.Append({event, IdOf(old), {}}, text);
        return;
    }
    if (!old && pending == nullptr) {
        event.kind = EventKind::Allocated;
        event.argument = 0;
        Allocated(event, text);
        return;
    }
    const auto range = RangeOf(event);
    if (!HasRoomFor(event, range)) return;
    event.argument = pending != nullptr ? pending->address : old->address;
    BlockId oldBlock{};
    if (old) {
        oldBlock = old->id;
        if (old->region) event.flags |= Bit(EventFlag::Region);
        allocator.live.Remove(old->address);
    }
    resizes.erase(ResizeKey(event));
    MakeRoom(event, allocator, *range);
    const BlockId block = Bear(event, allocator, *range);
    log.Append({event, block, oldBlock}, text);
}

// Bulk free, destruction, shrinking: many blocks end in one row.
void Appender::State::DieTogether(Event& event, std::string_view text) {
    LiveBlocks& live = Of(event.allocator).live;
    dying.clear();
    if (event.kind == EventKind::AllocatorDestroyed) {
        for (const LiveBlock& block : live.All()) dying.push_back(block.id);
        live.Clear();
        Of(event.allocator).created = false;
        Of(event.allocator).parent = {};
    } else {
        event.size = CutAtEndOfMemory(event.address, event.size);
        const std::uint64_t end = event.address + event.size;
        const bool byStart = event.kind == EventKind::BulkFreed;
        for (const LiveBlock& block : live.Touching(event.address, end)) {
            if (byStart && (block.address < event.address || block.address >= end)) continue;
            dying.push_back(block.id);
            live.Remove(block.address);
        }
    }
    log.Append({event, {}, {}}, text, dying);
}

// The block of the parent that holds [address, address + size), now known to be a region.
BlockId Appender::State::MarkRegion(Event& event, AllocatorId parent) {
    if (parent.value == 0 || parent == event.allocator || event.size == 0) return {};
    LiveBlocks& live = Of(parent).live;
    auto block = live.Around(event.address);
    if (!block || block->end - event.address < event.size) return {};
    block->region = true;
    live.Mark(*block);
    event.flags |= Bit(EventFlag::Region);
    return block->id;
}

void Appender::State::Created(Event& event, std::string_view text) {
    if (Of(event.allocator).created) {
        Warn(fmt::format("allocator {} is created once more: taken as destroyed unseen", event.allocator.value));
        Event destroyed;
        destroyed.kind = EventKind::AllocatorDestroyed;
        destroyed.stamp = event.stamp;
        destroyed.allocator = event.allocator;
        destroyed.thread = event.thread;
        destroyed.flags = static_cast<std::uint8_t>(Bit(EventFlag::Inferred) | Bit(EventFlag::NotACall));
        DieTogether(destroyed, {});
    }
    event.size = CutAtEndOfMemory(event.address, event.size);
    event.rounding = std::min(event.rounding, event.size);
    AllocatorRow& allocator = Of(event.allocator);
    allocator.created = true;
    allocator.parent = event.Parent();
    const BlockId region = MarkRegion(event, event.Parent());
    log.Append({event, region, {}}, text);
}

void Appender::State::Take(const Event& seen, std::string_view text) {
    Event event = seen;
    event.alignmentLog2 = std::min<std::uint8_t>(event.alignmentLog2, 63);
    if (event.IsSampledRegion()) {
        event.size = CutAtEndOfMemory(event.address, event.size);
        log.Append({event, {}, {}}, text);
        return;
    }
    switch (event.kind) {
        case EventKind::AllocatorCreated: return Created(event, text);
        case EventKind::AllocatorDestroyed:
        case EventKind::BulkFreed:
        case EventKind::RegionShrunk: return DieTogether(event, text);
        case EventKind::Allocated: return Allocated(event, text);
        case EventKind::Freed: return Freed(event, text);
        case EventKind::ResizeBegins: return ResizeBegins(event, text);
        case EventKind::ResizeEnds: return ResizeEnds(event, text);
        case EventKind::FreeFailed: return FreeFailed(event, text);
        case EventKind::AllocateFailed:
            if (!IsMemoryError(event.error)) {
                event.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
            }
            log.Append({event, {}, {}}, text);
            return;
        case EventKind::AccessFailed: {
            const auto around = Of(event.allocator).live.Around(event.address);
            if (event.error == 0 || event.error > static_cast<std::uint8_t>(events::AccessError::OutOfBounds)) {
                event.error = static_cast<std::uint8_t>(around ? events::AccessError::OutOfBounds
                                                               : events::AccessError::Dangling);
            }
            log.Append({event, IdOf(around), {}}, text);
            return;
        }
        case EventKind::RegionGrown: {
            event.size = CutAtEndOfMemory(event.address, event.size);
            const BlockId region = MarkRegion(event, Of(event.allocator).parent);
            log.Append({event, region, {}}, text);
            return;
        }
        case EventKind::Gap:
            totals.dropped = SaturatingAdd(totals.dropped, event.Dropped());
            Warn(fmt::format("{} events were lost here", event.Dropped()));
            log.Append({event, {}, {}}, text);
            return;
        case EventKind::Step:
        case EventKind::Output:
        case EventKind::Marker:
        case EventKind::Duck: log.Append({event, {}, {}}, text); return;
        case EventKind::Continuation: break;
    }
    ++totals.leftOut;
    if (!std::exchange(warnedUnknown, true)) {
        Warn(fmt::format("an event of unknown kind {}: left out, as all that follow", static_cast<int>(event.kind)));
    }
}

namespace {

Event EventOf(AllocatorId allocator, const PlainCall& call) {
    const bool freed = call.size == PlainCall::kFreed;
    Event event;
    event.stamp = call.stamp;
    event.address = call.address;
    event.size = freed ? 0 : call.size;
    event.rounding = call.rounding;
    event.trace = call.trace;
    event.thread = call.thread;
    event.allocator = allocator;
    event.kind = freed ? EventKind::Freed : EventKind::Allocated;
    event.alignmentLog2 = call.alignmentLog2;
    return event;
}

}  // namespace

// Nearly all are about a small block at a place where nothing else is; these are placed and written many at once.
void Appender::State::Take(AllocatorId id, std::span<const PlainCall> calls) {
    constexpr std::size_t kNear = 16, kClose = 8;  // as LookAhead
    if (placed.size() < calls.size()) placed.resize(calls.size());
    std::size_t count = 0;
    const auto write = [&] { log.AppendKnown(id, std::span<const PlacedCall>(placed).first(std::exchange(count, 0))); };
    LiveBlocks& live = Of(id).live;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        if (i + kNear < calls.size()) {
            live.PrefetchNear(calls[i + kNear].address);
            live.PrefetchClose(calls[i + kClose].address);
        }
        const PlainCall& call = calls[i];
        ++records;
        BlockId block{};
        if (call.size == PlainCall::kFreed) {
            block = live.RemoveOrdinary(call.address);
        } else if (!given && blocks != std::numeric_limits<std::uint32_t>::max() && call.alignmentLog2 < 64) {
            block = live.InsertOrdinary(call.address, call.size, call.rounding, BlockId{blocks + 1});
            blocks += block ? 1 : 0;
        }
        if (block) [[likely]] {
            PlacedCall& to = placed[count++];
            static_cast<PlainCall&>(to) = call;
            to.block = block;
        } else {
            write();
            Take(EventOf(id, call), {});
        }
    }
    write();
}

Appender::Appender(EventLog& log) : state_(std::make_unique<State>(log)) {}

Appender::~Appender() {
    try {
        Flush();
    } catch (const std::bad_alloc&) {  // whoever must know flushes by hand
    }
}

void Appender::Append(const events::Event* records, std::size_t count) {
    State& state = *state_;
    for (const Event* record = records; record != records + count; ++record) {
        if (record->kind != EventKind::Continuation) {
            state.LookAhead(record, records + count);
            if (state.unfinished) Flush();
            ++state.records;
            if (record->Has(EventFlag::HasText)) {
                state.unfinished.emplace(State::TextInProgress{*record, {}});
            } else {
                state.Take(*record, {});
            }
            continue;
        }
        events::Continuation more;
        __builtin_memcpy(&more, record, sizeof(more));
        if (!state.unfinished) {
            ++state.totals.leftOut;
            if (!std::exchange(state.warnedOrphan, true)) {
                state.Warn("a piece of text without an event: left out, as all that follow");
            }
            continue;
        }
        std::string& text = state.unfinished->text;
        const std::size_t used = std::min<std::size_t>(more.used, events::kContinuationBytes);
        text.append(more.bytes, std::min(used, events::kMaxText - text.size()));
        if (more.last != 0) Flush();
    }
}

void Appender::Append(const events::Event& event, std::string_view text) {
    Flush();
    ++state_->records;
    state_->Take(event, text);
}

void Appender::Append(AllocatorId allocator, std::span<const PlainCall> calls) {
    Flush();
    constexpr std::size_t kSome = 512;  // so that what is placed stays in the nearest cache
    for (; calls.size() > kSome; calls = calls.subspan(kSome)) state_->Take(allocator, calls.first(kSome));
    state_->Take(allocator, calls);
}

void Appender::Flush() {
    if (!state_->unfinished) return;
    const State::TextInProgress whole = std::move(*state_->unfinished);
    state_->unfinished.reset();
    state_->Take(whole.event, whole.text);
}

bool Appender::HoldsInOneBlock(AllocatorId allocator, std::uint64_t address, std::uint64_t size) const {
    const State& state = *state_;
    if (allocator.value >= state.allocators.size() || !state.allocators[allocator.value]) return false;
    const auto block = state.allocators[allocator.value]->live.Around(address);
    return block && block->end - address >= size;
}

bool Appender::IsLive(AllocatorId allocator, std::uint64_t address) const {
    const State& state = *state_;
    return allocator.value < state.allocators.size() && state.allocators[allocator.value] &&
           state.allocators[allocator.value]->live.Find(address).has_value();
}

bool Appender::AnyLiveIn(AllocatorId allocator, std::uint64_t begin, std::uint64_t end) const {
    const State& state = *state_;
    return allocator.value < state.allocators.size() && state.allocators[allocator.value] &&
           state.allocators[allocator.value]->live.FirstTouching(begin, end).has_value();
}

const Appender::Totals& Appender::Counted() const { return state_->totals; }

std::vector<Warning> Appender::Warnings() const {
    std::vector<Warning> all = state_->warnings;
    if (state_->moreWarnings != 0) all.push_back({"", fmt::format("{} more warnings", state_->moreWarnings)});
    return all;
}

}  // namespace residue::log
