// How the recorder comes into a program that runs already (capture/attach.hpp): the loader brings the shim in as any
// library, and then residue_attach_v1 is called, on a thread that was at a place where a program may do so.
//
// The hooks never leave again. When the recorder does, they do nothing but call what they stand before (Retire in
// writer.cpp): putting the slots back would gain some nanoseconds a call, and could tear down what other tools have
// built on them in the meantime. Another recorder finds them in place.
#include "capture/shim/attach.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cstring>

#include "capture/layout.hpp"
#include "capture/shim/real.hpp"
#include "capture/shim/writer.hpp"

namespace residue::capture::shim {
namespace {

using Open = void* (*)(const char*, int);
using Symbol = void* (*)(void*, const char*);
using Close = int (*)(void*);

using AskThread = int (*)(pthread_t, pthread_attr_t*);

enum Loader : std::size_t { kOpen, kSymbol, kClose, kAskThread, kLoaderHooks };
void* HookedOpen(const char* file, int mode);
void* HookedSymbol(void* handle, const char* name);
int HookedClose(void* handle);
int HookedAskThread(pthread_t thread, pthread_attr_t* attributes);

constinit Slot loaderHooks[kLoaderHooks] = {
    {"dlopen", nullptr}, {"dlsym", nullptr}, {"dlclose", nullptr}, {"pthread_getattr_np", nullptr}};
constinit std::atomic<bool> mayBeMore{false};  // modules were loaded since, or are about to be

template <class Function>
Function Loaders(Loader which) noexcept {
    return reinterpret_cast<Function>(loaderHooks[which].real);
}

void PlaceAll() noexcept {
    const HookTable hooks = AllocatorHooks();
    PlaceInAll(hooks.slots, hooks.count, loaderHooks);
    PlaceInAll(loaderHooks, kLoaderHooks, loaderHooks);
}

void PlaceInNew() noexcept {
    if (mayBeMore.exchange(false, std::memory_order_acq_rel)) PlaceAll();
}

// The loader looks for a bare name, and for $ORIGIN, as the calling module wants it, which it knows by where it is
// called from. So there this ends in a jump, as if it had never been, and the new module gets its hooks a little
// later: when the program asks for its functions.
void* HookedOpen(const char* file, int mode) {
    const bool asCaller = file == nullptr || std::strchr(file, '/') == nullptr || std::strchr(file, '$') != nullptr;
    if (asCaller) {
        PlaceInNew();
        mayBeMore.store(true, std::memory_order_release);
        return Loaders<Open>(kOpen)(file, mode);
    }
    void* const handle = Loaders<Open>(kOpen)(file, mode);
    if (handle != nullptr) PlaceAll();
    return handle;
}

void* HookedSymbol(void* handle, const char* name) {
    PlaceInNew();
    return Loaders<Symbol>(kSymbol)(handle, name);  // a jump, too: RTLD_NEXT is next to the caller
}

// Code that is gone must not be taken for what comes to its place.
int HookedClose(void* handle) {
    PlaceInNew();
    const int result = Loaders<Close>(kClose)(handle);
    if (active.load(std::memory_order_acquire) != nullptr) ModuleGone();
    return result;
}

// As the hook of that name (hooks.cpp): a thread's first allocation must not come from in there.
int HookedAskThread(pthread_t thread, pthread_attr_t* attributes) {
    if (!self.busy && Enter() != nullptr) Leave();
    return Loaders<AskThread>(kAskThread)(thread, attributes);
}

std::size_t UsableUnknown(void*) noexcept {
    return 0;
}

template <class Function>
void Take(Function& function, const char* name, const void* beside) noexcept {
    void* const found = FindBeside(name, beside);
    __builtin_memcpy(&function, &found, sizeof(function));
}

// All functions are those of the module that has malloc: another one's cannot free its blocks.
void TakeReal(const void* beside) noexcept {
    Real found;
    Take(found.malloc, "malloc", beside);
    Take(found.calloc, "calloc", beside);
    Take(found.realloc, "realloc", beside);
    Take(found.free, "free", beside);
    Take(found.memalign, "memalign", beside);
    Take(found.posix_memalign, "posix_memalign", beside);
    Take(found.aligned_alloc, "aligned_alloc", beside);
    Take(found.valloc, "valloc", beside);
    Take(found.pvalloc, "pvalloc", beside);
    Take(found.malloc_usable_size, "malloc_usable_size", beside);
    if (found.malloc_usable_size == nullptr) found.malloc_usable_size = UsableUnknown;
    real = found;
}

AttachAnswer PlaceHooks() noexcept {
    Owner owner = Owner::None;
    (void)FindDefinition("residue_attach_v1", loaderHooks, owner);
    if (owner != Owner::Shim) return AttachAnswer::OtherBuild;
    void* const place = FindDefinition("malloc", loaderHooks, owner);
    if (owner == Owner::Shim) return AttachAnswer::Attached;  // the loader put it first: it was started by a recorder
    if (place == nullptr || owner == Owner::Program) return AttachAnswer::OwnAllocator;
    TakeReal(place);
    const HookTable hooks = AllocatorHooks();
    for (std::size_t i = 0; i < hooks.count; ++i) hooks.slots[i].real = FindBeside(hooks.slots[i].name, place);
    loaderHooks[kOpen].hook = reinterpret_cast<void*>(&HookedOpen);
    loaderHooks[kSymbol].hook = reinterpret_cast<void*>(&HookedSymbol);
    loaderHooks[kClose].hook = reinterpret_cast<void*>(&HookedClose);
    loaderHooks[kAskThread].hook = reinterpret_cast<void*>(&HookedAskThread);
    for (Slot& slot : loaderHooks) slot.real = FindDefinition(slot.name, loaderHooks, owner);
    PlaceAll();
    return AttachAnswer::Attached;
}

}  // namespace
}  // namespace residue::capture::shim

using namespace residue::capture;

// Called by what the recorder brings onto a thread. `channel` is the path of its memory.
extern "C" __attribute__((visibility("default"))) std::uint32_t residue_attach_v1(const char* channel) {
    static constinit std::atomic<bool> placed{false};
    AttachAnswer answer = AttachAnswer::Attached;
    if (!placed.load(std::memory_order_acquire)) answer = shim::PlaceHooks();
    if (answer == AttachAnswer::Attached) {
        placed.store(true, std::memory_order_release);
        answer = shim::AttachAnew(channel);
    }
    return static_cast<std::uint32_t>(answer);
}
