// How a child of a watched program gets a channel of its own from the recorder (capture/layout.hpp, ChildRequest).
#pragma once

#include <cstddef>

#include "capture/layout.hpp"

namespace residue::capture::shim {

inline constexpr std::size_t kChannelPath = 48;  // "/proc/4294967295/fd/4294967295"

// Waits up to two seconds for the answer, and not at all where nobody follows. False: there is none.
bool AskForChannel(Header& root, char (&path)[kChannelPath]) noexcept;

}  // namespace residue::capture::shim
