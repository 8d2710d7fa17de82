#include "log/sorted_blocks.hpp"

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

SortedBlocks::Leaf SortedBlocks::NewLeaf() {
    Leaf leaf;
    leaf.blocks = std::make_unique_for_overwrite<LiveBlock[]>(kLeafBlocks);
    leaf.offsets = std::make_unique_for_overwrite<std::int32_t[]>(kLeafBlocks);
    std::fill_n(leaf.offsets.get(), kLeafBlocks, kFar);
    return leaf;
}

void SortedBlocks::Measure(Leaf& leaf) {
    leaf.base = leaf.blocks[0].begin;
    for (std::size_t i = 0; i < kLeafBlocks; ++i) {
        leaf.offsets[i] = i < leaf.used ? OffsetOf(leaf, leaf.blocks[i].begin) : kFar;
    }
}

// The last one that begins at `address` or before it; the leaf's first one does.
std::size_t SortedBlocks::IndexIn(const Leaf& leaf, std::uint64_t address) {
    const std::int32_t offset = OffsetOf(leaf, address);
    if (offset == kFar) {
        const LiveBlock* const block =
            LastNotAbove(leaf.blocks.get(), leaf.used, address, [](const LiveBlock& b) { return b.begin; });
        return static_cast<std::size_t>(block - leaf.blocks.get());
    }
    // Four at a time: a compiler makes such vectors of a plain loop only where it is told to spend the code.
    typedef std::int32_t Four __attribute__((vector_size(16)));
    const Four sought = {offset, offset, offset, offset};
    Four notAbove = {};
    for (std::size_t i = 0; i < leaf.used; i += 4) {  // unused ones are kFar
        Four offsets;
        __builtin_memcpy(&offsets, leaf.offsets.get() + i, sizeof(offsets));
        notAbove -= offsets <= sought;
    }
    return static_cast<std::size_t>(notAbove[0] + notAbove[1] + notAbove[2] + notAbove[3]) - 1;
}

bool SortedBlocks::LastAtOrBefore(std::uint64_t address, Place& at) const {
    if (soughtIsGood_ && soughtAddress_ == address) {
        at = sought_;
        return true;
    }
    if (firsts_.empty() || firsts_[0] > address) return false;
    // Programs like to stay where they are.
    at.leaf = sought_.leaf;
    if (at.leaf >= firsts_.size() || firsts_[at.leaf] > address ||
        (at.leaf + 1 < firsts_.size() && firsts_[at.leaf + 1] <= address)) {
        const std::uint64_t* const first =
            LastNotAbove(firsts_.data(), firsts_.size(), address, [](std::uint64_t begin) { return begin; });
        at.leaf = static_cast<std::size_t>(first - firsts_.data());
    }
    at.index = IndexIn(leaves_[at.leaf], address);
    soughtAddress_ = address;
    sought_ = at;
    soughtIsGood_ = true;
    return true;
}

SortedBlocks::Place SortedBlocks::FirstEndingAfter(std::uint64_t address) const {
    Place at;
    if (LastAtOrBefore(address, at) && At(at).end <= address) Advance(at);
    return at;
}

LiveBlock* SortedBlocks::Around(std::uint64_t address) const {
    Place at;
    return LastAtOrBefore(address, at) && At(at).end > address ? &At(at) : nullptr;
}

LiveBlock* SortedBlocks::Find(std::uint64_t address) const {
    LiveBlock* const block = Around(address);
    return block != nullptr && block->address == address ? block : nullptr;
}

LiveBlock* SortedBlocks::FirstTouching(std::uint64_t begin, std::uint64_t end) const {
    const Place at = FirstEndingAfter(begin);
    return Valid(at) && At(at).begin < end ? &At(at) : nullptr;
}

const LiveBlock* SortedBlocks::AtOrBefore(std::uint64_t address) const {
    Place at;
    return LastAtOrBefore(address, at) ? &At(at) : nullptr;
}

const LiveBlock* SortedBlocks::After(std::uint64_t address) const {
    Place at;
    if (LastAtOrBefore(address, at)) Advance(at);
    return Valid(at) ? &At(at) : nullptr;
}

void SortedBlocks::Split(std::size_t leaf, bool atEnd) {
    // Addresses that only ascend fill leaves to the brim.
    const std::size_t keep = atEnd ? kLeafBlocks : kLeafBlocks / 2;
    Leaf upper = NewLeaf();
    Leaf& lower = leaves_[leaf];
    upper.used = lower.used - keep;
    std::copy(lower.blocks.get() + keep, lower.blocks.get() + lower.used, upper.blocks.get());
    lower.used = keep;
    std::fill(lower.offsets.get() + keep, lower.offsets.get() + kLeafBlocks, kFar);
    if (upper.used > 0) Measure(upper);
    const auto after = static_cast<std::ptrdiff_t>(leaf) + 1;
    firsts_.insert(firsts_.begin() + after,
                   upper.used > 0 ? upper.blocks[0].begin : 0);  // of an empty leaf: see Insert
    leaves_.insert(leaves_.begin() + after, std::move(upper));
}

void SortedBlocks::Insert(const LiveBlock& block) {
    Place at;
    if (leaves_.empty()) {
        leaves_.push_back(NewLeaf());
        firsts_.push_back(block.begin);
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
    std::int32_t* const offsets = leaf.offsets.get();
    std::copy_backward(blocks + at.index, blocks + leaf.used, blocks + leaf.used + 1);
    std::copy_backward(offsets + at.index, offsets + leaf.used, offsets + leaf.used + 1);
    blocks[at.index] = block;
    ++leaf.used;
    if (leaf.used == 1 || block.begin < leaf.base) Measure(leaf);
    else offsets[at.index] = OffsetOf(leaf, block.begin);
    firsts_[at.leaf] = blocks[0].begin;
    ++count_;
}

void SortedBlocks::Erase(std::uint64_t address) {
    Place at;
    if (!LastAtOrBefore(address, at)) return;
    soughtIsGood_ = false;
    Leaf& leaf = leaves_[at.leaf];
    LiveBlock* const blocks = leaf.blocks.get();
    std::int32_t* const offsets = leaf.offsets.get();
    std::copy(blocks + at.index + 1, blocks + leaf.used, blocks + at.index);
    std::copy(offsets + at.index + 1, offsets + leaf.used, offsets + at.index);
    --leaf.used;
    offsets[leaf.used] = kFar;
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
void SortedBlocks::MergeWithNext(std::size_t leaf) {
    if (leaf >= leaves_.size() || leaf + 1 >= leaves_.size()) return;
    Leaf& lower = leaves_[leaf];
    const Leaf& upper = leaves_[leaf + 1];
    if (lower.used + upper.used > kLeafBlocks / 2) return;
    std::copy(upper.blocks.get(), upper.blocks.get() + upper.used, lower.blocks.get() + lower.used);
    lower.used += upper.used;
    Measure(lower);
    leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(leaf) + 1);
    firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(leaf) + 1);
}

void SortedBlocks::Clear() {
    leaves_.clear();
    firsts_.clear();
    soughtIsGood_ = false;
    count_ = 0;
}

}  // namespace residue::log
