// How the host confines itself, and with it the compiler or the student's code: Landlock or namespaces for files,
// seccomp for system calls, limits. Everything here is one-way, for the calling process and what it becomes.
// Single-threaded.
#pragma once

#include <cstdint>

namespace residue::lab::host {

struct Limits {
    std::uint64_t cpuSeconds, addressSpace, fileBytes, openFiles, stackBytes;
};
bool SetLimits(const Limits& limits);

// The process ends when its parent does, gains no rights, and leaves no core.
bool BecomeHarmless();

// Files under a folder (or the file) that may still be used.
struct Rule {
    const char* path;
    bool writable;  // else: read and executed
};
// From here on nothing else in the file system can be opened. By Landlock, which also forbids TCP ports and signals to
// other processes, as far as the kernel knows how to; where there is none, by a tree of mounts of its own (EnterTree).
// Paths that are not there are skipped. False: neither could be had, and errno says why.
bool RestrictFiles(const Rule* rules, unsigned count);

enum class Landlocked { Yes, NotThere, Failed };
Landlocked EnterLandlock(const Rule* rules, unsigned count);
// The process goes on in an empty tree with just these, read-only but for the writable ones, without capabilities; in
// its old folder, or in "/" where that is none of them. For one that has a single thread.
bool EnterTree(const Rule* rules, unsigned count);

// For a compiler: no sockets, no tracing, no namespaces, no keys; these calls fail.
bool ForbidForCompiler();
// While the student's library is loaded: files can be read (Landlock says which), memory mapped.
bool AllowLoadingOnly();
// The student's code: memory stays as it is, output goes to 1 and 2; everything else is SIGSYS. The host's own
// mprotect is allowed on the heap [begin, end).
bool AllowRunningOnly(std::uint64_t heapBegin, std::uint64_t heapEnd);

}  // namespace residue::lab::host
