// Judges what a student's allocator did, from what it gave out: the part of mdriver's checks that needs no look into
// memory. It runs in the lab's own process, over a copy of what the host reported, which may be anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lab/layout.hpp"
#include "lab/trace.hpp"

namespace residue::lab {

struct Fault {
    std::uint64_t op = 0;
    std::string message;  // mdriver's words
    std::uint64_t address = 0;
};

struct Rules {
    std::uint64_t alignment = 8;
    std::uint64_t heapBytes = 0;  // the most that there may be
};

// The first operation whose address cannot be: NULL, misaligned, outside of the heap as it was then, or over a live
// payload. `records` may be shorter than the trace: the rest did not come about. O(n log n).
std::optional<Fault> Judge(const LabTrace& trace, std::span<const Record> records, const Rules& rules);

// The highest end of the heap, in bytes from its beginning.
std::uint64_t HighWater(std::span<const Record> records);

std::string Hex(std::uint64_t address);

}  // namespace residue::lab
