// Records what allocators do inside a program of one's own, into a native file that Residue opens:
//
//     log::Recorder recorder("run.residue");
//     TrackingAllocator watched = CreateTrackingAllocator(&mine);
//     watched.AttachSink(recorder.Sink(), "mine");
//     ...
//     DestroyTrackingAllocator(&watched);                   // or the allocator may outlive the recording
//     if (const auto saved = recorder.Save(); !saved) std::fputs(saved.error().Text().c_str(), stderr);
//
// The log is in memory until it is saved (some 25 bytes an event); the file takes its name's place whole or not at all.
// Call traces have the innermost 32 frames of programs compiled with -fno-omit-frame-pointer.
// Threads: Sink() may be used by all; made, saved and destroyed by one. A writer waits while the recorder is behind.
#pragma once

#include <memory>
#include <string>

#include "events/sink.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::log {

class Recorder {
public:
    // Nothing is written before Save. `name`: of the program, as it will be shown; none: the file's.
    explicit Recorder(std::string path, std::string name = {});
    ~Recorder();  // without Save nothing is kept
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    events::EventSink* Sink();
    // What has arrived so far; it follows the program by about a millisecond.
    LogView View() const;
    // Ends the recording (allocators that are still attached may go on, unheard) and writes the file. Once; later calls
    // give the same answer. Failures: the file cannot be written; memory ran out (the file then has what
    // came before).
    Outcome<void> Save();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::log
