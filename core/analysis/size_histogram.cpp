#include "analysis/size_histogram.hpp"

#include <bit>
#include <utility>

namespace residue::analysis {

namespace {
std::uint64_t KeepHighBits(std::uint64_t size) {
    const int extra = static_cast<int>(std::bit_width(size)) - 8;
    return extra <= 0 ? size : size >> extra << extra;
}
}  // namespace

void SizeHistogram::Add(std::uint64_t size) {
    Add(coarse_ ? KeepHighBits(size) : size, 1);
    if (coarse_ || Distinct() <= mostDistinct_) return;
    coarse_ = true;
    const model::OrderedChunks<Entry> exact = std::exchange(sizes_, {});
    const std::array<std::uint64_t, kSmall> small = std::exchange(small_, {});
    smallCount_ = distinctSmall_ = 0;
    for (std::uint64_t of = 0; of < kSmall; ++of) {
        if (small[of] != 0) Add(KeepHighBits(of), small[of]);
    }
    model::OrderedChunks<Entry>::Place at;
    for (const Entry* entry = exact.Get(at); entry; entry = exact.Get(at)) {
        Add(KeepHighBits(entry->size), entry->count);
        exact.Next(at);
    }
}

void SizeHistogram::Add(std::uint64_t size, std::uint64_t count) {
    if (size < kSmall) {
        distinctSmall_ += small_[size] == 0 ? 1 : 0;
        small_[size] += count;
        smallCount_ += count;
        return;
    }
    const auto at = sizes_.Locate(size);
    auto place = at;
    const Entry* entry = sizes_.Get(place);
    if (entry && entry->size == size) sizes_.Replace(place, {size, entry->count + count});
    else sizes_.Insert(at, {size, count});
}

std::uint64_t SizeHistogram::Median() const {
    const std::uint64_t all = smallCount_ + sizes_.Weight();
    if (all == 0) return 0;
    std::uint64_t before = (all - 1) / 2;
    if (before >= smallCount_) return sizes_.AtWeight(before - smallCount_)->size;
    std::uint64_t size = 0;
    for (; before >= small_[size]; ++size) before -= small_[size];
    return size;
}

}  // namespace residue::analysis
