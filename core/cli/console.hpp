// What every command of `residue` shares: exit codes, errors and progress on the error stream, Ctrl-C.
// Main thread only, except Interrupted().
#pragma once

#include <atomic>
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

// Waits until it is loaded, with progress. False: Ctrl-C came, and the session was cancelled.
bool WaitUntilLoaded(session::Session& session);

// Standard output: may it have colours? (a terminal, and NO_COLOR is not set)
bool OutputIsColoured();
// Writes all of it to standard output; kFine, or kBadInput if that fails (a full disk, a closed pipe).
int Print(const std::string& text);

}  // namespace residue::cli
