#include "model/block_order.hpp"

#include <algorithm>
#include <array>

namespace residue::model {

// 12 bytes: what is sorted, of which there are two copies. The rest waits by id.
struct BlockOrder::Item {
    std::uint32_t low;   // of where it begins
    std::uint32_t high;
    std::uint32_t id;
    std::uint64_t Begin() const { return std::uint64_t{high} << 32 | low; }
};

struct BlockOrder::ById {
    std::vector<std::uint32_t> weights;
    std::vector<AllocatorId> allocators;  // empty while there is but one
    AllocatorId firstAllocator{};
    AllocatorId AllocatorOf(std::uint32_t id) const { return allocators.empty() ? firstAllocator : allocators[id]; }
};

namespace {

constexpr std::uint32_t kLookEvery = 1 << 16;  // blocks between two looks at the cancel flag

bool Is(const std::atomic<bool>* flag) { return flag != nullptr && flag->load(std::memory_order_relaxed); }

void Tell(std::atomic<double>* progress, double value) {
    if (progress != nullptr) progress->store(value, std::memory_order_relaxed);
}

// Sorts by `digit(item)`, 11 bits of a key, and keeps the order of equals. Returns at once where all are equal.
template <class Item, class Digit>
void SortByDigit(std::vector<Item>& items, std::vector<Item>& spare, Digit digit) {
    constexpr std::size_t kValues = 1 << 11;
    std::array<std::size_t, kValues> starts{};
    for (const Item& item : items) ++starts[digit(item)];
    if (starts[digit(items.front())] == items.size()) return;
    std::size_t sum = 0;
    for (std::size_t& start : starts) sum += std::exchange(start, sum);
    spare.resize(items.size());
    for (const Item& item : items) spare[starts[digit(item)]++] = item;
    items.swap(spare);
}

// Gives small numbers to the kinds that occur.
class KindList {
public:
    std::uint16_t NumberOf(const BlockOrder::Kind& kind) {
        if (!list_.empty() && kind == list_[last_]) return last_;
        auto [at, fresh] = numbers_.try_emplace(kind, static_cast<std::uint16_t>(list_.size()));
        if (fresh && list_.size() == BlockOrder::kRare) {
            numbers_.erase(at);
            return BlockOrder::kRare;
        }
        if (fresh) list_.push_back(kind);
        return last_ = at->second;
    }
    std::vector<BlockOrder::Kind> Take() { return std::move(list_); }

private:
    std::map<BlockOrder::Kind, std::uint16_t> numbers_;
    std::vector<BlockOrder::Kind> list_;
    std::uint16_t last_ = 0;
};

}  // namespace

// Least significant digit first (Knuth, The Art of Computer Programming 3, 5.2.5): begins, then allocators. The items
// come in order of id, so that equal ones stay in it.
std::shared_ptr<const BlockOrder> BlockOrder::Build(const log::LogView& log, const std::atomic<bool>* cancelled,
                                                    std::atomic<double>* progress) {
    const auto order = std::make_shared<BlockOrder>();
    order->log_ = log;
    std::vector<Item> items;
    items.reserve(log.Blocks());
    ById byId;
    byId.weights.resize(std::size_t{log.Blocks()} + 1);
    order->seats_.resize(byId.weights.size());
    KindList kinds;
    for (std::uint32_t id = 1; id != 0 && id <= log.Blocks(); ++id) {
        if (id % kLookEvery == 0) {
            if (Is(cancelled)) return nullptr;
            Tell(progress, 0.5 * id / log.Blocks());
        }
        const log::LoggedEvent birth = log.Birth(BlockId{id});
        const auto entry = BlockEntry::Of(birth);
        if (!entry || entry->Weight() == 0) continue;
        const BlockParts its{entry->rounding, entry->padding, entry->slack, entry->header};
        const std::uint64_t weight = entry->Weight();
        byId.weights[id] = weight < kHeavy ? static_cast<std::uint32_t>(weight) : kHeavy;
        const AllocatorId allocator = birth.event.allocator;
        Seat& seat = order->seats_[id];
        seat.kind = entry->region ? kRare : kinds.NumberOf({its, allocator});
        seat.weight = static_cast<std::uint16_t>(std::min<std::uint64_t>(weight, kWide));
        if (items.empty()) byId.firstAllocator = allocator;
        if (allocator != byId.firstAllocator && byId.allocators.empty()) {
            byId.allocators.assign(order->seats_.size(), byId.firstAllocator);
        }
        if (!byId.allocators.empty()) byId.allocators[id] = allocator;
        items.push_back({static_cast<std::uint32_t>(entry->begin), static_cast<std::uint32_t>(entry->begin >> 32), id});
    }
    if (!items.empty()) {
        std::vector<Item> spare;
        for (int shift = 0; shift < 64; shift += 11) {
            if (Is(cancelled)) return nullptr;
            SortByDigit(items, spare, [&](const Item& item) -> std::size_t { return (item.Begin() >> shift) & 0x7ff; });
            Tell(progress, 0.5 + 0.05 * (shift / 11 + 1));
        }
        const auto allocator = [&](const Item& item) { return std::size_t{byId.allocators[item.id].value}; };
        if (!byId.allocators.empty()) {
            SortByDigit(items, spare, [&](const Item& item) { return allocator(item) & 0x7ff; });
            SortByDigit(items, spare, [&](const Item& item) { return allocator(item) >> 11; });
        }
    }
    order->kinds_ = kinds.Take();
    order->Store(items, byId);
    Tell(progress, 1);
    return order;
}

void BlockOrder::Store(const std::vector<Item>& items, const ById& byId) {
    const auto count = static_cast<std::uint32_t>(items.size());
    ids_.resize(count);
    offsets_.resize(count);
    weights_.resize(count);
    pieces_.reserve(count / kPieceRanks + 1);
    for (std::uint32_t rank = 0; rank < count; ++rank) {
        const Item& item = items[rank];
        if (rank % kPieceRanks == 0) {
            std::uint64_t least = item.Begin(), most = item.Begin();
            const std::uint32_t end = std::min(count - rank, kPieceRanks) + rank;
            for (std::uint32_t r = rank; r < end; ++r) {
                least = std::min(least, items[r].Begin());
                most = std::max(most, items[r].Begin());
            }
            Piece piece{least, kNarrow};
            if (most - least > std::numeric_limits<std::uint32_t>::max()) {
                piece.wide = wide_.size();
                for (std::uint32_t r = rank; r < end; ++r) wide_.push_back(items[r].Begin());
            }
            pieces_.push_back(piece);
        }
        ids_[rank] = item.id;
        seats_[item.id].rank = rank;
        offsets_[rank] = static_cast<std::uint32_t>(item.Begin() - pieces_.back().base);
        weights_[rank] = byId.weights[item.id];
        if (weights_[rank] == kHeavy) heavy_.emplace_hint(heavy_.end(), rank, Entry(rank).Weight());
        const AllocatorId allocator = byId.AllocatorOf(item.id);
        if (spans_.empty() || spans_.back().first != allocator) spans_.push_back({allocator, {rank, rank}});
        spans_.back().second.last = rank + 1;
    }
}

RankSpan BlockOrder::Of(AllocatorId allocator) const {
    const auto found = std::lower_bound(spans_.begin(), spans_.end(), allocator,
                                        [](const auto& span, AllocatorId id) { return span.first < id; });
    return found != spans_.end() && found->first == allocator ? found->second : RankSpan{};
}

AllocatorId BlockOrder::AllocatorOf(std::uint32_t rank) const {
    const auto behind = std::upper_bound(spans_.begin(), spans_.end(), rank,
                                         [](std::uint32_t r, const auto& span) { return r < span.second.first; });
    return (behind - 1)->first;
}

BlockEntry BlockOrder::Entry(std::uint32_t rank) const {
    // It has a rank, so it lies in the address space.
    return BlockEntry::Of(log_.Birth(BlockId{ids_[rank]})).value_or(BlockEntry{});
}

std::uint32_t BlockOrder::LowerBound(RankSpan span, std::uint64_t address) const {
    while (span.first < span.last) {
        const std::uint32_t middle = span.first + (span.last - span.first) / 2;
        if (Begin(middle) < address) span.first = middle + 1;
        else span.last = middle;
    }
    return span.first;
}

// Bentley and Yao, An almost optimal algorithm for unbounded searching (1976): steps that double, then halves.
std::uint32_t BlockOrder::LowerBoundFrom(std::uint32_t from, std::uint32_t last, std::uint64_t address) const {
    std::uint64_t step = 1;
    while (step <= last - from && Begin(from + static_cast<std::uint32_t>(step) - 1) < address) {
        from += static_cast<std::uint32_t>(step);
        step *= 2;
    }
    const auto reach = static_cast<std::uint32_t>(std::min<std::uint64_t>(last - from, step - 1));
    return LowerBound({from, from + reach}, address);
}

std::size_t BlockOrder::ResidentBytes() const {
    return sizeof(*this) + seats_.capacity() * sizeof(Seat) + kinds_.capacity() * sizeof(Kind) +
           (ids_.capacity() + offsets_.capacity() + weights_.capacity()) * 4 + pieces_.capacity() * sizeof(Piece) +
           wide_.capacity() * 8 + heavy_.size() * 48 + spans_.capacity() * sizeof(spans_[0]);
}

}  // namespace residue::model
