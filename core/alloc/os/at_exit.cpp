#include "alloc/os/at_exit.hpp"

#include <mutex>

namespace residue::alloc {
namespace {

constinit std::mutex mutex;  // never destroyed: its destructor is trivial here
constinit ExitHook* newest = nullptr;

ExitHook* TakeNewest() {
    const std::lock_guard lock(mutex);
    ExitHook* hook = newest;
    if (hook == nullptr) return nullptr;
    newest = hook->next;
    if (newest != nullptr) newest->previous = nullptr;
    hook->registered = false;
    return hook;
}

// Functions of this kind run after the destructors of static objects, those of low priority numbers last. (std::atexit
// would run before the destructors of objects made earlier, which may still use what the hooks give back.)
__attribute__((destructor(101))) void RunHooks() {
    while (ExitHook* hook = TakeNewest()) hook->Run(hook);
}

}  // namespace

void RunAtExit(ExitHook* hook) {
    const std::lock_guard lock(mutex);
    if (hook->registered) return;
    hook->registered = true;
    hook->previous = nullptr;
    hook->next = newest;
    if (newest != nullptr) newest->previous = hook;
    newest = hook;
}

void CancelAtExit(ExitHook* hook) {
    const std::lock_guard lock(mutex);
    if (!hook->registered) return;
    hook->registered = false;
    if (hook->previous != nullptr) hook->previous->next = hook->next;
    else newest = hook->next;
    if (hook->next != nullptr) hook->next->previous = hook->previous;
}

}  // namespace residue::alloc
