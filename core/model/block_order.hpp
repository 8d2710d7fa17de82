// All blocks that a log ever had, in order of allocator and address (then of birth): a block is a rank in it, and a
// heap at some moment is a set of ranks (model/rank_set.hpp). Made once from a log that is whole, then never changed.
//
// Cost: building some 100 ns a block (a radix sort; 28 bytes a block while it runs); 20 bytes a block to keep. RankOf,
// Begin, End and IdAt O(1); LowerBound O(log blocks); Entry reads the log. Any thread reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "log/event_log.hpp"
#include "model/block_entry.hpp"

namespace residue::model {

inline constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

// What a block's bytes are beside its payload.
struct BlockParts {
    std::uint64_t rounding = 0;
    std::uint32_t padding = 0;
    std::uint32_t slack = 0;
    std::uint16_t header = 0;
    std::uint64_t Sum() const { return rounding + padding + slack + header; }
    friend auto operator<=>(const BlockParts&, const BlockParts&) = default;
};

struct RankSpan {
    std::uint32_t first = 0;
    std::uint32_t last = 0;  // one past
};

class BlockOrder {
public:
    // Of all blocks in `log`. Null when cancelled. `progress`: 0..1.
    static std::shared_ptr<const BlockOrder> Build(const log::LogView& log,
                                                   const std::atomic<bool>* cancelled = nullptr,
                                                   std::atomic<double>* progress = nullptr);

    Row Rows() const { return log_.Rows(); }  // of the log that it was made from: for rows before that it holds
    // The rank of a block; kNoRank for one that was born later, has no bytes, or lies outside of the address space.
    std::uint32_t RankOf(std::uint32_t id) const { return id < seats_.size() ? seats_[id].rank : kNoRank; }

    // What stepping over a block's birth or death takes, side by side in memory.
    struct Seat {
        std::uint32_t rank = kNoRank;
        std::uint16_t kind = kRare;   // for KindOf()
        std::uint16_t weight = kWide;  // bytes set aside; kWide: Weight(rank) knows
    };
    static constexpr std::uint16_t kRare = std::numeric_limits<std::uint16_t>::max(), kWide = kRare;
    // What blocks of one kind have in common.
    struct Kind {
        BlockParts parts;
        AllocatorId allocator{};
        friend auto operator<=>(const Kind&, const Kind&) = default;
    };
    // kRare: it is a child's region, or its kind is like nobody's: the log knows.
    Seat SeatOf(std::uint32_t id) const { return id < seats_.size() ? seats_[id] : Seat{}; }
    const Kind& KindOf(std::uint16_t kind) const { return kinds_[kind]; }
    std::uint64_t WeightOf(const Seat& seat) const { return seat.weight != kWide ? seat.weight : Weight(seat.rank); }
    [[gnu::always_inline]] void PrefetchSeat(std::uint32_t id) const {
        if (id < seats_.size()) __builtin_prefetch(&seats_[id]);
    }
    [[gnu::always_inline]] void Prefetch(std::uint32_t rank) const {
        __builtin_prefetch(&weights_[rank]);
        __builtin_prefetch(&offsets_[rank]);
    }

    // Said by whoever has walked the whole log: no block was born over a live one.
    void SayDisjoint() const { disjoint_.store(true, std::memory_order_relaxed); }
    bool KnownDisjoint() const { return disjoint_.load(std::memory_order_relaxed); }
    RankSpan Of(AllocatorId allocator) const;
    AllocatorId AllocatorOf(std::uint32_t rank) const;

    // rank: of some span.
    std::uint32_t IdAt(std::uint32_t rank) const { return ids_[rank]; }
    std::uint64_t Begin(std::uint32_t rank) const {
        const Piece& piece = pieces_[rank / kPieceRanks];
        return piece.wide == kNarrow ? piece.base + offsets_[rank] : wide_[piece.wide + rank % kPieceRanks];
    }
    std::uint64_t Weight(std::uint32_t rank) const {
        return weights_[rank] != kHeavy ? weights_[rank] : heavy_.at(rank);
    }
    std::uint64_t End(std::uint32_t rank) const { return Begin(rank) + Weight(rank); }
    BlockEntry Entry(std::uint32_t rank) const;  // as it was born
    // The first rank in `span` that begins at `address` or behind it; span.last: none.
    std::uint32_t LowerBound(RankSpan span, std::uint64_t address) const;
    // The same where everything before `from` begins before `address`: O(log how far away it is).
    std::uint32_t LowerBoundFrom(std::uint32_t from, std::uint32_t last, std::uint64_t address) const;

    std::size_t ResidentBytes() const;

private:
    struct Item;
    struct ById;
    struct Piece {
        std::uint64_t base = 0;
        std::size_t wide = kNarrow;  // where its begins are in wide_, if they lie too far apart for 32 bits
    };
    static constexpr std::uint32_t kPieceRanks = 1024;
    static constexpr std::size_t kNarrow = std::numeric_limits<std::size_t>::max();
    static constexpr std::uint32_t kHeavy = std::numeric_limits<std::uint32_t>::max();

    void Store(const std::vector<Item>& items, const ById& byId);

    log::LogView log_;
    std::vector<Seat> seats_;             // by id
    std::vector<Kind> kinds_;
    std::vector<std::uint32_t> ids_;      // by rank
    std::vector<std::uint32_t> offsets_;  // of a block's begin from its piece's base
    std::vector<std::uint32_t> weights_;  // bytes set aside
    std::vector<Piece> pieces_;
    std::vector<std::uint64_t> wide_;
    std::map<std::uint32_t, std::uint64_t> heavy_;                 // 4 GiB and more
    std::vector<std::pair<AllocatorId, RankSpan>> spans_;          // by allocator
    mutable std::atomic<bool> disjoint_{false};
};

}  // namespace residue::model
