// A trace as the lab runs it: all operations at once, ids resolved to slots, and what mdriver knows of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "import/trace.hpp"
#include "lab/layout.hpp"
#include "log/failure.hpp"

namespace residue::lab {

// Traces with more operations are refused: the lab keeps some 100 bytes an operation.
inline constexpr std::uint64_t kMostOps = 5'000'000;

struct LabTrace {
    std::string path;
    std::string name;  // its file's
    import::TraceHeader header;
    std::vector<Op> ops;
    std::uint64_t slots = 0;
    std::uint64_t peakLive = 0;  // bytes as requested, after an operation: the numerator of utilisation
    std::vector<Warning> warnings;

    // mdriver's number of an operation's line: the header has four.
    static std::uint64_t LineOf(std::uint64_t op) { return op + 5; }
};

// Failures: the reader's; too many operations; cancelled.
Outcome<LabTrace> ReadLabTrace(const std::string& path, const std::atomic<bool>* cancelled = nullptr);
Outcome<LabTrace> ReadLabTrace(import::TraceReader& reader, const std::string& path);

}  // namespace residue::lab
