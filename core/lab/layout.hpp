// What the lab and its host process (lab/host, which runs a student's code) share: the operations of a trace, written
// once by the lab and sealed, and a report that the host writes while it works. The student's code runs in the host and
// can write anything into the report, so the lab trusts no number in it.
//
// Plain data, no OS. The host is compiled without the project's libraries, so this header includes none of them.
#pragma once

#include <cstdint>

namespace residue::lab {

inline constexpr std::uint32_t kLayoutVersion = 2;

// The heap lies below 4 GiB, so that code which stores pointers in four bytes works; guard pages are around it.
inline constexpr std::uint64_t kHeapBase = 0x2000'0000;
inline constexpr std::uint64_t kLargestHeap = 0xC000'0000;  // bytes
inline constexpr std::uint64_t kGuardBytes = std::uint64_t{1} << 20;
// The page with the functions that our memlib calls; read-only once it is written.
inline constexpr std::uint64_t kServicesAddress = 0x1F00'0000;

// 64-bit registers, the stack's size and so on are the student's machine's: as here.
inline constexpr std::uint64_t kStackBytes = std::uint64_t{8} << 20;

enum class OpKind : std::uint8_t {
    Malloc,
    Free,
    Realloc,  // of a live block
    FreeNull,
    ReallocNull,  // realloc(NULL, size): a block comes to life
    ReallocFree,  // realloc(block, 0)
    Touch,        // MIT's `w`: reads and writes the block, in the timed pass only
    Nothing,      // counts as an operation; the student's code is not called
};

// One operation, its id resolved: `slot` is a small number for each id of the trace.
struct Op {
    std::uint64_t size;
    std::uint32_t slot;
    OpKind kind;
    std::uint8_t mayBeNull;  // a request of 0 bytes of a .script: NULL is as good as a block
    std::uint16_t unused;
};
static_assert(sizeof(Op) == 16);

// What a call gave: its address, and the heap's end (mem_sbrk(0)) after it.
struct Record {
    std::uint64_t address;
    std::uint64_t heapEnd;
};

enum class Api : std::uint32_t { Mm, MmBool, Mit };  // mm_init is an int, a bool; the functions are my_...

enum class Phase : std::uint32_t { Starting, Confining, Loading, Running, Done };

enum class Pass : std::uint32_t { Zeroed, Dirty, Utilisation, Timed };
inline constexpr unsigned kPasses = 4;
inline constexpr unsigned kValidityPasses = 2;
inline constexpr unsigned kRecordedPasses = 3;  // all but the timed one

// What the student's code was doing.
enum class Doing : std::uint32_t { Nothing, Init, Malloc, Free, Realloc, Check };

enum class Finding : std::uint32_t {
    None,
    CannotLoad,   // the library: `text` says why
    Confinement,  // the host could not confine itself: `text` says what
    InitFailed,
    NullReturned,  // by malloc or realloc
    NotNull,       // realloc(block, 0) gave a block
    Misaligned,
    OutsideHeap,
    OldDataLost,  // by realloc; `value`: the first byte, `value2`: how many bytes
    Garbled,      // a payload was written by somebody else; `slot`
    PastHeapEnd,  // bytes behind mem_heap_hi() were written; `address`
    CheckFailed,  // mm_checkheap said false
    Signal,       // `signal`, `code`, `address`
    SystemCall,   // `value`: its number
    Jumped,       // came back to a call that had already returned (longjmp)
    TooSlow,      // the lab asked where it was
};

inline constexpr unsigned kMostFrames = 64;
inline constexpr unsigned kTextBytes = 512;

struct Report {
    std::uint32_t version;
    Phase phase;
    Pass pass;
    Doing doing;
    std::uint64_t op;                // index of the operation under way
    std::uint64_t recorded;          // records of the pass under way
    std::uint64_t lowest, heapEnd;   // the heap now: [lowest, heapEnd)
    std::uint64_t passEnd[kPasses];  // heap size at the end of each pass
    std::uint32_t passesDone;
    Finding finding;
    std::uint64_t address, value, value2;
    std::uint32_t slot;
    std::int32_t signal, code;
    std::uint32_t isWrite;  // of the access that failed: 0 no, 1 yes, 2 not known
    std::uint64_t stackPointer, stackTop;
    std::uint64_t moduleBase;  // where the student's library is
    std::uint64_t steps;             // that were kept of the call that was followed
    std::uint64_t followed;          // its instructions, those of libraries included; at most kMostFollowed
    std::uint64_t lookedBytes;       // of the heap, that were copied
    std::uint32_t frames;
    std::uint32_t sealedBeforeConstructors;
    std::uint64_t trace[kMostFrames];  // innermost first; the first one is where it stands, the others return addresses
    std::uint64_t bestNanoseconds;     // of the timed pass
    std::uint32_t timedRuns;
    std::uint32_t unused;
    char text[kTextBytes];
};

inline constexpr std::uint64_t kNoWatch = ~std::uint64_t{0};
inline constexpr std::uint64_t kNoLook = ~std::uint64_t{0};

// An instruction of the student's code that was carried out, and the stack pointer before it.
struct Step {
    std::uint64_t instruction, stack;
};
inline constexpr std::uint64_t kMostSteps = 100'000;
inline constexpr std::uint64_t kMostFollowed = 200'000;  // each costs a signal: a few microseconds
inline constexpr std::uint64_t kMostLookedAt = std::uint64_t{1} << 20;  // bytes

// What the host is told, at the beginning of the operations' memory.
struct Order {
    std::uint32_t version;
    Api api;
    std::uint64_t ops;
    std::uint64_t slots;
    std::uint64_t heapBytes;  // the most that mem_sbrk gives
    std::uint64_t alignment;
    std::uint64_t cpuSeconds;
    std::uint64_t memoryBytes;  // address space beside the heap
    std::uint32_t timedRuns;    // at most; 0: no timed pass
    std::uint32_t needsLandlock;
    std::uint32_t checkAll;  // every live payload and mm_checkheap before every operation
    std::uint32_t unused;
    // To find who writes into a block: it is looked at after every call from its birth on.
    std::uint64_t watchSlot;  // kNoWatch: none
    std::uint64_t stopAt;     // no operation from here on
    // To look at a moment: the first pass goes as far as `lookAt` operations and ends there. The call that leads there
    // (at 0: mm_init) is followed step by step, then bytes of the heap are copied.
    std::uint64_t lookAt;               // kNoLook: not
    std::uint64_t lookFrom, lookBytes;  // addresses; at most kMostLookedAt
};

// Where records are in the report's memory, and operations behind the order. Behind the records, where a moment is
// looked at: `lookBytes` bytes, then kMostSteps steps.
inline constexpr std::uint64_t kReportBytes = (sizeof(Report) + 4095) / 4096 * 4096;
inline constexpr std::uint64_t kOrderBytes = 4096;
static_assert(sizeof(Order) <= kOrderBytes);

// What our memlib, compiled into the student's library, calls; at kServicesAddress.
struct Services {
    void* (*sbrk)(long increment);
    void (*resetBrk)();
    void* (*heapLow)();
    void* (*heapHigh)();
    unsigned long (*heapSize)();
    void (*seal)();  // the library's first instruction: the strict rules begin before its constructors
};

// Descriptors of the host: what it runs is told by number.
inline constexpr int kOrderDescriptor = 3;
inline constexpr int kReportDescriptor = 4;

}  // namespace residue::lab
