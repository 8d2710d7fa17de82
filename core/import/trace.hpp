// Traces of ids and sizes (malloc-lab .rep, CS107 .script): what a program asked for, without addresses. They are read
// as a stream of operations and replayed through an allocator of the user's choice (replay/).
//
// Readers never trust a byte: an oddity is a warning with its line, nothing is a crash, memory is bounded by what the
// file really holds. Text may be gzip- or zstd-compressed, told by content.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/failure.hpp"

namespace residue::import {

enum class OperationKind : std::uint8_t { Allocate, Free, Resize, Touch };

struct Operation {
    OperationKind kind = OperationKind::Allocate;
    std::int64_t id = 0;      // -1: NULL
    std::uint64_t size = 0;   // Allocate, Resize, Touch: bytes
    std::uint64_t line = 0;   // in the file, from 1
};

struct TraceHeader {
    std::string format;       // "malloc-lab .rep, 2004 generation", "CS107 .script"
    std::string extension;    // ".rep" or ".script"
    char generation = 0;      // 'A', 'B', 'C' (FORMATS.md section 1), 'M' (MIT 6.172), 0 for a script
    std::uint64_t suggestedHeap = 0;
    std::uint64_t ids = 0;    // as declared
    std::uint64_t operations = 0;  // as declared; 0: not declared
    std::uint64_t weight = 0;
    bool ignoreRanges = false;
    std::uint64_t maxLiveBytes = 0;  // generation C; 0: not declared
    // What operations on an id that is not live mean: CS107 takes them as operations on NULL without a remark.
    bool unknownIdIsNull = false;
};

class TraceReader {
public:
    virtual ~TraceReader() = default;
    virtual const TraceHeader& Header() const = 0;
    // The next operation; false at the end; a Failure where nothing sensible can follow.
    virtual Outcome<bool> Next(Operation& operation) = 0;
    virtual double Progress() const = 0;  // 0..1
    virtual std::vector<Warning> Warnings() const = 0;  // at most 1,000, then one that counts the rest
    // While the flag is set, Next() fails with "cancelled", also in the middle of a long stretch without operations.
    // May be null; else it must outlive its use.
    virtual void CancelWith(const std::atomic<bool>* cancelled) { (void)cancelled; }
};

// Tells the format by content. Failure: unreadable, a directory, empty, binary, no known format.
Outcome<std::unique_ptr<TraceReader>> OpenTrace(const std::string& path);
// The same over bytes in memory (which must outlive the reader). `name` is for messages, and its ending breaks ties.
Outcome<std::unique_ptr<TraceReader>> OpenTraceBytes(std::string name, std::string_view bytes);

// What a trace asks of an allocator in its present state of ids: the meaning of an operation once ids are resolved.
// Used by the figures and by the replay, so that both read a trace alike.
enum class Meaning : std::uint8_t {
    Allocate,        // a new block for `id` (an older live one of that id is forgotten: a leak)
    Free,            // the live block of `id`
    FreeNull,        // free(NULL): no effect
    FreeUnknown,     // the id is not live: double free or never allocated; no effect on the figures
    Resize,          // the live block of `id`
    ResizeFree,      // realloc(p, 0): frees
    ResizeAllocate,  // realloc(NULL, n): allocates
    ResizeNull,      // realloc(NULL, 0): no effect
    Touch,
};

// Trace figures: everything that can be said without an allocator. Positions count operations: each one counts once,
// under the meaning it had. An `r` is an allocation, a free or a resize, never two of them.
//   allocations  Allocate, ResizeAllocate          total bytes  the sizes of these and of Resize, as asked
//   frees        Free, ResizeFree                  live bytes   + allocations, - frees, new - old size of a Resize;
//   resizes      Resize (also to the same size)                 a forgotten block stays live: it leaks
//   bad frees    FreeUnknown                       peak         the largest live bytes after an operation
// FreeNull, ResizeNull and Touch count as operations only. A Resize of 0-byte blocks is one as well.
struct TraceFigures {
    std::uint64_t operations = 0;
    std::uint64_t allocations = 0;    // blocks that came to life (realloc(NULL, n) included, other reallocs not)
    std::uint64_t frees = 0;          // blocks given back (realloc(p, 0) included)
    std::uint64_t resizes = 0;
    std::uint64_t badFrees = 0;
    std::uint64_t liveBytes = 0, liveBlocks = 0;  // at the end
    std::uint64_t peakLiveBytes = 0;
    std::uint64_t peakPosition = 0;   // the first
    std::uint64_t totalBytes = 0;     // of all requests, as asked
    std::uint64_t largestRequest = 0;
    bool overflowed = false;          // a sum passed 2^64: it stays at the maximum
};

// id -> size of its live block; bounded by the number of distinct ids in the file. An id below 0 is NULL.
class IdTable {
public:
    explicit IdTable(bool unknownIdIsNull);
    ~IdTable();
    IdTable(IdTable&&) noexcept;
    IdTable& operator=(IdTable&&) noexcept;
    // Resolves `operation` and applies it. `oldSize`: of the block that was freed, resized or forgotten.
    Meaning Apply(const Operation& operation, std::uint64_t& oldSize);
    // Ids ascending; a forgotten block has no id any more.
    void VisitLive(const std::function<void(std::int64_t id, std::uint64_t size)>& visit) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

void Count(const Operation& operation, Meaning meaning, std::uint64_t oldSize, TraceFigures& figures);

// Reads all of it. `cancelled` may be null. Failures: the reader's; cancelled.
Outcome<TraceFigures> ReadFigures(TraceReader& reader, const std::atomic<bool>* cancelled);

}  // namespace residue::import
