// Reads an event stream, what a machine without an operating system sent over its serial port, into a log. The format
// and the writing end: events/stream_format.hpp, events/stream_sink.hpp.
//
//     log::EventLog log;
//     auto summary = ReadEventStream("serial.bin", log);       // summary->warnings says what is missing
//
// The wire is not trusted. A stream may begin and end anywhere, a boot loader's and a kernel's own messages may stand
// between packets (text becomes Output events, anything else is left out), packets may be damaged or lost: each oddity
// is a warning with its byte offset, and lost events become a Gap, from which on figures are uncertain. A machine that
// was started again goes on in the same log, its allocators destroyed. Memory is bounded by what the stream holds.
// Cost: some 310 ns an event. The file may be gzip- or zstd-compressed. Threads: one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::import {

struct StreamSummary {
    std::uint64_t packets = 0;      // whole ones
    std::uint64_t events = 0;       // in them
    std::uint64_t lost = 0;         // events that the stream's numbers miss
    std::uint64_t runs = 0;         // beginnings seen
    bool whole = false;             // its end was the last packet, and nothing was lost
    std::vector<Warning> warnings;  // where: "serial.bin: byte 4096"; at most 1,000, then one that counts the rest
};

// Is there a whole packet in the first 64 KiB? Told by its mark and checksum, whatever stands before it.
bool LooksLikeEventStream(std::string_view start);
bool IsEventStream(const std::string& path);  // false also where the file cannot be read

// Into an empty log, which is closed at the end. Failures: unreadable, no packet at all, a version that is not known
// (by byte offset), cancelled.
Outcome<StreamSummary> ReadEventStream(const std::string& path, log::EventLog& into,
                                       const std::atomic<bool>* cancelled = nullptr,
                                       std::atomic<double>* progress = nullptr);
Outcome<StreamSummary> ReadEventStreamBytes(const std::string& name, std::string_view bytes, log::EventLog& into);

// The same, piece by piece as it arrives.
class EventStreamReader {
public:
    EventStreamReader(std::string name, log::EventLog& into);  // `name` for messages; the log outlives it
    ~EventStreamReader();
    EventStreamReader(const EventStreamReader&) = delete;
    EventStreamReader& operator=(const EventStreamReader&) = delete;

    Outcome<void> Feed(std::string_view bytes);  // after a failure: no more
    Outcome<StreamSummary> Finish();             // once: nothing more comes; closes the log

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::import
