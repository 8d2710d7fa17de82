#include "scenario/detail/blocks.hpp"

namespace residue::scenario::detail {
Blocks::Number Blocks::Add(const BlockRecord& record) {
    records_.push_back(record);
    const Number number = Count();
    byStart_[KeyOf(record.heap, record.address)] = number;
    byAddress_.emplace(std::pair(record.address, number), true);
    return number;
}

void Blocks::End(Number number, std::uint32_t diedAt, Death death) {
    BlockRecord& record = At(number);
    if (!record.live) return;
    record.live = false;
    record.diedAt = diedAt;
    record.death = death;
    const auto start = byStart_.find(KeyOf(record.heap, record.address));
    if (start != byStart_.end() && start->second == number) byStart_.erase(start);
    byAddress_.erase(std::pair(record.address, number));
}

Blocks::Number Blocks::Find(std::uint32_t heap, std::uint64_t address) const {
    const auto found = byStart_.find(KeyOf(heap, address));
    return found == byStart_.end() ? 0 : found->second;
}

Blocks::Number Blocks::LastAt(std::uint64_t address) const {
    for (std::size_t looked = 0; looked < records_.size() && looked < 10'000; ++looked) {
        const auto number = static_cast<Number>(records_.size() - looked);
        if (At(number).Holds(address, 1)) return number;
    }
    return 0;
}

std::vector<Blocks::Number> Blocks::LiveOf(std::uint32_t heap) const {
    std::vector<Number> numbers;
    for (const auto& [key, live] : byAddress_) {
        if (heap == 0 || At(key.second).heap == heap) numbers.push_back(key.second);
    }
    return numbers;
}

std::vector<Blocks::Number> Blocks::LiveIn(std::uint64_t begin, std::uint64_t end) const {
    std::vector<Number> numbers;
    // Blocks that begin before it may reach into it.
    auto at = byAddress_.lower_bound(std::pair(begin, Number{0}));
    for (std::size_t looked = 0; at != byAddress_.begin() && looked < kMostLookedAt; ++looked) --at;
    for (; at != byAddress_.end() && at->first.first < end; ++at) {
        const BlockRecord& record = At(at->first.second);
        if (record.address + record.size > begin) numbers.push_back(at->first.second);
    }
    return numbers;
}

}  // namespace residue::scenario::detail
