#include "capture/shim/modules.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include "events/ticks.hpp"

namespace residue::capture::shim {

void Modules::See(std::uint64_t address) noexcept {
    if (table_ == nullptr) return;
    const std::uint32_t known = header_->modules.load(std::memory_order_acquire);
    const std::uint32_t from = from_.load(std::memory_order_acquire);
    for (std::uint32_t i = known < kMostModules ? known : kMostModules; i-- > from;) {
        const Module& module = table_[i];
        if (module.ready.load(std::memory_order_acquire) == 0) continue;
        if (address >= module.begin && address < module.end) return;
    }
#if defined(DLFO_STRUCT_HAS_EH_DBASE)
    dl_find_object found;
    if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return;
    const std::uint32_t index = header_->modules.fetch_add(1, std::memory_order_acq_rel);
    if (index >= kMostModules) {
        header_->modules.store(kMostModules, std::memory_order_release);
        return;
    }
    Module& module = table_[index];
    module.begin = reinterpret_cast<std::uintptr_t>(found.dlfo_map_start);
    module.end = reinterpret_cast<std::uintptr_t>(found.dlfo_map_end);
    module.bias = found.dlfo_link_map->l_addr;
    module.stamp = events::FencedTicks();
    const char* const name = found.dlfo_link_map->l_name;
    if (name != nullptr && name[0] != 0) {
        std::size_t length = 0;
        while (length < Module::kPath && name[length] != 0) ++length;
        __builtin_memcpy(module.path, name, length);
        module.path[length] = 0;
    } else {  // the program itself
        const ssize_t length = readlink("/proc/self/exe", module.path, Module::kPath);
        module.path[length > 0 ? length : 0] = 0;
    }
    module.ready.store(1, std::memory_order_release);
#endif
}

}  // namespace residue::capture::shim
