#include <algorithm>

#include "log/event_log.hpp"
#include "log/log_state.hpp"

namespace residue::log {

LogView::LogView() = default;

Row LogView::Rows() const { return {rows_}; }

Position LogView::Positions() const { return {CallsBefore(rows_)}; }

LoggedEvent LogView::At(Row row) const {
    if (row.value >= openRow_) return open_->At(row.value - openRow_);
    return state_->sealed[row.value / kChunkRows]->columns.At(row.value % kChunkRows);
}

BriefEvent LogView::BriefAt(Row row) const {
    if (row.value >= openRow_) {
        const LoggedEvent& logged = open_->At(row.value - openRow_);
        return {logged.block, logged.event.allocator, logged.event.kind, logged.event.flags};
    }
    const Columns& columns = state_->sealed[row.value / kChunkRows]->columns;
    const std::size_t at = row.value % kChunkRows;
    return {BlockId{static_cast<std::uint32_t>(columns.Get(ColumnId::Block, at))},
            AllocatorId{static_cast<std::uint16_t>(columns.Get(ColumnId::Allocator, at))},
            static_cast<events::EventKind>(columns.Get(ColumnId::Kind, at)),
            static_cast<std::uint8_t>(columns.Get(ColumnId::Flags, at))};
}

events::EventKind LogView::KindAt(Row row) const {
    if (row.value >= openRow_) return open_->At(row.value - openRow_).event.kind;
    return static_cast<events::EventKind>(
        state_->sealed[row.value / kChunkRows]->columns.Get(ColumnId::Kind, row.value % kChunkRows));
}

std::string_view LogView::Text(Row row) const {
    const auto inChunk = static_cast<std::uint32_t>(row.value % kChunkRows);
    if (row.value >= openRow_) {
        return open_->At(inChunk).event.Has(events::EventFlag::HasText) ? open_->Texts()->Find(inChunk)
                                                                         : std::string_view{};
    }
    return state_->sealed[row.value / kChunkRows]->texts->Find(inChunk);
}

std::uint64_t LogView::CallsBefore(std::uint64_t row) const {
    if (row == 0) return 0;
    if (row >= openRow_) return open_->CallsBefore() + open_->CallsUpTo(row - openRow_);
    const SealedChunk& chunk = *state_->sealed[row / kChunkRows];
    return chunk.callsBefore + chunk.calls.Rank(row % kChunkRows);
}

bool LogView::EndsCall(std::uint64_t row) const {
    if (row >= openRow_) return open_->At(row - openRow_).event.EndsCall();
    return state_->sealed[row / kChunkRows]->calls.Test(row % kChunkRows);
}

std::uint64_t LogView::FirstStop(std::uint64_t row) const {
    while (row < openRow_ && row < rows_) {
        const std::uint64_t chunk = row / kChunkRows;
        const std::size_t found = state_->sealed[chunk]->stops.Next(row % kChunkRows);
        if (found < kChunkRows) return chunk * kChunkRows + found;
        row = (chunk + 1) * kChunkRows;
    }
    while (row < rows_ && open_->At(row - openRow_).event.Trails()) ++row;
    return row;
}

std::uint64_t LogView::LastStop(std::uint64_t row) const {
    for (; row >= openRow_; --row) {
        if (!open_->At(row - openRow_).event.Trails()) return row;
        if (row == 0) return kNever;
    }
    for (;;) {
        const std::uint64_t chunk = row / kChunkRows;
        const std::size_t found = state_->sealed[chunk]->stops.Previous(row % kChunkRows);
        if (found < kChunkRows) return chunk * kChunkRows + found;
        if (chunk == 0) return kNever;
        row = chunk * kChunkRows - 1;
    }
}

Row LogView::RowsAt(Position position) const {
    const std::uint64_t calls = std::min(position.value, Positions().value);
    if (calls == 0) return {rows_ == 0 ? 0 : FirstStop(0)};
    std::uint64_t ends = 0;  // the row that ends the last of them
    if (calls > CallsBefore(openRow_)) {
        const auto call = static_cast<std::uint32_t>(calls - 1 - open_->CallsBefore());
        ends = openRow_ + open_->RowOfCall(call, rows_ - openRow_);
    } else {
        // The last chunk with fewer than `calls` calls before it.
        const std::size_t chunk = state_->sealed.PartitionPoint(
            openRow_ / kChunkRows, [&](const SealedChunk* c) { return c->callsBefore < calls; }) - 1;
        const SealedChunk& sealed = *state_->sealed[chunk];
        ends = chunk * kChunkRows + sealed.calls.Select(static_cast<std::uint32_t>(calls - 1 - sealed.callsBefore));
    }
    return {FirstStop(ends + 1)};
}

Position LogView::PositionOf(Row row) const {
    const std::uint64_t calls = CallsBefore(row.value);
    const std::uint64_t stop = LastStop(row.value);
    // A row that trails a call directly, or all calls there are, is applied together with it.
    const bool trailing = stop == kNever || (stop != row.value && EndsCall(stop));
    return {trailing ? calls : calls + 1};
}

std::uint32_t LogView::Blocks() const { return blocks_; }

BlockLife LogView::Life(BlockId block) const {
    const std::uint64_t died = state_->blocks.Died(block.value - 1);
    return {{state_->blocks.Born(block.value - 1)}, {died < rows_ ? died : kNever}};
}

LoggedEvent LogView::Birth(BlockId block) const { return At({state_->blocks.Born(block.value - 1)}); }

std::span<const BlockId> LogView::DiedTogether(Row row) const {
    if (!state_) return {};
    const StableVector<DeathList>& deaths = state_->deaths;
    const std::size_t size = deaths.Size();
    const std::size_t at = deaths.PartitionPoint(size, [&](const DeathList& list) { return list.row < row.value; });
    if (at == size || deaths[at].row != row.value) return {};
    return {deaths[at].blocks, deaths[at].count};
}

std::vector<Frame> LogView::Frames(TraceId trace) const {
    return state_ ? state_->traces.Frames(trace) : std::vector<Frame>{};
}

TraceId LogView::ParentTrace(TraceId trace) const { return state_ ? state_->traces.Parent(trace) : TraceId{}; }

Frame LogView::TopFrame(TraceId trace) const { return state_ ? state_->traces.TopFrame(trace) : Frame{}; }

std::uint64_t LogView::FrameAddress(TraceId trace) const { return state_ ? state_->traces.FrameAddress(trace) : 0; }

std::uint32_t LogView::Traces() const { return state_ ? state_->traces.Count() : 0; }

std::uint64_t LogView::ErrorCount() const {
    if (!state_) return 0;
    const StableVector<std::uint64_t>& errors = state_->errors;
    return errors.PartitionPoint(errors.Size(), [&](std::uint64_t row) { return row < rows_; });
}

Row LogView::NextError(Row from) const {
    const std::size_t count = ErrorCount();
    if (count == 0) return {kNever};
    const std::size_t at = state_->errors.PartitionPoint(count, [&](std::uint64_t row) { return row < from.value; });
    return {at == count ? kNever : state_->errors[at]};
}

Row LogView::PreviousError(Row before) const {
    const std::size_t count = ErrorCount();
    if (count == 0) return {kNever};
    const std::size_t at = state_->errors.PartitionPoint(count, [&](std::uint64_t row) { return row < before.value; });
    return {at == 0 ? kNever : state_->errors[at - 1]};
}

std::uint64_t LogView::SampledRegions() const {
    if (!state_) return 0;
    const StableVector<std::uint64_t>& regions = state_->regions;
    return regions.PartitionPoint(regions.Size(), [&](std::uint64_t row) { return row < rows_; });
}

Row LogView::SampledRegion(std::uint64_t index) const { return {state_->regions[index]}; }

std::uint64_t LogView::RareRows() const {
    if (!state_) return 0;
    const StableVector<std::uint64_t>& rare = state_->rare;
    return rare.PartitionPoint(rare.Size(), [&](std::uint64_t row) { return row < rows_; });
}

Row LogView::RareRow(std::uint64_t index) const { return {state_->rare[index]}; }

bool LogView::MayOverlap() const { return state_ && state_->mayOverlap.load(std::memory_order_relaxed); }

const SourceInfo& LogView::Source() const {
    static const SourceInfo none;
    return source_ ? *source_ : none;
}

bool LogView::Closed() const { return state_ && state_->closed.load(std::memory_order_acquire); }

}  // namespace residue::log
