// How many holes there are of each size. A part of AllocatorHeap.
//
// Sizes below 4 KiB, which nearly all are, have a counter each, in pages that copies share until they are written to
// (model/shared.hpp); the others are in an ordered tree. Cost: Add, Remove O(1), above 4 KiB O(log sizes). One thread.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "model/ordered_chunks.hpp"
#include "model/shared.hpp"

namespace residue::model {

class HoleSizes {
public:
    void Add(std::uint64_t size) {
        if (size < kSmall) {
            const std::uint64_t at = size / kPage;
            if (!pages_[at]) pages_[at] = Shared<Page>::Make();
            if (pages_[at].Own().counts[size % kPage]++ == 0) filled_[size / 64] |= std::uint64_t{1} << (size % 64);
            return;
        }
        const auto at = large_.Locate(size);
        auto place = at;
        const Entry* const known = large_.Get(place);
        if (known && known->size == size) large_.Replace(place, {size, known->count + 1});
        else large_.Insert(at, {size, 1});
    }
    // There is one.
    void Remove(std::uint64_t size) {
        if (size < kSmall) {
            if (--pages_[size / kPage].Own().counts[size % kPage] == 0) {
                filled_[size / 64] &= ~(std::uint64_t{1} << (size % 64));
            }
            return;
        }
        auto place = large_.Locate(size);
        const Entry* const known = large_.Get(place);
        if (known->count > 1) large_.Replace(place, {size, known->count - 1});
        else large_.Erase(place);
    }
    std::uint64_t Largest() const {  // 0: there is none
        if (const Entry* const last = large_.Last()) return last->size;
        for (std::size_t word = filled_.size(); word-- > 0;) {
            if (filled_[word] != 0) return word * 64 + static_cast<std::uint64_t>(std::bit_width(filled_[word])) - 1;
        }
        return 0;
    }
    template <class Visit>  // visit(size, count), ascending
    void VisitAll(Visit&& visit) const {
        for (std::size_t word = 0; word < filled_.size(); ++word) {
            for (std::uint64_t bits = filled_[word]; bits != 0; bits &= bits - 1) {
                const std::uint64_t size = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
                visit(size, std::uint64_t{pages_[size / kPage]->counts[size % kPage]});
            }
        }
        OrderedChunks<Entry>::Place at;
        for (const Entry* entry = large_.Get(at); entry; entry = large_.Get(at)) {
            visit(entry->size, entry->count);
            large_.Next(at);
        }
    }
    bool operator==(const HoleSizes& other) const {
        if (filled_ != other.filled_ || !large_.SameEntries(other.large_)) return false;
        bool same = true;
        VisitAll([&](std::uint64_t size, std::uint64_t count) {
            if (size < kSmall) same = same && other.pages_[size / kPage]->counts[size % kPage] == count;
        });
        return same;
    }
    std::size_t CopyBytes() const { return sizeof(*this) + large_.CopyBytes(); }

private:
    static constexpr std::uint64_t kSmall = 4096;
    static constexpr std::uint64_t kPage = 512;
    struct Page {
        Page() = default;
        Page(const Page& other) : counts(other.counts) {}
        std::atomic<std::uint32_t> holders{1};
        std::array<std::uint32_t, kPage> counts{};
    };
    struct Entry {
        std::uint64_t size = 0;
        std::uint64_t count = 0;
        std::uint64_t Key() const { return size; }
        std::uint64_t Weight() const { return count; }
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    std::array<Shared<Page>, kSmall / kPage> pages_;
    std::array<std::uint64_t, kSmall / 64> filled_{};  // bit s: there are holes of s bytes
    OrderedChunks<Entry> large_;
};

}  // namespace residue::model
