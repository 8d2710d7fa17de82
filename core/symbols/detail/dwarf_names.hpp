// What both symbolizers ask of libdw: a readable name, and the file and line of a call.
#pragma once

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "symbols/symbolizer.hpp"

namespace residue::symbols::detail {

inline std::string Demangled(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 && text != nullptr ? text.get() : name;
}

// A call inside an inlined function of events/residue.h: the place in the program that the function stands for.
struct InlinedInto {
    const char* file = nullptr;
    int line = 0;
};
inline InlinedInto FindInlinedInto(Dwfl_Module* module, Dwarf_Addr call) {
    InlinedInto place;
    Dwarf_Addr bias = 0;
    Dwarf_Die* const unit = dwfl_module_addrdie(module, call, &bias);
    Dwarf_Files* files = nullptr;
    Dwarf_Die* found = nullptr;
    if (unit == nullptr || dwarf_getsrcfiles(unit, &files, nullptr) != 0) return place;
    if (dwarf_getscopes(unit, call - bias, &found) <= 0) return place;
    const std::unique_ptr<Dwarf_Die, decltype(&std::free)> innermost(found, &std::free);
    const int count = dwarf_getscopes_die(innermost.get(), &found);  // as they lie in each other in the code
    if (count <= 0) return place;
    const std::unique_ptr<Dwarf_Die[], decltype(&std::free)> scopes(found, &std::free);
    for (int i = 0; i < count && dwarf_tag(&scopes[static_cast<std::size_t>(i)]) != DW_TAG_subprogram; ++i) {
        Dwarf_Die* const scope = &scopes[static_cast<std::size_t>(i)];
        Dwarf_Attribute attribute;
        Dwarf_Word file = 0, line = 0;
        if (dwarf_tag(scope) != DW_TAG_inlined_subroutine ||
            dwarf_formudata(dwarf_attr(scope, DW_AT_call_file, &attribute), &file) != 0 ||
            dwarf_formudata(dwarf_attr(scope, DW_AT_call_line, &attribute), &line) != 0) {
            continue;
        }
        place = {dwarf_filesrc(files, static_cast<std::size_t>(file), nullptr, nullptr), static_cast<int>(line)};
        if (place.file != nullptr && !std::string_view(place.file).ends_with("residue.h")) break;
    }
    return place;
}

// `whole`: a file's name from the root, where it was compiled as one relative to a folder.
inline void FindLine(Dwfl_Module* module, Dwarf_Addr call, Frame& frame, bool whole = false) {
    Dwfl_Line* const line = dwfl_module_getsrc(module, call);
    if (line == nullptr) return;
    int number = 0;
    const char* file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
    if (file == nullptr) return;
    if (std::string_view(file).ends_with("/residue.h")) {
        if (const InlinedInto place = FindInlinedInto(module, call); place.file != nullptr) {
            file = place.file;
            number = place.line;
        }
    }
    frame.file = file;
    const char* const folder = whole && file[0] != '/' ? dwfl_line_comp_dir(line) : nullptr;
    if (folder != nullptr) frame.file = (std::filesystem::path(folder) / file).lexically_normal().string();
    frame.line = number > 0 ? static_cast<std::uint32_t>(number) : 0;
}

}  // namespace residue::symbols::detail
