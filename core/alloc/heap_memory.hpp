// Where an allocator has its bytes from.
//     HeapMemory::Buffer(buffer, sizeof buffer)      all it will ever have
//     HeapMemory::Growing(range, bytes)              reserved address space that reads as zero; its use grows from 0
//     HeapMemory::From(&parent, 64 * 1024)           regions that it asks another allocator for, when it needs them
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/allocator.hpp"

namespace residue::alloc {

enum class Growth : std::uint8_t {
    Fixed,    // a buffer
    Growing,  // the heap's end goes up by just what is missing
    Regions,  // from a parent
};

struct HeapMemory {
    static constexpr std::size_t kRegionBytes = std::size_t{64} << 10;

    static HeapMemory Buffer(void* base, std::size_t bytes) { return {Growth::Fixed, base, bytes, nullptr}; }
    template <class T, std::size_t count>
    static HeapMemory Buffer(T (&buffer)[count]) {
        return Buffer(static_cast<void*>(buffer), sizeof(buffer));
    }
    static HeapMemory Growing(void* range, std::size_t bytes) { return {Growth::Growing, range, bytes, nullptr}; }
    // A request that does not fit into a region of `regionBytes` gets one of its own size.
    static HeapMemory From(Allocator* parent, std::size_t regionBytes = kRegionBytes) {
        return {Growth::Regions, nullptr, regionBytes, parent};
    }

    Growth growth = Growth::Fixed;
    void* base = nullptr;         // may be unaligned, tiny or null
    std::size_t bytes = 0;        // of the buffer or range; Regions: of an ordinary region, bookkeeping included
    Allocator* parent = nullptr;  // Regions; outlives the allocator
};

}  // namespace residue::alloc
