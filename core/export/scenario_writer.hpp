// Writes what allocators did as a scenario (.iridis): a program that does the same again, to edit, narrate and step
// through. For sandbox sessions and short traces.
//
//     auto done = exports::WriteScenario(session.View(), "mine.iridis");
//
// One statement a call: allocate, free, resize, mark, release, reset, destroy. A call that failed is written with the
// error it gave as its #[expect]. Allocators by kind (alloc::KindId) with the bytes they had; those that grew get room
// for their high water; whatever has no kind of ours becomes a default allocator. What a script cannot say (a foreign
// pointer, an alignment above 4,096) is left out, or cut, and counted.
//
// At most kMostScenarioCalls calls: a scenario is to be read. The file appears whole or not at all. Failures: too many
// calls, the writing's, cancelled. Thread safety: none needed.
#pragma once

#include <string>

#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

inline constexpr std::uint64_t kMostScenarioCalls = 10'000;

// `title`: the scenario's first line.
Outcome<void> WriteScenario(const log::LogView& log, const std::string& path, const std::string& title,
                            const WriteExtras& extras = {});

}  // namespace residue::exports
