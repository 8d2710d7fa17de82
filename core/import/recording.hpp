// Recordings that other tools made of a running program: heaptrack (raw and interpreted), glibc mtrace, the logs of
// calls that ltrace, valgrind, Mozilla's logalloc and Android's malloc debug write, and our own JSON Lines. They hold
// events, so they go into a log as they are; nothing is replayed.
//
//     log::EventLog log;
//     auto summary = ReadRecording("heaptrack.ls.1234.zst", log);   // summary->format, summary->warnings
//
// Formats are told by content, compressed (gzip, zstd) or not. No byte is trusted: an oddity is a warning with its
// line, never a crash. Memory is the log, the live blocks, and one buffer. One row of recordings.cpp a format.
// Cost: some 11 to 18 ns an event beside the log's own. Threads: one.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::import {

struct RecordingSummary {
    std::string format;             // "heaptrack v3, interpreted", "glibc mtrace", "ltrace", ...
    std::uint64_t events = 0;       // in the file, as far as they could be read
    std::vector<Warning> warnings;  // where: "a.mtrace:12"
};

// By the beginning of the text, at most its first 64 KiB.
bool LooksLikeRecording(std::string_view start);
bool IsRecording(const std::string& path);  // false also where the file cannot be read

// Into an empty log, which is closed at the end. Failures: unreadable, of no known format, damaged compression that is
// no mere cut, cancelled. A file that is cut off opens up to there, with a warning.
Outcome<RecordingSummary> ReadRecording(const std::string& path, log::EventLog& into,
                                        const std::atomic<bool>* cancelled = nullptr,
                                        std::atomic<double>* progress = nullptr);
// `name` is for messages.
Outcome<RecordingSummary> ReadRecordingBytes(const std::string& name, std::string_view bytes, log::EventLog& into);

}  // namespace residue::import
