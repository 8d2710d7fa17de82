#include "alloc/os/global_allocator.hpp"

#if RESIDUE_OS_SUPPORTED

#include <cstddef>
#include <new>

#include "alloc/os/at_exit.hpp"

namespace residue::alloc {
namespace {

struct Global;
struct Hook : ExitHook {
    Global* owner = nullptr;
};
struct Global {
    Hook hook;
    DefaultAllocator<> allocator{DefaultAllocatorSettings{}};
};

// Raw storage, so that no destructor of a static object ends it before others have used it for the last time.
alignas(Global) std::byte storage[sizeof(Global)];

Global* Make() {
    auto* global = new (storage) Global;
    global->hook.owner = global;
    global->hook.Run = [](ExitHook* hook) {
        DestroyDefaultAllocator(&static_cast<Hook*>(hook)->owner->allocator);
    };
    RunAtExit(&global->hook);
    return global;
}

}  // namespace

DefaultAllocator<>* GlobalAllocator() {
    static Global* const global = Make();
    return &global->allocator;
}

}  // namespace residue::alloc

#endif
