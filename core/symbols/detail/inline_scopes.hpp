// Which functions were inlined at an address, from DWARF: the tree of the compilation unit's entries.
//
// Cost: the first question in a compilation unit visits its functions' entries once; each further one descends into
// one function. Not thread-safe.
#pragma once

#include <dwarf.h>
#include <elfutils/libdwfl.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "symbols/detail/dwarf_names.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::symbols::detail {

class InlineScopes {
public:
    // Fills `frame.inlined`, and makes `frame`'s place that of the outermost of these calls. `frame` has the place of
    // `call` itself (FindLine). Nothing changes where nothing is known. `whole`: as for FindLine.
    void Find(Dwfl_Module* module, Dwarf_Addr call, Frame& frame, bool whole) {
        Dwarf_Addr bias = 0;
        Dwarf_Die* const unit = dwfl_module_addrdie(module, call, &bias);
        if (unit == nullptr) return;
        const Dwarf_Addr address = call - bias;
        Dwarf_Die function{};
        if (!FunctionAt(*unit, address, function)) return;
        std::vector<Dwarf_Die> calls;  // outermost first
        Descend(function, address, calls, 0);
        if (calls.empty()) return;
        // Inwards: where a function was called is told by the entry of the call itself.
        std::string file = std::move(frame.file);
        std::uint32_t line = frame.line;
        for (auto inner = calls.rbegin(); inner != calls.rend(); ++inner) {
            frame.inlined.push_back({NameOf(*inner), std::move(file), line});
            PlaceOfCall(*unit, *inner, whole, file, line);
        }
        frame.file = std::move(file);
        frame.line = line;
        // The functions of events/residue.h stand for the call itself, as malloc does: none of the program's frames.
        const auto ownEnd = std::find_if_not(frame.inlined.begin(), frame.inlined.end(), [](const InlinedCall& its) {
            return its.file.ends_with("/residue.h");
        });
        frame.inlined.erase(frame.inlined.begin(), ownEnd);
    }

private:
    static constexpr int kDeepest = 64;            // nested entries; more are a loop or nonsense
    static constexpr std::size_t kMost = 4'000'000;  // functions' ranges kept, of all units together

    struct Range {
        Dwarf_Addr begin = 0, end = 0;
        Dwarf_Off entry = 0;
    };

    bool FunctionAt(Dwarf_Die& unit, Dwarf_Addr address, Dwarf_Die& function) {
        const auto [at, fresh] = units_.try_emplace(unit.addr);
        std::vector<Range>& ranges = at->second;
        if (fresh && kept_ < kMost) {
            AddFunctions(unit, ranges, 0);
            std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
            kept_ += ranges.size();
        }
        auto range = std::upper_bound(ranges.begin(), ranges.end(), address,
                                      [](Dwarf_Addr value, const Range& r) { return value < r.begin; });
        if (range == ranges.begin() || (--range)->end <= address) return false;
        return dwarf_offdie(dwarf_cu_getdwarf(unit.cu), range->entry, &function) != nullptr;
    }

    // Functions may lie in namespaces, classes and other functions.
    static void AddFunctions(Dwarf_Die& parent, std::vector<Range>& ranges, int depth) {
        Dwarf_Die entry{};
        if (depth > kDeepest || dwarf_child(&parent, &entry) != 0) return;
        do {
            const int tag = dwarf_tag(&entry);
            if (tag == DW_TAG_subprogram) {
                Dwarf_Addr base = 0, begin = 0, end = 0;
                std::ptrdiff_t next = 0;
                while ((next = dwarf_ranges(&entry, next, &base, &begin, &end)) > 0) {
                    if (begin < end) ranges.push_back({begin, end, dwarf_dieoffset(&entry)});
                }
            }
            if (tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
                tag == DW_TAG_module) {
                AddFunctions(entry, ranges, depth + 1);
            }
        } while (dwarf_siblingof(&entry, &entry) == 0);
    }

    static void Descend(Dwarf_Die& parent, Dwarf_Addr address, std::vector<Dwarf_Die>& calls, int depth) {
        Dwarf_Die entry{};
        if (depth > kDeepest || dwarf_child(&parent, &entry) != 0) return;
        do {
            const int tag = dwarf_tag(&entry);
            const bool inlined = tag == DW_TAG_inlined_subroutine;
            if (!inlined && tag != DW_TAG_lexical_block && tag != DW_TAG_try_block && tag != DW_TAG_catch_block)
                continue;
            if (dwarf_haspc(&entry, address) != 1) {
                // A block without addresses of its own may still hold calls that have some.
                if (inlined || dwarf_hasattr(&entry, DW_AT_low_pc) || dwarf_hasattr(&entry, DW_AT_ranges)) continue;
            }
            const std::size_t before = calls.size();
            if (inlined) calls.push_back(entry);
            Descend(entry, address, calls, depth + 1);
            if (calls.size() != before) return;
        } while (dwarf_siblingof(&entry, &entry) == 0);
    }

    static std::string NameOf(Dwarf_Die& entry) {
        for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
            Dwarf_Attribute value{};
            const char* const name = dwarf_formstring(dwarf_attr_integrate(&entry, attribute, &value));
            if (name != nullptr) return Demangled(name);
        }
        const char* const name = dwarf_diename(&entry);
        return name != nullptr ? name : "(inlined)";
    }

    static void PlaceOfCall(Dwarf_Die& unit, Dwarf_Die& call, bool whole, std::string& file, std::uint32_t& line) {
        file.clear();
        line = 0;
        Dwarf_Attribute value{};
        Dwarf_Word number = 0;
        Dwarf_Files* files = nullptr;
        if (dwarf_formudata(dwarf_attr(&call, DW_AT_call_file, &value), &number) == 0 &&
            dwarf_getsrcfiles(&unit, &files, nullptr) == 0) {
            Dwarf_Attribute folder{};
            const char* const in = whole ? dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &folder)) : nullptr;
            if (const char* const name = dwarf_filesrc(files, number, nullptr, nullptr)) file = FromRoot(in, name);
        }
        if (dwarf_formudata(dwarf_attr(&call, DW_AT_call_line, &value), &number) == 0) {
            line = static_cast<std::uint32_t>(number);
        }
    }

    std::unordered_map<void*, std::vector<Range>> units_;  // by the unit's entry
    std::size_t kept_ = 0;
};

}  // namespace residue::symbols::detail
