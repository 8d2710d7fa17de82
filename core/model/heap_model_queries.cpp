// What is asked of the model; none of it changes anything.
#include <algorithm>

#include "model/heap_model_state.hpp"

namespace residue::model {

void HeapModel::VisitBlocks(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                            const std::function<bool(const Block&)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->VisitBlocks(begin, end, visit);
}

void HeapModel::VisitExtents(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                             const std::function<bool(const BlockExtent&)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->VisitExtents(begin, end, visit);
}

void HeapModel::VisitDead(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                          const std::function<bool(const Block&)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->VisitDead(begin, end, visit);
}

void HeapModel::VisitHoles(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                           const std::function<bool(const Hole&)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->VisitHoles(begin, end, visit);
}

std::optional<Block> HeapModel::BlockAt(AllocatorId allocator, std::uint64_t address) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->BlockAt(address) : std::nullopt;
}

std::optional<Block> HeapModel::NextBlock(AllocatorId allocator, std::uint64_t address) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->NextBlock(address) : std::nullopt;
}

std::optional<Block> HeapModel::PreviousBlock(AllocatorId allocator, std::uint64_t address) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->PreviousBlock(address) : std::nullopt;
}

std::optional<Hole> HeapModel::HoleAt(AllocatorId allocator, std::uint64_t address) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->HoleAt(address) : std::nullopt;
}

std::optional<Hole> HeapModel::LargestHole(AllocatorId allocator) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->LargestHole() : std::nullopt;
}

void HeapModel::VisitRegionBlocks(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                                  const std::function<bool(const Block&)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->VisitRegionBlocks(begin, end, visit);
}

void HeapModel::VisitChildrenIn(BlockId block, const std::function<bool(AllocatorId)>& visit) const {
    for (auto mark = state_->marks.lower_bound({block.value, 0}); mark != state_->marks.end(); ++mark) {
        if (mark->block != block.value || !visit(AllocatorId{mark->child})) return;
    }
}

void HeapModel::VisitRegions(AllocatorId allocator, std::uint64_t begin, std::uint64_t end,
                             const std::function<bool(const Region&)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->VisitRegions(begin, end, visit);
}

std::vector<Region> HeapModel::Regions(AllocatorId allocator) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->Regions() : std::vector<Region>{};
}

std::pair<std::uint64_t, std::uint64_t> HeapModel::Span(AllocatorId allocator) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->Span() : std::pair<std::uint64_t, std::uint64_t>{0, 0};
}

std::uint64_t HeapModel::OccupiedBytes(AllocatorId allocator, std::uint64_t begin, std::uint64_t end) const {
    const AllocatorHeap* heap = state_->HeapOf(allocator);
    return heap ? heap->OccupiedBytes(begin, end) : 0;
}

void HeapModel::FillCells(AllocatorId allocator, std::span<const std::uint64_t> edges, unsigned looks,
                          std::span<CellContent> cells) const {
    std::fill(cells.begin(), cells.end(), CellContent{});
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->FillCells(edges, looks, cells);
}

void HeapModel::AddOccupancy(AllocatorId allocator, std::uint64_t begin, std::uint64_t bytesPerCell,
                             std::span<std::uint64_t> cells) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->AddOccupancy(begin, bytesPerCell, cells);
}

void HeapModel::VisitHoleSizes(AllocatorId allocator,
                               const std::function<void(std::uint64_t size, std::uint64_t count)>& visit) const {
    if (const AllocatorHeap* heap = state_->HeapOf(allocator)) heap->SizesOfHoles().VisitAll(visit);
}

}  // namespace residue::model
