// A walk by the tables and the C library's backtrace() of the same stack, side by side. Taken without allocating: a
// signal handler may have interrupted anything.
#pragma once

#include <execinfo.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>

#include "capture/unwind.hpp"

namespace residue::capture::testing {

class TakenWalk {
public:
    static constexpr unsigned kMost = 256;

    std::span<const std::uintptr_t> Ours() const { return {ours_.data(), walked_.count}; }
    // From our first frame on: before that come those of taking it. Empty: ours is not among them.
    std::span<const std::uintptr_t> Theirs() const {
        const std::span<const std::uintptr_t> all(theirs_.data(), theirCount_);
        const auto first = walked_.count == 0 ? all.end() : std::find(all.begin(), all.end(), ours_[0]);
        return {first, all.end()};
    }
    bool Complete() const { return walked_.complete; }
    bool Equal() const { return walked_.count != 0 && Ours().size() == Theirs().size() && Begins(); }
    // Ours are the inner ones of theirs.
    bool Begins() const {
        return Ours().size() <= Theirs().size() && std::equal(Ours().begin(), Ours().end(), Theirs().begin());
    }

    [[gnu::noinline]] static TakenWalk Take(events::StackBounds stack) {
        TakenWalk taken;
        taken.walked_ = WalkTables(Here(), stack, taken.ours_.data(), kMost);
        void* pointers[kMost];
        taken.theirCount_ = static_cast<unsigned>(backtrace(pointers, kMost));
        for (unsigned i = 0; i < taken.theirCount_; ++i) {
            taken.theirs_[i] = reinterpret_cast<std::uintptr_t>(pointers[i]);
        }
        return taken;
    }

private:
    Walked walked_;
    unsigned theirCount_ = 0;
    std::array<std::uintptr_t, kMost> ours_{};
    std::array<std::uintptr_t, kMost> theirs_{};
};

inline std::string ToText(const TakenWalk& walk) {
    std::ostringstream text;
    text << std::hex << "ours:";
    for (const std::uintptr_t frame : walk.Ours()) text << ' ' << frame;
    text << "\ntheirs:";
    for (const std::uintptr_t frame : walk.Theirs()) text << ' ' << frame;
    return text.str();
}

}  // namespace residue::capture::testing
