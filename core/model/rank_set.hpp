// A set of ranks (model/block_order.hpp), each with a weight, as bits: which blocks are live. A part of HeapModel.
//
// A tree of three fixed levels: a top of groups, groups of 64 leaves, leaves of 2,048 bits. An empty leaf or group is
// null, each level knows which of its children are not, so that the next member is found in a few steps however far
// away it is. Weights are summed a leaf and a group. Copies share the nodes that neither has written to since
// (model/shared.hpp): a checkpoint costs what changes until the next one, at most 1.2 bits for each rank.
//
// Cost: Has, Set, Clear, Next, Previous O(1) (ranks / 131,072 / 64 words of the top at worst); a copy O(ranks /
// 131,072). One thread; copies are independent.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

#include "model/block_order.hpp"
#include "model/shared.hpp"

namespace residue::model {

class RankSet {
public:
    static constexpr std::uint32_t kLeafRanks = 2048;
    static constexpr std::uint32_t kGroupRanks = 64 * kLeafRanks;

    std::uint64_t Weight() const { return weight_; }
    std::uint32_t Count() const { return count_; }

    bool Has(std::uint32_t rank) const {
        const Group* const group = GroupAt(rank);
        if (group == nullptr) return false;
        const auto& leaf = group->leaves[LeafIn(rank)];
        return leaf && ((leaf->words[WordIn(rank)] >> (rank % 64)) & 1) != 0;
    }
    // It is not a member yet.
    void Set(std::uint32_t rank, std::uint64_t weight) {
        const std::uint32_t at = rank / kGroupRanks;
        if (at >= top_.size()) {
            top_.resize(at + 1);
            filled_.resize(at / 64 + 1);
        }
        if (!top_[at].group) {
            top_[at].group = Shared<Group>::Make();
            filled_[at / 64] |= std::uint64_t{1} << (at % 64);
        }
        Group& group = top_[at].group.Own();
        const std::uint32_t l = LeafIn(rank);
        if (!group.leaves[l]) {
            group.leaves[l] = Shared<Leaf>::Make();
            group.filled |= std::uint64_t{1} << l;
        }
        Leaf& leaf = group.leaves[l].Own();
        leaf.words[WordIn(rank)] |= std::uint64_t{1} << (rank % 64);
        leaf.filled |= std::uint32_t{1} << WordIn(rank);
        group.weights[l] += weight;
        top_[at].weight += weight;
        weight_ += weight;
        ++count_;
    }
    // It is a member, of that weight.
    void Clear(std::uint32_t rank, std::uint64_t weight) {
        const std::uint32_t at = rank / kGroupRanks;
        Group& group = top_[at].group.Own();
        const std::uint32_t l = LeafIn(rank);
        Leaf& leaf = group.leaves[l].Own();
        group.weights[l] -= weight;
        top_[at].weight -= weight;
        weight_ -= weight;
        --count_;
        leaf.words[WordIn(rank)] &= ~(std::uint64_t{1} << (rank % 64));
        if (leaf.words[WordIn(rank)] != 0) return;
        leaf.filled &= ~(std::uint32_t{1} << WordIn(rank));
        if (leaf.filled != 0) return;
        group.leaves[l] = {};
        group.filled &= ~(std::uint64_t{1} << l);
        if (group.filled != 0) return;
        top_[at].group = {};
        filled_[at / 64] &= ~(std::uint64_t{1} << (at % 64));
    }

    [[gnu::always_inline]] void Prefetch(std::uint32_t rank) const {
        const Group* const group = GroupAt(rank);
        if (group == nullptr || !group->leaves[LeafIn(rank)]) return;
        const Leaf& leaf = *group->leaves[LeafIn(rank)];
        __builtin_prefetch(&leaf.filled);
        __builtin_prefetch(&leaf.words[WordIn(rank)]);
    }

    // The first member at `rank` or behind it; kNoRank: none.
    std::uint32_t Next(std::uint32_t rank) const {
        if (const Group* const group = GroupAt(rank)) {
            const std::uint32_t l = LeafIn(rank);
            if (group->leaves[l]) {
                const Leaf& leaf = *group->leaves[l];
                const std::uint32_t w = WordIn(rank);
                if (const std::uint64_t rest = leaf.words[w] >> (rank % 64)) return rank + Lowest(rest);
                if (const std::uint32_t words = Above(leaf.filled, w)) return FirstIn(leaf, LeafStart(rank), words);
            }
            if (const std::uint64_t leaves = Above(group->filled, l)) {
                return FirstInGroup(*group, rank / kGroupRanks, leaves);
            }
        }
        const std::uint32_t next = NextGroup(rank / kGroupRanks + 1);
        return next == kNoRank ? kNoRank : FirstInGroup(*top_[next].group, next, top_[next].group->filled);
    }
    // The last member before `rank`; kNoRank: none.
    std::uint32_t Previous(std::uint32_t rank) const {
        if (const Group* const group = GroupAt(rank)) {
            const std::uint32_t l = LeafIn(rank);
            if (group->leaves[l]) {
                const Leaf& leaf = *group->leaves[l];
                const std::uint32_t w = WordIn(rank);
                if (const std::uint64_t rest = leaf.words[w] & ((std::uint64_t{1} << (rank % 64)) - 1)) {
                    return rank / 64 * 64 + Highest(rest);
                }
                if (const std::uint32_t words = leaf.filled & ((std::uint32_t{1} << w) - 1)) {
                    return LastIn(leaf, LeafStart(rank), words);
                }
            }
            if (const std::uint64_t leaves = group->filled & ((std::uint64_t{1} << l) - 1)) {
                return LastInGroup(*group, rank / kGroupRanks, leaves);
            }
        }
        const std::uint32_t previous = PreviousGroup(rank / kGroupRanks);
        return previous == kNoRank ? kNoRank
                                   : LastInGroup(*top_[previous].group, previous, top_[previous].group->filled);
    }

    // The sum of the weights of all members before `rank`; weightOf(rank) tells each. O(groups + 64 + half a leaf).
    template <class WeightOf>
    std::uint64_t WeightBefore(std::uint32_t rank, WeightOf weightOf) const {
        const std::uint32_t at = rank / kGroupRanks;
        std::uint64_t sum = 0;
        for (std::uint32_t g = 0; g < at && g < top_.size(); ++g) sum += top_[g].weight;
        const Group* const group = GroupAt(rank);
        if (group == nullptr) return sum;
        for (std::uint32_t l = 0; l < LeafIn(rank); ++l) sum += group->weights[l];
        return sum + WeightInLeafBefore(*group, rank, weightOf);
    }
    // The same of the members in [begin, end): what lies between them costs, not what lies before.
    template <class WeightOf>
    std::uint64_t WeightBetween(std::uint32_t begin, std::uint32_t end, WeightOf weightOf) const {
        if (begin >= end) return 0;
        if (begin / kGroupRanks != end / kGroupRanks)
            return WeightBefore(end, weightOf) - WeightBefore(begin, weightOf);
        const Group* const group = GroupAt(begin);
        if (group == nullptr) return 0;
        if (LeafIn(begin) == LeafIn(end)) return WeightInLeaf(*group, begin, end, weightOf);
        std::uint64_t sum = WeightInLeafBefore(*group, end, weightOf);
        for (std::uint32_t l = LeafIn(begin); l < LeafIn(end); ++l) sum += group->weights[l];
        return sum - WeightInLeafBefore(*group, begin, weightOf);
    }

    // Leaf by leaf, from the one around `rank`: visit(first member, last member, sum of weights); false stops.
    template <class Visit>
    void VisitLeaves(std::uint32_t rank, Visit&& visit) const {
        for (std::uint32_t r = Next(LeafStart(rank)); r != kNoRank;) {
            const Group& group = *GroupAt(r);
            const std::uint32_t last = LastIn(*group.leaves[LeafIn(r)], LeafStart(r), ~std::uint32_t{0});
            if (!visit(r, last, group.weights[LeafIn(r)])) return;
            r = Next(last + 1);
        }
    }

    // Does either share what the other has at this place, or have the same there? Both may be of any history.
    bool operator==(const RankSet& other) const {
        if (count_ != other.count_ || weight_ != other.weight_) return false;
        std::uint32_t a = Next(0), b = other.Next(0);
        for (; a == b && a != kNoRank; a = Next(a + 1), b = other.Next(b + 1)) {}
        return a == b;
    }

    // What a copy costs before anything is written to it.
    std::size_t CopyBytes() const { return top_.capacity() * sizeof(Top) + filled_.capacity() * 8; }

private:
    struct Leaf {
        Leaf() = default;
        Leaf(const Leaf& other) : filled(other.filled), words(other.words) {}
        std::atomic<std::uint32_t> holders{1};
        std::uint32_t filled = 0;  // bit w: words[w] is not 0
        std::array<std::uint64_t, kLeafRanks / 64> words{};
    };
    struct Group {
        Group() = default;
        Group(const Group& other) : filled(other.filled), weights(other.weights), leaves(other.leaves) {}
        std::atomic<std::uint32_t> holders{1};
        std::uint64_t filled = 0;  // bit l: leaves[l] is not null
        std::array<std::uint64_t, 64> weights{};
        std::array<Shared<Leaf>, 64> leaves;
    };
    struct Top {
        Shared<Group> group;
        std::uint64_t weight = 0;
    };

    // Of the members in [begin, end), which lie in one leaf of `group`; `end` may be the next one's start.
    template <class WeightOf>
    static std::uint64_t WeightInLeaf(const Group& group, std::uint32_t begin, std::uint32_t end, WeightOf weightOf) {
        const auto& leaf = group.leaves[LeafIn(begin)];
        if (!leaf || begin == end) return 0;
        const std::uint32_t start = LeafStart(begin), first = WordIn(begin), last = WordIn(end - 1);
        std::uint64_t sum = 0;
        for (std::uint32_t w = first; w <= last; ++w) {
            std::uint64_t word = leaf->words[w];
            if (w == first) word &= ~std::uint64_t{0} << (begin % 64);
            if (w == last) word &= ~std::uint64_t{0} >> (63 - (end - 1) % 64);
            for (; word != 0; word &= word - 1) sum += weightOf(start + w * 64 + Lowest(word));
        }
        return sum;
    }
    // From the nearer end of the leaf.
    template <class WeightOf>
    static std::uint64_t WeightInLeafBefore(const Group& group, std::uint32_t rank, WeightOf weightOf) {
        const std::uint32_t start = LeafStart(rank);
        if (rank - start <= kLeafRanks / 2) return WeightInLeaf(group, start, rank, weightOf);
        return group.weights[LeafIn(rank)] - WeightInLeaf(group, rank, start + kLeafRanks, weightOf);
    }

    static std::uint32_t LeafIn(std::uint32_t rank) { return rank % kGroupRanks / kLeafRanks; }
    static std::uint32_t WordIn(std::uint32_t rank) { return rank % kLeafRanks / 64; }
    static std::uint32_t LeafStart(std::uint32_t rank) { return rank / kLeafRanks * kLeafRanks; }
    template <class Word>
    static std::uint32_t Lowest(Word bits) { return static_cast<std::uint32_t>(std::countr_zero(bits)); }
    template <class Word>
    static std::uint32_t Highest(Word bits) { return static_cast<std::uint32_t>(std::bit_width(bits)) - 1; }
    // The bits above number `bit`.
    template <class Word>
    static Word Above(Word bits, std::uint32_t bit) { return bits & ~((Word{2} << bit) - 1); }

    const Group* GroupAt(std::uint32_t rank) const {
        const std::uint32_t at = rank / kGroupRanks;
        return at < top_.size() && top_[at].group ? &*top_[at].group : nullptr;
    }
    static std::uint32_t FirstIn(const Leaf& leaf, std::uint32_t start, std::uint32_t words) {
        const std::uint32_t w = Lowest(words & leaf.filled);
        return start + w * 64 + Lowest(leaf.words[w]);
    }
    static std::uint32_t LastIn(const Leaf& leaf, std::uint32_t start, std::uint32_t words) {
        const std::uint32_t w = Highest(words & leaf.filled);
        return start + w * 64 + Highest(leaf.words[w]);
    }
    static std::uint32_t FirstInGroup(const Group& group, std::uint32_t at, std::uint64_t leaves) {
        const std::uint32_t l = Lowest(leaves);
        return FirstIn(*group.leaves[l], at * kGroupRanks + l * kLeafRanks, ~std::uint32_t{0});
    }
    static std::uint32_t LastInGroup(const Group& group, std::uint32_t at, std::uint64_t leaves) {
        const std::uint32_t l = Highest(leaves);
        return LastIn(*group.leaves[l], at * kGroupRanks + l * kLeafRanks, ~std::uint32_t{0});
    }
    std::uint32_t NextGroup(std::uint32_t at) const {  // the first at `at` or behind it
        std::size_t word = at / 64;
        if (word >= filled_.size()) return kNoRank;
        std::uint64_t rest = filled_[word] >> (at % 64) << (at % 64);
        while (rest == 0) {
            if (++word == filled_.size()) return kNoRank;
            rest = filled_[word];
        }
        return static_cast<std::uint32_t>(word) * 64 + Lowest(rest);
    }
    std::uint32_t PreviousGroup(std::uint32_t at) const {  // the last before `at`
        if (filled_.empty()) return kNoRank;
        std::size_t word = at / 64;
        std::uint64_t rest = 0;
        if (word >= filled_.size()) {
            word = filled_.size() - 1;
            rest = filled_[word];
        } else {
            rest = filled_[word] & ((std::uint64_t{1} << (at % 64)) - 1);
        }
        while (rest == 0) {
            if (word-- == 0) return kNoRank;
            rest = filled_[word];
        }
        return static_cast<std::uint32_t>(word) * 64 + Highest(rest);
    }

    std::vector<Top> top_;
    std::vector<std::uint64_t> filled_;  // bit g: top_[g] has a group
    std::uint64_t weight_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace residue::model
