// A ring buffer between one writer and one reader, over memory that the caller owns. Freestanding.
//
//   SpscRing<Event> ring(slots, 1 << 16);                        // capacity: a power of two
//   ring.TryWrite(1, [&](std::size_t, Event& slot) { slot = e; }) // writer; all `count` records or none
//   const std::uint64_t end = ring.Written();                    // reader: everything up to now
//   ring.Read(end, [&](const Event& slot) { ... });              // reader
//
// Three indices, each on the cache line of the side that stores it, each counting up without end:
//   written    after every write. On a line that the writer keeps: it costs a plain store. A reader that looks at it
//              now and then (a timer, a merge round) sees every record, so the delay is bounded without a writer timer.
//   published  after every 16th record. The line that an eager reader polls, so that it moves once in 16 records.
//   consumed   by the reader, after each batch of at most 64, once the records are copied out.
// Each side remembers the other's index and looks again only when that is not enough; after rigtorp/SPSCQueue.
//
// Cost of a 64-byte record between two cores: measured 4 to 35 ns on one virtual machine, by turns, against 60 to 100
// for boost's queue in the slow turns (tests/bench/ring.cpp); no locked instruction anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/checked.hpp"
#include "events/detail/sync.hpp"

namespace residue::events {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::uint64_t kPublishEvery = 16;
inline constexpr std::uint64_t kConsumeAtMost = 64;

template <class Record, class Sync = detail::NativeSync>
class SpscRing {
    static_assert(std::is_trivially_copyable_v<Record>);
    using Index = typename Sync::template Atomic<std::uint64_t>;
    using enum detail::Weakening;

public:
    // `slots` has room for `capacity` records, a power of two.
    SpscRing(Record* slots, std::size_t capacity) noexcept : slots_(slots), capacity_(capacity) {}
    SpscRing(const SpscRing&) = delete;
    SpscRing& operator=(const SpscRing&) = delete;

    std::size_t Capacity() const noexcept { return capacity_; }

    // Writer: fill(i, slot) is called for i = 0..count-1 when there is room for all; false, and nothing done, if not.
    template <class Fill>
    bool TryWrite(std::size_t count, Fill fill) noexcept {
        if (!HasRoom(count)) return false;
        const std::uint64_t begin = head_;
        const std::uint64_t end = begin + count;
        if (detail::Weakened(WrittenBeforeStore)) written_.store(end, std::memory_order_release);
        if (detail::Weakened(PublishedBeforeStore)) published_.store(end, std::memory_order_release);
        for (std::size_t i = 0; i < count; ++i) {
            Record& slot = slots_[(begin + i) & (capacity_ - 1)];
            Sync::WillWrite(&slot);
            fill(i, slot);
        }
        head_ = end;
        detail::StoreRelease(written_, end, WrittenStoreRelaxed);
        if (end / kPublishEvery != begin / kPublishEvery) {
            detail::StoreRelease(published_, end, PublishedStoreRelaxed);
        }
        return true;
    }

    // Writer: is there room for `count` records now?
    bool HasRoom(std::size_t count) noexcept {
        const std::uint64_t capacity = capacity_ + (detail::Weakened(RoomOffByOne) ? 1 : 0);
        if (head_ + count - seenConsumed_ <= capacity) return true;
        seenConsumed_ = detail::LoadAcquire(consumed_, ConsumedLoadRelaxed);
        return head_ + count - seenConsumed_ <= capacity;
    }

    // Writer: hands over what is not published yet; for a writer that pauses and whose reader polls Published().
    void Publish() noexcept { detail::StoreRelease(published_, head_, PublishedStoreRelaxed); }

    // Reader: the index after the last record that is there. Written() moves with every record, Published() with
    // every 16th and is the cheaper one to poll.
    std::uint64_t Written() const noexcept { return detail::LoadAcquire(written_, WrittenLoadRelaxed) + Extra(); }
    std::uint64_t Published() const noexcept {
        return detail::LoadAcquire(published_, PublishedLoadRelaxed) + Extra();
    }
    // Reader: the index of the next record to read.
    std::uint64_t Next() const noexcept { return tail_; }
    // Reader: the record at `index`, Next() <= index < Written().
    const Record& At(std::uint64_t index) const noexcept {
        const Record& slot = slots_[index & (capacity_ - 1)];
        Sync::WillRead(&slot);
        return slot;
    }

    // Reader: every record before `end` (from Written() or Published()) goes to take(record), in order; the slots are
    // given back in batches, after take() has returned for them, so take() must copy what it wants to keep.
    template <class Take>
    void Read(std::uint64_t end, Take take) noexcept {
        while (tail_ < end) {
            const std::uint64_t stop = end - tail_ < kConsumeAtMost ? end : tail_ + kConsumeAtMost;
            if (detail::Weakened(ConsumedBeforeCopy)) consumed_.store(stop, std::memory_order_release);
            for (; tail_ < stop; ++tail_) take(At(tail_));
            Consume();
        }
    }
    // Reader, for one that walks by itself: step over the next record; Consume() gives back what was stepped over.
    void Step() noexcept { ++tail_; }
    void Consume() noexcept { detail::StoreRelease(consumed_, tail_, ConsumedStoreRelaxed); }

    // Any thread: how many records wait, at some moment during the call; from what is published only.
    std::uint64_t PublishedWaiting() const noexcept { return Waiting(published_); }
    std::uint64_t WrittenWaiting() const noexcept { return Waiting(written_); }

private:
    std::uint64_t Waiting(const Index& end) const noexcept {
        const std::uint64_t begin = consumed_.load(std::memory_order_relaxed);
        const std::uint64_t stop = end.load(std::memory_order_relaxed);
        return stop > begin ? stop - begin : 0;  // the two are not read at one moment
    }
    std::uint64_t Extra() const noexcept { return detail::Weakened(ReadableOffByOne) ? 1 : 0; }

    Record* const slots_;
    const std::uint64_t capacity_;

    alignas(kCacheLine) Index written_{0};  // the writer's line
    std::uint64_t head_ = 0;
    std::uint64_t seenConsumed_ = 0;
    alignas(kCacheLine) Index published_{0};
    alignas(kCacheLine) Index consumed_{0};  // the reader's line
    std::uint64_t tail_ = 0;

    static_assert(kPublishEvery <= 64 && kConsumeAtMost >= kPublishEvery);
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace residue::events
