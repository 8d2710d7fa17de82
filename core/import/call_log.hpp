// A call to an allocator as a log of calls tells it, and the dialects that such logs are written in: one small parser
// of lines each. A new one costs its own file and its rows in call_log_reader.cpp and
// recordings.cpp. Internal to import/.
#pragma once

#include <cstdint>
#include <string_view>

namespace residue::import {

struct LoggedCall {
    enum class Function : std::uint8_t { Allocate, Free, Resize };
    // A call whose end is in another line (others happen meanwhile) is told twice.
    enum class Part : std::uint8_t { Whole, Begins, Ends };

    Function function = Function::Allocate;
    Part part = Part::Whole;
    bool hasResult = false;       // of Allocate and Resize, unless it only begins
    bool unknownPointer = false;  // it worked, but where the block is was not written (posix_memalign in ltrace)
    std::uint64_t size = 0;       // of Allocate and Resize
    std::uint64_t old = 0;        // the pointer given to Free and Resize
    std::uint64_t result = 0;     // a pointer
    std::uint64_t alignment = 0;  // 0: none asked for
    std::uint64_t process = 0;    // processes have heaps of their own; 0: not told
    std::uint64_t thread = 0;     // 0: not told
    std::uint64_t time = 0;       // 0: not told
    std::uint64_t caller = 0;     // return address; 0: not told
};

enum class LineKind : std::uint8_t { Call, Noise, Malformed };

struct CallDialect {
    const char* name;         // the format, as shown
    const char* expected;     // for messages
    double ticksPerSecond;    // of `time`
    // `at`: the line, which ends at `end` with '\n'. Noise: what other things stand in such a log.
    LineKind (*Parse)(const char* at, const char* end, LoggedCall& call);
};

extern const CallDialect kLtraceDialect;       // call_log_ltrace.cpp
extern const CallDialect kValgrindDialect;     // call_log_valgrind.cpp
extern const CallDialect kLogallocDialect;     // call_log_mozilla.cpp
extern const CallDialect kMemoryReplayDialect; // call_log_android.cpp

// What C and C++ programs call. The name's meaning is told by the order of its arguments.
struct CallName {
    enum class Shape : std::uint8_t {
        Size,           // malloc(size)
        CountSize,      // calloc(count, size)
        AlignmentSize,  // memalign(alignment, size)
        SizeAlignment,  // operator new(size, alignment)
        OutAlignmentSize,  // posix_memalign(out, alignment, size)
        OldSize,        // realloc(old, size)
        OldCountSize,   // reallocarray(old, count, size)
        Old,            // free(old)
    };
    std::string_view name;
    Shape shape;
};

// Null: no function of an allocator. operator new and delete by their symbols, _Znwm and _ZdlPv and their relatives.
const CallName* FindCallName(std::string_view name);

// Sets function, size, alignment and old of `call` from `arguments` in the order they were written. False: too few.
bool SetArguments(const CallName& name, const std::uint64_t* arguments, std::size_t count, LoggedCall& call);

// Numbers between parentheses, commas between them, each perhaps behind a word ("al 256", "size 1024"), up to what is
// no number. At most `most`; returns how many there were.
std::size_t ScanArguments(const char*& at, std::uint64_t* arguments, std::size_t most);

}  // namespace residue::import
