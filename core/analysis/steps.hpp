// A figure by position that is kept only where it changes, with the minimum and maximum over any range of positions.
// One thread sets, any thread asks about positions that it knows to be final (Series publishes how far they are).
//
// Cost: Set O(1) amortised; At O(log distance from the hint); Over O(log changes). Memory: 16 bytes a change and 1.1
// for the levels above; an empty one is about 600 bytes.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

#include "log/stable_vector.hpp"

namespace residue::analysis {

struct ByteRange {
    std::uint64_t min = std::numeric_limits<std::uint64_t>::max(), max = 0;
    void Take(std::uint64_t value) { Take(ByteRange{value, value}); }
    void Take(const ByteRange& other) {
        min = std::min(min, other.min);
        max = std::max(max, other.max);
    }
};

class Steps {
public:
    Steps() = default;
    Steps(const Steps&) = delete;
    Steps& operator=(const Steps&) = delete;
    ~Steps() {
        for (const auto& level : levels_) delete level.load(std::memory_order_relaxed);
    }

    // The writer. From `position` on it is `value`; positions ascend.
    void Set(std::uint64_t position, std::uint64_t value) {
        changes_.Push(position, value);
        const std::size_t count = changes_.Size();
        std::size_t run = kFanOut;
        for (std::size_t level = 0; level < kLevels && count % run == 0; ++level, run *= kFanOut) {
            ByteRange node;
            for (std::size_t i = count / (run / kFanOut) - kFanOut; i < count / (run / kFanOut); ++i) {
                node.Take(Node(level, i));
            }
            if (levels_[level].load(std::memory_order_relaxed) == nullptr) {
                levels_[level].store(new log::StableVector<ByteRange>, std::memory_order_release);
            }
            levels_[level].load(std::memory_order_relaxed)->Push(node);
        }
    }

    // Any thread. The value at `position`, 0 before the first change. `hint` speeds up asking in ascending order: begin
    // with 0 and hand it back.
    std::uint64_t At(std::uint64_t position, std::size_t& hint) const {
        hint = Past(position, hint);
        return hint == 0 ? 0 : changes_[hint - 1].value;
    }
    // Over positions [from, to), from < to.
    ByteRange Over(std::uint64_t from, std::uint64_t to) const {
        ByteRange all;
        std::size_t at = Past(from, 0);
        all.Take(at == 0 ? 0 : changes_[at - 1].value);
        const std::size_t end = Past(to - 1, at);
        while (at < end) {
            // The largest whole run that begins here.
            std::size_t level = 0, run = 1;
            while (level < kLevels && at % (run * kFanOut) == 0 && end - at >= run * kFanOut) {
                run *= kFanOut;
                ++level;
            }
            all.Take(Node(level, at / run));
            at += run;
        }
        return all;
    }

private:
    static constexpr std::size_t kFanOut = 16;
    static constexpr std::size_t kLevels = 10;  // 16^10 changes are more than there will be
    struct Change {
        std::uint64_t position, value;
    };

    // `level` 0: a change itself.
    ByteRange Node(std::size_t level, std::size_t index) const {
        if (level == 0) return {changes_[index].value, changes_[index].value};
        return (*levels_[level - 1].load(std::memory_order_acquire))[index];
    }
    // How many changes are at `position` or before; at least the first `known` are.
    std::size_t Past(std::uint64_t position, std::size_t known) const {
        const std::size_t size = changes_.Size();
        std::size_t low = known, stride = 1;  // all below `low` are
        while (low + stride <= size && changes_[low + stride - 1].position <= position) {
            low += stride;
            stride *= 2;
        }
        std::size_t high = std::min(size, low + stride - 1);  // from `high` on none is
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (changes_[middle].position <= position) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    log::StableVector<Change> changes_;
    std::array<std::atomic<log::StableVector<ByteRange>*>, kLevels> levels_{};
};

}  // namespace residue::analysis
