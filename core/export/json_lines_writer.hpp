// Writes a log as JSON Lines, one event an object, so that other programs can read it and we can read it back: the same
// log comes out of it. What the lines hold: export/README.md; the reader: import/json_lines_reader.cpp.
//
//     auto done = exports::WriteJsonLines(session.View(), "out.jsonl");
//
// The file appears whole or not at all (export/atomic_file.hpp). Cost: one pass, some 300 ns an event; the names of all
// frames are looked up. Memory: some 40 bytes a distinct frame. Failures: the writing's, cancelled.
// Thread safety: none needed.
#pragma once

#include <string>

#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

// `extras.summary->operations`: events written.
Outcome<void> WriteJsonLines(const log::LogView& log, const std::string& path, const WriteExtras& extras = {});

}  // namespace residue::exports
