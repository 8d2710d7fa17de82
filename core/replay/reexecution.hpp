// Runs the calls of a log again, on an allocator of the same kind in a range of its own, to find out what the log does
// not tell: the allocator's inside (free lists, bins, trees, marks) at any position, and what it decided in one call.
//
//     auto again = Reexecution::Create(view, allocator);             // or why that cannot be done
//     Outcome<Inside> inside = (*again)->At(view, position, cancelled, &progress);
//
// It is no simulation: core/alloc's own classes run on real bytes, and every event that they tell is compared with the
// one in the log. Where one differs, the inside is not known from there on, and At says so. Possible for allocators
// that name their kind when they are created (alloc::KindId): all of the registry but those over the system's memory,
// in a range of their own or with regions from a parent (which the log places), in replays, in the sandbox, and in
// programs that recorded themselves.
//
// Copies of the changed pages are kept at intervals (every 4,096 calls, fewer where there is much to compare; at most
// 256 MiB, then every second one goes), so that going back costs a copy and at most an interval.
// Cost of At: that, plus the calls in between, plus a walk. Thread safety: none; the log may grow meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/ids.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"
#include "replay/inside.hpp"

namespace residue::replay {

class Reexecution {
public:
    // Failures: `allocator` is none of ours, or its beginning was not recorded.
    static Outcome<std::unique_ptr<Reexecution>> Create(const log::LogView& view, AllocatorId allocator);
    virtual ~Reexecution() = default;

    // `position` <= view.Positions(). Failures: cancelled (what was reached is kept); the log tells something else than
    // what happens; events were lost; no address space.
    virtual Outcome<Inside> At(const log::LogView& view, Position position, const std::atomic<bool>& cancelled,
                               std::atomic<double>* progress) = 0;

    // After a failure that was no cancellation: the first position of which nothing will be known. 0: of none.
    virtual Position KnownUntil() const = 0;
    virtual std::uint64_t KeptBytes() const = 0;  // of the pages that are kept
};

}  // namespace residue::replay
