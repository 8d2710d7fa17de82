// A trace through a malloc of the system: residue-race-peer runs it, in a process of its own whose heap nobody else
// uses. Of the heap only payloads are known.
#pragma once

#include <string>
#include <vector>

#include "lab/entrants.hpp"
#include "lab/race.hpp"

namespace residue::lab {

struct SystemRun {
    std::string whyNot;           // why there are no records: it is not installed, took too long, ...; empty: it ran
    std::vector<Record> records;  // one an operation; of those that place nothing, address 0
    double seconds = 0;           // of one run, the fastest; 0: not timed
};

// `options`: timing, cancelled, and student.timeout. Failures: the peer is missing; no memory; cancelled.
Outcome<SystemRun> RunSystem(const SystemMalloc& system, const LabTrace& trace, const RaceOptions& options);

}  // namespace residue::lab
