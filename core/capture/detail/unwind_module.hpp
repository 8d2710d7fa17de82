// Which module a place in the code belongs to, and where its unwinding tables lie. Linux. Freestanding.
#pragma once

#include <cstdint>

#include "capture/detail/unwind_row.hpp"

namespace residue::capture::detail {

struct UnwindModule {
    bool there = false;      // false: code of no module, and nothing below counts
    bool hasTables = false;  // false: the module has none that can be read safely
    UnwindTables tables;
};

// Lock-free and safe in signal handlers where the C library has _dl_find_object (glibc 2.35 and later). The module must
// not be unloaded meanwhile: it is not, while a function of it has a frame on the stack.
UnwindModule FindModule(std::uintptr_t pc) noexcept;

// The same where it has not: by dl_iterate_phdr, which takes the loader's lock.
UnwindModule FindModuleByList(std::uintptr_t pc) noexcept;

}  // namespace residue::capture::detail
