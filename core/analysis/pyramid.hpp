// A sample a position, with the minimum and maximum of every aligned run of 64, 1,024, 16,384, ... positions: the
// extremes over any range without looking at each position. One thread adds and takes snapshots, any thread reads a
// snapshot, which is good for as long as the pyramid lives.
//
// The samples of 64 positions are one block: each figure as min + a width of 0 to 8 bytes a position, so that a figure
// that does not change costs nothing and one that moves little costs little. The last ones, which do not fill a block,
// are copied into the snapshot.
//
// Cost: Add O(1) amortised; Over O(log positions + 128), At O(1). Memory: 1.3 bytes a position and the widths: some 4
// where live bytes are all that is known, 4 to 8 more where the heap and its fragmentation are.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

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
    static constexpr std::uint64_t kBlock = 64;
    static constexpr std::uint64_t kFanOut = 16;

    class View {
    public:
        std::uint64_t Size() const { return blocks_ * kBlock + (tail_ ? tail_->size() : 0); }
        // index < Size()
        Sample At(std::uint64_t index) const {
            if (index >= blocks_ * kBlock) return (*tail_)[index - blocks_ * kBlock];
            return pyramid_->blocks_[index / kBlock].At(index % kBlock);
        }
        // Over [from, to), to <= Size().
        Extremes Over(std::uint64_t from, std::uint64_t to) const {
            Extremes all;
            const std::uint64_t packed = std::min(to, blocks_ * kBlock);
            while (from < packed) {
                if (from % kBlock != 0 || packed - from < kBlock) {
                    const Block& block = pyramid_->blocks_[from / kBlock];
                    const std::uint64_t end = std::min(packed, (from / kBlock + 1) * kBlock);
                    for (; from < end; ++from) all.Take(block.At(from % kBlock), from);
                    continue;
                }
                // The largest whole run that begins here.
                std::size_t level = 0;
                std::uint64_t run = kBlock;
                while (level < kLevels && from % (run * kFanOut) == 0 && packed - from >= run * kFanOut) {
                    run *= kFanOut;
                    ++level;
                }
                all.Take(level == 0 ? pyramid_->blocks_[from / kBlock].extremes
                                    : pyramid_->levels_[level - 1][from / run]);
                from += run;
            }
            for (; from < to; ++from) all.Take((*tail_)[from - blocks_ * kBlock], from);
            return all;
        }

    private:
        friend class Pyramid;
        const Pyramid* pyramid_ = nullptr;
        std::uint64_t blocks_ = 0;
        std::shared_ptr<const std::vector<Sample>> tail_;
    };

    void Add(const Sample& sample) {
        tail_.push_back(sample);
        if (tail_.size() < kBlock) return;
        Pack();
        tail_.clear();
        const std::uint64_t count = blocks_.Size();
        std::uint64_t run = kFanOut;
        for (std::size_t level = 0; level < kLevels && count % run == 0; ++level, run *= kFanOut) {
            Extremes node;
            const std::uint64_t below = level == 0 ? count : levels_[level - 1].Size();
            for (std::uint64_t i = below - kFanOut; i < below; ++i) {
                node.Take(level == 0 ? blocks_[i].extremes : levels_[level - 1][i]);
            }
            levels_[level].Push(node);
        }
    }
    std::uint64_t Size() const { return blocks_.Size() * kBlock + tail_.size(); }
    View Snapshot() const {
        View view;
        view.pyramid_ = this;
        view.blocks_ = blocks_.Size();
        view.tail_ = std::make_shared<const std::vector<Sample>>(tail_);
        return view;
    }
    std::size_t ResidentBytes() const {
        return blocks_.Size() * sizeof(Block) * (kFanOut + 1) / kFanOut + arenas_.size() * kArena;
    }

private:
    static constexpr std::size_t kLevels = 10;  // 64 * 16^10 positions are more than there will be
    static constexpr std::size_t kArena = 1 << 16;

    struct Block {
        Extremes extremes;
        const std::byte* bytes = nullptr;  // live, then heap, then fragmentation, `width` bytes a position each
        std::uint8_t liveWidth = 0, heapWidth = 0, fragmentationWidth = 0;  // the last: 0 or 4

        Sample At(std::uint64_t index) const {
            const std::byte* const heap = bytes + kBlock * liveWidth;
            const std::byte* const fragmentation = heap + kBlock * heapWidth;
            Sample sample;
            sample.live = extremes.liveMin + Read(bytes, liveWidth, index);
            sample.heap = extremes.heapMin + Read(heap, heapWidth, index);
            sample.fragmentation = extremes.fragmentationMin;
            if (fragmentationWidth != 0) std::memcpy(&sample.fragmentation, fragmentation + 4 * index, 4);
            return sample;
        }
        static std::uint64_t Read(const std::byte* from, std::uint8_t width, std::uint64_t index) {
            if (width == 0) return 0;
            std::uint64_t word = 0;
            std::memcpy(&word, from + index * width, sizeof(word));
            return word & (~std::uint64_t{0} >> (64 - 8 * width));
        }
    };

    static std::uint8_t WidthOf(std::uint64_t range) {
        return static_cast<std::uint8_t>((std::bit_width(range) + 7) / 8);
    }

    // The full tail becomes a block.
    void Pack() {
        Block block;
        const std::uint64_t first = blocks_.Size() * kBlock;
        for (std::uint64_t i = 0; i < kBlock; ++i) block.extremes.Take(tail_[i], first + i);
        const Extremes& e = block.extremes;
        block.liveWidth = WidthOf(e.liveMax - e.liveMin);
        block.heapWidth = WidthOf(e.heapMax - e.heapMin);
        block.fragmentationWidth = e.fragmentationMin == e.fragmentationMax ? 0 : 4;
        const std::size_t size =
            kBlock * (std::size_t{block.liveWidth} + block.heapWidth + block.fragmentationWidth);
        // Eight bytes are read and written wherever a value starts: some behind the last one are this block's too,
        // since readers look at it while the next is written.
        std::byte* to = Room(size + sizeof(std::uint64_t));
        block.bytes = to;
        for (std::uint64_t i = 0; i < kBlock; ++i) Write(to + i * block.liveWidth, tail_[i].live - e.liveMin);
        to += kBlock * block.liveWidth;
        for (std::uint64_t i = 0; i < kBlock; ++i) Write(to + i * block.heapWidth, tail_[i].heap - e.heapMin);
        to += kBlock * block.heapWidth;
        if (block.fragmentationWidth != 0) {
            for (std::uint64_t i = 0; i < kBlock; ++i) std::memcpy(to + 4 * i, &tail_[i].fragmentation, 4);
        }
        blocks_.Push(block);
    }
    // What comes behind is written later. (Little-endian, as the read is.)
    static void Write(std::byte* to, std::uint64_t value) { std::memcpy(to, &value, sizeof(value)); }
    std::byte* Room(std::size_t size) {
        if (roomLeft_ < size) {
            arenas_.push_back(std::make_unique<std::byte[]>(kArena));
            next_ = arenas_.back().get();
            roomLeft_ = kArena;
        }
        roomLeft_ -= size;
        return std::exchange(next_, next_ + size);
    }

    log::StableVector<Block> blocks_;
    std::array<log::StableVector<Extremes>, kLevels> levels_;
    std::vector<Sample> tail_;  // less than a block
    std::vector<std::unique_ptr<std::byte[]>> arenas_;
    std::byte* next_ = nullptr;
    std::size_t roomLeft_ = 0;
};

}  // namespace residue::analysis
