// A program that is being watched: what a view shows of it beside its log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace residue::session {

class Session;

class LiveProgram {
public:
    virtual ~LiveProgram() = default;

    struct State {
        int process = 0;
        bool running = true;
        bool recording = true;           // more events may come
        bool seen = false;               // it has the recorder; else nothing of it came (yet)
        bool midLife = false;            // it ran before it was recorded: what it had then is not known
        std::string ended{};             // "exit code 0", "killed by signal 11 (Segmentation fault)"; empty: it runs
        double eventsPerSecond = 0;      // taken from it, lately
        double laneFill = 0;             // 0..1, of the fullest lane
        std::uint64_t received = 0, lost = 0;
        std::uint64_t waiting = 0;       // events taken that are not in the log yet
        std::uint32_t threads = 0;
        double waitedSeconds = 0;        // that the program waited for the recorder, in all
        std::uint64_t spilled = 0;       // bytes of its log that are on disk
        std::uint64_t unfollowed = 0;    // processes that it started and that could not be watched
        bool others = false;             // it started processes that allocate, and none is followed
    };
    virtual State ProgramState() const = 0;  // as of the last Tick
    virtual void StopRecording() = 0;        // the program goes on alone
    virtual void EndProgram() = 0;           // asks it to end (SIGTERM)
    // Processes that it, or one of them, has started since this was last asked, where they are followed: each is
    // watched already, by a session of its own, which does not end with this one.
    virtual std::vector<std::unique_ptr<Session>> TakeProcesses() = 0;
    struct Bytes {
        std::uint64_t memory = 0, disk = 0;
    };
    virtual Bytes LogBytes() const = 0;          // that its log takes
    virtual void StopAtLimit() = 0;              // StopRecording, because of what they take together
};

}  // namespace residue::session
