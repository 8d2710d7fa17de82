#include "log/block_table.hpp"

namespace residue::log {

std::uint64_t BlockTable::FarBirth(std::size_t index) const {
    const std::size_t at = farBirths_.PartitionPoint(farBirths_.Size(),
                                                     [&](const FarBlock& block) { return block.index < index; });
    return farBirths_[at].born;
}

// The row was written before the block was marked, but a reader may see the mark first: then it finds it behind the
// lock.
std::uint64_t BlockTable::FarDeath(std::size_t index) const {
    const std::lock_guard lock(lock_);
    const auto found = farDeaths_.find(index);
    return found == farDeaths_.end() ? kAlive : found->second;
}

std::size_t BlockTable::BornBefore(std::size_t size, std::uint64_t row) const {
    std::size_t low = 0;
    while (size > 0) {
        const std::size_t half = size / 2;
        if (Born(low + half) < row) {
            low += half + 1;
            size -= half + 1;
        } else {
            size = half;
        }
    }
    return low;
}

std::size_t BlockTable::ResidentBytes() const {
    const std::lock_guard lock(lock_);
    return blocks_.ResidentBytes() + bases_.ResidentBytes() + farBirths_.ResidentBytes() + farDeaths_.size() * 48;
}

}  // namespace residue::log
