// An append-only array whose elements never move: one thread appends, any thread reads what was there when it looked.
//
//   StableVector<std::uint64_t> rows;
//   rows.Push(7);                        // the writer
//   if (i < rows.Size()) use(rows[i]);   // any thread: Size() publishes everything below it
//
// Where a Spill is given (spill.hpp), large segments lie in it as long as it has room.
// Segments double in size, so an index is found with one bit scan. Memory that was not reached is address space only
// (the allocator gets large segments from the OS untouched). Elements are trivially destructible: nothing is run at
// the end.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "log/spill.hpp"

namespace residue::log {

template <class T>
class StableVector {
    static_assert(std::is_trivially_destructible_v<T>);

public:
    StableVector() = default;
    StableVector(const StableVector&) = delete;
    StableVector& operator=(const StableVector&) = delete;
    ~StableVector() {
        for (std::size_t s = 0; s < kSegments; ++s) {
            T* segment = segments_[s].load(std::memory_order_relaxed);
            if (segment != nullptr && !IsSpilled(s)) std::allocator<T>().deallocate(segment, SegmentSize(s));
        }
    }

    // The writer's: for segments that are begun from here on. It outlives this.
    void SpillTo(Spill* spill) { spill_ = spill; }

    // Writer.
    template <class... Args>
    T& Push(Args&&... args) {
        const std::size_t index = size_.load(std::memory_order_relaxed);
        const Place place = Find(index);
        T* segment = segments_[place.segment].load(std::memory_order_relaxed);
        if (segment == nullptr) {
            segment = NewSegment(place.segment);
            segments_[place.segment].store(segment, std::memory_order_relaxed);
        }
        T* element = ::new (static_cast<void*>(segment + place.offset)) T{std::forward<Args>(args)...};
        size_.store(index + 1, std::memory_order_release);  // publishes the segment and the element
        return *element;
    }

    // Any thread.
    std::size_t Size() const noexcept { return size_.load(std::memory_order_acquire); }
    // index < a Size() that this thread has seen
    const T& operator[](std::size_t index) const noexcept {
        const Place place = Find(index);
        return segments_[place.segment].load(std::memory_order_relaxed)[place.offset];
    }
    T& operator[](std::size_t index) noexcept {
        const Place place = Find(index);
        return segments_[place.segment].load(std::memory_order_relaxed)[place.offset];
    }
    // How many of the first `size` elements come before the first one for which `before` is false.
    template <class Before>
    std::size_t PartitionPoint(std::size_t size, Before before) const {
        std::size_t low = 0;
        while (size > 0) {
            const std::size_t half = size / 2;
            if (before((*this)[low + half])) {
                low += half + 1;
                size -= half + 1;
            } else {
                size = half;
            }
        }
        return low;
    }

    // In memory. Any thread.
    std::size_t ResidentBytes() const noexcept {
        const std::size_t size = Size();
        std::size_t elements = 0;
        for (std::size_t s = 0, first = 0; first < size; first += SegmentSize(s), ++s) {
            if (!IsSpilled(s)) elements += std::min(size - first, SegmentSize(s));
        }
        return elements * sizeof(T);
    }

private:
    static constexpr std::size_t kFirstBits = 6;
    static constexpr std::size_t kSegments = 64 - kFirstBits;

    struct Place {
        std::size_t segment;
        std::size_t offset;
    };
    static constexpr std::size_t SegmentSize(std::size_t segment) noexcept {
        return std::size_t{1} << (kFirstBits + (segment == 0 ? 0 : segment - 1));
    }
    static Place Find(std::size_t index) noexcept {
        const auto top = static_cast<std::size_t>(std::bit_width(index >> kFirstBits));
        return top == 0 ? Place{0, index} : Place{top, index - SegmentSize(top)};
    }

    static constexpr std::size_t kSpillFrom = 1 << 22;  // bytes of a segment

    bool IsSpilled(std::size_t segment) const noexcept {
        return ((spilled_.load(std::memory_order_relaxed) >> segment) & 1) != 0;
    }
    T* NewSegment(std::size_t segment) {
        const std::size_t size = SegmentSize(segment);
        if (spill_ != nullptr && size * sizeof(T) >= kSpillFrom) {
            if (std::byte* const taken = spill_->Take(size * sizeof(T))) {
                spilled_.fetch_or(std::uint64_t{1} << segment, std::memory_order_relaxed);
                return reinterpret_cast<T*>(taken);
            }
        }
        return std::allocator<T>().allocate(size);
    }

    std::atomic<std::size_t> size_{0};
    Spill* spill_ = nullptr;
    std::atomic<std::uint64_t> spilled_{0};  // a bit a segment
    std::atomic<T*> segments_[kSegments]{};
};

}  // namespace residue::log
