// What symbolizers of whole processes share: libdwfl's session, and names that were asked for once.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdio>
#include <mutex>
#include <string>
#include <unordered_map>

#include "symbols/detail/dwarf_names.hpp"
#include "symbols/detail/inline_scopes.hpp"
#include "symbols/detail/symbol_names.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::symbols::detail {

class DwflSymbolizer : public Symbolizer {
public:
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

protected:
    // `wholePaths`: of source files, from the root.
    explicit DwflSymbolizer(int (*findElf)(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**),
                            bool wholePaths = false)
        : wholePaths_(wholePaths) {
        callbacks_.find_elf = findElf;
        callbacks_.find_debuginfo = dwfl_standard_find_debuginfo;
        callbacks_.debuginfo_path = &debugPath_;
        session_ = dwfl_begin(&callbacks_);
    }
    ~DwflSymbolizer() override {
        if (session_ != nullptr) dwfl_end(session_);
    }

    // The module that holds `call`, or null. With the lock held, session_ not null.
    virtual Dwfl_Module* ModuleOf(Dwarf_Addr call) = 0;
    // libdwfl takes the last module to go on for ever: is there really something of a module at `call`?
    virtual bool IsMapped(Dwarf_Addr call) = 0;

    std::mutex mutex_;
    Dwfl* session_ = nullptr;
    std::unordered_map<std::uint64_t, Frame> cache_;

private:
    Frame LookUp(std::uint64_t address) {
        Frame frame;
        const Dwarf_Addr call = address == 0 ? 0 : address - 1;  // the return address is one past the call
        Dwfl_Module* const module = session_ == nullptr || address == 0 ? nullptr : ModuleOf(call);
        if (module != nullptr) {
            FindLine(module, call, frame, wholePaths_);
            scopes_.Find(module, call, frame, wholePaths_);
            if (const char* name = names_[module].Find(module, call)) frame.function = Demangled(name);
        }
        if (frame.function.empty()) frame.function = Nameless(module, address);
        return frame;
    }

    // Without a symbol: "libstdc++.so.6+0xd44a3", or the address where there is no module either.
    std::string Nameless(Dwfl_Module* module, std::uint64_t address) {
        Dwarf_Addr start = 0;
        const char* path = nullptr;
        if (module != nullptr && IsMapped(address - 1)) {
            path = dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
        }
        char text[32];
        std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(path ? address - start : address));
        if (path == nullptr) return text;
        const std::string name = path;
        return name.substr(name.rfind('/') + 1) + "+" + text;
    }

    const bool wholePaths_;
    char* debugPath_ = nullptr;  // null: elfutils' own default
    Dwfl_Callbacks callbacks_{};
    std::unordered_map<Dwfl_Module*, SymbolNames> names_;
    InlineScopes scopes_;
};

}  // namespace residue::symbols::detail
