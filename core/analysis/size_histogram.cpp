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
    if (coarse_ || sizes_.Count() <= mostDistinct_) return;
    coarse_ = true;
    const model::OrderedChunks<Entry> exact = std::exchange(sizes_, {});
    model::OrderedChunks<Entry>::Place at;
    for (const Entry* entry = exact.Get(at); entry; entry = exact.Get(at)) {
        Add(KeepHighBits(entry->size), entry->count);
        exact.Next(at);
    }
}

void SizeHistogram::Add(std::uint64_t size, std::uint64_t count) {
    const auto at = sizes_.Locate(size);
    auto place = at;
    const Entry* entry = sizes_.Get(place);
    if (entry && entry->size == size) sizes_.Replace(place, {size, entry->count + count});
    else sizes_.Insert(at, {size, count});
}

std::uint64_t SizeHistogram::Median() const {
    if (sizes_.Weight() == 0) return 0;
    return sizes_.AtWeight((sizes_.Weight() - 1) / 2)->size;
}

}  // namespace residue::analysis
