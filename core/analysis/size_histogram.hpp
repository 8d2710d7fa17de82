// How often each size was asked for, and the median, at any time.
//
// Exact up to `mostDistinct` distinct sizes; beyond that all sizes, past and future, keep their 8 highest bits only
// (rounded down, by less than 1/128), which bounds the memory by about 8,000 sizes. Cost: O(log distinct sizes) where
// a size is 1,024 or more, else O(1); the median O(1,024).
#pragma once

#include <array>
#include <cstdint>

#include "model/ordered_chunks.hpp"

namespace residue::analysis {

class SizeHistogram {
public:
    explicit SizeHistogram(std::uint64_t mostDistinct = 65536) : mostDistinct_(mostDistinct) {}
    void Add(std::uint64_t size);
    std::uint64_t Median() const;  // the lower one of two; 0 when there is none
    bool Exact() const { return !coarse_; }

private:
    struct Entry {
        std::uint64_t size = 0;
        std::uint64_t count = 0;
        std::uint64_t Key() const { return size; }
        std::uint64_t Weight() const { return count; }
    };
    static constexpr std::uint64_t kSmall = 1024;
    void Add(std::uint64_t size, std::uint64_t count);
    std::uint64_t Distinct() const { return distinctSmall_ + sizes_.Count(); }

    std::array<std::uint64_t, kSmall> small_{};  // counts by size: most are small
    std::uint64_t smallCount_ = 0, distinctSmall_ = 0;
    model::OrderedChunks<Entry> sizes_;  // the others
    std::uint64_t mostDistinct_;
    bool coarse_ = false;
};

}  // namespace residue::analysis
