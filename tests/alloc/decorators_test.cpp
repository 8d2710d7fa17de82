// Decorators: any allocator, tracked or made to fail, and one on top of another.
#include <string>

#include "alloc/dynamic_array.hpp"
#include "alloc/failing_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/tracking_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("a failing allocator fails at its Nth request, once") {
    alignas(8) std::byte buffer[1024];
    FixedBufferAllocator inner = CreateFixedBufferAllocator(buffer);
    FailingAllocator failing(&inner, 2, Failing::Once, MemoryError::Fragmentation);
    const auto first = failing.Allocate(&failing, 8, 8);
    const auto second = failing.Allocate(&failing, 8, 8);
    const auto third = failing.Allocate(&failing, 8, 8);
    REQUIRE(first);
    CHECK(second.error() == MemoryError::Fragmentation);
    REQUIRE(third);
    CHECK(failing.Requests() == 3);
    CHECK(failing.Failures() == 1);
    CHECK(failing.Free(&failing, *first));
    CHECK(failing.Requests() == 3);  // a free is no request
    CHECK(WalkOf(failing).blocks.size() == 1);
}

TEST_CASE("a failing allocator fails from its Nth request on, resizes too, and leaves blocks as they were") {
    alignas(8) std::byte buffer[1024];
    FixedBufferAllocator inner = CreateFixedBufferAllocator(buffer);
    FailingAllocator failing(&inner, 2, Failing::FromThenOn);
    const auto block = failing.Allocate(&failing, 8, 8);
    REQUIRE(block);
    CHECK(failing.options->Resize(&failing, *block, 16, 8).error() == MemoryError::InsufficientMemory);
    CHECK(failing.Allocate(&failing, 8, 8).error() == MemoryError::InsufficientMemory);
    CHECK(failing.Failures() == 2);
    const Walk walk = WalkOf(failing);
    REQUIRE(walk.blocks.size() == 1);
    CHECK(walk.blocks[0].size == 8);
}

TEST_CASE("a decorator can do what its inner allocator can, and no more") {
    CountingParent plain;
    FailingAllocator failing(&plain);
    CHECK(failing.options->Resize == nullptr);
    CHECK(failing.options->Inspect == nullptr);
    CHECK(failing.options->Owns == nullptr);
    CHECK(failing.options->Reset == nullptr);
    const auto block = failing.Allocate(&failing, 8, 8);
    REQUIRE(block);
    CHECK(failing.Failures() == 0);
    CHECK(failing.Free(&failing, *block));
}

TEST_CASE("a program is shown to survive each of its requests failing") {
    std::uint64_t n = 0;
    for (bool failed = true; failed;) {
        alignas(8) std::byte buffer[4096];
        FixedBufferAllocator inner = CreateFixedBufferAllocator(buffer);
        FailingAllocator failing(&inner, ++n);
        DynamicArray<int> numbers = CreateDynamicArray<int>(&failing);
        std::size_t pushed = 0;
        for (int i = 0; i < 100; ++i) pushed += PushToDynamicArray(&numbers, i) ? 1 : 0;
        CHECK(pushed == numbers.size);
        CHECK(pushed >= 99);
        (void)DestroyDynamicArray(&numbers);
        CHECK(WalkOf(inner).blocks.empty());
        failed = failing.Failures() != 0;
    }
    CHECK(n == 7);  // 4, 8, … 128 elements: six buffers
}

TEST_CASE(
    "a tracker around an allocator that keeps no books finds its bad frees and its leaks, and keeps off its heap") {
    alignas(8) std::byte buffer[512];
    FixedBufferAllocator inner = CreateFixedBufferAllocator(buffer);
    std::string report;
    DefaultAllocatorSettings settings;
    settings.writerContext = &report;
    settings.writer = [](void* context, const char* text, std::size_t length) {
        static_cast<std::string*>(context)->append(text, length);
    };
    {
        TrackingAllocator tracking = CreateTrackingAllocator(&inner, settings);
        const auto kept = tracking.Allocate(&tracking, 24, 8);
        const auto freed = tracking.Allocate(&tracking, 24, 8);
        REQUIRE(kept);
        REQUIRE(freed);
        CHECK(WalkOf(inner).blocks.size() == 2);  // the books are elsewhere
        CHECK(tracking.Free(&tracking, *freed));
        CHECK(tracking.Free(&tracking, *freed).error() == MemoryError::DoubleFree);
        CHECK(tracking.Free(&tracking, buffer + 3).error() == MemoryError::InvalidPointer);
        CHECK(DestroyTrackingAllocator(&tracking) == 1);
    }
    CHECK(report.find("Unfreed buffer @ 0x") == 0);
    CHECK(report.find("decorators_test.cpp") != std::string::npos);
    CHECK(WalkOf(inner).blocks.empty());
}

TEST_CASE("a tracker tells the events of an allocator that tells none") {
    CountingParent mine;
    events::VectorSink sink;
    TrackingAllocator watched = CreateTrackingAllocator(&mine);
    watched.AttachSink(&sink, "mine");
    const auto block = watched.Allocate(&watched, 24, 8);
    REQUIRE(block);
    CHECK(watched.Free(&watched, *block));
    REQUIRE(sink.Events().size() == 3);
    CHECK(sink.Events()[1].kind == events::EventKind::Allocated);
    CHECK(sink.Events()[1].address == reinterpret_cast<std::uintptr_t>(*block));
    CHECK(sink.Events()[2].kind == events::EventKind::Freed);
}
