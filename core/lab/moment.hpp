// A moment of a run, made again: the student's code runs up to an operation once more, which is followed line by line,
// and the heap's bytes are looked at there. What the code does in it is what it did in the run, as nothing that it
// could ask for differs (the heap is zeroed, addresses are fixed); its own clock and addresses of its own data aside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lab/build.hpp"
#include "lab/run.hpp"
#include "lab/trace.hpp"
#include "log/failure.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::lab {

// A line of the student's code.
struct CodePlace {
    std::string function, file;
    std::uint32_t line = 0;
    friend bool operator==(const CodePlace&, const CodePlace&) = default;
};

struct LineHits {
    std::string file;
    std::uint32_t line = 0;
    std::uint64_t hits = 0;  // how often it was come to
};

enum class ByteKind : std::uint8_t { Gap, Payload, PayloadBegin };

struct Moment {
    std::uint64_t after = 0;  // operations
    // The lines of the call that led here (at 0: of mm_init), as they were come to: each is an index of `traces`.
    std::vector<std::uint32_t> steps;
    // Call traces: indices of `places`, innermost first; the first is where it stands.
    std::vector<std::vector<std::uint32_t>> traces;
    std::vector<CodePlace> places;
    std::vector<LineHits> lines;     // by file and line
    std::uint64_t instructions = 0;  // libraries' included
    bool whole = true;               // false: the call was too long to be followed to its end
    bool followed = true;            // false: nothing was: this machine cannot, or no call is made there
    std::uint64_t from = 0;          // the address of
    std::vector<std::byte> bytes;    // of the heap; fewer than asked for at its end
    std::vector<ByteKind> kinds;     // of each of them

    const CodePlace& PlaceOf(std::size_t step) const { return places[traces[steps[step]].front()]; }
};

struct MomentQuestion {
    std::uint64_t after = 0;              // operations; beyond the run's end: its end
    std::uint64_t from = 0, bytes = 0;    // of the heap; at most kMostLookedAt
    friend bool operator==(const MomentQuestion&, const MomentQuestion&) = default;
};

// The names of the library's code; null: it has none.
std::shared_ptr<symbols::Symbolizer> NamesOf(const Built& built);

// Costs the run up to there, and a few microseconds an instruction of the call. Failures: as RunTrace.
Outcome<Moment> LookAt(const Built& built, const LabTrace& trace, const MomentQuestion& question,
                       const RunOptions& options, symbols::Symbolizer* names);

}  // namespace residue::lab
