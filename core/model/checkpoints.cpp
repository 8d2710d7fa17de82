#include "model/checkpoints.hpp"

#include <algorithm>

namespace residue::model {
namespace {

// What taking a copy costs, in steps, however many blocks live. The copy itself takes some 10 us (it shares the blocks:
// 8 us for 10^6 live, and a bit for each that was ever born: 8 us for 5 * 10^6), about 30 steps; the rest is for the
// nodes that the first steps from it copy.
constexpr std::uint64_t kStepsPerCopy = 128;

std::uint64_t Distance(Row a, Row b) { return a > b ? a - b : b - a; }

std::uint64_t LiveBlocks(const HeapModel& heap) {
    std::uint64_t blocks = 0;
    for (const auto& allocator : heap.Allocators()) blocks += allocator.totals.blocks;
    return blocks;
}

}  // namespace

Checkpoints::Checkpoints(std::uint64_t spacingRows, std::uint64_t mostBlocks)
    : spacing_(std::max<std::uint64_t>(spacingRows, 1)), mostBlocks_(mostBlocks) {}

void Checkpoints::Offer(const HeapModel& heap) {
    {
        const std::lock_guard lock(lock_);
        const Row last = kept_.empty() ? Row{} : kept_.back().row;
        if (heap.Applied() < last + spacing_) return;
    }
    auto copy = std::make_shared<const HeapModel>(heap);  // outside the lock: it may be large
    const std::uint64_t blocks = LiveBlocks(*copy) + 1;
    const std::lock_guard lock(lock_);
    kept_.push_back({copy->Applied(), blocks, std::move(copy)});
    blocks_ += blocks;
    while (blocks_ > mostBlocks_ && kept_.size() > 1) Thin();
}

void Checkpoints::Thin() {
    std::vector<Kept> fewer;
    blocks_ = 0;
    for (std::size_t i = 1; i < kept_.size(); i += 2) {
        blocks_ += kept_[i].blocks;
        fewer.push_back(std::move(kept_[i]));
    }
    kept_ = std::move(fewer);
    spacing_ *= 2;
}

std::shared_ptr<const HeapModel> Checkpoints::Closer(Row from, Row target) const {
    const std::lock_guard lock(lock_);
    const auto after = std::lower_bound(kept_.begin(), kept_.end(), target,
                                        [](const Kept& kept, Row row) { return kept.row < row; });
    const Kept* best = nullptr;
    std::uint64_t cost = Distance(from, target);
    const auto consider = [&](const Kept& kept) {
        const std::uint64_t its = Distance(kept.row, target) + kStepsPerCopy;
        if (its < cost) {
            cost = its;
            best = &kept;
        }
    };
    if (after != kept_.end()) consider(*after);
    if (after != kept_.begin()) consider(*(after - 1));
    return best != nullptr ? best->heap : nullptr;
}

std::size_t Checkpoints::Count() const {
    const std::lock_guard lock(lock_);
    return kept_.size();
}

}  // namespace residue::model
