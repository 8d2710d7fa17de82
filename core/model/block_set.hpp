// The blocks of one allocator, live and dead, in order of address: disjoint, none empty. A part of AllocatorHeap.
//
// Two forms with one face. Loose: the entries themselves, in an ordered tree; any block can come. Ordered: ranks of a
// BlockOrder, a bit each; only blocks that the order has can come (Takes), the rest of an entry is read from the log.
//
// Cost: loose: O(log blocks). Ordered: O(1) where the block is known, O(log blocks ever) by address.
#pragma once

#include <cstdint>
#include <memory>

#include "model/block_entry.hpp"
#include "model/block_order.hpp"
#include "model/ordered_chunks.hpp"
#include "model/rank_set.hpp"

namespace residue::model {

class BlockSet {
public:
    using Loose = OrderedChunks<BlockEntry>;

    // Where an entry is or would be. Any change invalidates it.
    struct Place {
        Loose::Place loose;
        std::uint32_t rank = 0;
    };

    // An entry at its place; false where there is none. Good until the set changes.
    class Found {
    public:
        explicit operator bool() const { return there_; }
        std::uint64_t Begin() const { return begin_; }
        std::uint64_t End() const { return end_; }
        std::uint32_t Id() const { return loose_ != nullptr ? loose_->id : order_->IdAt(rank_); }
        bool Dead() const { return dead_; }
        // All of it. `region` is as at its birth: what has become of it, AllocatorHeap knows.
        BlockEntry Entry() const {
            if (loose_ != nullptr) return *loose_;
            BlockEntry entry = order_->Entry(rank_);
            entry.dead = dead_;
            return entry;
        }

    private:
        friend class BlockSet;
        const BlockEntry* loose_ = nullptr;
        const BlockOrder* order_ = nullptr;
        std::uint64_t begin_ = 0, end_ = 0;
        std::uint32_t rank_ = 0;
        bool there_ = false, dead_ = false;
    };

    // While it is empty: from now on it refers to `order`.
    void Use(std::shared_ptr<const BlockOrder> order, AllocatorId allocator) {
        order_ = std::move(order);
        span_ = order_->Of(allocator);
    }
    bool IsOrdered() const { return order_ != nullptr; }
    bool Takes(std::uint32_t id) const { return !order_ || InSpan(order_->RankOf(id)); }

    // Where `entry` is or would be; it takes it.
    Place PlaceFor(const BlockEntry& entry) const {
        if (order_) return {{}, order_->RankOf(entry.id)};
        return {loose_.Locate(entry.begin), 0};
    }
    // Everything before it begins before `address`.
    Place Locate(std::uint64_t address) const {
        if (order_) return {{}, order_->LowerBound(span_, address)};
        return {loose_.Locate(address), 0};
    }
    // The same for an address at or behind that of `from`: O(log how far away it is) where it is ordered.
    Place LocateFrom(Place from, std::uint64_t address) const {
        if (order_) return {{}, order_->LowerBoundFrom(from.rank, span_.last, address)};
        return {loose_.Locate(address), 0};
    }
    // The entry of block `id`, which holds the payload `address` (at its end, if the payload has no bytes).
    Found Find(std::uint32_t id, std::uint64_t address, Place& at) const;
    // Is it there, and not dead?
    bool IsLive(std::uint32_t id) const {  // ordered only
        const std::uint32_t rank = order_->RankOf(id);
        return InSpan(rank) && present_.Has(rank - span_.first) &&
               (dead_.Count() == 0 || !dead_.Has(rank - span_.first));
    }

    // The entry at a place or the next one; moves `at` there.
    Found Get(Place& at) const {
        if (!order_) return Of(loose_.Get(at.loose));
        if (at.rank >= span_.last) return {};
        const std::uint32_t next = present_.Next(at.rank - span_.first);
        if (next == kNoRank) return {};
        at.rank = span_.first + next;
        return Of(at.rank);
    }
    Found Peek(Place at) const { return Get(at); }
    // The entry before a place; moves `at` there.
    Found Back(Place& at) const {
        if (!order_) return Of(loose_.Back(at.loose));
        const std::uint32_t previous = present_.Previous(at.rank - span_.first);
        if (previous == kNoRank) return {};
        at.rank = span_.first + previous;
        return Of(at.rank);
    }
    Found PeekBack(Place at) const { return Back(at); }
    void Next(Place& at) const {
        if (order_) ++at.rank;
        else loose_.Next(at.loose);
    }
    Found First() const { return Peek(Place{{}, span_.first}); }
    Found Last() const {
        if (!order_) return Of(loose_.Last());
        return PeekBack(Place{{}, span_.last});
    }

    void Insert(const Place& at, const BlockEntry& entry) {
        if (!order_) return loose_.Insert(at.loose, entry);
        present_.Set(at.rank - span_.first, entry.Weight());
        if (entry.dead) dead_.Set(at.rank - span_.first, 0);
    }
    // Of an entry that is there.
    void Erase(const Place& at) {
        if (!order_) return loose_.Erase(at.loose);
        const std::uint32_t rank = at.rank - span_.first;
        present_.Clear(rank, order_->Weight(at.rank));
        if (dead_.Count() != 0 && dead_.Has(rank)) dead_.Clear(rank, 0);
    }
    // `entry` is the one there, with another `dead` or `region`.
    void Change(const Place& at, const BlockEntry& entry) {
        if (!order_) return loose_.Replace(at.loose, entry);
        const std::uint32_t rank = at.rank - span_.first;
        const bool dead = dead_.Count() != 0 && dead_.Has(rank);
        if (entry.dead && !dead) dead_.Set(rank, 0);
        if (!entry.dead && dead) dead_.Clear(rank, 0);
    }

    // Ordered only, for who knows the rank (model/block_order.hpp). Set: it is not there; Clear: it is, and not dead.
    bool Has(std::uint32_t rank) const { return InSpan(rank) && present_.Has(rank - span_.first); }
    bool AnyDead() const { return dead_.Count() != 0; }
    void Set(std::uint32_t rank, std::uint64_t weight) { present_.Set(rank - span_.first, weight); }
    void Clear(std::uint32_t rank, std::uint64_t weight) { present_.Clear(rank - span_.first, weight); }
    [[gnu::always_inline]] void Prefetch(std::uint32_t rank) const { present_.Prefetch(rank - span_.first); }

    std::uint64_t Count() const { return order_ ? present_.Count() : loose_.Count(); }
    // The bytes of all entries that begin before `address`.
    std::uint64_t WeightBefore(std::uint64_t address) const;
    // Of all that begin in [begin, end); `from` and `to` are where these are.
    std::uint64_t WeightBetween(Place from, std::uint64_t begin, Place to, std::uint64_t end) const;
    // Runs of neighbouring entries: visit(place of the first, its begin, end of the last, bytes of all); false stops.
    template <class Visit>
    void VisitRuns(Place from, Visit&& visit) const {
        if (!order_) {
            loose_.VisitLeaves(from.loose, [&](Loose::Place at, const BlockEntry* entries, std::uint32_t count,
                                               std::uint64_t weight) {
                return visit(Place{at, 0}, entries[0].begin, entries[count - 1].End(), weight);
            });
            return;
        }
        if (from.rank >= span_.last) return;
        present_.VisitLeaves(from.rank - span_.first, [&](std::uint32_t first, std::uint32_t last,
                                                          std::uint64_t weight) {
            return visit(Place{{}, span_.first + first}, order_->Begin(span_.first + first),
                         order_->End(span_.first + last), weight);
        });
    }

    std::size_t CopyBytes() const {  // what a copy costs before anything is written to it
        return order_ ? present_.CopyBytes() + dead_.CopyBytes() : loose_.CopyBytes();
    }
    // Both are of the same form, and hold the same.
    bool SameForm(const BlockSet& other) const { return order_ == other.order_; }
    bool operator==(const BlockSet& other) const {
        return order_ ? present_ == other.present_ && dead_ == other.dead_ : loose_.SameEntries(other.loose_);
    }

private:
    bool InSpan(std::uint32_t rank) const { return rank >= span_.first && rank < span_.last; }
    static Found Of(const BlockEntry* entry) {
        Found found;
        if (entry == nullptr) return found;
        found.loose_ = entry;
        found.begin_ = entry->begin;
        found.end_ = entry->End();
        found.there_ = true;
        found.dead_ = entry->dead;
        return found;
    }
    Found Of(std::uint32_t rank) const {
        Found found;
        found.order_ = order_.get();
        found.begin_ = order_->Begin(rank);
        found.end_ = found.begin_ + order_->Weight(rank);
        found.rank_ = rank;
        found.there_ = true;
        found.dead_ = dead_.Count() != 0 && dead_.Has(rank - span_.first);
        return found;
    }

    Loose loose_;
    std::shared_ptr<const BlockOrder> order_;
    RankSpan span_;
    RankSet present_;  // ranks within the span
    RankSet dead_;     // of those present
};

}  // namespace residue::model
