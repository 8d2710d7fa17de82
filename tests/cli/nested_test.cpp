// A recording of allocators inside each other, from the program that makes it to the report: nested memory counts once.
#include <nlohmann/json.hpp>

#include "alloc/bump_allocator.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "alloc/os/default_allocator.hpp"
#include "cli/program.hpp"
#include "log/recorder.hpp"
#include "support/catch.hpp"

using namespace residue;
using cli_tests::Program;
using Json = nlohmann::ordered_json;

TEST_CASE("report --json of a fixed buffer in an arena in a default allocator counts nested memory once") {
    const Program program;
    {
        log::Recorder recorder(program.folder / "nested.residue");
        alloc::DefaultAllocatorSettings settings;
        settings.writer = nullptr;
        settings.books = alloc::InternalAllocator();
        alloc::DefaultAllocator<alloc::Profile::Debug> bottom(settings);
        bottom.AttachSink(recorder.Sink(), "default");
        alloc::ArenaAllocator middle = alloc::CreateArenaAllocator(alloc::HeapMemory::From(&bottom, 16 * 1024));
        middle.AttachSink(recorder.Sink(), "arena", AllocatorId{1});
        const auto buffer = alloc::Allocate<std::byte>(&middle, 4096);
        REQUIRE(buffer);
        alloc::FixedBufferAllocator top = alloc::CreateFixedBufferAllocator(*buffer, 4096);
        top.AttachSink(recorder.Sink(), "fixed buffer", AllocatorId{2});
        auto inTop = alloc::Allocate<char>(&top, 100);
        auto more = alloc::Allocate<char>(&top, 200);
        const auto inMiddle = alloc::Allocate<char>(&middle, 30);
        const auto inBottom = alloc::Allocate<char>(&bottom, 7);
        REQUIRE((inTop && more && inMiddle && inBottom));
        REQUIRE(alloc::Free(&top, *more));
        REQUIRE(recorder.Save());  // with all of them alive
        alloc::DestroyFixedBufferAllocator(&top);
        alloc::DestroyArenaAllocator(&middle);
    }
    const auto run = program({"report", "nested.residue", "--json"});
    INFO(run.errors << run.output);
    REQUIRE(run.exitCode == 0);
    const Json report = Json::parse(run.output);
    CHECK(report["allocations"] == 4);
    CHECK(report["frees"] == 1);
    CHECK(report["failed"] == 0);
    CHECK(report["live_bytes"] == 137);
    CHECK(report["live_blocks"] == 3);
    CHECK(report["peak_live_bytes"] == 337);
    CHECK(report["total_bytes"] == 337);
    CHECK(report["warnings"].empty());
    std::vector<std::uint64_t> leaks;
    for (const Json& leak : report["leaks"]) leaks.push_back(leak["bytes"]);
    CHECK(leaks == std::vector<std::uint64_t>{100, 30, 7});
}
