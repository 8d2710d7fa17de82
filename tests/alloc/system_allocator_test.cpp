#include "alloc/os/system_allocator.hpp"

#include <cstring>

#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("The system allocator gives aligned memory, resizes it, and says so", "[alloc]") {
    events::VectorSink sink;
    SystemAllocator memory = CreateSystemAllocator();
    memory.AttachSink(&sink, "system");
    CHECK(sink.Events()[0].size == 0);  // what it has is not known
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        auto block = memory.Allocate(&memory, 100, alignment);
        REQUIRE(block);
        CHECK(reinterpret_cast<std::uintptr_t>(*block) % alignment == 0);
        CHECK(sink.Events().back().SetAside() >= 100);
        std::memset(*block, 7, 100);
        block = memory.options->Resize(&memory, *block, 10'000, alignment);
        REQUIRE(block);
        CHECK(reinterpret_cast<std::uintptr_t>(*block) % alignment == 0);
        CHECK(static_cast<char*>(*block)[99] == 7);
        block = memory.options->Resize(&memory, *block, 20, alignment);
        REQUIRE(block);
        CHECK(static_cast<char*>(*block)[19] == 7);
        REQUIRE(memory.Free(&memory, *block));
    }
    FromEvents heap;
    heap.Apply(sink.Events());
    CHECK(heap.illegal.empty());
    CHECK(heap.blocks.empty());
}

TEST_CASE("The system allocator's errors: null is InvalidPointer, beyond the address space BufferTooLarge", "[alloc]") {
    SystemAllocator memory = CreateSystemAllocator();
    CHECK(memory.Free(&memory, nullptr).error() == MemoryError::InvalidPointer);
    CHECK(memory.options->Resize(&memory, nullptr, 5, 1).error() == MemoryError::InvalidPointer);
    CHECK(memory.Allocate(&memory, ~std::size_t{0}, 1).error() == MemoryError::BufferTooLarge);
    CHECK(Allocate<double>(&memory, ~std::size_t{0} / 4).error() == MemoryError::BufferTooLarge);
    Allocator* internal = InternalAllocator();
    CHECK(internal->Free(internal, nullptr).error() == MemoryError::InvalidPointer);
    int* number = *Allocate<int>(internal, 0);  // 0 bytes: a block of its own
    REQUIRE(number != nullptr);
    CHECK(Free(internal, number));
    DestroySystemAllocator(&memory);
}
