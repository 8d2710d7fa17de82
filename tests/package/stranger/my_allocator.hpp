// An allocator of one's own: equal slots in a buffer, the free ones in a list.
#pragma once

#include <alloc/allocator.hpp>

struct SlotAllocator : residue::alloc::Allocator {
    SlotAllocator(void* buffer, std::size_t bytes) : Allocator{OnAllocate, OnFree} {
        auto* const memory = static_cast<std::byte*>(buffer);
        for (std::size_t at = bytes / kSlot; at-- > 0;) GiveBack(memory + at * kSlot);
    }

private:
    static constexpr std::size_t kSlot = 64;
    struct Slot {
        Slot* next;
    };

    static residue::Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
        auto& me = *static_cast<SlotAllocator*>(self);
        if (bytes > kSlot || alignment > alignof(std::max_align_t)) {
            return residue::Fail(residue::MemoryError::BufferTooLarge);
        }
        if (me.free_ == nullptr) return residue::Fail(residue::MemoryError::InsufficientMemory);
        Slot* const slot = me.free_;
        me.free_ = slot->next;
        return slot;
    }
    static residue::Result<void> OnFree(Allocator* self, void* pointer) {
        if (pointer == nullptr) return residue::Fail(residue::MemoryError::InvalidPointer);
        static_cast<SlotAllocator*>(self)->GiveBack(pointer);
        return {};
    }

    void GiveBack(void* memory) { free_ = new (memory) Slot{free_}; }

    Slot* free_ = nullptr;
};
