// One process of the host over one trace, and what it reported: what run.hpp and moment.hpp are made of.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/build.hpp"
#include "lab/layout.hpp"
#include "lab/process.hpp"
#include "lab/run.hpp"
#include "lab/trace.hpp"

namespace residue::lab {

struct HostRun {
    Report report;                                  // every number of it may be made up
    std::vector<Record> records[kRecordedPasses];  // as far as each came
    std::vector<std::byte> bytes;                  // where a moment was looked at
    std::vector<Step> steps;
    ChildEnd end;
};

// A block that is looked at after every call.
struct Watch {
    std::uint64_t slot = kNoWatch;
    std::uint64_t stopAt = ~std::uint64_t{0};
};

// A moment (Order::lookAt).
struct Look {
    std::uint64_t at = kNoLook;
    std::uint64_t from = kHeapBase, bytes = 0;
};

// Failures: the host is not there, or cannot confine itself; no memory; cancelled.
Outcome<HostRun> RunHost(const Built& built, const LabTrace& trace, const RunOptions& options, const Watch& watch,
                         const Look& look = {});

}  // namespace residue::lab
