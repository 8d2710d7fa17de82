// Writes a log as an SQLite database, for questions in SQL. The tables, and some questions: export/README.md.
//
//     auto done = exports::WriteSqlite(session.View(), "run.sqlite");
//
// One transaction; the file appears whole or not at all (export/atomic_file.hpp). Cost: some 2 us an event and 3 a
// block, indices included; memory: SQLite's cache, and 12 bytes a distinct frame. Failures: SQLite's, a path that is no
// plain file, cancelled; and always where SQLite was missing when this was built. Sets the progress. Thread safety:
// none needed.
#pragma once

#include <string>

#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

// `extras.summary->operations`: events written.
Outcome<void> WriteSqlite(const log::LogView& log, const std::string& path, const WriteExtras& extras = {});

}  // namespace residue::exports
