// What a student's allocator, or a malloc of the system, did on a trace, as a log: for the window, `residue report` and
// all the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lab/layout.hpp"
#include "lab/trace.hpp"
#include "log/event_log.hpp"

namespace residue::lab {

// Each operation is one call, so position N is "after N operations". Addresses are as they were; the heap grows where
// mem_sbrk made it grow. `records` may end early: the log then ends with what went wrong, `problem` (may be empty);
// where `failedOp` is the operation behind the records, it is a call, too, so that one can stand at it.
void WriteLog(const LabTrace& trace, std::span<const Record> records, const std::string& allocator,
              const std::string& problem, log::EventLog& log, std::optional<std::uint64_t> failedOp = std::nullopt);

// The same of a malloc of the system (lab/system_run.hpp): of its heap nothing is known, and what it refused are failed
// requests.
void WriteSystemLog(const LabTrace& trace, std::span<const Record> records, const std::string& allocator,
                    log::EventLog& log);

}  // namespace residue::lab
