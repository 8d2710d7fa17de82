// The default allocator: what it tells apart, and its events. Its report and its traps: document_tracker_test.cpp.
#include "alloc/os/default_allocator.hpp"

#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

TEST_CASE("Double frees are remembered for as many frees as were asked for, then they are invalid", "[alloc]") {
    for (const std::size_t remembered : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
        // Over a buffer, next fit: an address is not given out again soon.
        std::vector<std::uint64_t> memory(64 * 1024);
        FixedBufferAllocator buffer =
            CreateFixedBufferAllocator(memory.data(), memory.size() * 8, Placement::NextFit);
        DefaultAllocator<Profile::Debug> allocator({.parent = &buffer, .rememberedFrees = remembered});
        std::vector<char*> blocks;
        for (int i = 0; i < 200; ++i) blocks.push_back(*Allocate<char>(&allocator, 16));
        for (char* block : blocks) REQUIRE(UnsafeFree(&allocator, block));
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            const bool known = i + remembered >= blocks.size();
            const auto expected = known ? MemoryError::DoubleFree : MemoryError::InvalidPointer;
            CHECK(UnsafeFree(&allocator, blocks[i]).error() == expected);
        }
    }
}

TEST_CASE("An address that is given out again is live, and a double free again later", "[alloc]") {
    std::vector<std::uint64_t> memory(4096);
    FixedBufferAllocator buffer = CreateFixedBufferAllocator(memory.data(), memory.size() * 8);
    DefaultAllocator<Profile::Debug> allocator({.parent = &buffer, .rememberedFrees = 2});
    for (int round = 0; round < 50; ++round) {
        char* block = *Allocate<char>(&allocator, 16);
        REQUIRE(allocator.options->Owns(&allocator, block));
        char* const same = block;
        REQUIRE(Free(&allocator, block));
        CHECK(UnsafeFree(&allocator, same).error() == MemoryError::DoubleFree);
    }
}

TEST_CASE("The default allocator's events are its walk, after every call", "[alloc]") {
    events::VectorSink sink;
    FromEvents fromEvents;
    DefaultAllocator<Profile::Release> allocator({.writer = nullptr});
    allocator.AttachSink(&sink, "default");
    std::vector<char*> blocks;
    for (std::size_t i = 0; i < 300; ++i) {
        if (i % 3 == 2) {
            const auto victim = blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 2);
            REQUIRE(UnsafeFree(&allocator, *victim));
            blocks.erase(victim);
        } else if (i % 7 == 0 && !blocks.empty()) {
            blocks.back()[0] = 'x';
            const auto moved = allocator.options->Resize(&allocator, blocks.back(), i + 1, 32);
            REQUIRE(moved);
            blocks.back() = static_cast<char*>(*moved);
            CHECK(blocks.back()[0] == 'x');
        } else {
            blocks.push_back(*Allocate<char>(&allocator, i));
        }
        fromEvents.Apply(sink.Events());
        REQUIRE(fromEvents.illegal.empty());
        REQUIRE(fromEvents.Equals(WalkOf(allocator)));
    }
    char* foreign = blocks[5] + 3;
    CHECK(UnsafeFree(&allocator, foreign).error() == MemoryError::InvalidPointer);
    CHECK(sink.Events().back().NearestOffset() >= 1);
    CHECK(Allocate<char>(&allocator, ~std::size_t{0}).error() == MemoryError::BufferTooLarge);
    CHECK(sink.Events().back().kind == events::EventKind::AllocateFailed);
    DestroyDefaultAllocator(&allocator);
    CHECK(sink.Events().back().kind == events::EventKind::AllocatorDestroyed);
}

TEST_CASE("The memory tracker will only be enabled in the debug and release profiles: distribution passes on",
          "[alloc]") {
    CountingParent parent;
    {
        DefaultAllocator<Profile::Distribution> allocator({.parent = &parent});
        char* block = *Allocate<char>(&allocator, 10);
        CHECK(parent.requests == 1);  // no table, no log
        CHECK(UnsafeFree(&allocator, static_cast<char*>(nullptr)).error() == MemoryError::InvalidPointer);
        REQUIRE(Free(&allocator, block));
        CHECK(allocator.options->Owns == nullptr);
        CHECK(allocator.LiveCount() == 0);
    }
    CHECK(sizeof(DefaultAllocator<Profile::Distribution>) == sizeof(Allocator) + sizeof(void*) + sizeof(Emitter));
    CHECK(parent.out.empty());
}
