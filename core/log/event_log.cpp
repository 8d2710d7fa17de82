#include "log/event_log.hpp"

#include <algorithm>
#include <utility>

#include "log/log_state.hpp"

namespace residue::log {
namespace {

bool IsError(const events::Event& event) {
    switch (event.kind) {
        case events::EventKind::AllocateFailed:
        case events::EventKind::FreeFailed:
        case events::EventKind::AccessFailed:
        case events::EventKind::Gap: return true;
        case events::EventKind::ResizeEnds: return event.Failed();
        default: return false;
    }
}

// What of LogView::RareRows a row is by itself.
bool IsRare(const events::Event& event) {
    constexpr std::uint8_t kSpecial =
        events::Bit(events::EventFlag::Region) | events::Bit(events::EventFlag::StaysDead);
    switch (event.kind) {
        case events::EventKind::AllocatorCreated:
        case events::EventKind::AllocatorDestroyed: return true;
        case events::EventKind::RegionGrown:
        case events::EventKind::RegionShrunk: return !event.IsSampledRegion();
        default: return (event.flags & kSpecial) != 0;
    }
}

bool ConcernsAllocator(const events::Event& event) {
    return event.allocator || event.kind == events::EventKind::Allocated ||
           event.kind == events::EventKind::ResizeEnds;
}

}  // namespace

LogState::LogState() : rowMemory(std::make_shared<RowMemory>()), open(std::make_shared<OpenChunk>(0, 0, rowMemory)) {}

LogState::~LogState() {
    for (std::size_t i = 0; i < sealed.Size(); ++i) delete sealed[i];
}

// The open chunk is full: its columns take its place.
void LogState::Seal() {
    const OpenChunk& full = *open;
    auto chunk = std::make_unique<SealedChunk>(full);
    if (spill != nullptr && ResidentBytes() > spillBeyond) {
        blocks.SpillTo(spill.get());
        if (std::byte* const room = spill->Take(chunk->columns.BytesNeeded())) chunk->columns.MoveTo(room);
    }
    auto next = std::make_shared<OpenChunk>(rows, chunk->callsBefore + chunk->calls.Ones(), rowMemory);
    heldBytes.fetch_add(chunk->ResidentBytes(), std::memory_order_relaxed);
    const std::lock_guard lock(mutex);
    sealed.Push(chunk.get());
    (void)chunk.release();  // the log's now; Push may have had no memory
    open.swap(next);        // the old one ends after the lock, unless a view still reads it
}

std::uint64_t LogState::ResidentBytes() const {
    std::shared_ptr<OpenChunk> present;
    {
        const std::lock_guard lock(mutex);
        present = open;
    }
    return heldBytes.load(std::memory_order_relaxed) + blocks.ResidentBytes() + errors.ResidentBytes() +
           regions.ResidentBytes() + rare.ResidentBytes() + deaths.ResidentBytes() + traces.ResidentBytes() +
           present->Length() * (sizeof(LoggedEvent) + sizeof(std::uint32_t)) + present->Texts()->ResidentBytes();
}

EventLog::EventLog(SourceInfo source) : state_(std::make_shared<LogState>()) { SetSource(std::move(source)); }

EventLog::~EventLog() = default;

BlockId EventLog::AddBlock() {
    const std::size_t count = state_->blocks.Size();
    if (count == std::numeric_limits<std::uint32_t>::max()) return {};
    state_->blocks.Push(state_->rows);
    return BlockId{static_cast<std::uint32_t>(count + 1)};
}

Row EventLog::Append(const LoggedEvent& event, std::string_view text, std::span<const BlockId> diedTogether) {
    LogState& state = *state_;
    const std::uint64_t row = state.rows;
    if (event.event.kind == events::EventKind::Freed) state.Dies(event.block, row);
    if (event.event.kind == events::EventKind::ResizeEnds && !event.event.Failed()) state.Dies(event.oldBlock, row);
    if (!diedTogether.empty()) {
        auto list = std::make_unique_for_overwrite<BlockId[]>(diedTogether.size());
        std::copy(diedTogether.begin(), diedTogether.end(), list.get());
        for (const BlockId block : diedTogether) state.Dies(block, row);
        state.deathArrays.push_back(std::move(list));
        state.deaths.Push(row, state.deathArrays.back().get(), diedTogether.size());
        state.heldBytes.fetch_add(diedTogether.size_bytes(), std::memory_order_relaxed);
    }
    if (IsError(event.event)) state.errors.Push(row);
    if (event.event.IsSampledRegion()) state.regions.Push(row);
    const bool meets = ConcernsAllocator(event.event) && state.Meets(event.event.allocator);
    if (meets || IsRare(event.event)) state.rare.Push(row);

    OpenChunk& open = *state.open;  // only this thread changes the pointer
    if (event.event.Has(events::EventFlag::HasText) == !text.empty()) [[likely]] {
        open.Append(event, text);  // publishes the row: after everything that belongs to it
    } else {
        LoggedEvent kept = event;
        kept.event.flags ^= events::Bit(events::EventFlag::HasText);
        open.Append(kept, text);
    }
    ++state.rows;
    if (open.Length() == kChunkRows) state.Seal();
    return Row{row};
}

namespace {

template <class Call>
void AppendCalls(LogState& state, AllocatorId allocator, std::span<const Call> calls) {
    constexpr std::size_t kAhead = 16;  // deaths are anywhere in the table of blocks
    if (!calls.empty() && state.Meets(allocator)) state.rare.Push(state.rows);
    while (!calls.empty()) {
        OpenChunk& open = *state.open;
        const auto now = calls.first(std::min<std::size_t>(calls.size(), kChunkRows - open.Length()));
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (i + kAhead < now.size()) state.PrefetchBlock(now[i + kAhead].block);
            if (now[i].size == Call::kFreed) {
                state.Dies(now[i].block, state.rows + i);
            } else {
                state.blocks.Push(state.rows + i);
            }
        }
        open.AppendCalls(allocator, now);  // publishes the rows
        state.rows += now.size();
        if (open.Length() == kChunkRows) state.Seal();
        calls = calls.subspan(now.size());
    }
}

}  // namespace

void EventLog::AppendKnown(AllocatorId allocator, std::span<const KnownCall> calls) {
    AppendCalls(*state_, allocator, calls);
}

void EventLog::AppendKnown(AllocatorId allocator, std::span<const PlacedCall> calls) {
    AppendCalls(*state_, allocator, calls);
}

TraceId EventLog::AddTrace(TraceId parent, std::uint64_t frame) { return state_->traces.Add(parent, frame); }

void EventLog::SetSymbolizer(std::shared_ptr<symbols::Symbolizer> symbolizer) {
    state_->traces.SetSymbolizer(std::move(symbolizer));
}

void EventLog::NameFrame(std::uint64_t frame, Frame name) { state_->traces.Name(frame, std::move(name)); }

void EventLog::SetSource(SourceInfo source) {
    auto shared = std::make_shared<const SourceInfo>(std::move(source));
    const std::lock_guard lock(state_->mutex);
    state_->source = std::move(shared);
}

LogView EventLog::View() const {
    LogView view;
    view.state_ = state_;
    {
        const std::lock_guard lock(state_->mutex);
        view.open_ = state_->open;
        view.source_ = state_->source;
    }
    view.openRow_ = view.open_->FirstRow();
    view.rows_ = view.openRow_ + view.open_->Length();
    // The writer may be ahead by now: only blocks born in rows of this view count.
    view.blocks_ = static_cast<std::uint32_t>(state_->blocks.BornBefore(state_->blocks.Size(), view.rows_));
    return view;
}

void EventLog::SpillTo(std::shared_ptr<Spill> spill, std::uint64_t beyond) {
    state_->spill = std::move(spill);
    state_->spillBeyond = beyond;
}

void EventLog::SayMayOverlap() { state_->mayOverlap.store(true, std::memory_order_relaxed); }

std::uint64_t EventLog::SpilledBytes() const { return state_->spill ? state_->spill->Bytes() : 0; }

std::uint64_t EventLog::ResidentBytes() const { return state_->ResidentBytes(); }

void EventLog::Close() { state_->closed.store(true, std::memory_order_release); }

bool EventLog::Closed() const { return state_->closed.load(std::memory_order_acquire); }

}  // namespace residue::log
