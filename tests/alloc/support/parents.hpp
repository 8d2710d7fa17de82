// Parents for allocators under test: one that fails at its Nth request, and counts what it has out.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <map>

#include "alloc/allocator.hpp"

namespace residue::alloc {

struct CountingParent : Allocator {
    std::size_t failAt = 0;  // the request with this number fails (1 is the first); 0: none
    std::size_t requests = 0;
    std::size_t badFrees = 0;
    std::map<void*, std::size_t> out;

    CountingParent() : Allocator{OnAllocate, OnFree, nullptr} {}
    ~CountingParent() {
        for (const auto& [pointer, bytes] : out) std::free(pointer);
    }
    CountingParent(const CountingParent&) = delete;
    CountingParent& operator=(const CountingParent&) = delete;

private:
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
        auto& me = *static_cast<CountingParent*>(self);
        if (++me.requests == me.failAt) return Fail(MemoryError::InsufficientMemory);
        if (bytes > (std::size_t{1} << 30)) return Fail(MemoryError::BufferTooLarge);
        if (alignment < sizeof(void*)) alignment = sizeof(void*);
        void* block = nullptr;
        if (posix_memalign(&block, alignment, bytes) != 0) return Fail(MemoryError::InsufficientMemory);
        me.out[block] = bytes;
        return block;
    }
    static Result<void> OnFree(Allocator* self, void* pointer) {
        auto& me = *static_cast<CountingParent*>(self);
        if (me.out.erase(pointer) == 0) {
            ++me.badFrees;
            return Fail(MemoryError::InvalidPointer);
        }
        std::free(pointer);
        return {};
    }
};

}  // namespace residue::alloc
