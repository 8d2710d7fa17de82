// The native file, `.residue`: a log, kept. Layout: log/native_format.hpp.
//
//     auto written = WriteNative(log.View(), "run.residue");
//     EventLog again;
//     auto summary = ReadNative("run.residue", again);      // summary->warnings says what is missing
//
// Writing costs some 120 ns an event, opening little more than the appender; memory is one chunk on top of the log.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::log {

// Saves a log. A regular file is written beside the one that has the name and then takes its place, so on a failure or
// when cancelled nothing is lost; anything else (a pipe, a device) is written to directly. `progress`: 0..1.
Outcome<void> WriteNative(const LogView& log, const std::string& path, const std::atomic<bool>* cancelled = nullptr,
                          std::atomic<double>* progress = nullptr);

struct NativeSummary {
    std::uint32_t version = 0;
    std::uint64_t rows = 0;          // as stored; the log may have more, where the stream had to be made legal
    bool whole = false;              // it has its end; else it was cut off or is damaged
    std::vector<Warning> warnings;   // where: "run.residue: byte 4096"
};

// Opens a file into an empty log, and closes the log. Opens what is whole of a file that was cut off, with a warning.
// Failure: unreadable, not a native file, a later version, or a chunk that cannot be what it says, by byte offset.
// Reads no number without checking it: memory is bounded by what the file holds (kilobytes for each of its bytes).
Outcome<NativeSummary> ReadNative(const std::string& path, EventLog& into,
                                  const std::atomic<bool>* cancelled = nullptr,
                                  std::atomic<double>* progress = nullptr);
Outcome<NativeSummary> ReadNativeBytes(const std::string& name, std::span<const std::byte> bytes, EventLog& into,
                                       const std::atomic<bool>* cancelled = nullptr,
                                       std::atomic<double>* progress = nullptr);

// Do these first bytes of a file belong to a native file? (8 are enough.)
bool LooksNative(std::span<const std::byte> firstBytes);

// Where a native file goes.
class NativeOutput {
public:
    virtual ~NativeOutput() = default;
    // All of them, or a failure, after which nothing more is written.
    virtual Outcome<void> Write(std::span<const std::byte> bytes) = 0;
};

// Writes a log while it grows: whole chunks, each complete in itself, so that the file can be opened up to the last one
// whenever the program ends. One thread; the view may come from any.
class NativeStream {
public:
    explicit NativeStream(NativeOutput& output);  // outlives it
    ~NativeStream();
    NativeStream(const NativeStream&) = delete;
    NativeStream& operator=(const NativeStream&) = delete;

    // Writes the rows that are new in `log` (views of one log, each later than the one before), at most one chunk of
    // them. True when there are no more.
    Outcome<bool> Update(const LogView& log);
    // The rest, the names of frames as far as they are known, and the end.
    Outcome<void> Finish(const LogView& log);
    std::uint64_t RowsWritten() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::log
