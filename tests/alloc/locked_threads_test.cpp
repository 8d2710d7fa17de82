// Sharing: System and Default as they are, all others inside LockedAllocator. Also run under ThreadSanitizer.
#include <cstring>
#include <thread>
#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "alloc/os/locked_allocator.hpp"
#include "alloc/os/residue_allocator.hpp"
#include "alloc/os/system_allocator.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

// Every thread allocates, fills, checks and frees. Returns how many blocks did not hold what was written to them.
int Hammer(Allocator* allocator, int threads, int rounds) {
    std::vector<int> wrong(static_cast<std::size_t>(threads), 0);
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
        workers.emplace_back([=, &wrong] {
            std::vector<std::pair<unsigned char*, std::size_t>> mine;
            for (int i = 0; i < rounds; ++i) {
                const std::size_t bytes = 1 + static_cast<std::size_t>((i * 31 + t * 7) % 90);
                const auto block = allocator->Allocate(allocator, bytes, 8);
                if (block) {
                    std::memset(*block, t, bytes);
                    mine.emplace_back(static_cast<unsigned char*>(*block), bytes);
                }
                if (i % 4 != 3 && mine.size() < 40) continue;
                const auto [pointer, size] = mine[mine.size() / 2];
                for (std::size_t at = 0; at < size; ++at) {
                    if (pointer[at] != t) ++wrong[static_cast<std::size_t>(t)];
                }
                mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(mine.size() / 2));
                if (!allocator->Free(allocator, pointer)) ++wrong[static_cast<std::size_t>(t)];
            }
            for (const auto& [pointer, size] : mine) {
                if (!allocator->Free(allocator, pointer)) ++wrong[static_cast<std::size_t>(t)];
            }
        });
    }
    for (std::thread& worker : workers) worker.join();
    int sum = 0;
    for (const int each : wrong) sum += each;
    return sum;
}

}  // namespace

TEST_CASE("The system allocator is thread-safe", "[alloc][threads]") {
    SystemAllocator memory = CreateSystemAllocator();
    CHECK(Hammer(&memory, 4, 2000) == 0);
}

TEST_CASE("The default allocator is thread-safe", "[alloc][threads]") {
    DefaultAllocator<Profile::Debug> memory({.rememberedFrees = 100});
    CHECK(Hammer(&memory, 4, 2000) == 0);
    CHECK(memory.LiveCount() == 0);
}

TEST_CASE("A fixed buffer is thread-safe inside a locked allocator", "[alloc][threads]") {
    std::vector<std::uint64_t> bytes(8192);
    FixedBufferAllocator buffer = CreateFixedBufferAllocator(bytes.data(), bytes.size() * 8, Placement::NextFit);
    LockedAllocator memory = CreateLockedAllocator(&buffer);
    CHECK(Hammer(&memory, 4, 2000) == 0);
    const Walk walk = WalkOf(memory);
    CHECK(walk.broken.empty());
    CHECK(walk.holes.size() == 1);
    DestroyLockedAllocator(&memory);
}

TEST_CASE("A residue allocator is thread-safe inside a locked allocator", "[alloc][threads]") {
    ResidueAllocator residue({.writer = nullptr});
    LockedAllocator memory = CreateLockedAllocator(&residue);
    CHECK(Hammer(&memory, 4, 1000) == 0);
}

TEST_CASE("A locked allocator can do what the inner one can, no more and no less", "[alloc]") {
    std::vector<std::uint64_t> bytes(100);
    FixedBufferAllocator buffer = CreateFixedBufferAllocator(bytes.data(), bytes.size() * 8);
    LockedAllocator memory = CreateLockedAllocator(&buffer);
    const auto block = memory.Allocate(&memory, 10, 8);
    REQUIRE(block);
    CHECK(memory.options->Owns(&memory, *block));
    CHECK(*memory.options->Resize(&memory, *block, 20, 8) == *block);
    CHECK(memory.options->Reset(&memory));
    CHECK(memory.Free(&memory, *block).error() == MemoryError::DoubleFree);
    LockedAllocator internal = CreateLockedAllocator(InternalAllocator());
    CHECK(internal.options->Resize == nullptr);
    CHECK(internal.options->Inspect == nullptr);
}
