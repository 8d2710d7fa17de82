// The appender makes any stream of events legal and writes it to the log:
//   a free of an address that is not live      -> FreeFailed (DoubleFree or InvalidPointer by the log's exact verdict,
//                                                 nearest block and offset filled in)
//   an allocation over live blocks             -> an inferred Freed for each of them first (flags Inferred, NotACall).
//                                                 A block whose resize has begun and not ended had just moved on: its
//                                                 inferred end is no mistake of anyone and not counted as one
//   a resize of an unknown address             -> its end is an allocation
//   an allocator created twice                 -> an inferred AllocatorDestroyed first
//   unknown kinds, orphaned continuations      -> counted, left out, one warning
//   blocks outside the address space           -> left out with a warning
//   ranges that pass the end of memory         -> cut there; errors and alignments that do not exist -> ones that do
// So apply and unapply are total: each block is born once, dies at most once, and live blocks of one allocator never
// overlap. (A block of no bytes holds the one at its address, so that addresses of live blocks are unique.) A log that
// is appended once more gives the same log. Continuation records become the text of the event before them.
// A ResizeEnds belongs to the ResizeBegins of the same thread and allocator.
// Where a child allocator says that it uses a parent's block as its region (AllocatorCreated with a parent, RegionGrown
// of such a child), the row names that block and has the flag Region, as has the row that frees it; rows that were
// written before do not change.
//
// Cost: one ordered look-up an event, two per allocation; 32 bytes a live block. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::log {

class Appender {
public:
    explicit Appender(EventLog& log);  // an empty log, which outlives it
    ~Appender();                       // flushes
    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;

    // Records as they come out of the merge; texts may be spread over calls.
    void Append(const events::Event* records, std::size_t count);
    // An event with its text already whole.
    void Append(const events::Event& event, std::string_view text);
    // The same as an event for each of them, and quicker.
    void Append(AllocatorId allocator, std::span<const PlainCall> calls);
    // Writes an event whose text has not ended yet as it is. At the end of the stream.
    void Flush();

    // Does one live block of the allocator's hold all of [address, address + size)?
    bool HoldsInOneBlock(AllocatorId allocator, std::uint64_t address, std::uint64_t size) const;
    // Is it the start of a live block's payload?
    bool IsLive(AllocatorId allocator, std::uint64_t address) const;

    // Does any live block of the allocator's have bytes in [begin, end)?
    bool AnyLiveIn(AllocatorId allocator, std::uint64_t begin, std::uint64_t end) const;

    struct Totals {
        std::uint64_t inferredFrees = 0;   // blocks that were allocated over, those in the middle of a resize left out
        std::uint64_t rewrittenFrees = 0;  // Freed that became FreeFailed
        std::uint64_t leftOut = 0;         // records
        std::uint64_t dropped = 0;  // by gap events
    };
    const Totals& Counted() const;
    std::vector<Warning> Warnings() const;  // at most 1,000, then one that says how many more

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::log
