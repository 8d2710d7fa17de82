// Runs a scenario: its allocators are core/alloc's own on real bytes, and everything that happens goes to a sink.
//
//     events::TraceTable traces(1 << 20);
//     events::Lanes lanes({.stamps = StampSource::Steps, .traces = &traces});    // a log::Pump moves it into the log
//     log.SetSymbolizer(FrameNames(program));
//     RunResult result = Run(*program, {}, {.sink = &lanes, .traces = &traces, .stop = &stop});
//
// The events, in order:
//   Step      before each statement. argument: its line; text: its file, where that is another one than in the step
//             before (so the first step has it); address: its first column; size: its length in bytes on that line;
//             bookkeeping: StepMark bits; trace: the call trace, this line innermost
//   Marker    a narration's text, directly before the Step of its statement (cut at 1,020 bytes; Program::Narrations
//             has all of it). Without an allocator, as an arena's marks have one
//   Output    a piece of console text, its line ends included. argument: 1 for Print, 2 for Error (and the duck)
//   and what the allocators tell, with the procedures and lines of the script as their call trace. A procedure of the
//   standard library is no frame. AccessFailed (argument: 1 for a read, 2 for a write) stands for a read or write
//   through a pointer whose block is gone or too short; such a write is not carried out
// Addresses: heap memory from kHeapBase on, then globals and strings, then the stack; all below 4 GiB. The same program
// and options give the same events, addresses and result on every machine.
//
// A run ends whatever the script does: by its budgets, and within a few microseconds of `stop`. The interpreter has a
// thread of its own (for its stack) that Run waits for; so the sink's writer is that thread.
// Cost: some 5 million steps a second without a sink; 1.5 GiB of address space, memory as it is touched.
// Thread safety: any number of runs at once, each with its own sink.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/sink.hpp"
#include "events/trace_table.hpp"
#include "scenario/program.hpp"

namespace residue::scenario {

inline constexpr std::uint64_t kHeapBase = 0x1'0000;
inline constexpr std::uint64_t kStaticsBase = 0x4001'0000;
inline constexpr std::uint64_t kStackBase = 0x5001'0000;

// Bits of a Step's bookkeeping.
enum class StepMark : std::uint8_t { Narration = 1, Predict = 2, Break = 4 };

enum class Profile : std::uint8_t { Debug, Release, Distribution };  // std.Runtime's; the tracker is in the first two

struct RunOptions {
    std::uint64_t stepBudget = 2'000'000;                  // statements and turns of loops
    std::uint64_t memoryBudget = std::uint64_t{32} << 20;  // bytes of heap, globals, strings and stack; at most 512 MiB
    std::uint64_t outputBudget = std::uint64_t{1} << 20;   // bytes of console text that are kept and told
    bool osSupported = true;                               // false: no global, default and system allocator
    Profile profile = Profile::Debug;
};

// A request of the script's to an allocator, before it is made.
struct Request {
    AllocatorId allocator{};
    std::uint64_t bytes = 0;
    std::uint64_t alignment = 1;
    bool resize = false;
    bool predict = false;  // of a statement with #[predict]
};

struct RunHooks {
    events::EventSink* sink = nullptr;            // null: nobody listens
    events::TraceTable* traces = nullptr;         // of that sink; null: no call traces
    const std::atomic<bool>* stop = nullptr;      // true: the run ends as soon as it can
    std::atomic<std::uint64_t>* steps = nullptr;  // progress, written every thousand steps
    // Before each request, on the interpreter's thread, which waits as long as this does. Everything earlier was told.
    std::function<void(const Request&)> beforeRequest = {};
    // Console text as it comes, on the interpreter's thread.
    std::function<void(bool isError, std::string_view text)> console = {};
};

enum class Ending : std::uint8_t {
    Finished,      // main returned
    Error,         // an error stopped it: RunResult::error
    StepBudget,    // it made more steps than it may
    MemoryBudget,  // it wanted more memory than it may
    Stopped,       // somebody said stop
};

struct CallFrame {
    std::string procedure;
    std::string file;
    std::uint32_t line = 0;
};

struct Leak {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;       // as requested
    std::string allocator;         // its name
    std::vector<CallFrame> trace;  // where it was allocated, innermost first
};

struct ExpectationResult {
    Expectation expectation;
    bool met = false;
    std::string text;  // "expected error = .DoubleFree, but it succeeded"; met: what was found
};

struct RunResult {
    Ending ending = Ending::Finished;
    std::uint64_t steps = 0;
    std::optional<Diagnostic> error;    // whenever it did not finish
    std::vector<CallFrame> errorTrace;  // where it was then, innermost first
    bool errorExpected = false;         // an #[expect(error = ...)] stands on the statement that ended it
    std::vector<Diagnostic> warnings;   // errors thrown away, overflows, bad accesses: once a line
    std::vector<Leak> leaks;            // never given back, in order of allocation. Those of a Residue allocator, and
                                        // of one that was destroyed with its blocks, are none
    std::vector<Leak> lived;            // where it did not finish: what was live when it stopped. Whether it would have
                                        // been given back, nobody knows
    std::vector<ExpectationResult> expectations;  // in the program's order
    bool duck = false;                            // it yelled
    std::string output;                           // the whole console text, Print and Error in order
    bool outputCut = false;                       // there was more than the output budget

    // It ended as it should and all that was expected held.
    bool Passed() const;
};

RunResult Run(const Program& program, const RunOptions& options, const RunHooks& hooks);

}  // namespace residue::scenario
