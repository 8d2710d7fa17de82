// A program built with the library of allocators, which tells whoever watches it what they do. Never instrumented, as
// the subject beside it. Modes: none; "alone": as without a watcher, to see that nothing is told to nobody.
#include <cstdio>
#include <cstring>

#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/tlsf_allocator.hpp"
#include "events/os/watcher.hpp"

using namespace residue;

namespace {

[[gnu::noinline]] void* TakeName(alloc::Allocator& from) {
    const auto name = alloc::Allocate<char>(&from, 77);
    asm volatile("");
    return name ? *name : nullptr;
}

int NestedHeaps(events::EventSink* sink) {
    alloc::DefaultAllocatorSettings settings;
    settings.writer = nullptr;
    alloc::DefaultAllocator<alloc::Profile::Debug> bottom(settings);
    bottom.AttachSink(sink, "daily");
    auto loose = alloc::Allocate<char>(&bottom, 501);
    alloc::ArenaAllocator level = alloc::CreateArenaAllocator(alloc::HeapMemory::From(&bottom, 16 * 1024));
    level.AttachSink(sink, "level", AllocatorId{1});
    for (std::size_t i = 0; i < 10; ++i) {
        if (!alloc::Allocate<char>(&level, 100 + i)) return 1;
    }
    const auto buffer = alloc::Allocate<std::byte>(&level, 4096);
    if (!buffer) return 2;
    {
        alloc::TlsfAllocator names = alloc::CreateTlsfAllocator(alloc::HeapMemory::Buffer(*buffer, 4096));
        names.AttachSink(sink, "names", AllocatorId{2});
        auto* const name = static_cast<char*>(TakeName(names));
        if (name == nullptr) return 3;
        (void)names.Free(&names, name);
        (void)names.Free(&names, name);                // twice
        if (names.Allocate(&names, 100'000, 8)) return 4;  // too much
        alloc::DestroyTlsfAllocator(&names);
    }
    alloc::DestroyArenaAllocator(&level);
    if (loose && !alloc::Free(&bottom, *loose)) return 5;
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const bool alone = count > 1 && std::strcmp(arguments[1], "alone") == 0;
    events::EventSink* const sink = events::Watcher();
    if (alone) return sink == nullptr ? 0 : 9;
    if (const int wrong = NestedHeaps(sink)) return wrong;
    alloc::ResidueAllocator careless = alloc::CreateResidueAllocator();
    careless.AttachSink(sink, "careless");
    for (std::size_t i = 0; i < 5; ++i) (void)alloc::Allocate<char>(&careless, 300 + i);
    alloc::DestroyResidueAllocator(&careless);
    std::puts("done");
    return 0;
}
