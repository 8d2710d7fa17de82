// What the unwinding tables of a module (.eh_frame_hdr and .eh_frame) say of one place in its code: how the caller's
// registers are found from those of the frame there. Reads nothing but the given bytes, ends on any bytes, and says
// "cannot" of what it does not know. Sources: DWARF 5, 6.4; LSB Core, "Exception Frames"; x86-64 psABI, 3.6.
//
// Cost: a binary search and the instructions of one function, 0.1 to 1 us; see rule_cache.hpp for how it is saved.
// Freestanding; no state; any thread.
#pragma once

#include <cstdint>

#include "capture/detail/table_reader.hpp"

namespace residue::capture::detail {

struct UnwindTables {
    std::uintptr_t header = 0;  // the address of .eh_frame_hdr
    TableBytes bytes;           // mapped and readable; it and .eh_frame lie in them
};

// The canonical frame address (CFA) is the caller's stack pointer; the return address always lies right below it.
struct UnwindRow {
    enum class Kind : std::uint8_t {
        Nothing,        // the tables do not speak of this place
        Cannot,         // they do, in a way that is not supported, or they are damaged
        End,            // the outermost frame
        ByStack,        // CFA = stack pointer + cfaOffset
        ByFrame,        // CFA = frame pointer + cfaOffset
        ThroughFrame,   // CFA = the word at frame pointer + cfaOffset (below 0); the caller's frame pointer is at ours
        Signal,         // the caller was interrupted here: its registers are in the ucontext at the stack pointer
    };
    Kind kind = Kind::Nothing;
    bool losesFrame = false;     // what the caller's frame pointer was cannot be known
    std::int64_t cfaOffset = 0;  // a multiple of 8
    std::int64_t frameAt = 0;    // the caller's frame pointer lies at CFA + frameAt (below 0); 0: it is unchanged
};

// `pc`: the place itself, for a return address one less. x86-64 only.
UnwindRow FindRow(const UnwindTables& tables, std::uintptr_t pc) noexcept;

}  // namespace residue::capture::detail
