// The scalar types, and the cases of the standard library's enums.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "scenario/detail/library.hpp"

namespace residue::scenario::detail {

enum class ScalarKind : std::uint8_t { U8, U16, U32, U64, I8, I16, I32, I64, F32, F64, Bool, Char, String };

struct ScalarInfo {
    ScalarKind kind;
    std::string_view name;
    std::uint32_t size;
    std::uint32_t alignment;
};

inline constexpr ScalarInfo kScalars[] = {
    {ScalarKind::U8, "u8", 1, 1},          {ScalarKind::U16, "u16", 2, 2},   {ScalarKind::U32, "u32", 4, 4},
    {ScalarKind::U64, "u64", 8, 8},        {ScalarKind::I8, "i8", 1, 1},     {ScalarKind::I16, "i16", 2, 2},
    {ScalarKind::I32, "i32", 4, 4},        {ScalarKind::I64, "i64", 8, 8},   {ScalarKind::F32, "f32", 4, 4},
    {ScalarKind::F64, "f64", 8, 8},        {ScalarKind::Bool, "bool", 1, 1}, {ScalarKind::Char, "char", 1, 1},
    {ScalarKind::String, "string", 16, 8},
};

inline std::optional<ScalarKind> FindScalar(std::string_view name) {
    for (const ScalarInfo& info : kScalars) {
        if (info.name == name) return info.kind;
    }
    return std::nullopt;
}

template <class Visit>
void VisitScalars(Visit visit) {
    for (const ScalarInfo& info : kScalars) visit(info.name);
}

// Of the enums of the standard library; nothing for other entries.
inline std::vector<std::string_view> LibraryCases(LibraryId id) {
    switch (id) {
        case LibraryId::MemoryErrorType:
            return {"InsufficientMemory", "Fragmentation", "BufferTooLarge", "DoubleFree", "InvalidPointer"};
        case LibraryId::AccessErrorType: return {"Dangling", "OutOfBounds"};
        case LibraryId::PlacementType: return {"FirstFit", "NextFit", "BestFit", "WorstFit"};
        case LibraryId::ProfileType: return {"Debug", "Release", "Distribution"};
        default: return {};
    }
}

}  // namespace residue::scenario::detail
