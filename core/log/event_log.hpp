// The log: everything that happened, append-only, in columns. The truth; the heap at any moment is a fold over it.
//
// Rows live in chunks of 65,536. A full chunk is sealed: every column shrinks to min + width (0 to 8 bytes a row) and
// never changes again. One thread appends (the pump, through Appender); any thread reads through a LogView,
// a snapshot that costs one lock and no copy; rows below its length never change or move.
//
// Blocks: each block that ever lived is a row of the block table (born, died), never removed, so events can be applied
// and unapplied (model/heap_model.hpp).
//
// Cost: 65 (many calls at once) to 200 ns to append through the appender, sealing included; 10-20 ns to read a row;
// positions and errors are found by binary search. Memory: a compile of 18 million calls takes 21 bytes an event, of
// which 4 are its share of the block table, and 2 for its call traces.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "events/event.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::log {

inline constexpr std::uint64_t kChunkRows = 65536;
inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// An event as the log keeps it: the record, and the blocks it concerns.
struct LoggedEvent {
    events::Event event;
    // Allocated, ResizeEnds: the block born here. Freed: the one that died. ResizeBegins, a ResizeEnds with an error:
    // the block to resize. FreeFailed: the nearest. AccessFailed: the one around the address. AllocatorCreated,
    // RegionGrown: the parent's block that holds the region. Live at this row; 0: none.
    BlockId block{};
    BlockId oldBlock{};  // ResizeEnds without error: the block that ended, also in place. Never the same as `block`.
};

// An ordinary call that tells its block (EventLog::AppendKnown): an Allocated or a Freed, whose size is kFreed. Small,
// as it crosses from one thread to another.
struct KnownCall {
    static constexpr std::uint64_t kFreed = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t stamp;
    std::uint64_t address;
    std::uint64_t size;
    TraceId trace;
    BlockId block;
};

// An ordinary call, an Allocated or a Freed (whose size is kFreed), all about which is said here. The appender takes
// many at once.
struct PlainCall {
    static constexpr std::uint64_t kFreed = KnownCall::kFreed;
    std::uint64_t stamp = 0;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint32_t rounding = 0;
    TraceId trace{};
    ThreadId thread{};
    std::uint8_t alignmentLog2 = 0;
};
struct PlacedCall : PlainCall {
    BlockId block{};
};

struct BlockLife {
    Row born{};          // the row that made it
    Row died{kNever};    // the row that ended it; kNever: it lives at the end of the log
};

// How stamps read.
enum class Clock : std::uint8_t { Steps, Ticks };

struct SourceInfo {
    std::string name;         // file name or program, as shown
    std::string provenance;   // "replayed through fixed buffer, first fit", "recorded", ...
    Clock clock = Clock::Steps;
    double ticksPerSecond = 0;
    bool layoutSimulated = false;  // addresses were not recorded
    // Allocators up to this id told payloads and their heaps' ends, nothing else: a byte between two payloads may be a
    // header's or a hole's. 0: there are none such.
    AllocatorId payloadsOnly{};
};

using symbols::Frame;

class Spill;      // log/spill.hpp
struct LogState;  // detail: log/log_state.hpp
class OpenChunk;

// The little that most rows are about.
struct BriefEvent {
    BlockId block{};
    AllocatorId allocator{};
    events::EventKind kind{};
    std::uint8_t flags = 0;
};

class LogView {
public:
    LogView();  // an empty log
    Row Rows() const;
    Position Positions() const;                     // calls done at the end
    LoggedEvent At(Row row) const;                  // row < Rows()
    BriefEvent BriefAt(Row row) const;              // as At, for a quarter of its cost
    events::EventKind KindAt(Row row) const;
    std::string_view Text(Row row) const;           // empty where there is none; good as long as this view or a copy

    // How many rows are applied at position N (see Role in events/kinds.hpp): up to and including the row that ends
    // call N, and the rows directly behind it that trail. A position past the end counts as the end, Positions().
    Row RowsAt(Position position) const;
    // The position that is being worked on at `row`: the first one at which the row is applied. (Positions() + 1 for
    // the rows at the end that lead to a call which has not ended.) row < Rows()
    Position PositionOf(Row row) const;

    std::uint32_t Blocks() const;                   // ids are 1..Blocks()
    BlockLife Life(BlockId block) const;            // as of this view: a later death does not show
    LoggedEvent Birth(BlockId block) const;         // the event that made it
    std::span<const BlockId> DiedTogether(Row row) const;  // blocks ended by a bulk free, destruction or shrinking

    // Frames of a trace, innermost first, with what was inlined into each before it (Frame::isInlined): there may be
    // more than there are ParentTraces. Frames without a symbol: symbolizer.hpp says what stands there.
    std::vector<Frame> Frames(TraceId trace) const;
    TraceId ParentTrace(TraceId trace) const;       // towards main; 0 at the outermost
    Frame TopFrame(TraceId trace) const;            // the frame of this node alone
    std::uint64_t FrameAddress(TraceId trace) const;  // of this node alone; 0 for an unknown trace
    std::uint32_t Traces() const;                   // ids are 1..Traces(); may grow while the log does

    // Errors: failed requests, bad frees, bad accesses, gaps. kNever where there is none.
    std::uint64_t ErrorCount() const;
    Row NextError(Row from) const;      // the first error row >= from
    Row PreviousError(Row before) const;  // the last error row < before

    // Rows with a region of a recorded program as it was seen (Event::IsSampledRegion), in order.
    std::uint64_t SampledRegions() const;
    Row SampledRegion(std::uint64_t index) const;  // index < SampledRegions()

    // Rows that change more of a heap than the one block they bear or end, or whose block is of a special kind: those
    // of allocators and of regions that are no sampled ones, those with the flags Region and StaysDead; and the first
    // row of each allocator. In order.
    std::uint64_t RareRows() const;
    Row RareRow(std::uint64_t index) const;  // index < RareRows()
    // Told by a file that is believed: live blocks of an allocator may overlap, which the appender rules out.
    bool MayOverlap() const;

    const SourceInfo& Source() const;
    bool Closed() const;                // nothing more comes (asked of the log, not of the snapshot)

private:
    friend class EventLog;
    std::uint64_t CallsBefore(std::uint64_t row) const;
    bool EndsCall(std::uint64_t row) const;
    std::uint64_t FirstStop(std::uint64_t row) const;     // the first row >= `row` that does not trail; rows_: none
    std::uint64_t LastStop(std::uint64_t row) const;      // the last row <= `row` that does not trail; kNever: none

    // What is read is owned here: the log's state (sealed chunks are never freed before it), and the chunk that was
    // open.
    std::shared_ptr<const LogState> state_;
    std::shared_ptr<const OpenChunk> open_;
    std::shared_ptr<const SourceInfo> source_;
    std::uint64_t openRow_ = 0;         // the first row of open_
    std::uint64_t rows_ = 0;
    std::uint32_t blocks_ = 0;
};

// The writing end. AddBlock, Append, AddTrace and Close: one thread. All others: any thread.
// Where memory runs out (std::bad_alloc from a call) all rows so far stay readable, and nothing more may be appended.
class EventLog {
public:
    explicit EventLog(SourceInfo source = {});
    ~EventLog();
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    // The appender's calls; they keep the block table right, and are total.
    BlockId AddBlock();          // a new block, born in the row appended next; 0: there are 2^32 - 1 already
    // The blocks that `event` (Freed: block, ResizeEnds: oldBlock) and `diedTogether` end die in this row.
    Row Append(const LoggedEvent& event, std::string_view text = {}, std::span<const BlockId> diedTogether = {});
    // Many calls of one allocator at once whose blocks are known beforehand: one that is allocated is the next after
    // those there are, one that is freed is live. Nobody looks whether that is so, or whether blocks overlap.
    void AppendKnown(AllocatorId allocator, std::span<const KnownCall> calls);
    void AppendKnown(AllocatorId allocator, std::span<const PlacedCall> calls);

    // Rows come from a file that is believed (LogView::MayOverlap). Before the first of them.
    void SayMayOverlap();

    // Trace nodes, in order of id (1, 2, ...): parent < id (else it counts as 0, the outermost).
    TraceId AddTrace(TraceId parent, std::uint64_t frame);
    // Names for frame addresses, asked lazily; without one, frames that have no name of their own show as hex.
    void SetSymbolizer(std::shared_ptr<symbols::Symbolizer> symbolizer);
    // A name that is known beforehand (from a file, or for a frame that is no address).
    void NameFrame(std::uint64_t frame, Frame name);
    void SetSource(SourceInfo source);

    // Once the log takes more than `beyond` bytes of memory, rows that are sealed and large parts of the block table go
    // to the spill, as far as that has room. Before the first row.
    void SpillTo(std::shared_ptr<Spill> spill, std::uint64_t beyond);

    LogView View() const;
    std::uint64_t ResidentBytes() const;  // of memory
    std::uint64_t SpilledBytes() const;   // of disk
    void Close();            // nothing more comes; views see Closed()
    bool Closed() const;

private:
    std::shared_ptr<LogState> state_;
};

}  // namespace residue::log
