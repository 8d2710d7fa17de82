// The recorder's end of the channel (capture/layout.hpp): makes the memory, and takes out what a program writes into
// it, merged over its threads in the order in which it happened. How that holds without a lock: events/detail/lane.hpp.
//
// Whatever the program writes, reading stays within the memory, ends, and gives records of known kinds; what cannot be
// is left out and counted. One thread reads; the others' questions are said to be for any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/batch.hpp"
#include "capture/layout.hpp"
#include "log/failure.hpp"
#include "symbols/modules.hpp"

namespace residue::capture {

struct ChannelOptions {
    Plan plan{};
    WhenFull whenFull = WhenFull::Block;
    Unwinding unwinding = Unwinding::Auto;
    std::uint32_t traceDepth = 32;
    std::uint64_t patienceNanoseconds = 50'000'000;  // Block: how long the program may wait, in all
    bool follow = false;  // children of the program may ask for channels of their own
};

class Channel {
public:
    static Outcome<std::unique_ptr<Channel>> Make(const ChannelOptions& options);
    // Over memory that somebody else has made, Bytes() of it: for tests.
    Channel(const ChannelOptions& options, void* memory);
    ~Channel();  // leaves
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // What the program opens: "/proc/4711/fd/5". As long as this process lives.
    std::string Path() const;
    // Who may write; set in the child before it becomes the program.
    void SetProgram(pid_t program);

    // Children that ask for a channel of their own, and the answer: the File() of one that is theirs (SetProgram), or
    // -1. False: it does not ask any more. One thread, which need not be the reading one.
    std::vector<pid_t> Asking();
    bool Answer(pid_t child, int file);
    int File() const;
    const Plan& Planned() const;

    // What a running program said to being attached to, where it could not be; `Attached`: nothing (yet). Any thread.
    struct Answered {
        AttachAnswer how = AttachAnswer::Attached;
        std::string text;
    };
    Answered Answer() const;

    // Adds what is older than now and than all that is under way, at most about `most` records. `all`: the program has
    // ended, nothing is under way. Returns how many.
    std::size_t Take(Batch& into, std::size_t most, bool all);

    // What a record's trace stands for: its innermost frame, and the trace of the rest, which is a smaller number.
    struct Node {
        std::uint32_t parent = 0;
        std::uint64_t frame = 0;  // 0: there is no such trace
    };
    Node TraceAt(std::uint32_t trace) const;
    // Modules that were told of since the last call.
    std::vector<symbols::LoadedModule> NewModules();

    void Leave();            // nobody listens any more: the program goes on without a wait. Any thread
    // Any thread.
    bool Attached() const;   // the program has the shim, and found us
    double Fill() const;     // 0..1, of the fullest lane
    bool UsesSmallLanes() const;  // there are, or were, more threads than large lanes
    struct Counted {
        std::uint64_t taken = 0, dropped = 0, late = 0;
        std::uint64_t odd = 0;         // records that cannot be, left out
        std::uint64_t waited = 0;      // nanoseconds that the program waited
        std::uint64_t tracesRefused = 0;
        std::uint32_t threads = 0;
        std::uint32_t unfollowed = 0;  // children that asked and got none
        bool others = false;           // there were children that allocate, and none is followed
    };
    Counted Count() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace residue::capture
