// The merge: one round takes everything out of the lanes that is older than now and than every busy mark, by stamp.
//
// At equal stamps of several lanes a free goes before an allocation of the same address: an allocator had the memory
// back before it gave it out again. Only there does the merge look past the head of a lane, along its run of that
// stamp. Otherwise a run of one lane that is older than all other heads is copied without comparing again.
// Cost: a copy of 64 bytes a record, and for each change of lane a sift in a heap of the lanes that have something.
// Reader's thread only. Hosted (std::vector). Why nothing comes too late: detail/lane.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "events/detail/lane.hpp"

namespace residue::events::detail {

// Does this event give the block at `address` back, or take it into use?
inline bool GivesBack(const Event& event, std::uint64_t address) noexcept {
    switch (event.kind) {
        case EventKind::Freed: return event.address == address;
        case EventKind::ResizeEnds: return !event.Failed() && event.OldAddress() == address;
        case EventKind::BulkFreed:
        case EventKind::RegionShrunk: return address - event.address < event.size;
        default: return false;
    }
}
inline bool TakesIntoUse(const Event& event) noexcept {
    return event.kind == EventKind::Allocated || (event.kind == EventKind::ResizeEnds && !event.Failed());
}

// What the merge remembers of a lane from round to round.
template <class Sync>
struct LaneCursor {
    Lane<Sync>* lane = nullptr;
    std::uint64_t reported = 0;  // of the lane's running total of drops
    std::uint64_t gapFloor = 0;  // no event that is not reported yet was lost before this stamp

    // This round:
    typename Lane<Sync>::Look look{};
    std::uint64_t head = 0;      // stamp of what comes next
};

template <class Sync = NativeSync>
class Merge {
public:
    using Cursor = LaneCursor<Sync>;
    struct Tally {
        std::uint64_t records = 0;
        std::uint64_t events = 0;  // without continuations and gaps of the merge's own
        std::uint64_t late = 0;
    };

    // `now`: read from the clock, after which `fence` ran, after which the list of lanes was read.
    // deliver(const Event*, count) gets the records, up to kBatch at once; their slots are free by then.
    template <class Deliver>
    Tally Round(std::vector<Cursor>& cursors, std::uint64_t now, Deliver&& deliver) {
        tally_ = {};
        limit_ = now;
        for (Cursor& cursor : cursors) {
            cursor.look = cursor.lane->TakeLook();
            if (!Weakened(Weakening::IgnoreMarks)) limit_ = std::min(limit_, cursor.look.mark);
        }
        heap_.clear();
        for (Cursor& cursor : cursors) {
            if (FindHead(cursor)) heap_.push_back(&cursor);
        }
        std::make_heap(heap_.begin(), heap_.end(), Later);
        while (!heap_.empty() && heap_.front()->head < limit_) {
            Cursor* const first = Pop();
            if (!heap_.empty() && heap_.front()->head == first->head) {
                TakeTied(first, deliver);
                continue;
            }
            const std::uint64_t stop = heap_.empty() ? limit_ : std::min(limit_, heap_.front()->head);
            bool more = true;
            while (more && first->head < stop) more = TakeOne(*first, deliver);
            first->lane->Ring().Consume();
            if (more) Push(first);
        }
        Flush(deliver);
        return tally_;
    }

    // A gap that belongs to no lane (writers for which there was no lane).
    template <class Deliver>
    void DeliverGap(std::uint64_t dropped, Deliver&& deliver) {
        Out(GapOf(dropped, last_, {}), deliver);
        Flush(deliver);
    }

    std::uint64_t Limit() const noexcept { return limit_; }  // of the last round

private:
    static constexpr std::size_t kBatch = 512;

    // Older lanes first where stamps are equal, so that equal input gives equal output.
    static bool Later(const Cursor* a, const Cursor* b) noexcept {
        return a->head != b->head ? a->head > b->head : a > b;
    }

    Cursor* Pop() {
        std::pop_heap(heap_.begin(), heap_.end(), Later);
        Cursor* const cursor = heap_.back();
        heap_.pop_back();
        return cursor;
    }
    void Push(Cursor* cursor) {
        heap_.push_back(cursor);
        std::push_heap(heap_.begin(), heap_.end(), Later);
    }

    static bool IsWriterGap(const Event& record) noexcept {
        return record.kind == EventKind::Gap && record.error == kWriterGap;
    }

    // Sets cursor.head; false when the lane has nothing more in this round. Steps over gaps that are reported already.
    static bool FindHead(Cursor& cursor) noexcept {
        auto& ring = cursor.lane->Ring();
        for (; ring.Next() < cursor.look.end; ring.Step()) {
            const Event& record = ring.At(ring.Next());
            if (!IsWriterGap(record)) {
                cursor.head = record.stamp;
                return true;
            }
            if (record.argument > cursor.reported) {
                cursor.head = std::max(record.stamp, cursor.gapFloor);
                return true;
            }
        }
        if (cursor.look.dropped <= cursor.reported) return false;
        cursor.head = std::max(cursor.look.dropStamp, cursor.gapFloor);  // lost after all that is in the ring
        return true;
    }

    // Delivers what is at the head, with its continuations. False when the lane has nothing more in this round.
    template <class Deliver>
    bool TakeOne(Cursor& cursor, Deliver& deliver) {
        auto& ring = cursor.lane->Ring();
        if (ring.Next() >= cursor.look.end) {
            ReportGap(cursor, cursor.look.dropped, {}, deliver);
            // The row of drops may go on, under the same stamp; but what this round did not see is not older than it.
            if (limit_ != kIdle) cursor.gapFloor = limit_;
            return false;
        }
        const Event record = ring.At(ring.Next());
        ring.Step();
        if (IsWriterGap(record)) {
            ReportGap(cursor, record.argument, record.thread, deliver);
        } else {
            if (record.stamp < last_) ++tally_.late;
            last_ = std::max(last_, record.stamp);
            ++tally_.events;
            Out(record, deliver);
            while (ring.Next() < cursor.look.end && ring.At(ring.Next()).kind == EventKind::Continuation) {
                Out(ring.At(ring.Next()), deliver);
                ring.Step();
            }
        }
        if (ring.Next() % kConsumeAtMost == 0) ring.Consume();
        return FindHead(cursor);
    }

    template <class Deliver>
    void ReportGap(Cursor& cursor, std::uint64_t total, ThreadId thread, Deliver& deliver) {
        Out(GapOf(total - cursor.reported, cursor.head, thread), deliver);
        last_ = std::max(last_, cursor.head);
        cursor.reported = total;
    }

    static Event GapOf(std::uint64_t dropped, std::uint64_t stamp, ThreadId thread) noexcept {
        Event gap;
        gap.kind = EventKind::Gap;
        gap.stamp = stamp;
        gap.argument = dropped;
        gap.thread = thread;
        return gap;
    }

    // Several lanes have the same stamp at their heads: one event at a time, allocations after the frees they need.
    template <class Deliver>
    void TakeTied(Cursor* first, Deliver& deliver) {
        const std::uint64_t stamp = first->head;
        tied_.assign(1, first);
        while (!heap_.empty() && heap_.front()->head == stamp) tied_.push_back(Pop());
        while (!tied_.empty()) {
            std::size_t chosen = 0;  // if each waits for another (which no real run can do), the first
            if (!Weakened(Weakening::NoTieRule)) {
                for (std::size_t i = 0; i < tied_.size(); ++i) {
                    if (WaitsForAnother(i, stamp)) continue;
                    chosen = i;
                    break;
                }
            }
            Cursor* const cursor = tied_[chosen];
            const bool more = TakeOne(*cursor, deliver);
            if (more && cursor->head == stamp) continue;
            cursor->lane->Ring().Consume();
            tied_.erase(tied_.begin() + static_cast<std::ptrdiff_t>(chosen));
            if (more) Push(cursor);
        }
    }

    bool WaitsForAnother(std::size_t which, std::uint64_t stamp) const noexcept {
        const Cursor& cursor = *tied_[which];
        const auto& ring = cursor.lane->Ring();
        if (ring.Next() >= cursor.look.end) return false;
        const Event& event = ring.At(ring.Next());
        if (!TakesIntoUse(event)) return false;
        for (std::size_t i = 0; i < tied_.size(); ++i) {
            if (i == which) continue;
            const auto& other = tied_[i]->lane->Ring();
            for (std::uint64_t at = other.Next(); at < tied_[i]->look.end && other.At(at).stamp == stamp; ++at) {
                if (GivesBack(other.At(at), event.address)) return true;
            }
        }
        return false;
    }

    template <class Deliver>
    void Out(const Event& record, Deliver& deliver) {
        batch_[filled_++] = record;
        ++tally_.records;
        if (filled_ == kBatch) Flush(deliver);
    }
    template <class Deliver>
    void Flush(Deliver& deliver) {
        if (filled_ == 0) return;
        const std::size_t count = filled_;
        filled_ = 0;
        deliver(static_cast<const Event*>(batch_), count);
    }

    std::vector<Cursor*> heap_;
    std::vector<Cursor*> tied_;
    Tally tally_;
    std::uint64_t limit_ = 0;
    std::uint64_t last_ = 0;  // the latest stamp delivered
    std::size_t filled_ = 0;
    Event batch_[kBatch];
};

}  // namespace residue::events::detail
