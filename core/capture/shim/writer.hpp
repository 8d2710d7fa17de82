// The program's end of the channel: a lane for each thread, and what a hook does with it.
//
//     if (Writer* const writer = Enter()) {
//         ... the real call; writer->Emit(...) ...
//         Leave();
//     }
//
// Enter gives null where nothing is to be told: no recorder, another process (a child of fork), inside another hook.
// Nothing here allocates, locks, or changes errno.
#pragma once

#include <atomic>
#include <cstdint>

#include "capture/detail/table_capture.hpp"
#include "capture/layout.hpp"
#include "events/ticks.hpp"
#include "events/trace_capture.hpp"

namespace residue::capture::shim {

// Where a hook was called from: its own frame and registers.
struct Place {
    const void* frame = nullptr;
    Registers registers;
};

struct Process;  // one a recorder: writer.cpp

// A thread's. Lies in memory of the program's own, one for each lane.
class Writer {
public:
    // The hook's caller is the innermost frame.
    TraceId Trace(const Place& hook) noexcept;
    // The stamp is taken here: call it after an allocation, and before memory goes back.
    void Emit(RecordKind kind, const void* address, std::uint64_t size, unsigned alignmentLog2 = 0,
              std::uint64_t rounding = 0, TraceId trace = {}) noexcept {
        const std::uint64_t stamp = Begin();
        if (head_ < own_ || FindRoom()) [[likely]] {
            Record& record = records_[head_ & mask_];
            record.stamp = stamp;
            record.address = reinterpret_cast<std::uintptr_t>(address) & kLow48;
            record.size = Record::Pack(kind, size, alignmentLog2);
            record.trace = trace.value;
            record.rounding = static_cast<std::uint32_t>(rounding < 0xFFFFFFFF ? rounding : 0xFFFFFFFF);
            lane_->written.store(++head_, std::memory_order_release);
        } else {
            Drop(stamp);
        }
        lane_->mark.store(kIdle, std::memory_order_release);
    }

    // Several records that are one event, with one stamp; all or none of them arrive. At most kMostInGroup.
    void EmitGroup(Record* records, std::uint32_t count) noexcept;
    // A trace without its innermost frames.
    static TraceId Without(TraceId trace, unsigned frames) noexcept;

private:
    static constexpr std::uint64_t kPrepare = 1 << 13;  // records at once: 256 KiB

    friend struct Process;

    // Marks the lane as busy, and takes the stamp.
    //
    // While this lane is the only one, nobody can have told of anything that a stamp too early would come before, and
    // the wait for earlier loads (as long as all else of an event together) is saved. Right at the change too: whoever
    // has a block of another thread's has, with it, seen that thread's lane; and what is done after a stamp, another
    // thread sees after it, fenced or not. The mark holds the reader back as ever: a stamp that was read before the
    // mark was stored is thrown away and read again when the fence of the reader comes between the two.
    std::uint64_t Begin() noexcept {
        lane_->mark.store(lastStamp_, std::memory_order_release);
        std::uint64_t stamp = 0;
        if (lanesUsed_->load(std::memory_order_acquire) <= 1) [[likely]] {
            stamp = events::PlainTicks();
            if (stamp < lastStamp_) stamp = lastStamp_;
        } else {
            stamp = events::FencedTicks();
        }
        lastStamp_ = stamp;
        lane_->mark.store(stamp, std::memory_order_release);
        return stamp;
    }
    bool FindRoom() noexcept;
    bool WaitForRoom(std::uint64_t records = 1) noexcept;
    bool Prepare(std::uint64_t records) noexcept;  // the pages of so many, from head_ on
    void Drop(std::uint64_t stamp) noexcept;

    Process* process_ = nullptr;
    LaneHeader* lane_ = nullptr;
    const std::atomic<std::uint32_t>* lanesUsed_ = nullptr;
    Record* records_ = nullptr;
    std::uint64_t mask_ = 0;
    std::uint64_t head_ = 0;
    std::uint64_t own_ = 0;   // slots up to there are ours: taken over from the reader's cache (events/spsc_ring.hpp)
    std::uint64_t room_ = 0;  // the lane is full at this head, unless the reader has gone on since
    std::uint64_t stalledAt_ = 0;  // room_ as it was when the wait for more was given up
    std::uint64_t lastStamp_ = 0;
    std::uint64_t prepared_ = 0;  // slots whose pages are there
    std::uint32_t index_ = 0;
    bool ready_ = false;          // somebody had it before
    Unwinding unwinding_ = Unwinding::Off;
    events::TraceCapture byFramePointers_;
    detail::TableCapture byTables_;
};

struct Active;

// What a thread has at hand. Initial-exec: access never calls the loader, which could allocate.
struct Thread {
    Writer* writer = nullptr;
    Active* page = nullptr;  // of the recorder that `writer` writes for; another one may have come since
    bool busy = false;   // inside a hook
    bool own = false;    // what is allocated now, the shim asked for (pthread_getattr_np does)
    bool ended = false;  // its destructors run: it keeps no lane any more
};
extern thread_local constinit Thread self __attribute__((tls_model("initial-exec")));

// One page that a fork does not copy but empties: so a child knows by itself that it is not the program.
struct Active {
    std::atomic<std::uint32_t> active{0};
    std::atomic<std::uint32_t> asked{0};  // whether this child is to be watched too
};
extern constinit std::atomic<Active*> active;  // null: never attached

bool AttachChild(Active& page) noexcept;  // false: it is not to be watched
Writer* EnterSlowly() noexcept;
void LeaveSlowly() noexcept;
void CountNested() noexcept;
void ModuleGone() noexcept;  // after a dlclose
bool IsHeard() noexcept;     // of an attached process: somebody reads

// Attaches the process where it is the one to be watched. The first call of all may come before any constructor.
void AttachOnce() noexcept;
// To a recorder that came later, or another one than the last: attach.cpp.
AttachAnswer AttachAnew(const char* path) noexcept;

inline Writer* Enter() noexcept {
    Active* const page = active.load(std::memory_order_acquire);
    if (page == nullptr) return nullptr;
    if (page->active.load(std::memory_order_relaxed) == 0) [[unlikely]] {
        if (page->asked.load(std::memory_order_relaxed) != 0 || !AttachChild(*page)) return nullptr;
    }
    if (self.busy) {
        CountNested();
        return nullptr;
    }
    self.busy = true;
    if (self.page == page) [[likely]] return self.writer;
    return EnterSlowly();
}
inline void Leave() noexcept {
    if (self.ended) [[unlikely]] return LeaveSlowly();
    self.busy = false;
}

}  // namespace residue::capture::shim
