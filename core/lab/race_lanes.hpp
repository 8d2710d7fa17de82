// How each kind of lane is run; a part of race.hpp. Each fills a lane whose name is set already. Failures: as Race's.
#pragma once

#include "lab/race.hpp"

namespace residue::lab {

// An allocator of the registry: replayed for its figures (equal to those of `residue report`), then timed.
Outcome<void> RunRegistered(const alloc::Registration& entry, const LabTrace& trace, const RaceOptions& options,
                            RaceLane& lane);
// A student's allocator, as `residue lab` runs it.
Outcome<void> RunStudent(const Built& built, const LabTrace& trace, const RaceOptions& options, RaceLane& lane);
// A malloc of the system, in residue-race-peer.
Outcome<void> RunSystemMalloc(const SystemMalloc& system, const LabTrace& trace, const RaceOptions& options,
                              RaceLane& lane);

// Seconds that an allocator of the registry takes for the trace, nobody listening: the fastest of some runs, the first
// of which does not count. 0: cancelled, or no address space.
double TimeRegistered(const alloc::Registration& entry, const LabTrace& trace, const RaceOptions& options);

// Does an operation ask for bytes? (One of 0 bytes may give a block or not, so lanes are not compared there.)
bool Asks(const Op& op);
// "malloc(64)", as a program says it.
std::string AskedText(const Op& op);
bool IsCancelled(const RaceOptions& options);

}  // namespace residue::lab
