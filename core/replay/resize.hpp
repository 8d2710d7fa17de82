// How a replay makes a block larger or smaller: with the allocator's own Resize. An allocator without one, and a block
// whose copy would fill more than 64 MiB, gets allocate + free, told as the one resize that they are.
//
// Blocks of a replay are never written to, so what was copied is zeros: its pages go back, in a buffer.
// Thread safety: as the allocator.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"
#include "replay/address_range.hpp"
#include "replay/call_sink.hpp"

namespace residue::replay {

struct BlockToResize {
    void* address = nullptr;
    std::uint64_t size = 0;  // payload, as requested
};

// The block as it is now; on an error it stays as it was. `inBuffer`: the allocator lives in `range`.
Result<void*> ResizeBlock(alloc::Allocator* allocator, CallSink& calls, const AddressRange& range, bool inBuffer,
                          const BlockToResize& old, std::uint64_t bytes, std::size_t alignment);

}  // namespace residue::replay
