// Sends one thread of another process on a visit (visit.hpp), by ptrace. Only that thread stops, for about a
// millisecond; it is let go before it begins. Whenever the caller ends, even killed, no thread stays stopped and none
// is left half changed: the system lets those go that are held, and a thread's registers are changed in one step.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "capture/detail/target.hpp"

namespace residue::capture::detail {

// Looks at one thread after the other, again and again, until one stands where it may be sent (Target::Stands).
// Failures: the system does not allow it; no thread stood so within `patience`; the process ended.
Outcome<void> Divert(pid_t process, const std::string& shim, const std::string& channel,
                     std::chrono::milliseconds patience);

}  // namespace residue::capture::detail
