// The standard library on our allocators, and our allocators on the standard library's.
#include <list>
#include <memory_resource>
#include <string>
#include <unordered_map>
#include <vector>

#include "alloc/dynamic_array.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/tracking_allocator.hpp"
#include "alloc/std/pmr.hpp"
#include "alloc/std/std_allocator.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("standard containers live in a fixed buffer") {
    alignas(8) std::byte buffer[4096];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer);
    {
        std::vector<int, StdAllocator<int>> numbers{StdAllocator<int>(&heap)};
        std::list<std::string, StdAllocator<std::string>> names{StdAllocator<std::string>(&heap)};
        for (int i = 0; i < 50; ++i) numbers.push_back(i);
        names.emplace_back("short");
        CHECK(numbers[49] == 49);
        CHECK(heap.options->Owns(&heap, numbers.data()));
        CHECK(WalkOf(heap).blocks.size() == 2);
        auto moved = std::move(numbers);
        CHECK(moved.size() == 50);
        CHECK(moved.get_allocator() == StdAllocator<int>(&heap));
    }
    CHECK(WalkOf(heap).blocks.empty());
}

TEST_CASE("a container gets bad_alloc where the allocator fails, and the buffer is as it was") {
    alignas(8) std::byte buffer[256];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer);
    std::vector<int, StdAllocator<int>> numbers{StdAllocator<int>(&heap)};
    numbers.resize(10);
    CHECK_THROWS_AS(numbers.resize(1000), std::bad_alloc);
    CHECK_THROWS_AS(StdAllocator<int>(&heap).allocate(~std::size_t{0} / 2), std::bad_array_new_length);
    CHECK(numbers.size() == 10);
    CHECK(WalkOf(heap).blocks.size() == 1);
}

TEST_CASE("std::pmr containers live on our allocator") {
    alignas(8) std::byte buffer[4096];
    FixedBufferAllocator heap = CreateFixedBufferAllocator(buffer);
    {
        AllocatorResource resource(&heap);
        std::pmr::vector<std::pmr::string> words(&resource);
        for (int i = 0; i < 20; ++i) words.emplace_back("a word that is too long for the string itself");
        CHECK(WalkOf(heap).blocks.size() == 21);
        CHECK(heap.options->Owns(&heap, words[3].data()));
        AllocatorResource same(&heap);
        CHECK(resource.is_equal(same));
        CHECK_FALSE(resource.is_equal(*std::pmr::new_delete_resource()));
        CHECK_THROWS_AS(resource.allocate(10'000), std::bad_alloc);
    }
    CHECK(WalkOf(heap).blocks.empty());
}

TEST_CASE("our allocators live on a std::pmr resource, which hears every block's size and alignment again") {
    struct Books final : std::pmr::memory_resource {
        std::unordered_map<void*, std::pair<std::size_t, std::size_t>> out;
        bool fails = false;
        bool balanced = true;
        void* do_allocate(std::size_t bytes, std::size_t alignment) override {
            if (fails) throw std::bad_alloc();
            void* const block = std::pmr::new_delete_resource()->allocate(bytes, alignment);
            out[block] = {bytes, alignment};
            return block;
        }
        void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
            balanced = balanced && out.count(block) != 0 && out[block] == std::pair(bytes, alignment);
            out.erase(block);
            std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
        }
        bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    } books;
    ResourceAllocator allocator = CreateResourceAllocator(&books);
    for (const std::size_t alignment : {1u, 8u, 16u, 64u, 4096u}) {
        const auto block = allocator.Allocate(&allocator, 100, alignment);
        REQUIRE(block);
        CHECK(reinterpret_cast<std::uintptr_t>(*block) % alignment == 0);
        std::memset(*block, 0xAB, 100);
        CHECK(allocator.Free(&allocator, *block));
    }
    CHECK(books.balanced);
    CHECK(books.out.empty());
    CHECK(allocator.Free(&allocator, nullptr).error() == MemoryError::InvalidPointer);
    CHECK(allocator.Allocate(&allocator, ~std::size_t{0} - 8, 8).error() == MemoryError::BufferTooLarge);
    books.fails = true;
    CHECK(allocator.Allocate(&allocator, 8, 8).error() == MemoryError::InsufficientMemory);
    books.fails = false;

    std::pmr::monotonic_buffer_resource pool;
    ResourceAllocator inPool = CreateResourceAllocator(&pool);
    TrackingAllocator tracked = CreateTrackingAllocator(&inPool);
    DynamicArray<int> numbers = CreateDynamicArray<int>(&tracked);
    for (int i = 0; i < 100; ++i) REQUIRE(PushToDynamicArray(&numbers, i));
    CHECK(DestroyDynamicArray(&numbers));
    CHECK(DestroyTrackingAllocator(&tracked) == 0);
}
