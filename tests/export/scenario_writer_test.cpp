// What allocators did, written as a program, does the same again.
#include "export/scenario_writer.hpp"

#include <vector>

#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/headerless_allocator.hpp"
#include "alloc/heap_memory.hpp"
#include "support/catch.hpp"
#include "support/log_sink.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;

namespace {

std::string Written(const log::LogView& view, exports::WriteSummary* summary = nullptr) {
    support::ScratchFolder folder;
    const auto done = exports::WriteScenario(view, folder / "it.iridis", "A title", {nullptr, summary});
    if (!done) FAIL(done.error().Text());
    return support::ReadFile(folder / "it.iridis");
}

}  // namespace

TEST_CASE("a session becomes a scenario, call by call, with the errors it met as what is expected") {
    support::LogSink log;
    alignas(64) static std::byte buffer[600];
    auto heap = alloc::CreateFixedBufferAllocator(buffer, sizeof buffer, alloc::Placement::BestFit);
    heap.AttachSink(&log, "mine");
    void* a = *heap.Allocate(&heap, 64, 8);
    void* b = *heap.Allocate(&heap, 32, 8);
    REQUIRE(heap.Free(&heap, a));
    REQUIRE_FALSE(heap.Free(&heap, a));
    b = *heap.options->Resize(&heap, b, 48, 8);
    REQUIRE_FALSE(heap.Allocate(&heap, 5000, 8));
    int elsewhere = 0;
    REQUIRE_FALSE(heap.Free(&heap, &elsewhere));
    REQUIRE(heap.Free(&heap, b));
    alloc::DestroyFixedBufferAllocator(&heap);
    exports::WriteSummary summary;
    CHECK(Written(log.View(), &summary) ==
          "/// A title\n"
          "/// What was done, call by call: 9 calls.\n"
          "\n"
          "main :: proc()\n"
          "{\n"
          "    /// mine\n"
          "    heapBytes : [600; u8]\n"
          "    heap := CreateFixedBufferAllocator(&heapBytes, .BestFit)\n"
          "    b1 := Allocate<u8>(&heap, 64)\n"
          "    b2 := Allocate<u8>(&heap, 32)\n"
          "    UnsafeFree(&heap, b1)\n"
          "    #[expect(error = .DoubleFree)]\n"
          "    UnsafeFree(&heap, b1)\n"
          "    b2 = Resize(&heap, b2, 48)\n"
          "    #[expect(error = .BufferTooLarge)]\n"
          "    none1 := Allocate<u8>(&heap, 5000)?\n"
          "    Free(&heap, b2)\n"
          "    DestroyFixedBufferAllocator(&heap)\n"
          "}\n");
    CHECK(summary.operations == 9);
    CHECK(summary.leftOut == 1);  // the foreign pointer
}

TEST_CASE("marks, releases and resets are written, and a second heap gets a name of its own") {
    support::LogSink log;
    alignas(64) static std::byte buffer[1024];
    auto arena = alloc::CreateArenaAllocator(alloc::HeapMemory::Buffer(buffer));
    arena.AttachSink(&log, "arena");
    const auto mark = arena.Mark();
    (void)arena.Allocate(&arena, 40, 8);
    REQUIRE(arena.Release(*mark));
    REQUIRE(arena.options->Reset(&arena));
    alignas(64) static std::byte other[256];
    auto second = alloc::CreateArenaAllocator(alloc::HeapMemory::Buffer(other));
    second.AttachSink(&log, "other");
    (void)second.Allocate(&second, 8, 8);
    const std::string text = Written(log.View());
    CHECK(text.find("    mark1 := Mark(&heap)\n"
                    "    b1 := Allocate<u8>(&heap, 40)\n"
                    "    Release(&heap, mark1)\n"
                    "    Reset(&heap)\n") != std::string::npos);
    CHECK(text.find("    heap2Bytes : [256; u8]\n"
                    "    heap2 := CreateArenaAllocator(&heap2Bytes)\n"
                    "    b2 := Allocate<u8>(&heap2, 8)\n") != std::string::npos);
    alloc::DestroyArenaAllocator(&arena);
    alloc::DestroyArenaAllocator(&second);
}

TEST_CASE("alignments are written as far as a script may ask for them, and headerless heaps by their name") {
    support::LogSink log;
    alignas(8192) static std::byte buffer[20000];
    auto heap = alloc::CreateHeaderlessAllocator(alloc::HeapMemory::Buffer(buffer));
    heap.AttachSink(&log, "mine");
    REQUIRE(heap.Allocate(&heap, 40, 64));
    REQUIRE_FALSE(heap.Allocate(&heap, 30000, 16));
    REQUIRE(heap.Allocate(&heap, 40, 8192));
    exports::WriteSummary summary;
    const std::string text = Written(log.View(), &summary);
    INFO(text);
    CHECK(text.find("heap := CreateHeaderlessAllocator(&heapBytes)\n") != std::string::npos);
    CHECK(text.find("b1 := Allocate<u8>(&heap, 40, 64)\n") != std::string::npos);
    CHECK(text.find("none1 := Allocate<u8>(&heap, 30000, 16)?\n") != std::string::npos);
    CHECK(text.find("b2 := Allocate<u8>(&heap, 40, 4096)\n") != std::string::npos);
    CHECK(summary.leftOut == 1);  // 8,192, which was cut
    alloc::DestroyHeaderlessAllocator(&heap);
}

TEST_CASE("a run with too many calls is no scenario, and nothing is written") {
    support::LogSink log;
    alignas(64) static std::byte buffer[1024];
    auto heap = alloc::CreateFixedBufferAllocator(buffer, sizeof buffer);
    heap.AttachSink(&log, "mine");
    for (std::uint64_t i = 0; i <= exports::kMostScenarioCalls / 2; ++i) {
        REQUIRE(heap.Free(&heap, *heap.Allocate(&heap, 8, 8)));
    }
    support::ScratchFolder folder;
    const auto done = exports::WriteScenario(log.View(), folder / "it.iridis", "A title");
    REQUIRE_FALSE(done);
    CHECK(done.error().Text().find("10,000") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "it.iridis"));
    alloc::DestroyFixedBufferAllocator(&heap);
}
