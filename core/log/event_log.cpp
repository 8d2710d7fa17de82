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

}  // namespace

LogState::LogState() : rowMemory(std::make_shared<RowMemory>()), open(std::make_shared<OpenChunk>(0, 0, rowMemory)) {}

LogState::~LogState() {
    for (std::size_t i = 0; i < sealed.Size(); ++i) delete sealed[i];
}

EventLog::EventLog(SourceInfo source) : state_(std::make_shared<LogState>()) { SetSource(std::move(source)); }

EventLog::~EventLog() = default;

BlockId EventLog::AddBlock() {
    const std::size_t count = state_->blocks.Size();
    if (count == std::numeric_limits<std::uint32_t>::max()) return {};
    state_->blocks.Push(state_->rows, kNever);
    return BlockId{static_cast<std::uint32_t>(count + 1)};
}

Row EventLog::Append(const LoggedEvent& event, std::string_view text, std::span<const BlockId> diedTogether) {
    LogState& state = *state_;
    const std::uint64_t row = state.rows;
    const auto dies = [&](BlockId block) {
        if (block.value == 0 || block.value > state.blocks.Size()) return;
        std::atomic<std::uint64_t>& died = state.blocks[block.value - 1].died;
        if (died.load(std::memory_order_relaxed) == kNever) died.store(row, std::memory_order_relaxed);
    };
    if (event.event.kind == events::EventKind::Freed) dies(event.block);
    if (event.event.kind == events::EventKind::ResizeEnds && !event.event.Failed()) dies(event.oldBlock);
    if (!diedTogether.empty()) {
        auto list = std::make_unique_for_overwrite<BlockId[]>(diedTogether.size());
        std::copy(diedTogether.begin(), diedTogether.end(), list.get());
        for (const BlockId block : diedTogether) dies(block);
        state.deathArrays.push_back(std::move(list));
        state.deaths.Push(row, state.deathArrays.back().get(), diedTogether.size());
        state.heldBytes.fetch_add(diedTogether.size_bytes(), std::memory_order_relaxed);
    }
    if (IsError(event.event)) state.errors.Push(row);
    if (event.event.IsSampledRegion()) state.regions.Push(row);

    LoggedEvent kept = event;
    const std::uint8_t hasText = events::Bit(events::EventFlag::HasText);
    kept.event.flags = static_cast<std::uint8_t>(text.empty() ? kept.event.flags & ~hasText
                                                              : kept.event.flags | hasText);
    OpenChunk& open = *state.open;  // only this thread changes the pointer
    open.Append(kept, text);        // publishes the row: after everything that belongs to it
    ++state.rows;
    if (open.Length() == kChunkRows) {
        auto sealed = std::make_unique<SealedChunk>(open);
        if (state.spill != nullptr && ResidentBytes() > state.spillBeyond) {
            state.blocks.SpillTo(state.spill.get());
            if (std::byte* const room = state.spill->Take(sealed->columns.BytesNeeded())) sealed->columns.MoveTo(room);
        }
        auto next = std::make_shared<OpenChunk>(state.rows, sealed->callsBefore + sealed->calls.Ones(),
                                                state.rowMemory);
        state.heldBytes.fetch_add(sealed->ResidentBytes(), std::memory_order_relaxed);
        const std::lock_guard lock(state.mutex);
        state.sealed.Push(sealed.get());
        (void)sealed.release();  // the log's now; Push may have had no memory
        state.open.swap(next);  // the old one ends after the lock, unless a view still reads it
    }
    return Row{row};
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
    const StableVector<BlockRecord>& blocks = state_->blocks;
    view.blocks_ = static_cast<std::uint32_t>(blocks.PartitionPoint(
        blocks.Size(), [&](const BlockRecord& block) { return block.born < view.rows_; }));
    return view;
}

void EventLog::SpillTo(std::shared_ptr<Spill> spill, std::uint64_t beyond) {
    state_->spill = std::move(spill);
    state_->spillBeyond = beyond;
}

std::uint64_t EventLog::SpilledBytes() const { return state_->spill ? state_->spill->Bytes() : 0; }

std::uint64_t EventLog::ResidentBytes() const {
    std::shared_ptr<OpenChunk> open;
    {
        const std::lock_guard lock(state_->mutex);
        open = state_->open;
    }
    return state_->heldBytes.load(std::memory_order_relaxed) + state_->blocks.ResidentBytes() +
           state_->errors.ResidentBytes() + state_->regions.ResidentBytes() + state_->deaths.ResidentBytes() +
           state_->traces.ResidentBytes() +
           open->Length() * (sizeof(LoggedEvent) + sizeof(std::uint32_t)) + open->Texts()->ResidentBytes();
}

void EventLog::Close() { state_->closed.store(true, std::memory_order_release); }

bool EventLog::Closed() const { return state_->closed.load(std::memory_order_acquire); }

}  // namespace residue::log
