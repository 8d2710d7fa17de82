// The bridge to std::pmr, both ways.
//
//     AllocatorResource resource(&allocator);                  // our allocator behind std::pmr
//     std::pmr::vector<int> numbers(&resource);
//
//     std::pmr::monotonic_buffer_resource pool;
//     ResourceAllocator allocator = CreateResourceAllocator(&pool);   // std::pmr behind our Allocator
//     auto ints = Allocate<int>(&allocator, 5);
//
// Thread safety: that of what is below. Hosted: needs exceptions and <memory_resource>.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>

#include "alloc/allocator.hpp"

namespace residue::alloc {

// Throws std::bad_alloc where the allocator fails. Two are equal when they have the same allocator.
class AllocatorResource final : public std::pmr::memory_resource {
public:
    explicit AllocatorResource(Allocator* allocator) noexcept : allocator_(allocator) {}
    Allocator* Inner() const noexcept { return allocator_; }

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        const Result<void*> block = allocator_->Allocate(allocator_, bytes, alignment);
        if (!block) throw std::bad_alloc();
        return *block;
    }
    void do_deallocate(void* pointer, std::size_t, std::size_t) override {
        (void)allocator_->Free(allocator_, pointer);
    }
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        const auto* const same = dynamic_cast<const AllocatorResource*>(&other);
        return same != nullptr && same->allocator_ == allocator_;
    }

    Allocator* allocator_;
};

// A resource wants to hear the size again when a block goes back, so each block has a header of 16 bytes, or of its
// alignment where that is more. Errors: BufferTooLarge (the sum overflows), InsufficientMemory (the resource threw),
// InvalidPointer for null. A resource keeps no books: any other bad free is undefined, as it is there (a tracker around
// it finds them: os/tracking_allocator.hpp). The resource must outlive it.
struct ResourceAllocator : Allocator {
    explicit ResourceAllocator(std::pmr::memory_resource* resource)
        : Allocator{OnAllocate, OnFree, &kOptions}, resource_(resource) {}

private:
    struct Header {  // directly before the payload
        std::size_t bytes;
        std::size_t alignment;
    };
    static std::size_t Front(std::size_t alignment) { return alignment < sizeof(Header) ? sizeof(Header) : alignment; }

    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
        if (bytes == 0) bytes = 1;
        if (alignment < alignof(Header)) alignment = alignof(Header);
        const auto whole = CheckedAdd(bytes, Front(alignment));
        if (!whole) return Fail(MemoryError::BufferTooLarge);
        try {
            auto* const block = static_cast<std::byte*>(static_cast<ResourceAllocator*>(self)->resource_->allocate(
                static_cast<std::size_t>(*whole), alignment));
            std::byte* const payload = block + Front(alignment);
            new (payload - sizeof(Header)) Header{static_cast<std::size_t>(*whole), alignment};
            return payload;
        } catch (const std::bad_alloc&) {
            return Fail(MemoryError::InsufficientMemory);
        }
    }
    static Result<void> OnFree(Allocator* self, void* pointer) {
        if (pointer == nullptr) return Fail(MemoryError::InvalidPointer);
        auto* const payload = static_cast<std::byte*>(pointer);
        const Header header = *reinterpret_cast<const Header*>(payload - sizeof(Header));
        static_cast<ResourceAllocator*>(self)->resource_->deallocate(payload - Front(header.alignment), header.bytes,
                                                                     header.alignment);
        return {};
    }
    static constexpr AllocatorOptions kOptions{"std::pmr"};

    std::pmr::memory_resource* resource_;
};

inline ResourceAllocator CreateResourceAllocator(std::pmr::memory_resource* resource) {
    return ResourceAllocator(resource);
}

}  // namespace residue::alloc
