#include "replay/resize.hpp"

#include <algorithm>

namespace residue::replay {
namespace {

constexpr std::uint64_t kLargestCopy = std::uint64_t{64} << 20;
constexpr std::uint64_t kSmallestForgotten = std::uint64_t{64}
                                             << 10;  // below it a system call costs more than it gains
constexpr std::uint64_t kPage = 4096;

Result<void*> Replace(alloc::Allocator* allocator, CallSink& calls, void* old, std::uint64_t bytes,
                      std::size_t alignment) {
    calls.BeginResize(reinterpret_cast<std::uintptr_t>(old), bytes);
    const Result<void*> block = allocator->Allocate(allocator, bytes, alignment);
    if (block) (void)allocator->Free(allocator, old);
    calls.EndResize();
    return block;
}

}  // namespace

Result<void*> ResizeBlock(alloc::Allocator* allocator, CallSink& calls, const AddressRange& range, bool inBuffer,
                          const BlockToResize& old, std::uint64_t bytes, std::size_t alignment) {
    // A block in a buffer shrinks where it is.
    const bool stays = inBuffer && bytes <= old.size;
    const std::uint64_t copied = stays ? 0 : std::min(old.size, bytes);
    const alloc::AllocatorOptions* options = allocator->options;
    const bool own = options != nullptr && options->Resize != nullptr && copied <= kLargestCopy;
    const Result<void*> block = own ? options->Resize(allocator, old.address, bytes, alignment)
                                    : Replace(allocator, calls, old.address, bytes, alignment);
    if (!block) return block;
    // What was copied is zeros that nobody wrote; without their pages they still are. (Not every system maps pages
    // that are only read to one page of zeros, so the old ones go too, but for a hole's links at its ends.)
    if (range.Contains(*block) && *block != old.address && copied >= kSmallestForgotten) {
        range.Forget(*block, bytes);
        range.Forget(static_cast<std::byte*>(old.address) + kPage, old.size - 2 * kPage);
    }
    return block;
}

}  // namespace residue::replay
