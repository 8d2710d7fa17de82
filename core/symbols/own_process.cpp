// The frames of this process through elfutils: libdwfl finds the modules (again when an address is in none of them, so
// that libraries loaded later are found), DWARF gives file and line, and the symbol table gives the name.
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <unordered_map>

#include "symbols/detail/dwarf_names.hpp"
#include "symbols/detail/symbol_names.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::symbols {
namespace {

using detail::Demangled;
using detail::FindLine;

class DwflSymbolizer final : public Symbolizer {
public:
    DwflSymbolizer() {
        callbacks_.find_elf = dwfl_linux_proc_find_elf;
        callbacks_.find_debuginfo = dwfl_standard_find_debuginfo;
        callbacks_.debuginfo_path = &debugPath_;
        session_ = dwfl_begin(&callbacks_);
        if (session_ != nullptr) Report();
    }
    ~DwflSymbolizer() override {
        if (session_ != nullptr) dwfl_end(session_);
    }
    DwflSymbolizer(const DwflSymbolizer&) = delete;
    DwflSymbolizer& operator=(const DwflSymbolizer&) = delete;

    Frame Resolve(std::uint64_t address) override {
        const std::lock_guard lock(mutex_);
        const auto known = cache_.find(address);
        if (known != cache_.end()) return known->second;
        Frame frame = LookUp(address);
        // The frames of a program are few; one that makes up addresses must not fill the memory.
        constexpr std::size_t kMostCached = 1u << 20;
        if (cache_.size() >= kMostCached) cache_.clear();
        cache_.emplace(address, frame);
        return frame;
    }

private:
    void Report() {
        dwfl_report_begin_add(session_);
        dwfl_linux_proc_report(session_, getpid());
        dwfl_report_end(session_, nullptr, nullptr);
    }

    Frame LookUp(std::uint64_t address) {
        Frame frame;
        const Dwarf_Addr call = address == 0 ? 0 : address - 1;  // the return address is one past the call
        Dwfl_Module* module = nullptr;
        if (session_ != nullptr && address != 0) {
            module = dwfl_addrmodule(session_, call);
            if (module == nullptr && MapsHave(call)) {
                Report();
                module = dwfl_addrmodule(session_, call);
            }
        }
        if (module != nullptr) {
            FindLine(module, call, frame);
            if (const char* name = names_[module].Find(module, call)) frame.function = Demangled(name);
        }
        if (frame.function.empty()) frame.function = Nameless(module, address);
        return frame;
    }

    // Without a symbol: "libstdc++.so.6+0xd44a3", or the address where there is no module either.
    static std::string Nameless(Dwfl_Module* module, std::uint64_t address) {
        Dwarf_Addr start = 0;
        const char* path = nullptr;  // libdwfl takes the last module to go on for ever: only what is mapped is in it
        if (module != nullptr && MapsHave(address - 1)) {
            path = dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
        }
        char text[32];
        std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(path ? address - start : address));
        if (path == nullptr) return text;
        const std::string name = path;
        return name.substr(name.rfind('/') + 1) + "+" + text;
    }

    // Is the address in a mapping at all? Asking libdwfl again for every address that is garbage would be slow.
    static bool MapsHave(std::uint64_t address) {
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
                found = address >= low && address < high && mode[2] == 'x';
            }
            lineStarts = std::char_traits<char>::find(text, std::char_traits<char>::length(text), '\n') != nullptr;
        }
        std::fclose(maps);
        return found;
    }

    std::mutex mutex_;
    char* debugPath_ = nullptr;  // null: elfutils' own default
    Dwfl_Callbacks callbacks_{};
    Dwfl* session_ = nullptr;
    std::unordered_map<std::uint64_t, Frame> cache_;
    std::unordered_map<Dwfl_Module*, detail::SymbolNames> names_;
};

}  // namespace

std::shared_ptr<Symbolizer> OwnProcess() { return std::make_shared<DwflSymbolizer>(); }

}  // namespace residue::symbols
