// A walk by the tables and the C library's backtrace() of the same stack, side by side.
#pragma once

#include <execinfo.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "capture/unwind.hpp"

namespace residue::capture::testing {

struct TakenWalk {
    std::vector<std::uintptr_t> ours;
    std::vector<std::uintptr_t> theirs;  // from our first frame on; empty: it is not among them
    bool complete = false;

    bool Equal() const { return !ours.empty() && ours == theirs; }
};

inline std::string ToText(const TakenWalk& walk) {
    std::ostringstream text;
    text << std::hex << "ours:";
    for (const std::uintptr_t frame : walk.ours) text << ' ' << frame;
    text << "\ntheirs:";
    for (const std::uintptr_t frame : walk.theirs) text << ' ' << frame;
    return text.str();
}

[[gnu::noinline]] inline TakenWalk TakeWalk(events::StackBounds stack) {
    constexpr unsigned kMost = 256;
    TakenWalk taken;
    std::uintptr_t frames[kMost];
    const Walked walked = WalkTables(Here(), stack, frames, kMost);
    taken.ours.assign(frames, frames + walked.count);
    taken.complete = walked.complete;
    void* pointers[kMost];
    const int count = backtrace(pointers, kMost);
    for (int i = 0; i < count; ++i) taken.theirs.push_back(reinterpret_cast<std::uintptr_t>(pointers[i]));
    // Theirs begins inside this function, with a sanitizer inside that one's.
    const auto first = taken.ours.empty() ? taken.theirs.end()
                                          : std::find(taken.theirs.begin(), taken.theirs.end(), taken.ours.front());
    taken.theirs.erase(taken.theirs.begin(), first);
    return taken;
}

}  // namespace residue::capture::testing
