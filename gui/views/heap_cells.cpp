#include "gui/views/heap_cells.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "model/nesting.hpp"

namespace residue::gui {

namespace {

constexpr unsigned kSamples = 4;

// A range of addresses and whose blocks are looked at there.
struct Span {
    std::uint64_t begin = 0, end = 0;
    AllocatorId allocator{};
};

// Cuts [begin, end) of the owner's heap into spans, in address order, at the heaps that lie in its blocks.
void AddSpans(const model::HeapModel& heap, AllocatorId owner, std::uint64_t begin, std::uint64_t end, int depth,
              std::size_t& nests, CellWork& work, std::vector<Span>& spans) {
    std::uint64_t at = begin;
    if (depth < model::kDeepestNest) {
        // One more than may be looked into, to know whether there are more.
        for (const model::Nest& nest : model::NestsIn(heap, owner, begin, end, nests + 1)) {
            if (nests == 0) {
                work.crowded = true;
                break;
            }
            --nests;
            ++work.queries;
            const std::uint64_t from = std::max(begin, nest.begin), to = std::min(end, nest.usableEnd);
            if (from >= to) continue;
            if (from > at) spans.push_back({at, from, owner});
            AddSpans(heap, nest.child, from, to, depth + 1, nests, work, spans);
            at = to;
        }
    }
    if (at < end) spans.push_back({at, end, owner});
}

// The cells from number `first` on, each from the sum of what lies in it and a look at a few of its blocks. `end`: of
// the row; its last edge is 0 at the very end of the address space.
void SweepCells(const model::HeapModel& heap, const std::vector<Span>& spans, const std::vector<std::uint64_t>& edges,
                std::uint64_t end, std::size_t first, CellWork& work, std::vector<HeapCell>& cells) {
    const std::size_t count = cells.size();
    const auto edge = [&](std::size_t i) { return i == count ? end : edges[i]; };
    std::vector<std::uint64_t> most(count, 0);  // overlap of the sample
    std::vector<std::uint64_t> own;             // edges within the span
    std::vector<model::CellContent> contents;
    for (std::size_t i = first; i < count; ++i) cells[i].occupied = 0, cells[i].sample = {};
    std::size_t cell = first;
    for (const Span& span : spans) {
        if (span.end <= edge(first)) continue;
        while (cell + 1 < count && edge(cell + 1) <= span.begin) ++cell;
        std::size_t behind = cell;
        own.assign(1, std::max(span.begin, edge(cell)));
        while (behind < count && edge(behind) < span.end) own.push_back(std::min(edge(++behind), span.end));
        contents.resize(own.size() - 1);
        heap.FillCells(span.allocator, own, kSamples, contents);
        work.queries += contents.size();
        for (std::size_t i = 0; i < contents.size(); ++i) {
            HeapCell& target = cells[cell + i];
            target.occupied += contents[i].occupied;
            if (contents[i].sampleBytes <= most[cell + i]) continue;
            most[cell + i] = contents[i].sampleBytes;
            target.sample = contents[i].sample;
        }
    }
}

}  // namespace

CellWork ComputeRow(const model::HeapModel& heap, AllocatorId allocator, const HeapLayout& layout,
                    std::uint64_t address, std::int64_t cellWidth, std::vector<HeapCell>& cells) {
    CellWork work;
    const std::int64_t width = layout.Shape().width;
    cellWidth = std::max<std::int64_t>(cellWidth, 1);
    const std::size_t count = static_cast<std::size_t>((width + cellWidth - 1) / cellWidth);
    cells.assign(count, {});
    // Only reused within a call; a row's cells change at every zoom.
    std::vector<std::uint64_t> edges(count + 1);
    for (std::size_t i = 0; i <= count; ++i) {
        const std::int64_t x = std::min(width, static_cast<std::int64_t>(i) * cellWidth);
        edges[i] = layout.FirstInColumn(address, x);
    }
    const std::uint64_t rowBegin = layout.RowBegin(address);
    const std::uint64_t rowLast = layout.RowLast(address);
    edges.front() = rowBegin;
    edges.back() = rowLast + 1;  // 0 at the very end of the address space; differences stay right
    for (std::size_t i = 0; i < count; ++i) cells[i].bytes = edges[i + 1] - edges[i];

    const std::uint64_t visitEnd = SaturatingAdd(rowLast, 1);
    const std::uint64_t limit = 4 * count;
    std::vector<Span> spans;
    std::size_t nests = count;
    AddSpans(heap, allocator, rowBegin, visitEnd, 0, nests, work, spans);
    std::uint64_t largest = 0;  // overlap of the sample of cell `open`
    std::size_t open = 0;
    std::size_t done = count;  // cells from here on are still to be computed
    for (std::size_t s = 0; s < spans.size() && done == count; ++s) {
        const Span& span = spans[s];
        heap.VisitExtents(span.allocator, span.begin, span.end, [&](const model::BlockExtent& block) {
            const std::uint64_t begin = std::max(block.begin, span.begin);
            const std::uint64_t end = std::min(block.end, span.end);
            if (end <= begin) return true;
            while (open + 1 < count && edges[open + 1] <= begin) ++open, largest = 0;
            if (++work.visited > limit) {
                done = open;
                return false;
            }
            for (std::size_t i = open; i < count && edges[i] < end; ++i) {
                const std::uint64_t from = std::max(begin, edges[i]);
                const std::uint64_t to = i + 1 == count ? end : std::min(end, edges[i + 1]);
                if (to <= from) continue;
                if (i > open) open = i, largest = 0;
                cells[i].occupied += to - from;
                if (to - from > largest) {
                    largest = to - from;
                    cells[i].sample = block.id;
                }
            }
            return true;
        });
    }
    if (done < count) SweepCells(heap, spans, edges, visitEnd, done, work, cells);
    return work;
}

}  // namespace residue::gui
