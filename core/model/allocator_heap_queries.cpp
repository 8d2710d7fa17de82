// What is asked of an allocator's blocks by address; none of it changes anything.
#include <algorithm>
#include <limits>

#include "model/allocator_heap.hpp"

namespace residue::model {

namespace {
bool Touches(const BlockEntry& block, std::uint64_t begin, std::uint64_t end) {
    if (block.begin == block.End()) return block.begin >= begin && block.begin < end;
    return block.begin < end && block.End() > begin;
}
}  // namespace

void AllocatorHeap::VisitDead(std::uint64_t begin, std::uint64_t end,
                              const std::function<bool(const Block&)>& visit) const {
    if (begin >= end) return;
    BlockSet::Place at = blocks_.Locate(begin);
    if (const auto previous = blocks_.PeekBack(at); previous && previous.End() > begin) blocks_.Back(at);
    for (auto entry = blocks_.Get(at); entry && entry.Begin() < end; entry = blocks_.Get(at)) {
        if (entry.Dead() && !visit(EntryOf(entry).ToBlock())) return;
        blocks_.Next(at);
    }
}

template <class InOrder, class Stray>
void AllocatorHeap::WalkBlocks(std::uint64_t begin, std::uint64_t end, InOrder&& inOrder, Stray&& visitStray) const {
    if (begin >= end) return;
    auto stray = strays_.begin();
    const auto visitStraysBefore = [&](std::uint64_t address) {
        for (; stray != strays_.end() && stray->second.begin <= address; ++stray) {
            if (Touches(stray->second, begin, end) && !visitStray(stray->second)) return false;
        }
        return true;
    };
    BlockSet::Place at = blocks_.Locate(begin);
    if (const auto previous = blocks_.PeekBack(at); previous && previous.End() > begin) blocks_.Back(at);
    for (auto entry = blocks_.Get(at); entry && entry.Begin() < end; entry = blocks_.Get(at)) {
        if (!strays_.empty() && !visitStraysBefore(entry.Begin())) return;
        if (!entry.Dead() && !inOrder(entry)) return;
        blocks_.Next(at);
    }
    visitStraysBefore(end - 1);
}

void AllocatorHeap::VisitBlocks(std::uint64_t begin, std::uint64_t end,
                                const std::function<bool(const Block&)>& visit) const {
    WalkBlocks(begin, end, [&](const BlockSet::Found& found) { return visit(EntryOf(found).ToBlock()); },
               [&](const BlockEntry& stray) { return visit(stray.ToBlock()); });
}

void AllocatorHeap::VisitExtents(std::uint64_t begin, std::uint64_t end,
                                 const std::function<bool(const BlockExtent&)>& visit) const {
    WalkBlocks(begin, end,
               [&](const BlockSet::Found& found) { return visit({BlockId{found.Id()}, found.Begin(), found.End()}); },
               [&](const BlockEntry& stray) { return visit({BlockId{stray.id}, stray.begin, stray.End()}); });
}

void AllocatorHeap::VisitRegions(std::uint64_t begin, std::uint64_t end,
                                 const std::function<bool(const Region&)>& visit) const {
    for (std::size_t i = FirstRegionReaching(begin); i < regions_.size() && regions_[i].begin < end; ++i) {
        const std::uint64_t behind = SaturatingAdd(regions_[i].end, regions_[i].bookkeeping);
        if (behind > begin && !visit(regions_[i])) return;
    }
}

void AllocatorHeap::VisitRegionBlocks(std::uint64_t begin, std::uint64_t end,
                                      const std::function<bool(const Block&)>& visit) const {
    if (begin >= end || regionBlocks_.empty()) return;
    auto found = regionBlocks_.lower_bound({begin, 0});
    if (found != regionBlocks_.begin()) --found;  // it may reach over `begin`
    for (; found != regionBlocks_.end() && found->first < end; ++found) {
        BlockSet::Place at;
        const auto entry = blocks_.Find(found->second, found->first, at);
        if (!entry) continue;  // over another live block
        const BlockEntry whole = EntryOf(entry);
        if (Touches(whole, begin, end) && !visit(whole.ToBlock())) return;
    }
}

std::optional<Block> AllocatorHeap::BlockAt(std::uint64_t address) const {
    BlockSet::Place at =
        blocks_.Locate(address == std::numeric_limits<std::uint64_t>::max() ? address : address + 1);
    if (const auto entry = blocks_.Back(at); entry && entry.End() > address && !entry.Dead()) {
        return EntryOf(entry).ToBlock();
    }
    for (const auto& [key, stray] : strays_) {
        if (key.first > address) break;
        if (Touches(stray, address, SaturatingAdd(address, 1))) return stray.ToBlock();
    }
    return std::nullopt;
}

std::optional<Block> AllocatorHeap::NextBlock(std::uint64_t address) const {
    BlockSet::Place at = blocks_.Locate(address);
    auto next = blocks_.Get(at);
    while (next && next.Dead()) {
        blocks_.Next(at);
        next = blocks_.Get(at);
    }
    const auto stray = strays_.lower_bound({address, 0});
    if (stray != strays_.end() && (!next || stray->first.first <= next.Begin())) return stray->second.ToBlock();
    if (!next) return std::nullopt;
    return EntryOf(next).ToBlock();
}

std::optional<Block> AllocatorHeap::PreviousBlock(std::uint64_t address) const {
    BlockSet::Place at = blocks_.Locate(address);
    auto previous = blocks_.Back(at);
    while (previous && previous.Dead()) previous = blocks_.Back(at);
    const auto stray = strays_.lower_bound({address, 0});
    if (stray != strays_.begin()) {
        const auto before = std::prev(stray);
        if (!previous || before->first.first > previous.Begin()) return before->second.ToBlock();
    }
    if (!previous) return std::nullopt;
    return EntryOf(previous).ToBlock();
}

std::pair<std::uint64_t, std::uint64_t> AllocatorHeap::Span() const {
    if (!regions_.empty()) {
        return {regions_.front().begin, SaturatingAdd(regions_.back().end, regions_.back().bookkeeping)};
    }
    std::uint64_t begin = std::numeric_limits<std::uint64_t>::max(), end = 0;
    if (const auto last = blocks_.Last()) {
        begin = blocks_.First().Begin();
        end = last.End();
    }
    for (const auto& [key, stray] : strays_) {
        begin = std::min(begin, stray.begin);
        end = std::max(end, stray.End());
    }
    if (begin > end) return {0, 0};
    return {begin, end};
}

std::uint64_t AllocatorHeap::OccupiedBytes(std::uint64_t begin, std::uint64_t end) const {
    const std::uint64_t edges[] = {begin, end};
    CellContent cell;
    FillCells(edges, 0, {&cell, 1});
    return cell.occupied;
}

void AllocatorHeap::FillCells(std::span<const std::uint64_t> edges, unsigned looks,
                              std::span<CellContent> cells) const {
    if (edges.empty()) return;
    BlockSet::Place at = blocks_.Locate(edges.front());
    BlockSet::Found before = blocks_.PeekBack(at);  // the last one that began before the cell: it may reach into it
    for (std::size_t i = 0; i + 1 < edges.size() && i < cells.size(); ++i) {
        const std::uint64_t begin = edges[i], end = edges[i + 1];
        CellContent& cell = cells[i];
        cell = {};
        if (end <= begin) continue;
        const auto look = [&](const BlockSet::Found& block) {
            const std::uint64_t bytes = std::min(block.End(), end) - std::max(block.Begin(), begin);
            if (block.Dead() || bytes <= cell.sampleBytes) return;
            cell.sampleBytes = bytes;
            cell.sample = BlockId{block.Id()};
        };
        if (before && before.End() > begin) {
            cell.occupied += std::min(before.End(), end) - begin;
            if (looks > 0) look(before);
        }
        const BlockSet::Place to = blocks_.LocateFrom(at, end);
        const BlockSet::Found last = blocks_.PeekBack(to);
        if (last && last.Begin() >= begin) {
            cell.occupied += blocks_.WeightBetween(at, begin, to, end);
            if (last.End() > end) cell.occupied -= last.End() - end;
            auto next = looks > 0 ? blocks_.Get(at) : BlockSet::Found{};
            for (unsigned n = 0; n < looks && next && next.Begin() < end; ++n) {
                look(next);
                blocks_.Next(at);
                next = blocks_.Get(at);
            }
            before = last;
        }
        at = to;
    }
}

void AllocatorHeap::AddOccupancy(std::uint64_t begin, std::uint64_t bytesPerCell,
                                 std::span<std::uint64_t> cells) const {
    if (cells.empty() || bytesPerCell == 0) return;
    const auto wanted = CheckedMultiply(bytesPerCell, cells.size());
    const std::uint64_t end = SaturatingAdd(begin, wanted.value_or(std::numeric_limits<std::uint64_t>::max()));
    const auto add = [&](std::uint64_t from, std::uint64_t to) {
        from = std::max(from, begin);
        to = std::min(to, end);
        while (from < to) {
            const std::uint64_t cell = (from - begin) / bytesPerCell;
            const std::uint64_t cellEnd = SaturatingAdd(begin + cell * bytesPerCell, bytesPerCell);
            const std::uint64_t upTo = std::min(to, cellEnd);
            cells[cell] += upTo - from;
            from = upTo;
        }
    };
    BlockSet::Place at = blocks_.Locate(begin);
    blocks_.Back(at);  // the block before `begin` may reach into it
    blocks_.VisitRuns(at, [&](BlockSet::Place run, std::uint64_t first, std::uint64_t last, std::uint64_t weight) {
        if (first >= end) return false;
        if (first >= begin && last <= end && (first - begin) / bytesPerCell == (last - 1 - begin) / bytesPerCell) {
            cells[(first - begin) / bytesPerCell] += weight;
            return true;
        }
        for (auto entry = blocks_.Get(run); entry && entry.Begin() < last; entry = blocks_.Get(run)) {
            add(entry.Begin(), entry.End());
            blocks_.Next(run);
        }
        return true;
    });
}

}  // namespace residue::model
