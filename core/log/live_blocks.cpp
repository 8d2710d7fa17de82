#include "log/live_blocks.hpp"

#include <algorithm>
#include <limits>

namespace residue::log {

namespace {

std::optional<LiveBlock> Copy(const LiveBlock* block) {
    if (block == nullptr) return std::nullopt;
    return *block;
}

std::optional<LiveBlock> Lower(const std::optional<LiveBlock>& a, const std::optional<LiveBlock>& b) {
    if (!a || !b) return a ? a : b;
    return a->begin < b->begin ? a : b;
}

std::optional<LiveBlock> Higher(const std::optional<LiveBlock>& a, const std::optional<LiveBlock>& b) {
    if (!a || !b) return a ? a : b;
    return a->begin > b->begin ? a : b;
}

}  // namespace

std::optional<LiveBlock> LiveBlocks::Around(std::uint64_t address) const {
    if (auto block = small_.Around(address)) return block;
    return Copy(others_.Around(address));
}

std::optional<LiveBlock> LiveBlocks::Find(std::uint64_t address) const {
    auto block = Around(address);
    if (block && block->address != address) block.reset();
    return block;
}

std::optional<LiveBlock> LiveBlocks::FirstTouching(std::uint64_t begin, std::uint64_t end) const {
    return Lower(small_.FirstTouching(begin, end), Copy(OtherTouching(begin, end)));
}

const LiveBlock* LiveBlocks::OtherTouching(std::uint64_t begin, std::uint64_t end) const {
    if (begin >= gapBegin_ && end <= gapEnd_) return nullptr;
    const LiveBlock* const found = others_.FirstTouching(begin, end);
    if (found != nullptr || begin >= end) return found;
    const LiveBlock* const before = others_.AtOrBefore(begin);
    gapBegin_ = before != nullptr ? before->end : 0;
    const LiveBlock* const after = others_.After(begin);
    gapEnd_ = after != nullptr ? after->begin : std::numeric_limits<std::uint64_t>::max();
    return nullptr;
}

std::optional<LiveBlock> LiveBlocks::Nearest(std::uint64_t address) const {
    const auto lower = Higher(small_.AtOrBefore(address), Copy(others_.AtOrBefore(address)));
    if (lower && lower->end > address) return lower;
    const auto upper = Lower(small_.After(address), Copy(others_.After(address)));
    if (!lower || !upper) return lower ? lower : upper;
    return address - (lower->end - 1) <= upper->begin - address ? lower : upper;
}

void LiveBlocks::Insert(const LiveBlock& block) {
    if (SmallBlocks::Takes(block)) return small_.Insert(block);
    others_.Insert(block);
    gapBegin_ = gapEnd_ = 0;
}

std::optional<LiveBlock> LiveBlocks::Remove(std::uint64_t address) {
    if (auto block = small_.Remove(address)) return block;
    const auto block = Copy(others_.Find(address));
    if (block) others_.Erase(block->begin);
    return block;
}

void LiveBlocks::Mark(const LiveBlock& block) {
    if (small_.SetMarks(block.address, block.resizing, block.region)) return;
    if (LiveBlock* const other = others_.Find(block.address)) {
        other->resizing = block.resizing;
        other->region = block.region;
    }
}

void LiveBlocks::Clear() {
    small_.Clear();
    others_.Clear();
    gapBegin_ = gapEnd_ = 0;
}

std::vector<LiveBlock> LiveBlocks::Touching(std::uint64_t begin, std::uint64_t end) const {
    std::vector<LiveBlock> all;
    for (auto next = small_.FirstTouching(begin, end); next; next = small_.After(next->begin)) {
        if (next->begin >= end) break;
        all.push_back(*next);
    }
    const auto small = static_cast<std::ptrdiff_t>(all.size());
    others_.VisitTouching(begin, end, [&](const LiveBlock& block) { all.push_back(block); });
    std::inplace_merge(all.begin(), all.begin() + small, all.end(),
                       [](const LiveBlock& a, const LiveBlock& b) { return a.begin < b.begin; });
    return all;
}

std::vector<LiveBlock> LiveBlocks::All() const { return Touching(0, std::numeric_limits<std::uint64_t>::max()); }

}  // namespace residue::log
