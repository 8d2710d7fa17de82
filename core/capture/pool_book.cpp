#include "capture/pool_book.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace residue::capture {

PoolBook::Pool* PoolBook::Find(AllocatorId id) {
    return id.value < pools_.size() ? pools_[id.value].get() : nullptr;
}

PoolBook::Pool& PoolBook::Create(AllocatorId id, AllocatorId parent) {
    if (id.value >= pools_.size()) pools_.resize(std::size_t{id.value} + 1);
    pools_[id.value] = std::make_unique<Pool>();
    pools_[id.value]->parent = parent;
    return *pools_[id.value];
}

void PoolBook::Destroy(AllocatorId id) {
    if (id.value < pools_.size()) pools_[id.value].reset();
}

std::vector<AllocatorId> PoolBook::All() const {
    std::vector<AllocatorId> all;
    for (std::size_t id = 0; id < pools_.size(); ++id) {
        if (pools_[id]) all.push_back(AllocatorId{static_cast<std::uint16_t>(id)});
    }
    return all;
}

void PoolBook::Grow(Pool& pool, std::uint64_t address, std::uint64_t size) {
    std::uint64_t begin = address, end = SaturatingAdd(address, size);
    if (begin == end) return;
    // Those that it touches become one with it.
    auto at = pool.regions.upper_bound(begin);
    if (at != pool.regions.begin() && std::prev(at)->second >= begin) --at;
    while (at != pool.regions.end() && at->first <= end) {
        begin = std::min(begin, at->first);
        end = std::max(end, at->second);
        at = pool.regions.erase(at);
    }
    pool.regions[begin] = end;
}

void PoolBook::Shrink(Pool& pool, std::uint64_t address, std::uint64_t size) {
    const std::uint64_t end = SaturatingAdd(address, size);
    auto at = pool.regions.upper_bound(address);
    if (at != pool.regions.begin() && std::prev(at)->second > address) --at;
    while (at != pool.regions.end() && at->first < end) {
        const auto [from, to] = *at;
        at = pool.regions.erase(at);
        if (from < address) pool.regions[from] = address;
        if (to > end) pool.regions[end] = to;
    }
}

bool PoolBook::Holds(const Pool& pool, std::uint64_t address, std::uint64_t size) {
    if (pool.regions.empty()) return true;
    const auto after = pool.regions.upper_bound(address);
    if (after == pool.regions.begin()) return false;
    return std::prev(after)->second >= SaturatingAdd(address, size);
}

}  // namespace residue::capture
