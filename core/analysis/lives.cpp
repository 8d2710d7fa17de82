#include "analysis/lives.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/checked.hpp"

namespace residue::analysis {
namespace {

constexpr std::uint32_t kLookEvery = 1 << 15;
constexpr std::uint32_t kMost = 4096;
constexpr std::uint64_t kGranule = 64 * 1024;

bool Is(const std::atomic<bool>* flag) { return flag != nullptr && flag->load(std::memory_order_relaxed); }

// One block's share of a row of cells, over columns [from, to) in fractions of a column: what it adds to each cell is
// written as what changes from one to the next, so that a long life costs no more than a short one.
void Cover(double* change, double from, double to, double share) {
    const auto first = static_cast<std::size_t>(from), last = static_cast<std::size_t>(to);
    if (first == last) {
        change[first] += (to - from) * share;
        change[first + 1] -= (to - from) * share;
        return;
    }
    const double head = static_cast<double>(first + 1) - from, tail = to - static_cast<double>(last);
    change[first] += head * share;
    change[first + 1] += (1 - head) * share;
    change[last] -= (1 - tail) * share;
    change[last + 1] -= tail * share;
}

}  // namespace

std::optional<LivesPicture> MakeLives(const log::LogView& log, const LivesRequest& asked, const BlockFilter& filter,
                                      const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    LivesPicture picture{asked, {}, 0, 0};
    LivesRequest& request = picture.request;
    request.columns = std::clamp(request.columns, 1u, kMost);
    request.rows = std::clamp(request.rows, 1u, kMost);
    request.bytesPerRow = std::max<std::uint64_t>(request.bytesPerRow, 1);
    request.to = std::max(request.to, request.from + 1);
    const std::size_t stride = std::size_t{request.columns} + 2;
    std::vector<double> changes(stride * request.rows);
    const FilterCheck check(log, filter);
    const bool filtered = filter.Any();
    const auto columnOf = [&](Position position) {
        const double at = static_cast<double>(std::clamp(position, request.from, request.to) - request.from);
        return at * request.columns / static_cast<double>(request.to - request.from);
    };
    const auto span = CheckedMultiply(request.bytesPerRow, std::uint64_t{request.rows});
    const std::uint64_t end = SaturatingAdd(request.begin, span.value_or(BlockFilter::kNoLimit));
    const std::uint32_t blocks = log.Blocks();
    for (std::uint32_t id = 1; id != 0 && id <= blocks; ++id) {
        if (id % kLookEvery == 0) {
            if (Is(cancelled)) return std::nullopt;
            if (progress != nullptr) progress->store(double(id) / blocks, std::memory_order_relaxed);
        }
        const log::LoggedEvent birth = log.Birth(BlockId{id});
        const events::Event& event = birth.event;
        if (event.allocator != request.allocator || event.Begin() >= end || event.End() <= request.begin) continue;
        const log::BlockLife life = log.Life(BlockId{id});
        const Position born = log.PositionOf(life.born);
        const Position died = life.died.value == log::kNever ? log.Positions() + 1 : log.PositionOf(life.died);
        if (born >= request.to || died <= request.from) continue;
        ++picture.blocks;
        if (filtered && !check.Passes(birth, life)) {
            ++picture.hidden;
            continue;
        }
        const double from = columnOf(born), to = columnOf(died);
        for (std::uint64_t at = std::max(event.Begin(), request.begin); at < std::min(event.End(), end);) {
            const std::uint64_t row = (at - request.begin) / request.bytesPerRow;
            const std::uint64_t rowEnd = SaturatingAdd(request.begin + row * request.bytesPerRow, request.bytesPerRow);
            const std::uint64_t upTo = std::min({event.End(), end, rowEnd});
            const double share = static_cast<double>(upTo - at) / static_cast<double>(request.bytesPerRow);
            Cover(&changes[row * stride], from, to, share);
            at = upTo;
        }
    }
    picture.share.resize(std::size_t{request.rows} * request.columns);
    for (std::size_t row = 0; row < request.rows; ++row) {
        double sum = 0;
        for (std::size_t column = 0; column < request.columns; ++column) {
            sum += changes[row * stride + column];
            picture.share[row * request.columns + column] = static_cast<float>(std::clamp(sum, 0.0, 1.0));
        }
    }
    return picture;
}

std::vector<AddressPiece> AddressesOf(const log::LogView& log, AllocatorId allocator,
                                      const std::atomic<bool>* cancelled) {
    // Islands that are farther apart than a granule, by their first byte; disjoint.
    std::map<std::uint64_t, AddressPiece> islands;
    auto last = islands.end();
    for (std::uint32_t id = 1; id != 0 && id <= log.Blocks(); ++id) {
        if (id % kLookEvery == 0 && Is(cancelled)) break;
        const events::Event birth = log.Birth(BlockId{id}).event;
        if (birth.allocator != allocator) continue;
        AddressPiece grown{birth.Begin(), std::max(birth.End(), SaturatingAdd(birth.Begin(), 1)), 1};
        if (last != islands.end() && last->second.begin <= grown.begin && grown.end <= last->second.end) {
            ++last->second.blocks;  // mostly
            continue;
        }
        // From the last island that begins before it on, all that it touches become one.
        auto at = islands.upper_bound(grown.begin);
        if (at != islands.begin() && SaturatingAdd(std::prev(at)->second.end, kGranule) >= grown.begin) --at;
        while (at != islands.end() && at->second.begin <= SaturatingAdd(grown.end, kGranule)) {
            grown = {std::min(grown.begin, at->second.begin), std::max(grown.end, at->second.end),
                     grown.blocks + at->second.blocks};
            at = islands.erase(at);
        }
        last = islands.emplace(grown.begin, grown).first;
    }
    std::uint64_t used = 0;
    for (const auto& [begin, island] : islands) used = SaturatingAdd(used, island.end - island.begin);
    std::vector<AddressPiece> pieces;
    for (const auto& [begin, island] : islands) {
        if (!pieces.empty() && begin - pieces.back().end <= used / 2) {
            pieces.back().end = island.end;
            pieces.back().blocks += island.blocks;
        } else {
            pieces.push_back(island);
        }
    }
    return pieces;
}

}  // namespace residue::analysis
