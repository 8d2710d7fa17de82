#include "analysis/mapped.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace residue::analysis {

void Mapped::Remove(std::uint64_t begin, std::uint64_t end) {
    auto at = ranges_.upper_bound(begin);
    if (at != ranges_.begin() && std::prev(at)->second > begin) --at;
    while (at != ranges_.end() && at->first < end) {
        const auto [from, to] = *at;
        at = ranges_.erase(at);
        bytes_ -= std::min(to, end) - std::max(from, begin);
        if (from < begin) ranges_[from] = begin;
        if (to > end) {
            ranges_[end] = to;
            break;
        }
    }
}

void Mapped::Apply(const events::Event& event) {
    std::uint64_t begin = event.address, end = SaturatingAdd(event.address, event.size);
    if (begin >= end) return;
    Remove(begin, end);
    if (event.kind != events::EventKind::RegionGrown) return;
    bytes_ += end - begin;
    if (const auto next = ranges_.find(end); next != ranges_.end()) {
        end = next->second;
        ranges_.erase(next);
    }
    const auto after = ranges_.upper_bound(begin);
    if (after != ranges_.begin() && std::prev(after)->second == begin) std::prev(after)->second = end;
    else ranges_[begin] = end;
}

void Mapped::MoveTo(const log::LogView& log, Row row) {
    const std::uint64_t count = log.SampledRegions();
    if (applied_ > count || (applied_ > 0 && log.SampledRegion(applied_ - 1) >= row)) *this = {};
    for (; applied_ < count && log.SampledRegion(applied_) < row; ++applied_) {
        Apply(log.At(log.SampledRegion(applied_)).event);
    }
}

std::vector<MappedRange> Mapped::Ranges() const {
    std::vector<MappedRange> ranges;
    for (const auto& [begin, end] : ranges_) ranges.push_back({begin, end});
    return ranges;
}

void MappedSteps::Update(const log::LogView& log) {
    const std::uint64_t count = log.SampledRegions();
    if (taken_ > count) *this = {};
    for (; taken_ < count; ++taken_) {
        const Row row = log.SampledRegion(taken_);
        mapped_.MoveTo(log, row + 1);
        const Position position = log.PositionOf(row);
        if (steps_.empty() || steps_.back().from != position) steps_.push_back({position, 0});
        steps_.back().bytes = mapped_.Bytes();
        most_ = std::max(most_, mapped_.Bytes());
    }
}

std::pair<std::uint64_t, std::uint64_t> MappedSteps::Between(Position from, Position to) const {
    auto at = std::upper_bound(steps_.begin(), steps_.end(), from,
                               [](Position position, const MappedStep& step) { return position < step.from; });
    const std::uint64_t before = at == steps_.begin() ? 0 : std::prev(at)->bytes;
    std::pair<std::uint64_t, std::uint64_t> range{before, before};
    for (; at != steps_.end() && at->from < to; ++at) {
        range.first = std::min(range.first, at->bytes);
        range.second = std::max(range.second, at->bytes);
    }
    return range;
}

}  // namespace residue::analysis
