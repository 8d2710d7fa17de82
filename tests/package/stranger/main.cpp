// Runs a DynamicArray and a std::pmr::list on the allocator, and records what it does.
#include <cstdio>
#include <list>

#include <alloc/dynamic_array.hpp>
#include <alloc/os/tracking_allocator.hpp>
#include <alloc/std/pmr.hpp>
#include <log/recorder.hpp>

#include "my_allocator.hpp"

using namespace residue::alloc;

int main() {
    residue::log::Recorder recorder("slots.residue");
    alignas(std::max_align_t) static std::byte buffer[64 * 64];
    SlotAllocator slots(buffer, sizeof buffer);
    TrackingAllocator watched = CreateTrackingAllocator(&slots);  // tells its events, finds its bad frees
    watched.AttachSink(recorder.Sink(), "slots of 64");

    AllocatorResource resource(&watched);
    std::pmr::list<int> numbers(&resource);
    for (int i = 0; i < 40; ++i) numbers.push_back(i);
    numbers.remove_if([](int i) { return i % 3 == 0; });

    DynamicArray<int> few = CreateDynamicArray<int>(&watched);
    for (int i = 0; i < 20; ++i) {
        const auto pushed = PushToDynamicArray(&few, i);
        if (pushed) continue;
        std::printf("the array ends at %d: %s\n", i, Name(pushed.error()));
        break;
    }
    (void)DestroyDynamicArray(&few);
    numbers.clear();

    const auto saved = recorder.Save();
    if (!saved) std::fprintf(stderr, "%s\n", saved.error().Text().c_str());
    return saved ? 0 : 1;
}
