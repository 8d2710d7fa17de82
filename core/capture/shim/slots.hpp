// In a program that was not started by the recorder: the tables through which each loaded module calls the allocator
// (its global offset table) are made to lead to the hooks.
//
// A slot is changed only where it leads to the very function that the hook stands before, or nowhere yet (a module that
// is bound lazily): so a module that brings another allocator keeps it. What goes round the tables is not seen: calls
// through pointers that were kept before, and those of the loader itself.
#pragma once

#include <cstddef>

namespace residue::capture::shim {

struct Slot {
    const char* name;
    void* hook;
    void* real = nullptr;  // null: there is none, its slots are left alone
};

// Which module gives a program its allocator?
enum class Owner { None, Shim, Program, Library };

// The first loaded module that defines it, as the loader looks for it; null: none. `own` is an address in the shim.
void* FindDefinition(const char* name, const void* own, Owner& owner) noexcept;
// The one of the module around `place`, or null.
void* FindBeside(const char* name, const void* place) noexcept;

// Of all modules that are loaded, but for the shim and the loader. Again after more were loaded: what leads to a hook
// already is left alone. Other threads may run.
void PlaceInAll(const Slot* slots, std::size_t count, const void* own) noexcept;

}  // namespace residue::capture::shim
