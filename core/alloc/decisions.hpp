// What an allocator decided inside one call, step by step: which holes it looked at and why it refused them, what it
// split, joined, put into its list and took out. Allocators are templates on an observer, and both forms are compiled:
// with NoObserver every call to it is discarded at compile time, so that the form in daily use pays nothing.
//
//     Recorder recorder;                       // implements DecisionSink
//     ObservedFixedBufferAllocator allocator;  // re-executes the one call under study
//     allocator.observer.sink = &recorder;
#pragma once

#include <cstddef>
#include <cstdint>

namespace residue::alloc {

enum class DecisionKind : std::uint8_t { Probe, Split, Coalesce, Insert, Remove };

enum class ProbeVerdict : std::uint8_t {
    Taken,             // this hole it is (best and worst fit: the best so far)
    TooSmall,          // fewer bytes than the request needs
    TooSmallAligned,   // would do, but not from an aligned address on
    AnotherIsBetter,   // fits, but one seen before suits the policy better
};

// All addresses are real, of the block's first byte (its header); all sizes bytes, gross.
struct Decision {
    DecisionKind kind = DecisionKind::Probe;
    ProbeVerdict verdict = ProbeVerdict::Taken;  // Probe
    std::uintptr_t address = 0;                  // the hole; Split, Coalesce: the lower part
    std::size_t bytes = 0;
    std::uintptr_t other = 0;                    // Split, Coalesce: the upper part
    std::size_t otherBytes = 0;
};

class DecisionSink {
public:
    virtual void On(const Decision& decision) = 0;

protected:
    ~DecisionSink() = default;
};

struct NoObserver {
    static constexpr bool kObserves = false;
};

struct DecisionObserver {
    static constexpr bool kObserves = true;
    DecisionSink* sink = nullptr;  // may be null
};

}  // namespace residue::alloc
