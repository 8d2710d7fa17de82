#include "model/checkpoints.hpp"

#include <algorithm>
#include <utility>

#include "model/shared.hpp"

namespace residue::model {
namespace {

// What starting from a copy costs, in steps, however many blocks live. The copy itself takes some 10 us (it shares the
// blocks), about 30 steps; the rest is for the nodes that the first steps from it copy.
constexpr std::uint64_t kStepsPerCopy = 128;

std::uint64_t Distance(Row a, Row b) { return a > b ? a - b : b - a; }

}  // namespace

Checkpoints::Checkpoints(Budget budget) : budget_(budget), madeBefore_(bytesOfNodesMade) {
    budget_.spacingRows = std::max<std::uint64_t>(budget_.spacingRows, 1);
}

void Checkpoints::Offer(const HeapModel& heap) {
    const Row row = heap.Applied();
    // The first one early: from then on a seek starts from a heap of this form, however few rows there are to it.
    const bool early = row < last_ + budget_.spacingRows;
    if (early && (any_ || row.value == 0)) return;
    const auto made = static_cast<std::int64_t>(bytesOfNodesMade - madeBefore_);  // less than 0: more was freed
    const std::uint64_t cost = static_cast<std::uint64_t>(std::max<std::int64_t>(made, 0)) + heap.CopyBytes();
    {
        const std::lock_guard lock(lock_);
        if (bytes_ + cost > budget_.allowance + budget_.perRow * row.value) return;
    }
    auto copy = std::make_shared<const HeapModel>(heap);  // outside the lock: it may be large
    if (!early) last_ = row;
    any_ = true;
    madeBefore_ = bytesOfNodesMade;
    const std::lock_guard lock(lock_);
    bytes_ += cost;
    kept_.push_back({row, std::move(copy)});
}

void Checkpoints::Take(Checkpoints&& other) {
    std::vector<Kept> old;  // it may be large: freed when the lock is
    const std::lock_guard lock(lock_);
    old.swap(kept_);
    kept_ = std::move(other.kept_);
    budget_ = other.budget_;
    bytes_ = other.bytes_;
    last_ = other.last_;
    any_ = other.any_;
    madeBefore_ = bytesOfNodesMade;
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

std::uint64_t Checkpoints::Bytes() const {
    const std::lock_guard lock(lock_);
    return bytes_;
}

}  // namespace residue::model
