// A program's frames from its ELF file alone, through libdwfl's offline mode.
#include <elfutils/libdwfl.h>

#include <cstdio>
#include <mutex>

#include "symbols/detail/dwarf_names.hpp"
#include "symbols/detail/inline_scopes.hpp"
#include "symbols/detail/symbol_names.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::symbols {
namespace {

class ImageSymbolizer final : public Symbolizer {
public:
    explicit ImageSymbolizer(const std::string& path) {
        callbacks_.section_address = dwfl_offline_section_address;
        callbacks_.find_debuginfo = dwfl_standard_find_debuginfo;
        callbacks_.debuginfo_path = &debugPath_;
        session_ = dwfl_begin(&callbacks_);
        if (session_ == nullptr) return;
        dwfl_report_begin(session_);
        module_ = dwfl_report_offline(session_, "", path.c_str(), -1);
        dwfl_report_end(session_, nullptr, nullptr);
        // What may be loaded anywhere, libdwfl puts somewhere.
        if (module_ != nullptr) dwfl_module_getelf(module_, &bias_);
    }
    ~ImageSymbolizer() override {
        if (session_ != nullptr) dwfl_end(session_);
    }
    ImageSymbolizer(const ImageSymbolizer&) = delete;
    ImageSymbolizer& operator=(const ImageSymbolizer&) = delete;

    bool IsOpen() const { return module_ != nullptr; }

    Frame Resolve(std::uint64_t address) override {
        const std::lock_guard lock(mutex_);
        Frame frame;
        const Dwarf_Addr call = address + bias_ - 1;  // the return address is one past the call
        if (address != 0 && dwfl_addrmodule(session_, call) == module_) {
            detail::FindLine(module_, call, frame);
            scopes_.Find(module_, call, frame, false);
            if (const char* name = names_.Find(module_, call)) frame.function = detail::Demangled(name);
        }
        if (frame.function.empty()) {
            char text[32];
            std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
            frame.function = text;
        }
        return frame;
    }

private:
    std::mutex mutex_;
    char* debugPath_ = nullptr;  // null: elfutils' own default
    Dwfl_Callbacks callbacks_{};
    Dwfl* session_ = nullptr;
    Dwfl_Module* module_ = nullptr;
    GElf_Addr bias_ = 0;
    detail::SymbolNames names_;
    detail::InlineScopes scopes_;
};

}  // namespace

std::shared_ptr<Symbolizer> OfImage(const std::string& path) {
    auto image = std::make_shared<ImageSymbolizer>(path);
    if (!image->IsOpen()) return nullptr;
    return image;
}

}  // namespace residue::symbols
