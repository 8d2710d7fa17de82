// The Inside panel and what the heap panel shows of it, in whole frames.
#include <string>

#include "alloc/bump_allocator.hpp"
#include "alloc/registry.hpp"
#include "log/native_file.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"
#include "support/log_sink.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

// Holes of 64 bytes between blocks, then one request of 200 bytes that passes them all.
std::string SearchTrace() {
    std::string body;
    for (int i = 0; i < 20; ++i) body += "a " + std::to_string(i) + " 56\n";
    for (int i = 0; i < 20; i += 2) body += "f " + std::to_string(i) + "\n";
    return "100000\n21\n31\n1\n" + body + "a 20 200\n";
}

AppOptions Opening(const std::string& path, const std::string& allocator = "first-fit") {
    AppOptions options;
    options.path = path;
    options.open.allocator = allocator;
    options.animate = false;
    return options;
}

void GoTo(Rig& rig, std::uint64_t position) {
    rig.app->GetSession()->SeekTo(Position{position});
    rig.Settle();
}

}  // namespace

TEST_CASE("the free list under the playhead is shown, and what a request decided can be walked both ways") {
    TemporaryFolder folder;
    Rig rig(Opening(folder.File("search.rep", SearchTrace())));
    rig.Settle();
    GoTo(rig, 31);
    InsideLook& look = rig.app->Inside();
    REQUIRE(look.open);
    REQUIRE(look.Present() != nullptr);
    CHECK(look.Present()->Probes() == 10);
    CHECK_FALSE(look.Deciding());
    CHECK(look.State()->nodes.size() == 10);
    const Image done = rig.Picture();

    const std::size_t all = look.Decisions();
    for (std::size_t i = all + 1; i-- > 0;) {
        rig.Press("Alt+Left");
        REQUIRE(look.Deciding());
        REQUIRE(look.shown == i);
    }
    CHECK(rig.Now() == 31);
    const Image begins = rig.Picture();
    CHECK(begins != done);  // the block is not there yet
    rig.Press("Alt+Left");  // on to the call before, at its end
    rig.Settle();
    CHECK(rig.Now() == 30);
    CHECK(look.Deciding());
    CHECK(look.shown == look.Decisions());
    rig.Press("Alt+Right");
    rig.Press("Alt+Right");
    rig.Settle();
    CHECK(rig.Now() == 31);
    CHECK(look.shown == 0);
    CHECK(rig.Picture() == begins);
    for (std::size_t i = 0; i <= all; ++i) rig.Press("Alt+Right");
    CHECK_FALSE(look.Deciding());
    CHECK(rig.Picture() == done);
}

TEST_CASE("every allocator's inside is drawn, and the same moment gives the same picture from both sides") {
    TemporaryFolder folder;
    const std::string path = folder.File("search.rep", SearchTrace());
    for (const alloc::Registration& entry : alloc::Registry()) {
        if (entry.name == std::string_view("system")) continue;
        INFO(entry.name);
        Rig rig(Opening(path, entry.name));
        rig.Settle();
        GoTo(rig, 24);
        const Image from = rig.Picture();
        GoTo(rig, 25);
        const Image next = rig.Picture();
        CHECK(next != from);
        GoTo(rig, 31);
        GoTo(rig, 24);
        CHECK(rig.Picture() == from);
        InsideLook& look = rig.app->Inside();
        if (!entry.inBuffer) {
            rig.Press("I");  // there is no panel, and it says why
            CHECK(rig.app->LastNotice().find("not recorded") != std::string::npos);
        } else {
            REQUIRE(look.Present() != nullptr);
            CHECK(look.Present()->after->broken.empty());
        }
    }
}

TEST_CASE("I hides the inside and shows it again, and it is remembered") {
    TemporaryFolder folder;
    const std::string path = folder.File("search.rep", SearchTrace());
    AppOptions options = Remembering(folder, path);
    {
        Rig rig(options);
        rig.Settle();
        const Image with = rig.Picture();
        rig.Press("I");
        rig.Settle();
        CHECK_FALSE(rig.app->Inside().open);
        CHECK(rig.Picture() != with);
    }
    Rig rig(options);
    rig.Settle();
    CHECK_FALSE(rig.app->Inside().open);
    rig.Press("I");
    rig.Settle();
    CHECK(rig.app->Inside().open);
}

TEST_CASE("an arena's marks stand in the heap, in a recording of a program's own arena") {
    TemporaryFolder folder;
    alignas(64) static std::byte buffer[4096];
    support::LogSink log;
    auto arena = alloc::CreateArenaAllocator(alloc::HeapMemory::Buffer(buffer));
    arena.AttachSink(&log, "scratch");
    (void)arena.Allocate(&arena, 300, 8);
    const auto mark = arena.Mark();
    (void)arena.Allocate(&arena, 500, 8);
    REQUIRE(arena.Release(*mark));
    const std::string path = (folder.path / "arena.residue").string();
    REQUIRE(log::WriteNative(log.View(), path, nullptr, nullptr));
    alloc::DestroyArenaAllocator(&arena);

    Rig rig(Opening(path));
    rig.Settle();
    GoTo(rig, 3);
    REQUIRE(rig.app->Inside().State() != nullptr);
    CHECK(rig.app->Inside().State()->marks.size() == 1);
    const Image marked = rig.Picture();
    GoTo(rig, 1);  // the mark is a call of its own: here it is not yet
    CHECK(rig.app->Inside().State()->marks.empty());
    GoTo(rig, 2);
    CHECK(rig.app->Inside().State()->marks.size() == 1);
    GoTo(rig, 4);
    CHECK(rig.app->Inside().State()->marks.empty());
    CHECK(rig.Picture() != marked);
}
