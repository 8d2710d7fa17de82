#include "scenario/detail/library.hpp"

namespace residue::scenario::detail {
namespace {

using enum LibraryModule;
using enum LibraryKind;

constexpr std::uint8_t kAny = 255;

struct ModuleName {
    std::string_view name;
    LibraryModule module;
};
constexpr ModuleName kModules[] = {{"Memory", Memory}, {"Types", Types},     {"IO", Io},
                                   {"io", Io},         {"Runtime", Runtime}, {"OS", Os}};

}  // namespace

const LibraryEntry kLibrary[] = {
    {LibraryId::MemoryErrorType, Memory, Type, "MemoryError"},
    {LibraryId::AccessErrorType, Memory, Type, "AccessError"},
    {LibraryId::AllocatorType, Memory, Type, "Allocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "FixedBufferAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "ArenaAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "StackAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "PoolAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "BuddyAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "SegregatedAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "TlsfAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "HeaderlessAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "DefaultAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "ResidueAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "SystemAllocator"},
    {LibraryId::CoreAllocatorType, Memory, Type, "FailingAllocator"},
    {LibraryId::PlacementType, Memory, Type, "Placement"},
    {LibraryId::GlobalAllocatorValue, Memory, Value, "GlobalAllocator"},
    {LibraryId::Allocate, Memory, Procedure, "Allocate", 2, 3,
     "Allocate<T>(&allocator, count), or with an alignment as third"},
    {LibraryId::Free, Memory, Procedure, "Free", 2, 2, "Free(&allocator, pointer)"},
    {LibraryId::UnsafeFree, Memory, Procedure, "UnsafeFree", 2, 2, "UnsafeFree(&allocator, pointer)"},
    {LibraryId::Resize, Memory, Procedure, "Resize", 3, 3, "Resize(&allocator, pointer, count)"},
    {LibraryId::Reset, Memory, Procedure, "Reset", 1, 1, "Reset(&allocator)"},
    {LibraryId::Mark, Memory, Procedure, "Mark", 1, 1, "Mark(&arena)"},
    {LibraryId::Release, Memory, Procedure, "Release", 2, 2, "Release(&arena, mark)"},
    {LibraryId::Copy, Memory, Procedure, "Copy", 3, 3, "Copy(from, to, count)"},
    {LibraryId::GetGlobalAllocator, Memory, Procedure, "GetGlobalAllocator", 0, 0, "GetGlobalAllocator()"},
    {LibraryId::CreateFixedBuffer, Memory, Procedure, "CreateFixedBufferAllocator", 1, 2,
     "CreateFixedBufferAllocator(&buffer, .BestFit)"},
    {LibraryId::CreateArena, Memory, Procedure, "CreateArenaAllocator", 0, 2, "CreateArenaAllocator(&buffer)"},
    {LibraryId::CreateStack, Memory, Procedure, "CreateStackAllocator", 0, 2, "CreateStackAllocator(&buffer)"},
    {LibraryId::CreatePool, Memory, Procedure, "CreatePoolAllocator", 0, 2, "CreatePoolAllocator(&buffer, slotBytes)"},
    {LibraryId::CreateBuddy, Memory, Procedure, "CreateBuddyAllocator", 0, 2, "CreateBuddyAllocator(&buffer)"},
    {LibraryId::CreateSegregated, Memory, Procedure, "CreateSegregatedAllocator", 0, 2,
     "CreateSegregatedAllocator(&buffer)"},
    {LibraryId::CreateTlsf, Memory, Procedure, "CreateTlsfAllocator", 0, 2, "CreateTlsfAllocator(&buffer)"},
    {LibraryId::CreateHeaderless, Memory, Procedure, "CreateHeaderlessAllocator", 0, 2,
     "CreateHeaderlessAllocator(&buffer)"},
    {LibraryId::CreateDefault, Memory, Procedure, "CreateDefaultAllocator", 0, 0, "CreateDefaultAllocator()"},
    {LibraryId::CreateResidue, Memory, Procedure, "CreateResidueAllocator", 0, 0, "CreateResidueAllocator()"},
    {LibraryId::CreateSystem, Memory, Procedure, "CreateSystemAllocator", 0, 0, "CreateSystemAllocator()"},
    {LibraryId::CreateFailing, Memory, Procedure, "CreateFailingAllocator", 2, 2, "CreateFailingAllocator(&inner, n)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyFixedBufferAllocator", 1, 1,
     "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyArenaAllocator", 1, 1, "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyStackAllocator", 1, 1, "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyPoolAllocator", 1, 1, "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyBuddyAllocator", 1, 1, "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroySegregatedAllocator", 1, 1,
     "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyTlsfAllocator", 1, 1, "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyHeaderlessAllocator", 1, 1,
     "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyDefaultAllocator", 1, 1,
     "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyResidueAllocator", 1, 1,
     "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroySystemAllocator", 1, 1, "Destroy...Allocator(&allocator)"},
    {LibraryId::DestroyAllocator, Memory, Procedure, "DestroyFailingAllocator", 1, 1,
     "Destroy...Allocator(&allocator)"},
    {LibraryId::DynamicArrayType, Types, Type, "DynamicArray"},
    {LibraryId::CreateDynamicArray, Types, Procedure, "CreateDynamicArray", 1, 1, "CreateDynamicArray<T>(&allocator)"},
    {LibraryId::PushToDynamicArray, Types, Procedure, "PushToDynamicArray", 2, kAny,
     "PushToDynamicArray(&array, 1, 2, 3)"},
    {LibraryId::PopDynamicArray, Types, Procedure, "PopDynamicArray", 1, 1, "PopDynamicArray(&array)"},
    {LibraryId::DynamicArrayAt, Types, Procedure, "DynamicArrayAt", 2, 2, "DynamicArrayAt(&array, index)"},
    {LibraryId::DynamicArrayRemoveAt, Types, Procedure, "DynamicArrayRemoveAt", 2, 2,
     "DynamicArrayRemoveAt(&array, index)"},
    {LibraryId::ClearDynamicArray, Types, Procedure, "ClearDynamicArray", 1, 1, "ClearDynamicArray(&array)"},
    {LibraryId::DestroyDynamicArray, Types, Procedure, "DestroyDynamicArray", 1, 1, "DestroyDynamicArray(&array)"},
    {LibraryId::Print, Io, Procedure, "Print", 1, kAny, "Print(\"{} bytes\", count)"},
    {LibraryId::PrintLine, Io, Procedure, "PrintLine", 0, kAny, "PrintLine(\"{} bytes\", count)"},
    {LibraryId::Error, Io, Procedure, "Error", 1, kAny, "Error(\"{} bytes\", count)"},
    {LibraryId::ErrorLine, Io, Procedure, "ErrorLine", 0, kAny, "ErrorLine(\"{} bytes\", count)"},
    {LibraryId::CallTraceType, Runtime, Type, "CallTrace"},
    {LibraryId::TraceEntryType, Runtime, Type, "TraceEntry"},
    {LibraryId::ProfileType, Runtime, Type, "ProfileKind"},
    {LibraryId::ProfileValue, Runtime, Value, "Profile"},
    {LibraryId::GetStackTrace, Runtime, Procedure, "GetStackTrace", 0, 0, "GetStackTrace()"},
    {LibraryId::IsSupported, Os, Procedure, "IsSupported", 0, 0, "IsSupported()"},
    {LibraryId::OsAllocate, Os, Procedure, "Allocate", 1, 1, "Allocate<T>(count)"},
    {LibraryId::OsFree, Os, Procedure, "Free", 1, 1, "Free(pointer)"},
    {LibraryId::CoreAllocate, Memory, Procedure, "(core allocate)", 1, 2, ""},
    {LibraryId::CoreFree, Memory, Procedure, "(core free)", 1, 2, ""},
};
const std::size_t kLibraryCount = sizeof kLibrary / sizeof kLibrary[0];

const LibraryEntry* FindInModule(LibraryModule module, std::string_view name) {
    for (const LibraryEntry& entry : kLibrary) {
        if (entry.module == module && entry.name == name) return &entry;
    }
    return nullptr;
}

const LibraryEntry* FindVisible(std::string_view name) {
    for (const LibraryEntry& entry : kLibrary) {
        if (entry.name == name && (entry.module == Memory || entry.kind == Type)) return &entry;
    }
    return nullptr;
}

const LibraryEntry& EntryOf(LibraryId id) {
    for (const LibraryEntry& entry : kLibrary) {
        if (entry.id == id) return entry;
    }
    return kLibrary[0];
}

const LibraryModule* FindModule(std::string_view name) {
    if (name.starts_with("std.")) name.remove_prefix(4);
    for (const ModuleName& each : kModules) {
        if (each.name == name) return &each.module;
    }
    return nullptr;
}

const char* NameOf(LibraryModule module) {
    switch (module) {
        case Memory: return "std.Memory";
        case Types: return "std.Types";
        case Io: return "std.IO";
        case Runtime: return "std.Runtime";
        case Os: return "std.OS";
    }
    return "";
}

}  // namespace residue::scenario::detail
