// Brings the recorder into a program that runs already.
//
// By ptrace, without gdb: one thread is sent on a detour on which it calls dlopen, and comes back by itself
// (detail/visit.hpp). With gdb the program's fate hangs on gdb's for the time of that call: killed in it, gdb leaves a
// return to nowhere behind, and the program dies (seen 3 times in 3).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "capture/channel.hpp"
#include "log/failure.hpp"

namespace residue::capture {

// The process that a text names. Failure: it is no number of one.
Outcome<pid_t> ParseProcess(const std::string& text);

// Can it be attached to, as far as one can tell from outside? Its program's name. Failures: it does not exist, has
// ended, is stopped, is another user's, has rights, a file system, process numbers or a filter of system calls of its
// own, is traced already, or its program is one that nothing can be brought into (CheckPreloadable).
Outcome<std::string> CheckAttachable(pid_t process);

struct AttachPatience {
    std::chrono::milliseconds place{5000};    // until a thread is where it may call the loader
    std::chrono::milliseconds answer{10000};  // then, until the shim is there
};

// Returns when the program writes into `channel`, whose program is set by this. The program runs all the time; where
// this fails, it goes on as before.
Outcome<void> Attach(pid_t process, Channel& channel, const std::string& shim, AttachPatience patience = {});

}  // namespace residue::capture
