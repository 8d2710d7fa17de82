// One trace through several allocators in lock-step: what each did with every operation, and where they part.
//
//     auto entrants = MakeEntrants({"first-fit", "buddy", "./mm.c", "glibc"}, buildOptions);
//     auto race = Race("t.rep", *entrants, options);
//     race->lanes[0].utilisation ... race->divergence ...
//
// Registered allocators are replayed as `residue report` does it, a student's mm.c runs in the lab's confined process,
// a system's malloc in a process of its own (lab/peer). Figures are METRICS.md's, sampled after whole operations; what
// cannot be known of a lane is none, with the reason. Operations count from 1.
//
// Cost: every lane runs the trace once, and some times more for its throughput; 16 bytes an operation and lane are
// kept. Any one thread; `cancelled` and `progress` may be used from others.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lab/entrants.hpp"
#include "lab/run.hpp"
#include "lab/trace.hpp"

namespace residue::lab {

inline constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

// What a lane did with one operation.
struct RaceStep {
    // Of the payload that was placed, from the first one that this lane gave out (so that headers before the first one
    // do not count). It wraps around below. kNowhere: nothing was placed.
    std::uint64_t offset = kNowhere;
    std::uint64_t heap = 0;  // H after it; only where the lane's heap is known
};

// A figure, or why there is none.
template <class T>
struct Known {
    std::optional<T> value;
    std::string reason;
};

struct RaceFailure {
    std::uint64_t operation = 0;
    std::string text;  // "malloc(64): Fragmentation"
};

struct RaceLane {
    enum class State { Ran, Invalid, NotRun };  // Invalid: a student's allocator that gave out what it must not
    std::string name;                           // as the user typed it
    std::string title;
    bool isBound = false;  // perfect compaction: no allocator
    State state = State::NotRun;
    std::string reason;  // of Invalid and NotRun: "libjemalloc.so.2 is not installed"
    std::uint64_t peakLive = 0;
    Known<std::uint64_t> heapEnd, heapPeak;  // H
    // Where H is not known: the pages of 4 KiB that its payloads have lain on until the end, in bytes. Pages that it
    // gave back count on, and those that hold only its bookkeeping never do.
    std::optional<std::uint64_t> pageBytes;
    Known<double> utilisation;            // the largest P by the largest H, or by pageBytes
    Known<double> externalFragmentation;  // at the first peak of P
    Known<double> searchLength;           // holes looked at, per request that was granted
    std::uint64_t failures = 0;           // requests
    std::optional<RaceFailure> firstFailure;
    double seconds = 0;           // of one run, the fastest; 0: not timed
    std::vector<RaceStep> steps;  // one an operation; empty unless it ran
};

// Where two lanes part: the first operation whose payloads lie at different offsets.
struct RacePair {
    std::size_t first = 0, second = 0;  // lanes
    std::uint64_t operation = 0;        // 0: alike throughout
};

// The earliest of them: where the payloads of all lanes are then, as in RaceStep. One a lane; none: the lane did not
// run, or is the bound.
struct RaceDivergence {
    std::uint64_t operation = 0;
    std::vector<std::optional<std::uint64_t>> offsets;
};

struct RaceGap {
    std::uint64_t operation = 0;
    std::size_t smallest = 0, largest = 0;  // lanes
    std::uint64_t smallestHeap = 0, largestHeap = 0;
};

struct RaceResult {
    std::string path, name;  // of the trace
    std::uint64_t operations = 0;
    std::vector<RaceLane> lanes;     // in the entrants' order; the last one is perfect compaction
    std::uint64_t alignedBound = 0;  // perfect compaction with every payload rounded up to 8 bytes
    std::vector<RacePair> pairs;     // of lanes that ran, the bound left out
    std::optional<RaceDivergence> divergence;
    std::optional<std::size_t> failedFirst;  // the lane with the earliest failed request (the first of equals)
    // Among lanes whose heap is known and that placed all that was asked for, the bound left out; the first one.
    std::optional<RaceGap> widestGap;
    std::string divergedAt, widestGapAt;  // what these operations ask: "malloc(64)"
    std::vector<Warning> warnings;        // the trace's
};

struct RaceOptions {
    std::optional<std::uint64_t> capacity;  // bytes of lanes that live in a buffer; none: their heaps grow as needed
    bool timing = true;
    RunOptions student;  // limits of mm.c; `timeout` is also that of a system's malloc
    const std::atomic<bool>* cancelled = nullptr;
    std::atomic<double>* progress = nullptr;  // 0..1 of this trace
};

// Failures: the reader's; a host that is missing or cannot confine; no memory; cancelled. A lane that cannot run says
// so itself.
Outcome<RaceResult> Race(const std::string& path, std::span<const Entrant> entrants, const RaceOptions& options);

// What is compared, of lanes that have run; Race calls it. Pure.
void Compare(RaceResult& race);

// The lane of perfect compaction: H is the largest sum of live payloads so far, nothing else (METRICS.md).
RaceLane PerfectCompaction(const LabTrace& trace);
// The same with every payload rounded up to a multiple of 8 bytes: the most that such a sum comes to.
std::uint64_t AlignedPeak(const LabTrace& trace);

}  // namespace residue::lab
