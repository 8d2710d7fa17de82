// What every command of `residue` shares: exit codes, errors and progress on the error stream, Ctrl-C.
// Main thread only, except Interrupted().
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "log/failure.hpp"
#include "session/session.hpp"

namespace residue::cli {

inline constexpr int kFine = 0;
inline constexpr int kDoesNotHold = 1;    // the thing checked does not hold
inline constexpr int kBadInput = 2;       // bad usage or input
inline constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells have it

// Prints "residue: where: what (expected ...)" for each; returns kBadInput.
int Complain(const std::vector<Failure>& failures);
int Complain(const Failure& failure);

// From here on Ctrl-C sets a flag instead of ending the program; a second one ends it.
void CatchInterrupt();
const std::atomic<bool>& Interrupted();
// Prints that nothing was written; returns kInterrupted.
int SayInterrupted();

// One line on the error stream that replaces itself; nothing where that is no terminal, or within the first moments.
class ProgressLine {
public:
    ProgressLine();
    ~ProgressLine();  // takes the line away
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void Show(const std::string& doing, double progress);  // 0..1; < 0: not known

private:
    bool terminal_ = false;
    bool shown_ = false;
    double began_ = 0;
};

// Does `work(std::atomic<double>& progress)` on a thread of its own and shows how far it is (0..1; < 0: not known).
// What it throws comes out here. Ctrl-C is for the work to notice: Interrupted().
template <class Work>
auto ShowingProgress(const char* doing, Work work) {
    std::atomic<double> progress{-1};
    auto running = std::async(std::launch::async, [&] { return work(progress); });
    ProgressLine line;
    while (running.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
        line.Show(doing, progress.load(std::memory_order_relaxed));
    }
    return running.get();
}

// Waits until it is loaded, with progress. False: Ctrl-C came, and the session was cancelled.
bool WaitUntilLoaded(session::Session& session);

// Opens, waits with progress, and prints the warnings. Null: it could not be loaded, which was said; `exitCode` is set.
std::unique_ptr<session::Session> OpenLoaded(const std::string& path, session::OpenOptions options, int& exitCode);

// Standard output: may it have colours? (a terminal, and NO_COLOR is not set)
bool OutputIsColoured();
// Writes all of it to standard output; kFine, or kBadInput if that fails (a full disk, a closed pipe).
int Print(const std::string& text);

}  // namespace residue::cli
