// The frames of this process through elfutils: libdwfl finds the modules (again when an address is in none of them, so
// that libraries loaded later are found), DWARF gives file and line, and the symbol table gives the name.
#include <unistd.h>

#include "symbols/detail/dwfl_symbolizer.hpp"

namespace residue::symbols {
namespace {

class OwnSymbolizer final : public detail::DwflSymbolizer {
public:
    OwnSymbolizer() : DwflSymbolizer(dwfl_linux_proc_find_elf) {
        if (session_ != nullptr) Report();
    }

private:
    void Report() {
        dwfl_report_begin_add(session_);
        dwfl_linux_proc_report(session_, getpid());
        dwfl_report_end(session_, nullptr, nullptr);
    }

    Dwfl_Module* ModuleOf(Dwarf_Addr call) override {
        Dwfl_Module* module = dwfl_addrmodule(session_, call);
        if (module == nullptr && IsMapped(call)) {
            Report();
            module = dwfl_addrmodule(session_, call);
        }
        return module;
    }

    // Is the address in a mapping at all? Asking libdwfl again for every address that is garbage would be slow.
    bool IsMapped(Dwarf_Addr call) override {
        std::FILE* const maps = std::fopen("/proc/self/maps", "re");
        if (maps == nullptr) return false;
        char text[512];
        bool lineStarts = true;
        bool found = false;
        while (!found && std::fgets(text, sizeof text, maps) != nullptr) {
            unsigned long long low = 0;
            unsigned long long high = 0;
            char mode[8] = {};
            if (lineStarts && std::sscanf(text, "%llx-%llx %4s", &low, &high, mode) == 3) {
                found = call >= low && call < high && mode[2] == 'x';
            }
            lineStarts = std::char_traits<char>::find(text, std::char_traits<char>::length(text), '\n') != nullptr;
        }
        std::fclose(maps);
        return found;
    }
};

}  // namespace

std::shared_ptr<Symbolizer> OwnProcess() { return std::make_shared<OwnSymbolizer>(); }

}  // namespace residue::symbols
