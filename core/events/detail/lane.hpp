// One lane: the ring of one writer thread, its busy mark, and its count of what was dropped. Freestanding.
//
// Why the merge is in order although nobody locks. The writer:      The reader:
//   1. mark = last stamp     (at least so old comes something)        1. now = clock
//   2. stamp = clock, then mark = stamp                               2. asymmetric fence (every writer's stores land)
//   3. the effect: memory goes back; or it came before 1              3. looks at the mark, then at drops and ring
//   4. records into the ring, mark = idle                             4. releases what is older than now and every mark
// Take any event older than `now`. Its stamp was taken before the fence ran on its thread, so its mark was stored
// before that, and the reader's look at the mark (3) comes after: it sees the mark, and waits; or it sees the idle that
// was stored later, and with it (release, acquire) the records. So nothing older than what was released can come later.
//
// Drops: the writer adds to `dropped` and, before its next record, puts a gap into the ring that holds the running
// total. The reader may report a gap sooner (a writer that stays full or ends never gets to it): the totals tell what
// is not reported yet, so each lost event is in exactly one gap, and the gap stands where the first of them was lost.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "events/event.hpp"
#include "events/spsc_ring.hpp"

namespace residue::events::detail {

inline constexpr std::uint64_t kIdle = ~0ull;          // a mark: no event is under way
inline constexpr std::uint8_t kWriterGap = 0xFF;       // Event::error of a gap that the writer put into the ring

inline std::uint64_t CountEvents(const Event* records, std::size_t count) noexcept {
    if (count == 1) return 1;
    std::uint64_t events = 0;
    for (std::size_t i = 0; i < count; ++i) events += records[i].kind != EventKind::Continuation;
    return events;
}

template <class Sync = NativeSync>
class Lane {
    template <class T>
    using Atomic = typename Sync::template Atomic<T>;
    using enum Weakening;

public:
    Lane(Event* slots, std::size_t capacity) noexcept : ring_(slots, capacity) {}

    // --- writer ---

    // takeStamp(): the clock, read after everything before it. Stamps of one lane never go back.
    template <class TakeStamp>
    std::uint64_t Begin(TakeStamp takeStamp) noexcept {
        if (!Weakened(MarkAfterStamp)) StoreRelease(mark_, lastStamp_, MarkStoreRelaxed);
        const std::uint64_t stamp = takeStamp();
        lastStamp_ = stamp;
        StoreRelease(mark_, stamp, MarkStoreRelaxed);  // a tighter bound: others are held back less
        return stamp;
    }

    // All records or none. On success the lane is idle again; on false it stays busy: try again, or Drop.
    bool TryEmit(const Event* records, std::size_t count, std::uint64_t stamp, ThreadId thread) noexcept {
        if (count == 1 && !gapDue_ && TryEmitOne(*records, stamp, thread)) return true;
        return TryEmitMany(records, count, stamp, thread);
    }

    // The common case, by itself so that it stays small: an event without continuations, in a slot that the writer has
    // already. False says only that it is not the common case; so it is after a drop, and after NotCommon().
    bool TryEmitOne(const Event& record, std::uint64_t stamp, ThreadId thread) noexcept {
        if (!ring_.OwnsRoom(1)) return false;
        if (Weakened(MarkClearedEarly)) mark_.store(kIdle, std::memory_order_release);
        ring_.UnsafeWrite(1, [&](std::size_t, Event& slot) {
            ThreadId known = record.thread;
            if (!known) known = thread;
            slot = record;
            slot.stamp = stamp;
            slot.thread = known;
        });
        StoreRelease(mark_, kIdle, MarkStoreRelaxed);
        return true;
    }
    void NotCommon() noexcept { ring_.DisownRoom(); }

    // The records are lost: count them.
    void Drop(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
        const std::uint64_t events = CountEvents(records, count);
        if (events != 0) {
            if (!gapDue_) dropStamp_.store(stamp, std::memory_order_release);
            gapDue_ = true;
            NotCommon();
            StoreRelease(dropped_, dropped_.load(std::memory_order_relaxed) + events, DroppedStoreRelaxed);
        }
        StoreRelease(mark_, kIdle, MarkStoreRelaxed);
    }

    // --- reader ---

    // One look at the lane: first the mark, then the rest (see above).
    struct Look {
        std::uint64_t mark;
        std::uint64_t dropped;    // events lost so far
        std::uint64_t dropStamp;  // when the first of the last row of them was
        std::uint64_t end;        // of the ring
    };
    Look TakeLook() const noexcept {
        Look look{};
        if (Weakened(WrittenBeforeMark)) look.end = ring_.Written();
        look.mark = LoadAcquire(mark_, MarkLoadRelaxed);
        look.dropped = LoadAcquire(dropped_, DroppedLoadRelaxed);
        look.dropStamp = dropStamp_.load(std::memory_order_acquire);
        if (!Weakened(WrittenBeforeMark)) look.end = ring_.Written();
        return look;
    }

    SpscRing<Event, Sync>& Ring() noexcept { return ring_; }
    const SpscRing<Event, Sync>& Ring() const noexcept { return ring_; }

    // --- any thread ---
    // Exact while the writer is not at work; otherwise of some moment during the call, but for the event under way.
    std::uint64_t Sent() const noexcept {
        const std::uint64_t extra = extra_.load(std::memory_order_relaxed);
        const std::uint64_t records = ring_.Written();
        return records - std::min(extra, records) + Dropped();
    }
    std::uint64_t Dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
    bool Busy() const noexcept { return mark_.load(std::memory_order_acquire) != kIdle; }

private:
    bool TryEmitMany(const Event* records, std::size_t count, std::uint64_t stamp, ThreadId thread) noexcept {
        const std::size_t gaps = gapDue_ ? 1 : 0;
        if (Weakened(MarkClearedEarly)) mark_.store(kIdle, std::memory_order_release);
        const bool wrote = ring_.TryWrite(count + gaps, [&](std::size_t i, Event& slot) {
            if (i < gaps) slot = WriterGap(thread);
            else Fill(slot, records[i - gaps], stamp, thread);
        });
        if (!wrote) return false;
        gapDue_ = false;
        const std::uint64_t extra = count + gaps - CountEvents(records, count);
        if (extra != 0) extra_.store(extra_.load(std::memory_order_relaxed) + extra, std::memory_order_relaxed);
        StoreRelease(mark_, kIdle, MarkStoreRelaxed);
        return true;
    }

    static void Fill(Event& slot, const Event& record, std::uint64_t stamp, ThreadId thread) noexcept {
        slot = record;
        slot.stamp = stamp;
        if (record.kind != EventKind::Continuation && !record.thread) slot.thread = thread;
    }

    Event WriterGap(ThreadId thread) const noexcept {
        Event gap;
        gap.kind = EventKind::Gap;
        gap.error = kWriterGap;
        gap.stamp = dropStamp_.load(std::memory_order_relaxed);
        gap.argument = dropped_.load(std::memory_order_relaxed);
        gap.thread = thread;
        return gap;
    }

    SpscRing<Event, Sync> ring_;
    alignas(kCacheLine) Atomic<std::uint64_t> mark_{kIdle};  // a line of the writer's
    Atomic<std::uint64_t> extra_{0};  // records in the ring that are no events of the writer's: continuations, gaps
    Atomic<std::uint64_t> dropped_{0};
    Atomic<std::uint64_t> dropStamp_{0};
    std::uint64_t lastStamp_ = 0;
    bool gapDue_ = false;  // events were dropped since the last record
};

}  // namespace residue::events::detail
