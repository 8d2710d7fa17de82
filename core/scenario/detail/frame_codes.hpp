// Frames of call traces as numbers, as the trace table keeps them: procedure and line in one.
#pragma once

#include <cstdint>
#include <string>

#include "scenario/detail/program_data.hpp"
#include "scenario/run.hpp"

namespace residue::scenario::detail {

// What runs at file level (globals, the file's defers) has procedure ~0 - file.
inline std::uint64_t FrameCode(std::uint32_t procedure, std::uint32_t line) {
    return (std::uint64_t{procedure} + 1) << 24 | (line & 0xFFFFFF);
}

inline CallFrame FrameOf(const ProgramData& program, std::uint64_t code) {
    const std::uint64_t procedure = (code >> 24) - 1;
    const auto line = static_cast<std::uint32_t>(code & 0xFFFFFF);
    if (procedure < program.procedures.size()) {
        const Procedure& which = program.procedures[procedure];
        return {std::string(which.name), program.files[which.at.file].name, line};
    }
    const std::uint64_t file = 0xFFFF'FFFF - procedure;
    return {"(file)", file < program.files.size() ? program.files[file].name : "?", line};
}

}  // namespace residue::scenario::detail
