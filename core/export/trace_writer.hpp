// Writes traces of ids and sizes, malloc-lab .rep and CS107 .script, from a log or from another trace.
//
//     auto done = exports::WriteRep(session.View(), "out.rep");
//     auto done = exports::ConvertTrace("in.script", "out.rep", TextFormat::Rep);
//
// Ids are given in order of birth, each block its own, from 0 on; a resized block keeps its id. The .rep header is of
// the 2004 generation: weight 1, the number of ids, the number of operations, ignore_ranges 0 - what drivers check.
// Balanced: every block that is live at the end is freed there, in order of birth, and bad frees are left out, so that
// any driver accepts the trace.
//
// From a log: blocks that were given out, resized and given back, those of all allocators, regions of child allocators
// and their requests to a parent left out. A block that ended with a bulk free or a shrinking region is freed; one that
// ended with its allocator was never freed, and is not. What has no block (failed requests, bad frees, steps) is left
// out and counted.
// From a trace: every operation but touches and free(NULL) in a .script, which that format cannot say; a free of an id
// that is not live stays one. Forgotten blocks (an id used again while live) keep an id of their own.
//
// Files appear whole or not at all (export/atomic_file.hpp). Cost: two passes; 4 bytes a block (log) or some 16 a
// distinct id (trace). Failures: the writing's, the reader's, cancelled. Thread safety: none needed.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

enum class TextFormat : std::uint8_t { Rep, Script };

struct WriteSummary {
    std::uint64_t operations = 0;  // written
    std::uint64_t ids = 0;
    std::uint64_t leftOut = 0;     // calls or operations that the format cannot say
};

// What may be asked for beside; every pointer may be null.
struct WriteExtras {
    const std::atomic<bool>* cancelled = nullptr;
    WriteSummary* summary = nullptr;
    std::atomic<double>* progress = nullptr;  // 0..1, by those that say so
};

Outcome<void> WriteRep(const log::LogView& log, const std::string& path, bool balanced = false,
                       const WriteExtras& extras = {});
Outcome<void> WriteScript(const log::LogView& log, const std::string& path, bool balanced = false,
                          const WriteExtras& extras = {});

// `from` is a trace of ids and sizes in any format that import/ reads; it is read twice.
Outcome<void> ConvertTrace(const std::string& from, const std::string& to, TextFormat format, bool balanced = false,
                           const WriteExtras& extras = {});

}  // namespace residue::exports
