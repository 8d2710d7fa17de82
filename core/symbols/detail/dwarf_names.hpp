// What both symbolizers ask of libdw: a readable name, and the file and line of a call.
#pragma once

#include <cxxabi.h>
#include <elfutils/libdwfl.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "symbols/symbolizer.hpp"

namespace residue::symbols::detail {

inline std::string Demangled(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 && text != nullptr ? text.get() : name;
}

// A source file's name from the root, where it was compiled as one relative to `folder` (null: not known).
inline std::string FromRoot(const char* folder, const char* file) {
    if (folder == nullptr || file[0] == '/') return file;
    return (std::filesystem::path(folder) / file).lexically_normal().string();
}

// `whole`: a file's name from the root, where it was compiled as one relative to a folder.
inline void FindLine(Dwfl_Module* module, Dwarf_Addr call, Frame& frame, bool whole = false) {
    Dwfl_Line* const line = dwfl_module_getsrc(module, call);
    if (line == nullptr) return;
    int number = 0;
    const char* const file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
    if (file == nullptr) return;
    frame.file = FromRoot(whole ? dwfl_line_comp_dir(line) : nullptr, file);
    frame.line = number > 0 ? static_cast<std::uint32_t>(number) : 0;
}

}  // namespace residue::symbols::detail
