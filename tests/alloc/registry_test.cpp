// The allocators by name, as replay, sandbox, CLI and window use them.
#include "alloc/registry.hpp"

#include <sys/mman.h>

#include <cstring>
#include <string>
#include <vector>

#include "alloc/support/walk.hpp"
#include "support/catch.hpp"
#include "support/quiet_errors.hpp"

using namespace residue;
using namespace residue::alloc;
using support::QuietErrors;

namespace {

struct Made {
    Made(const Registration& registration, std::optional<std::uint64_t> capacity) : entry(registration) {
        base = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        REQUIRE(base != MAP_FAILED);
        allocator = entry.Create(storage, {base, kBytes, capacity});
        entry.Attach(allocator, &sink, entry.name);
    }
    ~Made() {
        if (allocator != nullptr) entry.Destroy(allocator);
        munmap(base, kBytes);
    }
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;

    static constexpr std::size_t kBytes = 1 << 20;
    const Registration& entry;
    events::VectorSink sink;
    alignas(kAllocatorStorageAlignment) std::byte storage[kAllocatorStorageBytes];
    void* base = nullptr;
    Allocator* allocator = nullptr;
};

}  // namespace

TEST_CASE("The registry knows its allocators by name", "[alloc]") {
    const std::vector<std::string> expected = {"first-fit", "next-fit", "best-fit", "worst-fit", "arena",
                                               "stack",     "pool",     "segregated-fit",      "tlsf",
                                               "headerless", "buddy",   "default",  "system",    "residue"};
    std::vector<std::string> names;
    for (const Registration& entry : Registry()) {
        names.emplace_back(entry.name);
        CHECK(FindRegistration(entry.name) == &entry);
        CHECK(std::strlen(entry.title) > 0);
        CHECK(std::string(entry.rule).back() == '.');
    }
    CHECK(names == expected);
    CHECK(FindRegistration("no-fit") == nullptr);
}

TEST_CASE("Every registered allocator's events are legal and equal its walk", "[alloc]") {
    for (const Registration& entry : Registry()) {
        for (const bool growing : {false, true}) {
            INFO(entry.name << (growing ? ", growing" : ""));
            Made made(entry, growing ? std::nullopt : std::optional<std::uint64_t>(64 * 1024));
            FromEvents heap;
            std::vector<void*> blocks;
            const auto check = [&] {
                heap.Apply(made.sink.Events());
                REQUIRE(heap.illegal.empty());
                if (made.allocator->options->Inspect == nullptr) return;
                const Walk walk = WalkOf(*made.allocator);
                REQUIRE(walk.broken.empty());
                REQUIRE(heap.Equals(walk));
                REQUIRE(walk.regions.size() == (entry.inBuffer ? 1 : 0));
            };
            const bool slots = entry.name == std::string_view("pool");  // of 64 bytes
            for (std::size_t i = 0; i < 120; ++i) {
                const auto block = made.allocator->Allocate(made.allocator, 1 + i * 13 % (slots ? 64 : 200), 8);
                REQUIRE(block);
                if (entry.inBuffer) {
                    REQUIRE(*block >= made.base);
                    REQUIRE(*block < static_cast<std::byte*>(made.base) + Made::kBytes);
                    REQUIRE(entry.Probes(made.allocator) + growing > 0);
                }
                blocks.push_back(*block);
                check();
                if (i % 3 == 0) {
                    REQUIRE(made.allocator->Free(made.allocator, blocks[i / 3]));
                    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i / 3));
                    check();
                }
                if (i % 11 == 0 && !blocks.empty()) {
                    const auto moved =
                        made.allocator->options->Resize(made.allocator, blocks.back(), slots ? 60 : 500, 16);
                    REQUIRE(moved);
                    blocks.back() = *moved;
                    check();
                }
            }
            if (std::string(entry.name) == "system") {
                for (void* block : blocks) REQUIRE(made.allocator->Free(made.allocator, block));
            } else {
                void* const freed = blocks.back();
                REQUIRE(made.allocator->Free(made.allocator, freed));
                CHECK(made.allocator->Free(made.allocator, freed).error() == MemoryError::DoubleFree);
                CHECK(made.allocator->Free(made.allocator, &made).error() == MemoryError::InvalidPointer);
                CHECK(made.sink.Events().back().kind == events::EventKind::FreeFailed);
            }
            {
                const QuietErrors quiet;
                entry.Destroy(made.allocator);
                made.allocator = nullptr;
            }
            heap.Apply(made.sink.Events());
            CHECK(heap.illegal.empty());
            CHECK(heap.blocks.empty());
            CHECK(made.sink.Events().back().kind == events::EventKind::AllocatorDestroyed);
            if (std::string(entry.name) == "residue") {
                const auto& all = made.sink.Events();
                CHECK(all[all.size() - 2].kind == events::EventKind::Duck);
                CHECK(all[all.size() - 3].kind == events::EventKind::BulkFreed);
            }
        }
    }
}

TEST_CASE("The arena alone has marks, by their numbers, with an observer and without", "[alloc]") {
    for (const Registration& entry : Registry()) {
        INFO(entry.name);
        const bool isArena = entry.name == std::string_view("arena");
        CHECK((entry.marks != nullptr) == isArena);
        if (entry.observed != nullptr) CHECK((entry.observed->marks != nullptr) == isArena);
    }
    Made made(*FindRegistration("arena"), 4096);
    const MarkOperations& marks = *made.entry.marks;
    Allocator* const arena = made.allocator;
    const auto take = [&] { return *arena->Allocate(arena, 24, 8); };
    void* const kept = take();
    CHECK(marks.Count(arena) == 0);
    CHECK(marks.Release(arena, 1).error() == MemoryError::InvalidPointer);
    REQUIRE(marks.Set(arena));
    void* const first = take();
    REQUIRE(marks.Set(arena));
    void* const second = take();
    CHECK(marks.Count(arena) == 2);
    CHECK(marks.Address(arena, 1) == reinterpret_cast<std::uintptr_t>(first) - 16);
    CHECK(marks.Address(arena, 2) == reinterpret_cast<std::uintptr_t>(second) - 16);
    CHECK(marks.Release(arena, 0).error() == MemoryError::InvalidPointer);
    CHECK(marks.Release(arena, (std::uint64_t{1} << 32) + 1).error() == MemoryError::InvalidPointer);
    REQUIRE(marks.Release(arena, 1));
    CHECK(marks.Count(arena) == 0);
    CHECK(arena->options->Owns(arena, kept));
    CHECK_FALSE(arena->options->Owns(arena, first));
    CHECK_FALSE(arena->options->Owns(arena, second));
    for (int i = 0; i < 64; ++i) REQUIRE(marks.Set(arena));
    CHECK(marks.Set(arena).error() == MemoryError::InsufficientMemory);
}
