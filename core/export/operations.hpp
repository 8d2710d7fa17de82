// What trace_writer.cpp writes, one operation after the other, from a log or from a trace: the same stream each time
// it is asked for, because the header of a .rep comes before what it counts. Internal to export/.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "log/event_log.hpp"
#include "log/failure.hpp"

namespace residue::exports {

struct OutOperation {
    char letter = 'a';       // a, r, f
    std::int64_t id = 0;     // -1 with f: NULL
    std::uint64_t size = 0;  // a, r
};

using VisitOperation = std::function<void(const OutOperation&)>;

struct StreamOptions {
    bool balanced = false;
    const std::atomic<bool>* cancelled = nullptr;
};

// The two sources. Each returns how many calls or operations were left out.
Outcome<std::uint64_t> VisitLog(const log::LogView& log, const StreamOptions& options, const VisitOperation& visit);
Outcome<std::uint64_t> VisitTrace(const std::string& path, const StreamOptions& options, const VisitOperation& visit);

}  // namespace residue::exports
