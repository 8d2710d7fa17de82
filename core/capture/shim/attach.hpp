// The slots of a program that was not started by the recorder: attach.cpp.
#pragma once

#include <cstddef>

#include "capture/shim/slots.hpp"

namespace residue::capture::shim {

// The hooks of the allocator under hidden names: in such a program the public ones mean the program's own. hooks.cpp.
struct HookTable {
    Slot* slots;
    std::size_t count;
};
HookTable AllocatorHooks() noexcept;

}  // namespace residue::capture::shim
