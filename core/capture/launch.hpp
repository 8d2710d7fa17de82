// Starts a program with the preload shim, or says why that cannot be.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "capture/channel.hpp"
#include "log/failure.hpp"

namespace residue::capture {

// Where `name` is: itself where it has a '/', else the first of PATH's that can be run. Failures: none there, a folder,
// not executable. `where` of a failure is the name.
Outcome<std::string> FindProgram(const std::string& name);

// Can the loader preload into it? Failures: a statically linked program, one of another machine, one that runs with
// more rights than its user (set-user-id, capabilities), no program at all. A script is as good as its interpreter.
Outcome<void> CheckPreloadable(const std::string& path);

// The shim, which lies beside this program. Failure: it is not there.
Outcome<std::string> FindShim();

// Starts it in a process of its own, on the caller's terminal. `channel` gets its process id. Failure: as above, or the
// system's.
Outcome<pid_t> Launch(const std::vector<std::string>& arguments, Channel& channel, const std::string& shim);

}  // namespace residue::capture
