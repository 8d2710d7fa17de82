// Writes a run's metrics as CSV (RFC 4180), a row a position or a row for each few. The columns: export/README.md.
//
//     auto done = exports::WriteMetricsCsv(session.View(), "run.csv", {.rows = 1000});
//
// Cost: export/position_walk.hpp, and some 3 us a row. Failures: the writing's, cancelled. Thread safety: none needed.
#pragma once

#include <cstdint>
#include <string>

#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

struct CsvOptions {
    std::uint64_t every = 0;       // a row each so many positions; 0: as many as `rows` allows
    std::uint64_t rows = 100'000;  // at most (2 or more), where `every` is 0
};

// Where a row stands for several positions it has the figures of the last of them, and beside them the lowest and the
// highest of all. `extras.summary->operations`: rows written.
Outcome<void> WriteMetricsCsv(const log::LogView& log, const std::string& path, const CsvOptions& options = {},
                              const WriteExtras& extras = {});

}  // namespace residue::exports
