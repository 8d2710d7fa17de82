// The default allocator: what it tracks, what it tells apart, and its report as the design document prints it.
#include "alloc/os/default_allocator.hpp"

#include <regex>
#include <string>
#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

void AppendTo(void* context, const char* text, std::size_t length) {
    static_cast<std::string*>(context)->append(text, length);
}

__attribute__((noinline)) int* LeakSomething(Allocator* allocator) {
    const auto leaked = Allocate<int>(allocator, 3);
    return leaked ? *leaked : nullptr;
}

__attribute__((noinline)) int* LeakThroughACaller(Allocator* allocator) {
    int* leaked = LeakSomething(allocator);
    if (leaked != nullptr) leaked[0] = 1;  // work after the call, so that it stays a call
    return leaked;
}

}  // namespace

TEST_CASE("Destroying the default allocator checks that every buffer was freed", "[alloc]") {
    std::string report;
    DefaultAllocatorSettings settings;
    settings.writer = AppendTo;
    settings.writerContext = &report;
    SECTION("all were: it says nothing") {
        DefaultAllocator<Profile::Debug> allocator = CreateDefaultAllocator<Profile::Debug>(settings);
        int* ints = *Allocate<int>(&allocator, 5);
        REQUIRE(Free(&allocator, ints));
        CHECK(DestroyDefaultAllocator(&allocator) == 0);
        CHECK(report.empty());
    }
    SECTION("some were not: address and call trace of each, in order of allocation") {
        CountingParent parent;
        settings.parent = &parent;
        DefaultAllocator<Profile::Debug> allocator = CreateDefaultAllocator<Profile::Debug>(settings);
        int* first = LeakThroughACaller(&allocator);
        int* freed = LeakSomething(&allocator);
        int* second = LeakSomething(&allocator);
        REQUIRE(Free(&allocator, freed));
        CHECK(DestroyDefaultAllocator(&allocator) == 2);
        CAPTURE(report);
        char line[64];
        std::snprintf(line, sizeof line, "Unfreed buffer @ 0x%zx: \n", reinterpret_cast<std::size_t>(first));
        CHECK(report.find(line) == 0);
        std::snprintf(line, sizeof line, "Unfreed buffer @ 0x%zx: \n", reinterpret_cast<std::size_t>(second));
        CHECK(report.find(line) != std::string::npos);
        const std::regex frames(
            "Unfreed buffer @ 0x[0-9a-f]+: \n"
            "[0-9]+:[^\n]*default_allocator_test.cpp in [^\n]*LeakSomething[^\n]*\n"
            "[0-9]+:[^\n]*default_allocator_test.cpp in [^\n]*LeakThroughACaller[^\n]*\n[^]*");
        CHECK(std::regex_match(report, frames));
        CHECK(parent.out.empty());  // then gives the buffers back, and its own
        CHECK(parent.badFrees == 0);
        CHECK(DestroyDefaultAllocator(&allocator) == 0);
    }
}

TEST_CASE("An unknown address removes no entry", "[alloc]") {
    DefaultAllocator<Profile::Debug> allocator({.writer = nullptr});
    int* first = *Allocate<int>(&allocator, 1);
    int* second = *Allocate<int>(&allocator, 1);
    int local = 0;
    CHECK(UnsafeFree(&allocator, &local).error() == MemoryError::InvalidPointer);
    CHECK(UnsafeFree(&allocator, static_cast<int*>(nullptr)).error() == MemoryError::InvalidPointer);
    CHECK(UnsafeFree(&allocator, second + 1).error() == MemoryError::InvalidPointer);
    CHECK(allocator.LiveCount() == 2);
    CHECK(allocator.options->Owns(&allocator, first));
    REQUIRE(UnsafeFree(&allocator, first));
    CHECK(UnsafeFree(&allocator, first).error() == MemoryError::DoubleFree);
    CHECK(allocator.LiveCount() == 1);
    CHECK(UnsafeFree(&allocator, second));
}

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

TEST_CASE("The distribution profile only passes on", "[alloc]") {
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
