// The functions of one module by address, sorted once: libdwfl's own look-up goes through the whole symbol table each
// time, which is minutes for the call traces of a large program.
#pragma once

#include <elfutils/libdwfl.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace residue::symbols::detail {

class SymbolNames {
public:
    // The name of the function that holds `address`, or of the label right before it where there is none; or null.
    const char* Find(Dwfl_Module* module, Dwarf_Addr address) {
        if (!read_) Read(module);
        const auto behind = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                             [](Dwarf_Addr at, const Symbol& symbol) { return at < symbol.begin; });
        // A function may have others within it, so the nearest one need not be the one.
        constexpr int kMostTries = 16;
        constexpr Dwarf_Addr kLabelReaches = 1 << 16;
        const char* label = nullptr;
        int tries = 0;
        for (auto at = behind; at != symbols_.begin() && tries < kMostTries; ++tries) {
            --at;
            if (address - at->begin < at->size) return at->name;
            if (at->size == 0 && tries == 0 && address - at->begin < kLabelReaches) label = at->name;
        }
        return label;
    }

private:
    struct Symbol {
        Dwarf_Addr begin;
        std::uint64_t size;
        int rank;  // the higher one is taken where several are the same
        const char* name;
    };

    void Read(Dwfl_Module* module) {
        read_ = true;
        const int count = dwfl_module_getsymtab(module);
        for (int i = 1; i < count; ++i) {
            GElf_Sym symbol;
            GElf_Addr address = 0;
            GElf_Word section = SHN_UNDEF;
            const char* const name = dwfl_module_getsym_info(module, i, &symbol, &address, &section, nullptr, nullptr);
            if (name == nullptr || *name == '\0' || section == SHN_UNDEF || section == SHN_ABS) continue;
            const int type = GELF_ST_TYPE(symbol.st_info);
            const bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
            if (!function && (type != STT_NOTYPE || symbol.st_size != 0)) continue;
            const int rank = (function ? 4 : 0) + (GELF_ST_BIND(symbol.st_info) == STB_GLOBAL ? 2 : 0) +
                             (GELF_ST_BIND(symbol.st_info) == STB_WEAK ? 1 : 0);
            symbols_.push_back({address, symbol.st_size, rank, name});
        }
        // Of those that begin together the widest, then the best comes last: it is met first.
        std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
            return std::tie(a.begin, a.size, a.rank) < std::tie(b.begin, b.size, b.rank);
        });
    }

    std::vector<Symbol> symbols_;
    bool read_ = false;
};

}  // namespace residue::symbols::detail
