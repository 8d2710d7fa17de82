#include "symbols/modules.hpp"

#include <map>
#include <utility>

#include "symbols/detail/dwfl_symbolizer.hpp"

namespace residue::symbols {
namespace {

std::string Hex(std::uint64_t value) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

class Modules final : public ModuleSymbolizer {
public:
    void Add(LoadedModule module) override {
        if (module.begin >= module.end) return;
        const std::lock_guard lock(mutex_);
        auto at = modules_.lower_bound(module.begin);
        if (at != modules_.begin() && std::prev(at)->second.loaded.end > module.begin) --at;
        while (at != modules_.end() && at->first < module.end) at = modules_.erase(at);
        const std::uint64_t begin = module.begin;
        modules_[begin].loaded = std::move(module);
    }

    Frame Resolve(std::uint64_t address) override {
        {
            const std::lock_guard lock(mutex_);
            if (Module* const module = Find(address == 0 ? 0 : address - 1)) {
                if (module->names == nullptr) module->names = std::make_shared<Names>(module->loaded);
                Frame frame = module->names->Resolve(address);
                if (frame.function.starts_with("0x")) {  // its file could not be read
                    const std::string& path = module->loaded.path;
                    frame.function = path.substr(path.rfind('/') + 1) + "+" + Hex(address - module->loaded.begin);
                }
                return frame;
            }
        }
        Frame frame;
        frame.function = Hex(address);
        return frame;
    }

private:
    // One module's session.
    class Names final : public detail::DwflSymbolizer {
    public:
        explicit Names(const LoadedModule& module) : DwflSymbolizer(dwfl_build_id_find_elf, true), module_(module) {
            if (session_ == nullptr) return;
            dwfl_report_begin(session_);
            reported_ = dwfl_report_elf(session_, module.path.c_str(), module.path.c_str(), -1, module.bias, true);
            dwfl_report_end(session_, nullptr, nullptr);
        }

    private:
        Dwfl_Module* ModuleOf(Dwarf_Addr call) override { return IsMapped(call) ? reported_ : nullptr; }
        bool IsMapped(Dwarf_Addr call) override { return call >= module_.begin && call < module_.end; }

        LoadedModule module_;
        Dwfl_Module* reported_ = nullptr;
    };
    struct Module {
        LoadedModule loaded;
        std::shared_ptr<Names> names;  // made when first asked for
    };

    Module* Find(std::uint64_t call) {
        const auto behind = modules_.upper_bound(call);
        if (behind == modules_.begin()) return nullptr;
        Module& module = std::prev(behind)->second;
        return call < module.loaded.end ? &module : nullptr;
    }

    std::mutex mutex_;
    std::map<std::uint64_t, Module> modules_;  // by begin; they do not overlap
};

}  // namespace

std::shared_ptr<ModuleSymbolizer> OfModules() { return std::make_shared<Modules>(); }

}  // namespace residue::symbols
