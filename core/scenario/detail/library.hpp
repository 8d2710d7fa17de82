// The standard library's names: which module each is in, what it is, and how many arguments it takes. What they do is
// in library_*.cpp.
#pragma once

#include <cstdint>
#include <string_view>

namespace residue::scenario::detail {

enum class LibraryModule : std::uint8_t { Memory, Types, Io, Runtime, Os };

enum class LibraryId : std::uint8_t {
    // Types.
    MemoryErrorType,
    AccessErrorType,
    AllocatorType,
    CoreAllocatorType,  // FixedBufferAllocator, ArenaAllocator, ...: all of the same layout
    PlacementType,
    DynamicArrayType,
    CallTraceType,
    TraceEntryType,
    ProfileType,
    // Values.
    ProfileValue,
    GlobalAllocatorValue,
    // Memory.
    Allocate,
    Free,
    UnsafeFree,
    Resize,
    Reset,
    Mark,
    Release,
    Copy,
    GetGlobalAllocator,
    CreateFixedBuffer,
    CreateArena,
    CreateStack,
    CreatePool,
    CreateBuddy,
    CreateSegregated,
    CreateTlsf,
    CreateHeaderless,
    CreateDefault,
    CreateResidue,
    CreateSystem,
    CreateFailing,
    DestroyAllocator,
    // Types.
    CreateDynamicArray,
    PushToDynamicArray,
    PopDynamicArray,
    DynamicArrayAt,
    DynamicArrayRemoveAt,
    ClearDynamicArray,
    DestroyDynamicArray,
    // IO.
    Print,
    PrintLine,
    Error,
    ErrorLine,
    // Runtime.
    GetStackTrace,
    // OS.
    IsSupported,
    OsAllocate,
    OsFree,
    // The callbacks of an allocator of core/alloc: what its Allocate and Free fields hold.
    CoreAllocate,
    CoreFree,
};

enum class LibraryKind : std::uint8_t { Type, Value, Procedure };

struct LibraryEntry {
    LibraryId id;
    LibraryModule module;
    LibraryKind kind;
    std::string_view name;
    std::uint8_t least = 0;  // arguments
    std::uint8_t most = 0;   // 255: any number
    const char* use = "";    // for a message: how it is called
};

const LibraryEntry* FindInModule(LibraryModule module, std::string_view name);
// A name that is visible without its module: all of std.Memory, and the types of the others.
const LibraryEntry* FindVisible(std::string_view name);
const LibraryEntry& EntryOf(LibraryId id);
// "std.Memory" and "Memory", "IO", "io": null where there is none.
const LibraryModule* FindModule(std::string_view name);
const char* NameOf(LibraryModule module);

// All of a module's names, or all of them, to offer near ones.
template <class Visit>
void VisitLibrary(Visit visit);

extern const LibraryEntry kLibrary[];
extern const std::size_t kLibraryCount;

template <class Visit>
void VisitLibrary(Visit visit) {
    for (std::size_t i = 0; i < kLibraryCount; ++i) visit(kLibrary[i]);
}

}  // namespace residue::scenario::detail
