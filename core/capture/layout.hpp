// The memory that a watched program and its recorder share: what the preload shim (capture/shim) writes and the channel
// (capture/channel.hpp) reads. Freestanding.
//
//   [ Header | modules | trace nodes and frames | hash of these | lanes: [ LaneHeader | records ] ... ]
//
// It is a memfd of the recorder's: it has no name in any file system, only its owner can open it (as
// /proc/RECORDER/fd/N), it does not depend on /dev/shm, and it is gone with the last process that has it.
//
// Each thread of the program writes into a lane of its own; order and marks are those of events/detail/lane.hpp. The
// reader believes nothing it reads here: where things are it knows from its own copy of the Plan, numbers are cut to
// what may be, and a record is copied before it is looked at.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "events/kinds.hpp"

namespace residue::capture {

inline constexpr std::uint64_t kMagic = 0x3145554449534552;  // "RESIDUE1"
inline constexpr std::uint32_t kVersion = 4;
inline constexpr char kChannelVariable[] = "RESIDUE_CHANNEL";  // the path; for the shim

// --- records ---

enum class RecordKind : std::uint8_t {
    None = 0,
    Attached,        // the program begins, or it became another one (exec): what was alive is gone. size: what
                     // there was before, see kFromTheStart
    ThreadBegins,    // what follows in this lane is of another thread. size: its number
    Allocated,       // address, size, rounding, trace, alignment
    AllocateFailed,  // size, trace, alignment
    Freed,           // address, trace
    ResizeBegins,    // address (old), size, trace
    ResizeEnds,      // address (new), size, rounding, trace
    ResizeFailed,    // size, trace
    End,             // of malloc's kinds
    // What a program tells of its own pools (events/residue.h): kTold + its EventKind. Behind it, in the same lane and
    // with the same stamp, may lie one Detail and up to kMostTexts Texts. Allocator() is the pool, 0: nobody's.
    Told = 0x20,
    Detail = 0x60,   // more fields of the record before: see PackDetail
    Text,            // bytes of its text: size of them, at most kTextBytes, in `address` and then `trace`, `rounding`
    Misused,         // a call on a pool that is not there. address; size: EventKind; rounding: the handle
    Gap = 0xFF       // only from the channel: so many events were lost here (size)
};

// What a program had on its heap when its first event was told.
inline constexpr std::uint64_t kFromTheStart = 0;  // nothing
inline constexpr std::uint64_t kForked = 1;        // what its parent had
inline constexpr std::uint64_t kInMidLife = 2;     // whatever it had allocated before the recorder came

inline constexpr std::uint32_t kTextBytes = 16;
inline constexpr std::uint32_t kMostTexts = 64;                  // 1,024 bytes: events::kMaxText and a little
inline constexpr std::uint32_t kMostInGroup = 2 + kMostTexts;    // records of one event
inline constexpr std::uint16_t kMostPools = 65'534;              // ids 1.. of pools; in the log they are one higher

constexpr RecordKind ToldKind(events::EventKind kind) noexcept {
    return static_cast<RecordKind>(static_cast<std::uint8_t>(RecordKind::Told) + static_cast<std::uint8_t>(kind));
}
constexpr bool IsTold(RecordKind kind) noexcept {
    const auto value = static_cast<std::uint8_t>(kind), first = static_cast<std::uint8_t>(RecordKind::Told);
    return value >= first && value < first + events::kKindCount;
}
constexpr events::EventKind EventKindOf(RecordKind kind) noexcept {
    return static_cast<events::EventKind>(static_cast<int>(kind) - static_cast<int>(RecordKind::Told));
}
// Belongs to the record before it.
constexpr bool Continues(RecordKind kind) noexcept { return kind == RecordKind::Detail || kind == RecordKind::Text; }
// A program may write it.
constexpr bool MayBe(RecordKind kind) noexcept {
    return (kind != RecordKind::None && kind < RecordKind::End) || IsTold(kind) || Continues(kind) ||
           kind == RecordKind::Misused;
}
static_assert(static_cast<std::size_t>(RecordKind::Told) + events::kKindCount <=
              static_cast<std::size_t>(RecordKind::Detail));

inline constexpr std::uint64_t kLow48 = (std::uint64_t{1} << 48) - 1;

// 32 bytes, half a cache line. Addresses of programs have 47 bits (with the fifth level of page tables, which one must
// ask for, 56: such blocks are cut). Larger sizes than 2^48 - 1 can only fail, and are told as that.
struct Record {
    std::uint64_t stamp = 0;
    std::uint64_t address = 0;     // low 48 bits; above: allocator (0: malloc; a Detail or Text has 64 bits of its own)
    std::uint64_t size = 0;        // low 48 bits; then kind (8), log2 of the alignment asked for (8)
    std::uint32_t trace = 0;
    std::uint32_t rounding = 0;    // usable size - size, at most 2^32 - 1

    static std::uint64_t Pack(RecordKind kind, std::uint64_t size, unsigned alignmentLog2) noexcept {
        return (size < kLow48 ? size : kLow48) | std::uint64_t{static_cast<std::uint8_t>(kind)} << 48 |
               std::uint64_t{alignmentLog2 & 0xFF} << 56;
    }
    RecordKind Kind() const noexcept { return static_cast<RecordKind>(size >> 48 & 0xFF); }
    std::uint64_t Size() const noexcept { return size & kLow48; }
    std::uint8_t AlignmentLog2() const noexcept { return static_cast<std::uint8_t>(size >> 56); }
    std::uint64_t Address() const noexcept { return address & kLow48; }
    std::uint16_t Allocator() const noexcept { return static_cast<std::uint16_t>(address >> 48); }
};
static_assert(sizeof(Record) == 32);

// What of an event does not fit into one record. `argument` is the record's address, padding and slack are its trace
// and rounding; the others are its size.
struct Detail {
    std::uint64_t argument = 0;
    std::uint32_t padding = 0, slack = 0;
    std::uint16_t header = 0;
    std::uint16_t roundingHigh = 0;  // bits 32..47 of the rounding
    std::uint8_t flags = 0, error = 0;

    bool Any() const noexcept {
        return (argument | padding | slack | header | roundingHigh | flags | error) != 0;
    }
    Record Pack() const noexcept {
        Record record;
        record.address = argument;
        record.size = std::uint64_t{header} | std::uint64_t{roundingHigh} << 16 | std::uint64_t{flags} << 32 |
                      std::uint64_t{error} << 40 | std::uint64_t{static_cast<std::uint8_t>(RecordKind::Detail)} << 48;
        record.trace = padding;
        record.rounding = slack;
        return record;
    }
    static Detail Of(const Record& record) noexcept {
        return {record.address,
                record.trace,
                record.rounding,
                static_cast<std::uint16_t>(record.size),
                static_cast<std::uint16_t>(record.size >> 16),
                static_cast<std::uint8_t>(record.size >> 32),
                static_cast<std::uint8_t>(record.size >> 40)};
    }
};

// --- lanes ---

inline constexpr std::uint64_t kIdle = ~std::uint64_t{0};  // a mark: no event is under way

struct LaneHeader {
    // The writer's line. Everything else that it needs it keeps for itself.
    alignas(64) std::atomic<std::uint64_t> written{0};  // records ever written
    std::atomic<std::uint64_t> mark{kIdle};             // at least so old is what is under way
    std::atomic<std::uint64_t> dropped{0};              // events lost, ever
    std::atomic<std::uint64_t> dropStamp{0};            // when the first of those that the reader has not seen was lost
    // The reader's.
    alignas(64) std::atomic<std::uint64_t> consumed{0};
    std::atomic<std::uint64_t> dropsSeen{0};
    // Whose it is: 0, or the thread's id. Changes when threads begin and end.
    alignas(64) std::atomic<std::uint32_t> owner{0};
};

// --- modules ---

struct Module {
    static constexpr std::size_t kPath = 464;
    std::atomic<std::uint32_t> ready{0};  // 1: the rest is there
    std::uint32_t unused = 0;
    std::uint64_t begin = 0, end = 0;     // addresses of the program
    std::uint64_t bias = 0;               // address in memory - address in the file
    std::uint64_t stamp = 0;              // seen first
    char path[kPath + 8] = {};            // ends with 0; cut where it is longer; empty: the program's own
};
inline constexpr std::uint32_t kMostModules = 4096;

// --- the whole ---

// The program waits for the reader: for a while in all (Header::patienceNanoseconds), not at all, or for as long as the
// recorder lives.
enum class WhenFull : std::uint32_t { Block = 0, Drop = 1, Wait = 2 };
enum class Unwinding : std::uint32_t { Auto = 0, FramePointers = 1, Tables = 2, Off = 3 };

// Where everything is: a function of these numbers alone.
struct Plan {
    // Counts of records are powers of two. 16 MiB: what a thread writes in 10 ms at its fastest, and has to be kept
    // while the recorder waits for a core. Pages are there as far as a lane was ever used.
    std::uint32_t largeLanes = 16, largeRecords = 1 << 19;
    std::uint32_t smallLanes = 1008, smallRecords = 1 << 12;  // for programs with many threads: 128 KiB
    std::uint32_t traceNodes = 1 << 21;

    constexpr std::uint32_t Lanes() const noexcept { return largeLanes + smallLanes; }
    constexpr std::uint32_t RecordsIn(std::uint32_t lane) const noexcept {
        return lane < largeLanes ? largeRecords : smallRecords;
    }
    constexpr std::uint64_t TraceSlots() const noexcept {
        std::uint64_t slots = 16;
        while (slots < std::uint64_t{2} * traceNodes) slots *= 2;
        return slots;
    }
    static constexpr std::uint64_t Pages(std::uint64_t bytes) noexcept { return (bytes + 4095) / 4096 * 4096; }
    constexpr std::uint64_t TraceBytes() const noexcept {
        return 2 * ((traceNodes + std::uint64_t{1}) * 8 + TraceSlots() * 4);
    }
    static constexpr std::uint64_t kHeaderBytes = 4096;
    static constexpr std::uint64_t ModulesAt() noexcept { return kHeaderBytes; }
    static constexpr std::uint64_t TracesAt() noexcept { return ModulesAt() + Pages(kMostModules * sizeof(Module)); }
    constexpr std::uint64_t LanesAt() const noexcept { return TracesAt() + Pages(TraceBytes()); }
    static constexpr std::uint64_t LaneBytes(std::uint64_t records) noexcept {
        return Pages(sizeof(LaneHeader)) + Pages(records * sizeof(Record));
    }
    constexpr std::uint64_t LaneAt(std::uint32_t lane) const noexcept {
        const std::uint64_t large = lane < largeLanes ? lane : largeLanes;
        return LanesAt() + large * LaneBytes(largeRecords) + (lane - large) * LaneBytes(smallRecords);
    }
    static constexpr std::uint64_t RecordsAt(std::uint64_t lane) noexcept { return lane + Pages(sizeof(LaneHeader)); }
    constexpr std::uint64_t Bytes() const noexcept { return LaneAt(Lanes()); }
};

// A child process that wants a channel of its own puts its id into a free place (0) and waits; the recorder answers
// with a file of its own; the child empties the place. Each step is a compare and exchange, so that a child that has
// waited long enough and a recorder that answers late cannot both be right.
struct ChildRequest {
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;  // there is no channel for it
    std::uint32_t process = 0;
    std::uint32_t answer = 0;  // 0: not yet; else the file's number + 1

    constexpr std::uint64_t Word() const noexcept { return std::uint64_t{process} << 32 | answer; }
    static constexpr ChildRequest Of(std::uint64_t word) noexcept {
        return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
    }
};
inline constexpr std::uint32_t kMostRequests = 32;  // at once

// How an attempt to attach to a running program went, as the program says it.
enum class AttachAnswer : std::uint32_t {
    Attached = 0,
    AlreadyWatched = 1,
    NoChannel = 2,      // it could not open the recorder's memory, or came too late
    OwnAllocator = 3,   // its malloc is a part of the program file: no call of it goes through a table of the loader's
    NoMemory = 4,
    OtherBuild = 5,     // another shim is in it, which has the hooks
    NoShim = 100        // the loader did not take the shim; `text` says why
};
struct Refusal {
    static constexpr std::size_t kText = 252;
    char text[kText] = {};               // ends with 0 where it is shorter
    std::atomic<std::uint32_t> answer{0};  // written last
};
static_assert(sizeof(Refusal) == 256);

struct Header {
    // Written by the recorder before the program begins.
    std::uint64_t magic = kMagic;
    std::uint32_t version = kVersion;
    std::uint32_t headerBytes = 0;   // sizeof(Header): shim and recorder are of one build
    Plan plan;
    WhenFull whenFull = WhenFull::Block;
    Unwinding unwinding = Unwinding::Auto;
    std::uint32_t traceDepth = 0;
    std::uint64_t patienceNanoseconds = 0;  // Block: how long a program may wait, in all
    std::atomic<std::uint32_t> program{0};  // process id: nobody else may write
    std::atomic<std::uint32_t> listening{0};  // 0: the recorder is gone, drop at once
    std::uint32_t follow = 0;    // 1: children may ask for channels of their own
    std::uint32_t recorder = 0;  // process id: a channel is /proc/RECORDER/fd/N

    // Written by the shim.
    alignas(64) std::atomic<std::uint32_t> attached{0};  // how often: more than once where the program became another
    std::atomic<std::uint32_t> fenced{0};    // 1: the recorder's fence reaches its threads (membarrier)
    std::atomic<std::uint32_t> threads{0};   // that ever had a lane
    std::atomic<std::uint32_t> lanesUsed{0};  // lanes [0, lanesUsed) were ever used
    std::atomic<std::uint32_t> modules{0};   // begun; each has its own `ready`
    std::atomic<std::uint64_t> homeless{0};  // events lost for want of a lane
    std::atomic<std::uint64_t> nested{0};    // events inside another one (a signal handler's), lost
    std::atomic<std::uint64_t> waited{0};    // nanoseconds, in all
    std::atomic<std::uint64_t> tracesRefused{0};
    // Children that want a channel: see ChildRequest.
    std::atomic<std::uint64_t> requests[kMostRequests] = {};
    std::atomic<std::uint32_t> unfollowed{0};  // children that got none
    std::atomic<std::uint32_t> others{0};      // 1: there were children, and `follow` is 0
    Refusal refusal{};                         // of a program that was to be attached to
};
static_assert(sizeof(Header) <= Plan::kHeaderBytes);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace residue::capture
