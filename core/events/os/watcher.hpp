// Whoever watches this program from outside (`residue record -- PROGRAM`, `residue open -- PROGRAM`), as a sink: what
// an allocator emits becomes an allocator of that recording, beside malloc and inside its blocks.
//
//     allocator.AttachSink(events::Watcher(), "entities");   // nobody watches: null, which costs as no sink at all
//
// It is the C++ face of events/residue.h and goes the same way. Stamps are taken in Emit, so an allocator for several
// threads emits a free before the memory goes back, as all of core/alloc do, and not only begins it there. Ids of
// allocators are the program's own, as with any sink: the first that attaches itself is 1. Any thread.
#pragma once

#include "events/sink.hpp"

namespace residue::events {

// The same at every call, and there to the end of the program. A child of a watched program that is not followed has
// the shim in it, too, and so a sink, of which nobody hears.
EventSink* Watcher() noexcept;

}  // namespace residue::events
