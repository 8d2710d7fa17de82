// Code that a thread of another process runs once, at a place where it was stopped, and then goes on there as if
// nothing had been: it saves every register, the signal mask, errno and the state of the vector units, takes a stack of
// its own, brings the shim in through the loader, calls its entry, and puts all back. Nobody needs to watch it: whoever
// sent the thread there may be gone by then.
//
// On entry the stack pointer is kRedZone + 8 below what it was, and the word there is where the thread goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace residue::capture::detail {

inline constexpr std::uint64_t kRedZone = 128;  // below the stack pointer; a function may use it (System V ABI)

struct VisitPlan {
    // Addresses of functions in the other process.
    std::uint64_t open = 0, symbol = 0, error = 0, errnoPlace = 0;  // dlopen, dlsym, dlerror, __errno_location
    std::string shim, channel;                                      // paths that it can open
};

bool CanVisit();  // this machine is one for which there is such code, and has what it takes
std::size_t VisitBytes(const VisitPlan& plan);
// Ready to be put at any address, its entry first.
std::vector<std::uint8_t> MakeVisit(const VisitPlan& plan);
// What it begins with, always: code that is left from an earlier visit may be written over.
bool IsVisit(const std::uint8_t* bytes, std::size_t count);

}  // namespace residue::capture::detail
