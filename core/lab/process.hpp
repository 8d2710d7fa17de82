// A child process with a deadline, whose output is read and bounded. What it started of its own group ends with it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "log/failure.hpp"

namespace residue::lab {

struct ChildOptions {
    std::vector<std::string> command;              // [0]: a path
    std::vector<std::string> environment;          // nothing else is in it
    std::string folder;                            // to start in
    std::vector<std::pair<int, int>> descriptors;  // ours, the child's (3 and up); all others are closed
    std::chrono::milliseconds deadline{10'000};
    int signalAtDeadline = 0;  // asks it to say where it is, a moment before it is killed; 0: none
    std::size_t mostOutput = std::size_t{64} << 10;  // bytes kept, of output and errors together
    const std::atomic<bool>* cancelled = nullptr;
};

struct ChildEnd {
    int exitCode = -1;  // where no signal ended it
    int signal = 0;
    bool tooSlow = false;
    bool cancelled = false;
    std::string output;         // standard output and errors, as they came
    std::uint64_t leftOut = 0;  // bytes of it
};

// Waits for its end. Failure: it could not be started.
Outcome<ChildEnd> RunChild(const ChildOptions& options);

}  // namespace residue::lab
