// A fork of what was recorded: up to a position the rows as they are, and from there on the same requests to an
// allocator of the registry.
//
//     log::EventLog into;
//     auto forked = ForkLog(recorded, {.after = 500, .allocator = "tlsf"}, into, cancelled, &progress);
//
// Of a recording the heap's bytes are not known, so what is live at the fork is placed afresh, in order of allocation,
// and the recorded allocators end: rows that are no calls, before the first call under the new rules, and a marker that
// says how many blocks moved and how many had no room. From 0 on it is a run of the new allocator alone.
//
// Each call of the recording stays one call, with its call trace, thread and stamp:
//   - of blocks for which there was no room nothing follows; what ended together is freed block by block
//   - a request that was refused is asked for again, and what is granted goes back at once: nobody waits for it
//   - a child allocator's region is no request of the program's and left out, what is allocated in it is not
//   - bad frees, bad accesses and calls without effect are Steps
// Cost: that of both allocators' runs; 16 bytes a block.
#pragma once

#include <atomic>
#include <string>

#include "log/event_log.hpp"
#include "log/failure.hpp"
#include "replay/fork.hpp"

namespace residue::replay {

// `of`: all of it will be gone through. `into`: empty; it is not closed. Gives what the log has become, for people:
// "from event 500 on two-level segregated fit (TLSF)". Failures: those of a replay's fork; cancelled; no memory.
Outcome<std::string> ForkLog(const log::LogView& of, const Fork& fork, log::EventLog& into,
                             const std::atomic<bool>& cancelled, std::atomic<double>* progress);

}  // namespace residue::replay
