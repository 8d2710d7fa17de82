// What has to happen when the program ends, after main and after every static object's destructor: the leak report of
// the GlobalAllocator, the sweep of a Residue allocator that is still there. Last registered, first run. A hook is a
// node inside its owner, so registering needs no memory; the owner takes it out when it ends earlier.
// Not run by abort(), _exit() or a signal. Thread-safe. OS part.
#pragma once

namespace residue::alloc {

struct ExitHook {
    void (*Run)(ExitHook* self) = nullptr;
    ExitHook* next = nullptr;
    ExitHook* previous = nullptr;
    bool registered = false;
};

void RunAtExit(ExitHook* hook);   // a registered hook stays where it is
void CancelAtExit(ExitHook* hook);  // nothing happens if it is not registered

}  // namespace residue::alloc
