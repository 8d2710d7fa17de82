// The residue allocator: nothing has to be freed, everything comes back, and the duck is the document's, byte for byte.
#include "alloc/os/residue_allocator.hpp"

#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "alloc/duck.hpp"
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

}  // namespace

TEST_CASE("When the program exit, you will have a duck yelling at you: the document's, byte for byte", "[alloc]") {
    std::ifstream file(RESIDUE_SOURCE_DIR "/../shared/seed/memory-management.md", std::ios::binary);
    if (!file) {
        WARN("the design document is not here");
        return;
    }
    std::stringstream document;
    document << file.rdbuf();
    const std::string text = document.str();
    const std::size_t heading = text.find("### Residue Allocator");
    REQUIRE(heading != std::string::npos);
    const std::size_t begin = text.find("```\n", heading) + 4;
    const std::size_t end = text.find("```", begin);
    CHECK(text.substr(begin, end - begin) == std::string(kDuck, kDuckLength));
}

TEST_CASE("What a residue allocator does is simply frees all the memory, in one sweep, and the duck yells once",
          "[alloc]") {
    CountingParent parent;
    events::VectorSink sink;
    std::string yelled;
    {
        ResidueAllocator allocator({.parent = &parent, .writer = AppendTo, .writerContext = &yelled});
        allocator.AttachSink(&sink, "residue");
        for (std::size_t i = 1; i < 500; ++i) REQUIRE(Allocate<char>(&allocator, i));
        char* byHand = *Allocate<char>(&allocator, 10);
        char* const dangling = byHand;
        REQUIRE(Free(&allocator, byHand));  // works, and is never needed
        CHECK(UnsafeFree(&allocator, dangling).error() == MemoryError::DoubleFree);
        CHECK(UnsafeFree(&allocator, reinterpret_cast<char*>(&parent)).error() == MemoryError::InvalidPointer);
        FromEvents heap;
        heap.Apply(sink.Events());
        CHECK(heap.illegal.empty());
        CHECK(heap.Equals(WalkOf(allocator)));
        CHECK(yelled.empty());
        DestroyResidueAllocator(&allocator);
        CHECK(parent.out.empty());
        CHECK(yelled == kDuck);
        CHECK(Allocate<char>(&allocator, 1).error() == MemoryError::BufferTooLarge);
    }
    CHECK(yelled == kDuck);
    CHECK(parent.badFrees == 0);
    FromEvents heap;
    heap.Apply(sink.Events());
    CHECK(heap.illegal.empty());
    CHECK(heap.blocks.empty());
    const auto& all = sink.Events();
    REQUIRE(all.size() > 3);
    CHECK(all[all.size() - 3].kind == events::EventKind::BulkFreed);
    CHECK(all[all.size() - 2].kind == events::EventKind::Duck);
    CHECK(sink.Text(all.size() - 2) == kDuck);
    CHECK(all[all.size() - 1].kind == events::EventKind::AllocatorDestroyed);
}

TEST_CASE("Reduced performance to maintain a log of allocated buffers, which the parent has room for", "[alloc]") {
    CountingParent parent;
    CountingParent logParent;
    {
        ResidueAllocator allocator({.parent = &parent, .logParent = &logParent, .writer = nullptr});
        for (std::size_t i = 0; i < 1000; ++i) REQUIRE(Allocate<char>(&allocator, 10));
        CHECK(parent.requests == 1000);
        CHECK(logParent.requests > 0);
        std::size_t bytes = 0;
        for (const auto& [block, size] : logParent.out) bytes += size;
        CHECK(bytes >= 1000 * 32);  // the entry of a block has 32 bytes or more
    }
    CHECK(parent.out.empty());
    CHECK(logParent.out.empty());
}

TEST_CASE("A residue allocator resizes", "[alloc]") {
    CountingParent parent;
    ResidueAllocator allocator({.parent = &parent, .writer = nullptr});
    auto block = allocator.Allocate(&allocator, 10, 8);
    REQUIRE(block);
    std::memcpy(*block, "residue!", 9);
    void* const old = *block;
    block = allocator.options->Resize(&allocator, *block, 100, 64);
    REQUIRE(block);
    CHECK(std::string(static_cast<char*>(*block)) == "residue!");
    CHECK(allocator.options->Resize(&allocator, old, 5, 1).error() == MemoryError::DoubleFree);
    CHECK(allocator.options->Owns(&allocator, *block));
}
