// What a format of recordings is made of; a new one costs its own file and a row in recordings.cpp. Internal to
// import/.
#pragma once

#include <string_view>

#include "import/line_blocks.hpp"
#include "import/recording_output.hpp"

namespace residue::import {

struct RecordingFormat {
    // Is it this format? `start`: the first 64 KiB of the text, which may end within a line.
    bool (*Recognise)(std::string_view start);
    // Reads all lines. Failures: those of `lines`.
    Outcome<void> (*Read)(LineBlocks& lines, RecordingOutput& output);
};

extern const RecordingFormat kJsonLinesFormat;     // json_lines_reader.cpp
extern const RecordingFormat kHeaptrackFormat;     // heaptrack_reader.cpp
extern const RecordingFormat kMtraceFormat;        // mtrace_reader.cpp
extern const RecordingFormat kValgrindFormat;      // call_log_reader.cpp, and so are all that follow
extern const RecordingFormat kLogallocFormat;
extern const RecordingFormat kMemoryReplayFormat;
extern const RecordingFormat kLtraceFormat;

}  // namespace residue::import
