// The memory that a program has mapped, seen in /proc/PID/maps: glibc's own calls of brk and mmap pass by the shim.
// What is of its heap is found out where the blocks are known (rows.hpp).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace residue::capture {

struct Mapping {
    std::uint64_t begin = 0, end = 0;  // addresses; begin < end
    bool isBreak = false;              // "[heap]": what brk moves the end of
    friend bool operator==(const Mapping&, const Mapping&) = default;
};

// As it was at a moment.
struct Sighting {
    std::uint64_t stamp = 0;        // events::FencedTicks, from before the look
    std::vector<Mapping> mappings;  // in order of address
};

// Of the text of a maps file, those that may be of a heap: private, writable, of no file; "[heap]" and those without a
// name (or with one that the program gave: "[anon:...]"). Lines that cannot be are left out.
std::vector<Mapping> ParseMaps(std::string_view text);

// Empty where the process is gone or cannot be looked at. At most kMostMaps bytes of text are read.
inline constexpr std::size_t kMostMaps = 16u << 20;
std::vector<Mapping> MappingsOf(pid_t process);

// What of `to` is not in `from`. Both in order of address, no two overlap.
std::vector<Mapping> Without(const std::vector<Mapping>& to, const std::vector<Mapping>& from);

}  // namespace residue::capture
