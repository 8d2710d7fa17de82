// Writes a run's figures as counters of the Chrome trace format (JSON), for ui.perfetto.dev and chrome://tracing. What
// it holds: export/README.md.
//
//     auto done = exports::WriteChromeTrace(session.View(), "run.trace.json");
//
// At most some `points` moments are written. Where a run has more positions, each of points / 4 equal stretches is
// written at its lowest and highest live bytes, its highest heap and its worst external fragmentation, so that no peak
// is lost; every moment that is written is exact. Errors are marks, the first kMostMarks of them. Cost:
// export/position_walk.hpp. Failures: the writing's, cancelled. Thread safety: none needed.
#pragma once

#include <cstdint>
#include <string>

#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

inline constexpr std::uint64_t kMostMarks = 10'000;

// `extras.summary`: `operations` moments written, `leftOut` errors that are not marked.
Outcome<void> WriteChromeTrace(const log::LogView& log, const std::string& path, std::uint64_t points = 100'000,
                               const WriteExtras& extras = {});

}  // namespace residue::exports
