// Lanes: from many writer threads to one reader, in the order in which things happened, without a lock.
//
// Each writer thread gets a ring buffer of its own (events/spsc_ring.hpp) on its first event; the reader merges the
// rings by stamp. How the order holds: PERFORMANCE.md, "Order across threads without a lock", and detail/lane.hpp.
//
//   Lanes lanes({.capacity = 1 << 16, .policy = FullPolicy::Block, .stamps = StampSource::Ticks});
//   allocator.Attach(lanes);                                            // any number of threads
//   ...
//   lanes.Drain([&](const Event* records, std::size_t count) { appender.Append(records, count); });    // one thread
//   ...
//   lanes.Close();  lanes.DrainAll(deliver);                            // at the end
//
// Cost of an event: a virtual call or two, the stamp (10-20 ns by Ticks, fenced), a copy of 64 bytes. Cost of a round:
// one asymmetric fence (membarrier, some microseconds), then a copy a record. Memory: capacity x 64 bytes of address
// space for each thread alive at once; lanes of ended threads are used again.
// A reader that calls Drain on a timer bounds the delay of a record by that timer; no writer ever has one.
//
// Hosted: threads, clocks and pages of the OS are used (events/os/lanes.cpp).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "events/sink.hpp"
#include "events/trace_table.hpp"

namespace residue::events {

enum class FullPolicy : std::uint8_t {
    Block,         // the writer waits for the reader: up to the limit, or until Close
    DropAndCount,  // the record is lost, counted, and becomes part of a Gap event
};

enum class StampSource : std::uint8_t {
    Steps,  // 1, 2, 3 … from one shared counter: exact and repeatable, for sources with a single writer (replays,
            // scenarios). Right with many writers too, but they then contend for the counter (15 ns and more each).
    Ticks,  // the time stamp counter, read with a fence before it: for many writers
};

struct LanesOptions {
    std::size_t capacity = 1 << 16;  // records a lane; raised to a power of two, at least 64
    FullPolicy policy = FullPolicy::Block;
    StampSource stamps = StampSource::Steps;
    unsigned traceDepth = 0;         // frames a call trace; 0: no call traces. At most kMaxTraceDepth
    TraceTable* traces = nullptr;    // outlives the lanes
    std::uint64_t blockLimitNanoseconds = ~0ull;  // Block: how long a writer waits for a reader that makes no room;
                                                  // then it drops, without a wait, until there is room again
};

class Lanes final : public EventSink {
public:
    // Takes records in merged order. An event and its continuations are adjacent, but may be split over two calls.
    using Deliver = std::function<void(const Event*, std::size_t)>;

    explicit Lanes(const LanesOptions& options);
    ~Lanes();  // no writer may be in a call; what was not drained is lost
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;

    // Writers, any thread (but in Block never the thread that drains: it would wait for itself).
    std::uint64_t Begin() noexcept override;
    void Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    void BeginAndEmit(const Event& event) noexcept override;
    TraceId Capture(unsigned skip) noexcept override;
    AllocatorId NextAllocatorId() noexcept override;

    // Reader, one thread. One merge round: delivers every record older than now and than every writer that is at work,
    // by stamp; at equal stamps a free before an allocation of the same address. Gap events stand where records were
    // dropped. Returns how many records it delivered, gaps and continuations included.
    std::size_t Drain(const Deliver& deliver);
    // Delivers everything there is. Call it when the writers are done: joined, or after Close (then it waits for those
    // in the middle of an Emit, up to a second).
    std::size_t DrainAll(const Deliver& deliver);

    // Any thread.
    bool WorthDraining() const noexcept;  // a hint: is there a published batch? Quiet lanes need a timer
    double Fill() const noexcept;         // 0..1, of the fullest lane
    void Close() noexcept;                // frees blocked writers; later events are dropped and counted
    void SetPolicy(FullPolicy policy) noexcept;

    // Events, not records: continuations do not count, nor do the gaps that the merge puts in.
    struct Counted {
        std::uint64_t sent = 0;       // given to Emit
        std::uint64_t delivered = 0;
        std::uint64_t dropped = 0;    // sent == delivered + dropped once everything is drained
        std::uint64_t late = 0;       // delivered after an event with a later stamp; 0 unless clocks disagree
    };
    Counted Count() const noexcept;
    std::size_t LaneCount() const noexcept;  // lanes ever made: the most threads that were alive at once

private:
    struct State;
    std::uint64_t BeginSlowly() noexcept;
    void EmitSlowly(const Event* records, std::size_t count, std::uint64_t stamp) noexcept;

    // What every event needs, not behind the pointer.
    std::uint64_t serial_ = 0;
    StampSource stamps_;
    std::atomic<bool> closed_{false};
    std::unique_ptr<State> state_;
};

}  // namespace residue::events
