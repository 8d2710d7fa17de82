// Runs a student's library over one trace, in a process of its own that cannot do anything else, and says what came of
// it. A crash, an endless loop, an exit of the student's code is a problem of the trace, never one of ours.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/build.hpp"
#include "lab/judge.hpp"
#include "lab/trace.hpp"
#include "log/failure.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::lab {

struct RunOptions {
    std::uint64_t heapBytes = std::uint64_t{100} << 20;  // the most that mem_sbrk gives, up to kLargestHeap
    std::chrono::milliseconds timeout{20'000};           // for all passes over a trace
    bool checkAll = false;    // every live payload, and mm_checkheap, before every operation: mdriver's -D
    unsigned timedRuns = 20;  // at most; 0: no timing
    bool needsLandlock = true;
    std::optional<std::uint64_t> alignment;  // of payloads; none: the course's
    const std::atomic<bool>* cancelled = nullptr;
};

struct Problem {
    std::optional<std::uint64_t> op;    // none: before the first one
    std::string message;                // "mm_malloc failed."
    std::string pass;                   // "zeroed heap", "dirty heap", "utilisation", "timed"; empty: while loading
    std::uint64_t address = 0;          // 0: none
    std::vector<symbols::Frame> calls;  // innermost first, of the student's code
    std::string hint;                   // what else is known: who wrote into the block, ...; may be empty
};

struct TraceOutcome {
    enum class State { Valid, Invalid, NotRun };
    State state = State::NotRun;
    std::string notRun;               // why
    std::optional<Problem> problem;   // of an invalid one
    std::uint64_t heapBytes = 0;      // at the end, as mem_heapsize() has it
    double utilisation = 0;           // 0..1; of a valid one
    double seconds = 0;               // of one timed run, the fastest; 0: none was made
    std::string output;               // what the student's code printed
    std::uint64_t outputLeftOut = 0;  // bytes of it
    std::vector<Record> records;      // of the first pass, as far as it came
};

// Failures: the host is not there, or cannot confine itself; no memory; cancelled.
Outcome<TraceOutcome> RunTrace(const Built& built, const LabTrace& trace, const RunOptions& options);

}  // namespace residue::lab
