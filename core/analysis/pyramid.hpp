// A sample a position, with the minimum and maximum of every aligned run of 16, 256, 4,096, ... positions: the extremes
// over any range without looking at each position. One thread adds, any thread asks about positions that it knows to
// be there (from a size it was given: Series publishes one).
//
// Cost: Add O(1) amortised; Extremes O(16 log16 positions). Memory: 20 bytes a position, and 3.8 for the levels above.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "analysis/run_counter.hpp"
#include "log/stable_vector.hpp"

namespace residue::analysis {

struct Extremes {
    std::uint64_t liveMin = std::numeric_limits<std::uint64_t>::max(), liveMax = 0;
    std::uint64_t liveMinAt = 0, liveMaxAt = 0;  // the first positions where they are
    std::uint64_t heapMin = std::numeric_limits<std::uint64_t>::max(), heapMax = 0;
    float fragmentationMin = std::numeric_limits<float>::max(), fragmentationMax = 0;

    // In order of positions.
    void Take(const Sample& sample, std::uint64_t position) {
        TakeLive(sample.live, position, sample.live, position);
        heapMin = std::min(heapMin, sample.heap);
        heapMax = std::max(heapMax, sample.heap);
        fragmentationMin = std::min(fragmentationMin, sample.fragmentation);
        fragmentationMax = std::max(fragmentationMax, sample.fragmentation);
    }
    void Take(const Extremes& other) {
        TakeLive(other.liveMin, other.liveMinAt, other.liveMax, other.liveMaxAt);
        heapMin = std::min(heapMin, other.heapMin);
        heapMax = std::max(heapMax, other.heapMax);
        fragmentationMin = std::min(fragmentationMin, other.fragmentationMin);
        fragmentationMax = std::max(fragmentationMax, other.fragmentationMax);
    }

private:
    void TakeLive(std::uint64_t low, std::uint64_t lowAt, std::uint64_t high, std::uint64_t highAt) {
        const bool first = liveMin > liveMax;
        if (first || low < liveMin) liveMin = low, liveMinAt = lowAt;
        if (first || high > liveMax) liveMax = high, liveMaxAt = highAt;
    }
};

class Pyramid {
public:
    static constexpr std::uint64_t kFanOut = 16;

    // The writer.
    void Add(const Sample& sample) {
        live_.Push(sample.live);
        heap_.Push(sample.heap);
        fragmentation_.Push(sample.fragmentation);
        const std::uint64_t count = live_.Size();
        std::uint64_t run = kFanOut;
        for (std::size_t level = 0; level < kLevels && count % run == 0; ++level, run *= kFanOut) {
            Extremes node;
            if (level == 0) {
                for (std::uint64_t i = count - kFanOut; i < count; ++i) node.Take(At(i), i);
            } else {
                const std::uint64_t below = levels_[level - 1].Size();
                for (std::uint64_t i = below - kFanOut; i < below; ++i) node.Take(levels_[level - 1][i]);
            }
            levels_[level].Push(node);
        }
    }
    std::uint64_t Size() const { return live_.Size(); }

    // Any thread. index < Size()
    Sample At(std::uint64_t index) const { return {live_[index], heap_[index], fragmentation_[index]}; }

    // Over [from, to), to <= Size().
    Extremes Over(std::uint64_t from, std::uint64_t to) const {
        Extremes all;
        for (; from < to && from % kFanOut != 0; ++from) all.Take(At(from), from);
        while (from < to) {
            // The largest whole run that begins here.
            std::size_t level = 0;
            std::uint64_t run = 1;
            while (level < kLevels && from % (run * kFanOut) == 0 && to - from >= run * kFanOut) {
                run *= kFanOut;
                ++level;
            }
            if (level == 0) all.Take(At(from), from);
            else all.Take(levels_[level - 1][from / run]);
            from += run;
        }
        return all;
    }

private:
    static constexpr std::size_t kLevels = 10;  // 16^10 positions are more than there will be

    log::StableVector<std::uint64_t> live_;
    log::StableVector<std::uint64_t> heap_;
    log::StableVector<float> fragmentation_;
    std::array<log::StableVector<Extremes>, kLevels> levels_;
};

}  // namespace residue::analysis
