// A tracker around any allocator: the one of DefaultAllocator, with its books kept elsewhere. It finds double frees and
// foreign pointers for an allocator that cannot, reports what was never given back, and tells the events of one that
// tells none: how a home-made allocator of two callbacks is watched.
//
//     MyAllocator mine;
//     TrackingAllocator watched = CreateTrackingAllocator(&mine);
//     watched.AttachSink(recorder.Sink(), "mine");
//     DestroyTrackingAllocator(&watched);                  // reports, and gives back to `mine`
//
// Costs, errors and thread safety: os/default_allocator.hpp. OS part.
#pragma once

#include "alloc/os/default_allocator.hpp"

#if RESIDUE_OS_SUPPORTED

namespace residue::alloc {

using TrackingAllocator = DefaultAllocator<Profile::Debug>;

inline TrackingAllocator CreateTrackingAllocator(Allocator* inner, DefaultAllocatorSettings settings = {}) {
    settings.parent = inner;
    if (settings.books == nullptr) settings.books = InternalAllocator();
    return TrackingAllocator(settings);
}

inline std::size_t DestroyTrackingAllocator(TrackingAllocator* allocator) { return allocator->Destroy(); }

}  // namespace residue::alloc

#endif
