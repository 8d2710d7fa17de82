#include "alloc/dynamic_array.hpp"

#include <memory>
#include <string>

#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("An array keeps its elements while it grows by doubling and shrinks by half", "[alloc]") {
    CountingParent parent;
    auto array = CreateDynamicArray<std::string>(&parent);
    for (int i = 0; i < 1000; ++i) REQUIRE(PushToDynamicArray(&array, "element number " + std::to_string(i)));
    CHECK(array.capacity == 1024);
    CHECK(parent.requests == 9);  // 4, 8, ... 1024
    CHECK(parent.out.size() == 1);
    REQUIRE(DynamicArrayRemoveAt(&array, 0));
    CHECK(**DynamicArrayAt(&array, 0) == "element number 1");
    CHECK(**DynamicArrayAt(&array, 998) == "element number 999");
    for (int i = 999; i > 200; --i) CHECK(*PopDynamicArray(&array) == "element number " + std::to_string(i));
    CHECK(array.size == 200);
    CHECK(array.capacity == 512);
    ClearDynamicArray(&array);
    CHECK(array.size == 0);
    CHECK(DestroyDynamicArray(&array));
    CHECK(DestroyDynamicArray(&array));
    CHECK(parent.out.empty());
}

TEST_CASE("An index that is not in the array is an error, not an accident", "[alloc]") {
    CountingParent parent;
    auto array = CreateDynamicArray<int>(&parent);
    CHECK_FALSE(PopDynamicArray(&array));
    CHECK_FALSE(DynamicArrayAt(&array, 0));
    CHECK_FALSE(DynamicArrayRemoveAt(&array, 0));
    REQUIRE(PushToDynamicArray(&array, 7));
    CHECK(DynamicArrayAt(&array, 1).error() == MemoryError::InvalidPointer);
    REQUIRE(DestroyDynamicArray(&array));
}

TEST_CASE("An element of the array itself can be pushed while the array moves", "[alloc]") {
    CountingParent parent;
    auto array = CreateDynamicArray<std::string>(&parent);
    REQUIRE(PushToDynamicArray(&array, "a long enough text to be on the heap", "b", "c", "d"));
    REQUIRE(array.size == array.capacity);
    REQUIRE(PushToDynamicArray(&array, array.buffer[0]));
    CHECK(array.buffer[4] == "a long enough text to be on the heap");
    REQUIRE(DestroyDynamicArray(&array));
}

TEST_CASE("Elements that can only be moved are fine, and each is destroyed once", "[alloc]") {
    DefaultAllocator<Profile::Debug> memory({.writer = nullptr});
    auto counted = std::make_shared<int>(0);
    auto array = CreateDynamicArray<std::unique_ptr<std::shared_ptr<int>>>(&memory);
    for (int i = 0; i < 50; ++i) REQUIRE(PushToDynamicArray(&array, std::make_unique<std::shared_ptr<int>>(counted)));
    CHECK(counted.use_count() == 51);
    REQUIRE(DynamicArrayRemoveAt(&array, 10));
    CHECK(counted.use_count() == 50);
    REQUIRE(DestroyDynamicArray(&array));
    CHECK(counted.use_count() == 1);
    CHECK(memory.LiveCount() == 0);
}
