// The frames of another process from its files, also when it is gone: its modules are told one by one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "symbols/symbolizer.hpp"

namespace residue::symbols {

struct LoadedModule {
    std::string path;         // of the file, which may be another one by now, or gone: then frames stay nameless
    std::uint64_t begin = 0;  // where it is in the process: [begin, end)
    std::uint64_t end = 0;
    std::uint64_t bias = 0;   // address in the process - address in the file
};

class ModuleSymbolizer : public Symbolizer {
public:
    // Any thread. One that lies where others do takes their place, for look-ups from now on.
    virtual void Add(LoadedModule module) = 0;
};

std::shared_ptr<ModuleSymbolizer> OfModules();

}  // namespace residue::symbols
