// An ordered set of small entries: a B+ tree of three fixed levels (top -> groups of <= 64 leaves -> leaves of <= 64
// entries), with the sum of the entries' weights a leaf and a group.
//
// Cost: find, insert, erase O(log n) with some cache misses (10^6 entries: about 500 groups in the top); sum of the
// weights before a key O(groups + 128); a copy O(groups): leaves are shared until one of the copies changes them.
// Thread: one; copies are independent.
//
//     struct Entry { std::uint64_t Key() const; std::uint64_t Weight() const; };   // trivially copyable, keys unique
//     OrderedChunks<Entry> set;
//     set.Insert(set.Locate(entry.Key()), entry);
//     for (auto at = set.Locate(100); const Entry* entry = set.Get(at); set.Next(at)) ...   // keys >= 100
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "model/shared.hpp"

namespace residue::model {

template <class Entry>
class OrderedChunks {
    static_assert(std::is_trivially_copyable_v<Entry>);

public:
    static constexpr std::uint32_t kLeafEntries = 64;
    static constexpr std::uint32_t kGroupLeaves = 64;

    // A place among the entries: of an entry, or just behind the last one of a leaf. Any change invalidates it.
    struct Place {
        std::uint32_t group = 0;
        std::uint32_t leaf = 0;
        std::uint32_t entry = 0;
    };

    std::uint64_t Count() const noexcept { return count_; }
    std::uint64_t Weight() const noexcept { return weight_; }
    // What a copy costs before anything is written to it.
    std::size_t CopyBytes() const noexcept { return top_.capacity() * sizeof(Top); }

    // Where `key` is or would be: everything before it is smaller. Get() there gives the first entry that is not.
    Place Locate(std::uint64_t key) const {
        if (top_.empty()) return {};
        Place at;
        const auto top = std::upper_bound(top_.begin(), top_.end(), key,
                                          [](std::uint64_t k, const Top& t) { return k < t.first; });
        at.group = top == top_.begin() ? 0 : static_cast<std::uint32_t>(top - top_.begin() - 1);
        const Group& group = *top_[at.group].group;
        const auto* firsts = group.firsts.data();
        const auto* leaf = std::upper_bound(firsts, firsts + group.count, key);
        at.leaf = leaf == firsts ? 0 : static_cast<std::uint32_t>(leaf - firsts - 1);
        const Leaf& entries = *group.leaves[at.leaf];
        const auto* entry = std::lower_bound(entries.entries, entries.entries + entries.count, key,
                                             [](const Entry& e, std::uint64_t k) { return e.Key() < k; });
        at.entry = static_cast<std::uint32_t>(entry - entries.entries);
        return at;
    }

    // The entry at a place, or the next one when the place is behind a leaf's last; null at the end. Moves `at` there.
    const Entry* Get(Place& at) const {
        if (at.group >= top_.size()) return nullptr;
        const Group* group = &*top_[at.group].group;
        const Leaf* leaf = &*group->leaves[at.leaf];
        if (at.entry < leaf->count) return &leaf->entries[at.entry];
        Place next{at.group, at.leaf + 1, 0};
        if (next.leaf == group->count) next = {at.group + 1, 0, 0};
        if (next.group == top_.size()) return nullptr;
        at = next;
        return &top_[at.group].group->leaves[at.leaf]->entries[0];
    }
    const Entry* Peek(Place at) const { return Get(at); }

    void Next(Place& at) const { ++at.entry; }

    // The entry before a place; null at the beginning. Moves `at` there.
    const Entry* Back(Place& at) const {
        if (at.group >= top_.size()) return nullptr;
        if (at.entry == 0) {
            if (at.leaf == 0) {
                if (at.group == 0) return nullptr;
                --at.group;
                at.leaf = top_[at.group].group->count;
            }
            --at.leaf;
            at.entry = top_[at.group].group->leaves[at.leaf]->count;
        }
        --at.entry;
        return &top_[at.group].group->leaves[at.leaf]->entries[at.entry];
    }
    const Entry* PeekBack(Place at) const { return Back(at); }

    const Entry* Last() const {
        if (top_.empty()) return nullptr;
        const Group& group = *top_.back().group;
        const Leaf& leaf = *group.leaves[group.count - 1];
        return &leaf.entries[leaf.count - 1];
    }

    // `at` is Locate(entry.Key()), and no entry has that key.
    void Insert(Place at, const Entry& entry) {
        if (top_.empty()) {
            top_.push_back({entry.Key(), 0, Shared<Group>::Make()});
            Group& group = top_[0].group.Own();
            group.count = 1;
            group.firsts[0] = entry.Key();
            group.weights[0] = 0;
            group.leaves[0] = Shared<Leaf>::Make();
        }
        if (top_[at.group].group->leaves[at.leaf]->count == kLeafEntries) at = SplitLeaf(at);
        Group& group = top_[at.group].group.Own();
        Leaf& leaf = group.leaves[at.leaf].Own();
        std::memmove(static_cast<void*>(leaf.entries + at.entry + 1), leaf.entries + at.entry,
                     (leaf.count - at.entry) * sizeof(Entry));
        leaf.entries[at.entry] = entry;
        ++leaf.count;
        group.firsts[at.leaf] = leaf.entries[0].Key();
        top_[at.group].first = group.firsts[0];
        group.weights[at.leaf] += entry.Weight();
        top_[at.group].weight += entry.Weight();
        weight_ += entry.Weight();
        ++count_;
    }

    // `at` is the place of an entry.
    void Erase(Place at) {
        Group& group = top_[at.group].group.Own();
        Leaf& leaf = group.leaves[at.leaf].Own();
        const std::uint64_t weight = leaf.entries[at.entry].Weight();
        group.weights[at.leaf] -= weight;
        top_[at.group].weight -= weight;
        weight_ -= weight;
        --count_;
        --leaf.count;
        std::memmove(static_cast<void*>(leaf.entries + at.entry), leaf.entries + at.entry + 1,
                     (leaf.count - at.entry) * sizeof(Entry));
        if (leaf.count == 0) {
            RemoveLeaf(group, at.leaf);
            if (group.count == 0) {
                top_.erase(top_.begin() + at.group);
                return;
            }
        } else {
            group.firsts[at.leaf] = leaf.entries[0].Key();
            if (at.leaf + 1 < group.count) MergeLeaves(group, at.leaf);
        }
        top_[at.group].first = group.firsts[0];
        if (at.group + 1 < top_.size()) MergeGroups(at.group);
    }

    // Puts `entry` in the place of one with the same key.
    void Replace(Place at, const Entry& entry) {
        Group& group = top_[at.group].group.Own();
        Entry& old = group.leaves[at.leaf].Own().entries[at.entry];
        const std::uint64_t change = entry.Weight() - old.Weight();  // modulo 2^64, as the sums are
        old = entry;
        group.weights[at.leaf] += change;
        top_[at.group].weight += change;
        weight_ += change;
    }

    // The sum of the weights of all entries with a smaller key.
    std::uint64_t WeightBefore(std::uint64_t key) const {
        if (top_.empty()) return 0;
        const Place at = Locate(key);
        std::uint64_t sum = 0;
        for (std::uint32_t g = 0; g < at.group; ++g) sum += top_[g].weight;
        const Group& group = *top_[at.group].group;
        for (std::uint32_t l = 0; l < at.leaf; ++l) sum += group.weights[l];
        const Leaf& leaf = *group.leaves[at.leaf];
        for (std::uint32_t e = 0; e < at.entry; ++e) sum += leaf.entries[e].Weight();
        return sum;
    }

    // The entry in which the running sum of weights passes `weight`; null where all of them together do not.
    const Entry* AtWeight(std::uint64_t weight) const {
        for (const Top& top : top_) {
            if (weight >= top.weight) { weight -= top.weight; continue; }
            for (std::uint32_t l = 0; l < top.group->count; ++l) {
                if (weight >= top.group->weights[l]) { weight -= top.group->weights[l]; continue; }
                const Leaf& leaf = *top.group->leaves[l];
                for (std::uint32_t e = 0; e < leaf.count; ++e) {
                    if (weight < leaf.entries[e].Weight()) return &leaf.entries[e];
                    weight -= leaf.entries[e].Weight();
                }
            }
        }
        return nullptr;
    }

    // Runs of neighbouring entries, a leaf at a time: visit(place of the first, entries, count, sum of weights); false
    // stops.
    template <class Visit>
    void VisitLeaves(Place from, Visit&& visit) const {
        for (; from.group < top_.size(); from.leaf = 0, ++from.group) {
            const Group& group = *top_[from.group].group;
            for (; from.leaf < group.count; ++from.leaf) {
                const Leaf& leaf = *group.leaves[from.leaf];
                const Place first{from.group, from.leaf, 0};
                if (!visit(first, leaf.entries, leaf.count, group.weights[from.leaf])) return;
            }
        }
    }

    // The same entries in the same order (whatever the shape of the tree).
    bool SameEntries(const OrderedChunks& other) const {
        if (count_ != other.count_) return false;
        Place a, b;
        for (std::uint64_t i = 0; i < count_; ++i, Next(a), other.Next(b)) {
            if (!(*Get(a) == *other.Get(b))) return false;
        }
        return true;
    }

private:
    struct Leaf {
        Leaf() = default;
        Leaf(const Leaf& other) : count(other.count) {
            std::memcpy(static_cast<void*>(entries), other.entries, count * sizeof(Entry));
        }
        std::atomic<std::uint32_t> holders{1};
        std::uint32_t count = 0;
        Entry entries[kLeafEntries];
    };
    struct Group {
        Group() = default;
        Group(const Group& other)
            : count(other.count), firsts(other.firsts), weights(other.weights), leaves(other.leaves) {}
        std::atomic<std::uint32_t> holders{1};
        std::uint32_t count = 0;
        std::array<std::uint64_t, kGroupLeaves> firsts{};   // key of each leaf's first entry
        std::array<std::uint64_t, kGroupLeaves> weights{};
        std::array<Shared<Leaf>, kGroupLeaves> leaves;
    };
    struct Top {
        std::uint64_t first = 0;
        std::uint64_t weight = 0;
        Shared<Group> group;
    };

    static std::uint64_t Sum(const Leaf& leaf) {
        std::uint64_t sum = 0;
        for (std::uint32_t e = 0; e < leaf.count; ++e) sum += leaf.entries[e].Weight();
        return sum;
    }
    static std::uint64_t Sum(const Group& group) {
        std::uint64_t sum = 0;
        for (std::uint32_t l = 0; l < group.count; ++l) sum += group.weights[l];
        return sum;
    }

    // Makes room at a full leaf: halves it, or opens a new one behind it when `at` is its end (so that ascending keys
    // fill leaves to the brim). Returns where the entry goes now.
    Place SplitLeaf(Place at) {
        if (top_[at.group].group->count == kGroupLeaves) at = SplitGroup(at);
        Group& group = top_[at.group].group.Own();
        for (std::uint32_t l = group.count; l > at.leaf + 1; --l) {
            group.leaves[l] = std::move(group.leaves[l - 1]);
            group.firsts[l] = group.firsts[l - 1];
            group.weights[l] = group.weights[l - 1];
        }
        ++group.count;
        group.leaves[at.leaf + 1] = Shared<Leaf>::Make();
        Leaf& upper = group.leaves[at.leaf + 1].Own();
        if (at.entry == kLeafEntries) {
            group.weights[at.leaf + 1] = 0;
            return {at.group, at.leaf + 1, 0};
        }
        Leaf& lower = group.leaves[at.leaf].Own();
        constexpr std::uint32_t kHalf = kLeafEntries / 2;
        upper.count = kLeafEntries - kHalf;
        std::memcpy(static_cast<void*>(upper.entries), lower.entries + kHalf, upper.count * sizeof(Entry));
        lower.count = kHalf;
        group.firsts[at.leaf + 1] = upper.entries[0].Key();
        group.weights[at.leaf + 1] = Sum(upper);
        group.weights[at.leaf] -= group.weights[at.leaf + 1];
        if (at.entry <= kHalf) return at;
        return {at.group, at.leaf + 1, at.entry - kHalf};
    }

    Place SplitGroup(Place at) {
        const bool atEnd = at.leaf + 1 == kGroupLeaves;
        const std::uint32_t keep = atEnd ? kGroupLeaves - 1 : kGroupLeaves / 2;
        top_.insert(top_.begin() + at.group + 1, Top{0, 0, Shared<Group>::Make()});
        Group& lower = top_[at.group].group.Own();
        Group& upper = top_[at.group + 1].group.Own();
        for (std::uint32_t l = keep; l < kGroupLeaves; ++l) {
            upper.leaves[l - keep] = std::move(lower.leaves[l]);
            upper.firsts[l - keep] = lower.firsts[l];
            upper.weights[l - keep] = lower.weights[l];
        }
        upper.count = kGroupLeaves - keep;
        lower.count = keep;
        top_[at.group + 1].first = upper.firsts[0];
        top_[at.group + 1].weight = Sum(upper);
        top_[at.group].weight -= top_[at.group + 1].weight;
        if (at.leaf < keep) return at;
        return {at.group + 1, at.leaf - keep, at.entry};
    }

    static void RemoveLeaf(Group& group, std::uint32_t at) {
        for (std::uint32_t l = at; l + 1 < group.count; ++l) {
            group.leaves[l] = std::move(group.leaves[l + 1]);
            group.firsts[l] = group.firsts[l + 1];
            group.weights[l] = group.weights[l + 1];
        }
        --group.count;
        group.leaves[group.count] = Shared<Leaf>();
    }

    // Half-empty neighbours become one: a heap that shrinks gives its memory back.
    static void MergeLeaves(Group& group, std::uint32_t at) {
        const Leaf& next = *group.leaves[at + 1];
        if (group.leaves[at]->count + next.count > kLeafEntries / 2) return;
        Leaf& leaf = group.leaves[at].Own();
        std::memcpy(static_cast<void*>(leaf.entries + leaf.count), next.entries, next.count * sizeof(Entry));
        leaf.count += next.count;
        group.weights[at] += group.weights[at + 1];
        RemoveLeaf(group, at + 1);
    }

    void MergeGroups(std::uint32_t at) {
        if (top_[at].group->count + top_[at + 1].group->count > kGroupLeaves / 2) return;
        Group& group = top_[at].group.Own();
        Group& next = top_[at + 1].group.Own();
        for (std::uint32_t l = 0; l < next.count; ++l) {
            group.leaves[group.count] = std::move(next.leaves[l]);
            group.firsts[group.count] = next.firsts[l];
            group.weights[group.count] = next.weights[l];
            ++group.count;
        }
        top_[at].weight += top_[at + 1].weight;
        top_.erase(top_.begin() + at + 1);
    }

    std::vector<Top> top_;
    std::uint64_t count_ = 0;
    std::uint64_t weight_ = 0;
};

}  // namespace residue::model
