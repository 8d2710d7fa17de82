// Replays a trace of ids and sizes on a real allocator of the registry, on real addresses, and tells every event.
//
//     auto figures = import::ReadFigures(*reader, &cancelled);            // first pass: how much heap it needs
//     auto replay = Replay::Create(*figures, {.allocator = "best-fit"});
//     auto reader = import::OpenTrace(path);                              // second pass
//     (*replay)->Run(**reader, lanes, cancelled, &progress);
//
// Each operation of the trace is exactly one call, so position N is "after N operations":
//   - what has no effect (free(NULL), realloc(NULL, 0), a touch) is a Step that counts as a call and carries the line
//   - a free of an id that was never allocated is a free of null, so that the allocator says InvalidPointer
//   - a free of an id that was freed before frees its old address again, so that the allocator says DoubleFree - unless
//     a newer block starts there by now, or the allocator could not tell and would come to harm: then it is a Step
//   - where an allocation failed, later operations on its id have no block and are Steps; after a failed resize the
//     block is as it was
//   - resizes use the allocator's own Resize. An allocator without one, and a block whose copy would fill more than
//     64 MiB, gets allocate + free, told as the one resize that they are
// Payload bytes are never written, so that memory is bounded by the pages that hold the allocator's own bookkeeping.
// Requests are aligned to 8 bytes. The allocator's end is not told: the last position shows the heap as it was left.
//
// Thread safety: Run on any one thread; `cancelled` and `progress` may be used from others.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "events/sink.hpp"
#include "import/trace.hpp"
#include "log/failure.hpp"
#include "replay/address_range.hpp"
#include "replay/fork.hpp"

namespace residue::replay {

struct ReplayOptions {
    std::string allocator = "first-fit";    // a name of alloc::Registry()
    std::optional<std::uint64_t> capacity = std::nullopt;  // bytes; none: the heap's end grows by what is missing
    // Between two policies of one family, with the same capacity, the heap is left as it is (a marker tells). Otherwise
    // the live blocks are placed afresh, in order of allocation, in a heap of its own, and the first allocator ends:
    // rows that are no calls, before the first operation under the new rules. Then operations on blocks for which there
    // was no room have no effect.
    std::optional<Fork> fork = std::nullopt;
};

// The largest heap that an allocator in a buffer can have.
inline constexpr std::uint64_t kLargestHeap = std::uint64_t{16} << 30;

class Replay {
public:
    // Failures (of the fork as well): an allocator that is not in the registry; a capacity of 0, or for an allocator
    // that has none; a heap that would not fit ("needs N bytes of heap"); no address space.
    static Outcome<std::unique_ptr<Replay>> Create(const import::TraceFigures& figures, const ReplayOptions& options);
    virtual ~Replay() = default;

    // Once. `sink` gets addresses from kFixedBase on where the allocator lives in a buffer, else real ones. Failures:
    // the reader's; cancelled. What happened until then has been told.
    virtual Outcome<void> Run(import::TraceReader& reader, events::EventSink& sink, const std::atomic<bool>& cancelled,
                              std::atomic<double>* progress) = 0;

    virtual const char* Title() const = 0;          // "fixed buffer, first fit"
    virtual std::uint64_t ReservedBytes() const = 0;  // of address space; 0: the allocator takes memory from the OS
};

}  // namespace residue::replay
