// Watches a program: starts it with the preload shim and fills a log with what it does, until it ends.
//
//     auto capture = Capture::Start({"python3", "script.py"}, {}, log);
//     while (capture->Now().running) { ... log.View() grows ... }
//     capture->Wait();                    // all of it is in the log, which is closed
//
// Its threads: one takes records out of the channel as fast as the program makes them, another makes rows of them,
// which takes longer; what is between them waits in memory, up to a limit. Beyond it the program waits (as
// ChannelOptions say: 50 ms in all), and then events are lost and counted. A third looks now and then at what the
// program has mapped: the regions of its malloc, marked as sampled.
// Threads: made, waited for and destroyed by one; Now, Detach and Kill by any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/channel.hpp"
#include "capture/children.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::capture {

std::uint64_t HalfOfMemory();  // of this machine, in bytes

// The provenance of a recording that did not begin with its program.
inline constexpr std::string_view kFromMidLife =
    "recorded live, from the middle of its life on: what it had before is not known";
// Said wherever such a recording is opened.
inline constexpr std::string_view kMidLifeWarning =
    "it ran before it was recorded: what it had allocated by then is not shown, and sums leave it out";

struct CaptureOptions {
    ChannelOptions channel{};
    std::string shim{};                          // empty: FindShim
    std::uint64_t mostWaiting = 1u << 30;        // bytes of records between the two threads, 11 a record or so
    // Rows are made when no core has anything else to do, until so many of these bytes wait; 0: at once.
    std::uint64_t eagerFrom = 0;
    std::uint64_t mostLog = ~std::uint64_t{0};   // bytes of the log in memory: then the recording ends, and says so
    // Of these, beyond so many the log goes to disk (log/spill.hpp), as far as there is room; and bytes of both.
    std::uint64_t spillBeyond = ~std::uint64_t{0};
    std::uint64_t mostInAll = ~std::uint64_t{0};
    std::function<void()> afterRound{};          // on the log's thread, after each round that brought rows
};

// How a program ended.
struct Ended {
    bool known = true;  // false: it is over, and how only its parent knows (a child of the program's)
    int exitCode = 0;   // where it was not killed
    int signal = 0;    // what killed it; 0: nothing did
    int AsShell() const { return signal != 0 ? 128 + signal : exitCode; }
};

class Capture {
public:
    // `log` is empty and outlives the capture; nobody else writes it.
    static Outcome<std::unique_ptr<Capture>> Start(const std::vector<std::string>& arguments,
                                                   const CaptureOptions& options, log::EventLog& log);
    ~Capture();  // leaves the program alone and the rest out, and waits for the threads
    // The same for a child of a program that is watched; it runs already.
    static Outcome<std::unique_ptr<Capture>> Adopt(Child child, const CaptureOptions& options, log::EventLog& log);
    // The same for a program that runs already (attach.hpp): its recording begins in mid-life.
    static Outcome<std::unique_ptr<Capture>> AttachTo(pid_t process, const CaptureOptions& options, log::EventLog& log);
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    struct Status {
        bool running = true;             // the program
        bool attached = false;           // it was seen: else it has no events (yet)
        bool recording = true;           // more rows may come
        bool midLife = false;            // it ran before it was recorded: what it had then is not known
        bool reachedLimit = false;       // mostLog, mostInAll
        bool outOfMemory = false;        // then the log is right up to where it ends
        std::optional<Ended> ended;
        pid_t program = 0;
        double fill = 0;                 // 0..1, of the fullest lane
        std::uint64_t spilled = 0;       // bytes of the log on disk
        std::uint64_t waiting = 0;       // records taken and not in the log yet
        Channel::Counted counted;
    };
    Status Now() const;
    void Wait();                         // until the recording is over: all of it is in the log
    void Detach();                       // ends the recording; the program goes on alone
    // The same, and of what the program has told of so far rows are made no more: the log ends where it is.
    void LeaveOutTheRest();
    void DetachAtLimit();                // the same, because of the memory that it takes together with others
    void Kill(int signal);               // passes a signal to the program, if it runs
    // With options.channel.follow: processes that the program, or a child of it, has started, each at its first
    // allocation. They wait for it: to be called every few milliseconds, after the program's own end too. By the owner.
    std::vector<Child> NewChildren();
    std::vector<Warning> Warnings() const;  // after Wait, or Detach and Wait

private:
    struct State;
    explicit Capture(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace residue::capture
