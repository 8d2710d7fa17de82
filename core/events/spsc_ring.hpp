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
// The slots that come back from the reader lie in its cache, and a plain store fetches each of them from there, few at
// a time: that, not the indices, is what limits a writer on another core. So the writer takes stretches of slots over
// at once, with stores of whole cache lines that need not fetch (TakeOverLines), before it fills them one by one.
// Slots should begin on a cache line: a record on two of them costs two.
//
// Cost of a 64-byte record between two processors (tests/bench/ring.cpp): 8 ns where a cache line takes 430 ns there
// and back, against 16 without the taking over and 20 for boost's queue. There a lane's writer, who stamps each event,
// pays 21 ns instead of 43 and more. Where the line takes 60 ns: 7 to 9, against boost's 9 to 12. Nothing is locked.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/checked.hpp"
#include "events/detail/sync.hpp"

namespace residue::events {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::uint64_t kPublishEvery = 16;
inline constexpr std::uint64_t kConsumeAtMost = 64;
inline constexpr std::uint64_t kTakeOver = 256;  // slots the writer takes over at once; they fit into its first cache
inline constexpr std::uint64_t kLeastTakeOver = 64;  // fewer are not worth the start of a string operation

template <class Record, class Sync = detail::NativeSync>
class SpscRing {
    static_assert(std::is_trivially_copyable_v<Record>);
    using Index = typename Sync::template Atomic<std::uint64_t>;
    using enum detail::Weakening;

public:
    // `slots` has room for `capacity` records, a power of two.
    SpscRing(Record* slots, std::size_t capacity) noexcept : slots_(slots), mask_(capacity - 1) {}
    SpscRing(const SpscRing&) = delete;
    SpscRing& operator=(const SpscRing&) = delete;

    std::size_t Capacity() const noexcept { return mask_ + 1; }

    // Writer: fill(i, slot) is called for i = 0..count-1 when there is room for all; false, and nothing done, if not.
    template <class Fill>
    bool TryWrite(std::size_t count, Fill fill) noexcept {
        if (!HasRoom(count)) return false;
        UnsafeWrite(count, fill);
        return true;
    }

    // Writer: is there room for `count` records now?
    bool HasRoom(std::size_t count) noexcept { return OwnsRoom(count) || TakeOver(count); }
    // The same, without a look at what the reader gave back: a quick yes, or perhaps.
    bool OwnsRoom(std::size_t count) const noexcept { return head_ + count <= ownEnd_; }
    // Writer: from now on OwnsRoom() says perhaps, until HasRoom() or TryWrite() find room again.
    void DisownRoom() noexcept { ownEnd_ = head_; }

    // Writer: TryWrite after HasRoom() or OwnsRoom() said yes.
    template <class Fill>
    void UnsafeWrite(std::size_t count, Fill fill) noexcept {
        const std::uint64_t begin = head_;
        const std::uint64_t end = begin + count;
        if (detail::Weakened(WrittenBeforeStore)) written_.store(end, std::memory_order_release);
        if (detail::Weakened(PublishedBeforeStore)) published_.store(end, std::memory_order_release);
        for (std::size_t i = 0; i < count; ++i) {
            Record& slot = slots_[(begin + i) & mask_];
            Sync::WillWrite(&slot);
            fill(i, slot);
        }
        head_ = end;
        detail::StoreRelease(written_, end, WrittenStoreRelaxed);
        // Every 16th time the other index, else the same once more: a store is cheaper than a branch predicted wrong.
        Index* const also = (begin ^ end) >= kPublishEvery ? &published_ : &written_;
        detail::StoreRelease(*also, end, PublishedStoreRelaxed);
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
        const Record& slot = slots_[index & mask_];
        Sync::WillRead(&slot);
        return slot;
    }

    // Reader: every record before `end` (from Written() or Published()) goes to take(record), in order; the slots are
    // given back in batches, after take() has returned for them, so take() must copy what it wants to keep.
    template <class Take>
    void Read(std::uint64_t end, Take take) noexcept {
        for (std::uint64_t at = tail_; at < end; Consume()) {
            const std::uint64_t stop = end - at < kConsumeAtMost ? end : at + kConsumeAtMost;
            if (detail::Weakened(ConsumedBeforeCopy)) consumed_.store(stop, std::memory_order_release);
            for (; at < stop; ++at) take(At(at));
            tail_ = at;
        }
    }
    // Reader, for one that walks by itself: step over the next record; Consume() gives back what was stepped over.
    void Step() noexcept { ++tail_; }
    void Consume() noexcept { detail::StoreRelease(consumed_, tail_, ConsumedStoreRelaxed); }

    // Any thread: how many records wait, at some moment during the call; from what is published only.
    std::uint64_t PublishedWaiting() const noexcept { return Waiting(published_); }
    std::uint64_t WrittenWaiting() const noexcept { return Waiting(written_); }

private:
    // Moves ownEnd_ on, so that `count` records fit; false, and nothing done, if there is no room for them.
    [[gnu::noinline]] bool TakeOver(std::size_t count) noexcept {
        const std::uint64_t capacity = Capacity() + (detail::Weakened(RoomOffByOne) ? 1 : 0);
        const std::uint64_t need = head_ + count;
        if (need - seenConsumed_ > capacity) {
            seenConsumed_ = detail::LoadAcquire(consumed_, ConsumedLoadRelaxed);
            if (need - seenConsumed_ > capacity) return false;
        }
        const std::uint64_t begin = ownEnd_;
        const std::uint64_t known = seenConsumed_ + capacity;
        ownEnd_ = known - begin <= kTakeOver ? known : std::max(need, begin + kTakeOver);
        for (std::uint64_t i = begin; i < ownEnd_; ++i) Sync::WillWrite(&slots_[i & mask_]);
        const std::uint64_t at = begin & mask_;
        const std::uint64_t straight = std::min(ownEnd_ - begin, Capacity() - at);  // the rest comes by itself
        if (straight >= kLeastTakeOver) detail::TakeOverLines(&slots_[at], straight * sizeof(Record));
        return true;
    }

    std::uint64_t Waiting(const Index& end) const noexcept {
        const std::uint64_t begin = consumed_.load(std::memory_order_relaxed);
        const std::uint64_t stop = end.load(std::memory_order_relaxed);
        return stop > begin ? stop - begin : 0;  // the two are not read at one moment
    }
    std::uint64_t Extra() const noexcept { return detail::Weakened(ReadableOffByOne) ? 1 : 0; }

    Record* const slots_;
    const std::uint64_t mask_;  // capacity - 1

    alignas(kCacheLine) Index written_{0};  // the writer's line
    std::uint64_t head_ = 0;
    std::uint64_t ownEnd_ = 0;  // the slots before it are free, and taken over
    std::uint64_t seenConsumed_ = 0;
    alignas(kCacheLine) Index published_{0};
    alignas(kCacheLine) Index consumed_{0};  // the reader's line
    std::uint64_t tail_ = 0;

    static_assert((kPublishEvery & (kPublishEvery - 1)) == 0 && kConsumeAtMost >= kPublishEvery);
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace residue::events
