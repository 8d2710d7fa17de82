#include "log/recorder.hpp"

#include <thread>

#include "log/native_file.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;

namespace {
[[gnu::noinline]] void Say(events::EventSink* sink, events::EventKind kind, std::uint64_t address, std::uint64_t size) {
    events::Event event;
    event.kind = kind;
    event.allocator = AllocatorId{1};
    event.address = address;
    event.size = size;
    event.trace = sink->Capture(0);
    events::EmitNow(*sink, event);
    asm volatile("" ::: "memory");  // behind the call, which else may be a jump
}
}  // namespace

TEST_CASE("what two threads do is recorded, saved and opened again, with the names of their functions", "[threads]") {
    const support::ScratchFolder folder;
    const std::string path = folder / "run.residue";
    {
        log::Recorder recorder(path, "two threads");
        std::thread other([&] {
            for (std::uint64_t i = 1; i <= 1000; ++i) Say(recorder.Sink(), events::EventKind::Allocated, i << 12, 8);
        });
        for (std::uint64_t i = 1; i <= 1000; ++i) Say(recorder.Sink(), events::EventKind::Allocated, i << 32, 8);
        other.join();
        REQUIRE(recorder.Save());
        CHECK(recorder.Save());
        Say(recorder.Sink(), events::EventKind::Freed, 1 << 12, 0);  // nobody listens any more
    }
    log::EventLog again;
    const auto summary = log::ReadNative(path, again);
    REQUIRE(summary);
    CHECK(summary->whole);
    CHECK(again.View().Rows().value == 2000);
    CHECK(again.View().Source().name == "two threads");
    const auto first = again.View().At(Row{0}).event;
    CHECK(again.View().TopFrame(first.trace).function.find("Say") != std::string::npos);
}

TEST_CASE("a recording that cannot be written says so, and nothing is left when it is not saved") {
    const support::ScratchFolder folder;
    log::Recorder nowhere("/nowhere/at/all.residue");
    const auto saved = nowhere.Save();
    REQUIRE_FALSE(saved);
    CHECK(saved.error().Text().find("/nowhere/at/all.residue") != std::string::npos);
    { log::Recorder dropped(folder / "dropped.residue"); }
    CHECK_FALSE(std::filesystem::exists(folder / "dropped.residue"));
}
