#include "model/block_set.hpp"

#include <limits>

namespace residue::model {

BlockSet::Found BlockSet::Find(std::uint32_t id, std::uint64_t address, Place& at) const {
    if (order_) {
        const std::uint32_t rank = order_->RankOf(id);
        if (!InSpan(rank) || !present_.Has(rank - span_.first)) return {};
        const Found found = Of(rank);
        if (address < found.begin_ || address > found.end_) return {};
        at.rank = rank;
        return found;
    }
    // begin <= address <= end: the last block that begins there or before, or (a payload of no bytes at the very end
    // of its block) the one before that.
    at = Locate(address == std::numeric_limits<std::uint64_t>::max() ? address : address + 1);
    for (int tries = 0; tries < 2; ++tries) {
        const Found found = Back(at);
        if (!found) break;
        if (found.Id() == id) return found;
    }
    return {};
}

std::uint64_t BlockSet::WeightBefore(std::uint64_t address) const {
    if (!order_) return loose_.WeightBefore(address);
    return present_.WeightBefore(order_->LowerBound(span_, address) - span_.first,
                                 [&](std::uint32_t rank) { return order_->Weight(span_.first + rank); });
}

std::uint64_t BlockSet::WeightBetween(Place from, std::uint64_t begin, Place to, std::uint64_t end) const {
    if (!order_) return loose_.WeightBefore(end) - loose_.WeightBefore(begin);
    return present_.WeightBetween(from.rank - span_.first, to.rank - span_.first,
                                  [&](std::uint32_t rank) { return order_->Weight(span_.first + rank); });
}

}  // namespace residue::model
