#include "log/live_blocks.hpp"

#include <algorithm>
#include <utility>

namespace residue::log {

namespace {

// The last of `count` ascending items whose key is not above `value`; the first one's is not. Without a branch that
// depends on a key: addresses are random, and each branch would be mispredicted half of the time.
template <class T, class Key>
const T* LastNotAbove(const T* items, std::size_t count, std::uint64_t value, Key key) {
    while (count > 1) {
        const std::size_t half = count / 2;
        items += half * static_cast<std::size_t>(key(items[half]) <= value);
        count -= half;
    }
    return items;
}

}  // namespace

bool LiveBlocks::LastAtOrBefore(std::uint64_t address, Place& at) const {
    if (soughtIsGood_ && soughtAddress_ == address) {
        at = sought_;
        return true;
    }
    if (firsts_.empty() || firsts_[0] > address) return false;
    const std::uint64_t* const first =
        LastNotAbove(firsts_.data(), firsts_.size(), address, [](std::uint64_t begin) { return begin; });
    at.leaf = static_cast<std::size_t>(first - firsts_.data());
    const Leaf& leaf = leaves_[at.leaf];
    const LiveBlock* const block =
        LastNotAbove(leaf.blocks.get(), leaf.used, address, [](const LiveBlock& b) { return b.begin; });
    at.index = static_cast<std::size_t>(block - leaf.blocks.get());
    soughtAddress_ = address;
    sought_ = at;
    soughtIsGood_ = true;
    return true;
}

LiveBlocks::Place LiveBlocks::FirstEndingAfter(std::uint64_t address) const {
    Place at;
    if (LastAtOrBefore(address, at) && At(at).end <= address) Advance(at);
    return at;
}

LiveBlock* LiveBlocks::Around(std::uint64_t address) {
    Place at;
    return LastAtOrBefore(address, at) && At(at).end > address ? &At(at) : nullptr;
}

LiveBlock* LiveBlocks::Find(std::uint64_t address) {
    LiveBlock* const block = Around(address);
    return block != nullptr && block->address == address ? block : nullptr;
}

LiveBlock* LiveBlocks::FirstTouching(std::uint64_t begin, std::uint64_t end) {
    const Place at = FirstEndingAfter(begin);
    return Valid(at) && At(at).begin < end ? &At(at) : nullptr;
}

LiveBlock* LiveBlocks::Nearest(std::uint64_t address) {
    Place below;
    if (!LastAtOrBefore(address, below)) return leaves_.empty() ? nullptr : &leaves_[0].blocks[0];
    LiveBlock& lower = At(below);
    Place above = below;
    Advance(above);
    if (lower.end > address || !Valid(above)) return &lower;
    return address - (lower.end - 1) <= At(above).begin - address ? &lower : &At(above);
}

void LiveBlocks::Split(std::size_t leaf, bool atEnd) {
    // Addresses that only ascend fill leaves to the brim.
    const std::size_t keep = atEnd ? kLeafBlocks : kLeafBlocks / 2;
    Leaf upper;
    upper.blocks = std::make_unique_for_overwrite<LiveBlock[]>(kLeafBlocks);
    Leaf& lower = leaves_[leaf];
    upper.used = lower.used - keep;
    std::copy(lower.blocks.get() + keep, lower.blocks.get() + lower.used, upper.blocks.get());
    lower.used = keep;
    const auto after = static_cast<std::ptrdiff_t>(leaf) + 1;
    firsts_.insert(firsts_.begin() + after, upper.blocks[0].begin);  // of an empty leaf: set by Insert
    leaves_.insert(leaves_.begin() + after, std::move(upper));
}

void LiveBlocks::Insert(const LiveBlock& block) {
    Place at;
    if (leaves_.empty()) {
        leaves_.emplace_back();
        firsts_.push_back(block.begin);
        leaves_[0].blocks = std::make_unique_for_overwrite<LiveBlock[]>(kLeafBlocks);
    } else if (LastAtOrBefore(block.begin, at)) {
        ++at.index;
    }
    soughtIsGood_ = false;
    if (leaves_[at.leaf].used == kLeafBlocks) {
        const bool atEnd = at.index == kLeafBlocks && at.leaf + 1 == leaves_.size();
        Split(at.leaf, atEnd);
        if (at.index > leaves_[at.leaf].used || atEnd) at = {at.leaf + 1, at.index - leaves_[at.leaf].used};
    }
    Leaf& leaf = leaves_[at.leaf];
    LiveBlock* const blocks = leaf.blocks.get();
    std::copy_backward(blocks + at.index, blocks + leaf.used, blocks + leaf.used + 1);
    blocks[at.index] = block;
    ++leaf.used;
    firsts_[at.leaf] = blocks[0].begin;
    ++count_;
}

void LiveBlocks::Erase(std::uint64_t address) {
    Place at;
    if (!LastAtOrBefore(address, at)) return;
    soughtIsGood_ = false;
    Leaf& leaf = leaves_[at.leaf];
    LiveBlock* const blocks = leaf.blocks.get();
    std::copy(blocks + at.index + 1, blocks + leaf.used, blocks + at.index);
    --leaf.used;
    --count_;
    if (leaf.used == 0) {
        leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(at.leaf));
        firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(at.leaf));
        return;
    }
    firsts_[at.leaf] = blocks[0].begin;
    if (leaf.used < kLeafBlocks / 4) MergeWithNext(at.leaf + 1 < leaves_.size() ? at.leaf : at.leaf - 1);
}

// So that few blocks do not keep many leaves. (Wraps to a leaf that is not there when there is only one.)
void LiveBlocks::MergeWithNext(std::size_t leaf) {
    if (leaf >= leaves_.size() || leaf + 1 >= leaves_.size()) return;
    Leaf& lower = leaves_[leaf];
    const Leaf& upper = leaves_[leaf + 1];
    if (lower.used + upper.used > kLeafBlocks / 2) return;
    std::copy(upper.blocks.get(), upper.blocks.get() + upper.used, lower.blocks.get() + lower.used);
    lower.used += upper.used;
    leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(leaf) + 1);
    firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(leaf) + 1);
}

void LiveBlocks::Clear() {
    leaves_.clear();
    firsts_.clear();
    soughtIsGood_ = false;
    count_ = 0;
}

}  // namespace residue::log
