// Races and forks in the window.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <imgui_internal.h>

#include "log/appender.hpp"
#include "log/events.hpp"
#include "log/native_file.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

struct TraceFile {
    TraceFile() {
        const std::string name = "residue-gui-lanes-" + std::to_string(getpid()) + ".rep";
        path = (std::filesystem::temp_directory_path() / name).string();
        std::ofstream(path) << "0\n6\n9\n1\na 0 64\na 1 32\na 2 24\na 3 32\nf 0\nf 2\na 4 24\na 5 400\nf 3\n";
    }
    ~TraceFile() { std::filesystem::remove(path); }
    std::string path;
};

std::size_t HeapsDrawn() {
    std::size_t count = 0;
    for (const ImGuiWindow* window : GImGui->Windows) {
        const std::string name = window->Name;
        count += window->Active && name.find("/heap_") != std::string::npos;
    }
    return count;
}

}  // namespace

TEST_CASE("a race is opened with its lanes, which follow the playhead and jump to where they part") {
    const TraceFile trace;
    AppOptions options;
    options.path = trace.path;
    options.lanes = {"best-fit", "buddy"};
    Rig rig(options);
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    REQUIRE(rig.app->Lanes().Count() == 2);
    CHECK(HeapsDrawn() == 3);
    rig.Press("End");
    rig.Press("Left");
    rig.Settle();
    CHECK(rig.Now() == 8);
    CHECK(rig.app->Lanes().At(0).Now() == Position{8});
    CHECK(rig.app->Lanes().At(1).Now() == Position{8});
    // The other views are of the first one alone.
    rig.Press("V");
    rig.Settle();
    CHECK(HeapsDrawn() == 0);
    rig.Press("Shift+V");
    rig.Settle();
    CHECK(HeapsDrawn() == 3);
}

TEST_CASE("from the playhead on another policy goes on beside the first") {
    const TraceFile trace;
    Rig rig(OptionsFor(trace.path));
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    rig.app->GetSession()->SeekTo(Position{6});
    rig.Settle();
    rig.Press("R");
    rig.Settle();
    CHECK(rig.app->Lanes().Count() == 0);
    rig.app->AddLane("best-fit", std::nullopt, true);
    rig.Settle();
    REQUIRE(rig.app->Lanes().Count() == 1);
    CHECK(HeapsDrawn() == 2);
    const auto present = [](session::Session& session) {
        return session.View().At(*session.PresentRow()).event.address;
    };
    session::Session& first = *rig.app->GetSession();
    session::Session& lane = rig.app->Lanes().At(0);
    CHECK(lane.Options().fork == replay::Fork{6, "best-fit", std::nullopt});
    CHECK(lane.Now() == Position{6});
    rig.Press("Right");
    rig.Settle();
    CHECK(present(first) != present(lane));
    // A forked lane can be taken away; another trace takes all of them away.
    rig.app->RemoveLane(0);
    rig.Settle();
    CHECK(rig.app->Lanes().Count() == 0);
    rig.app->AddLane("tlsf", std::nullopt, false);
    rig.Settle();
    rig.app->OpenPath(trace.path);
    rig.Settle();
    CHECK(rig.app->Lanes().Count() == 0);
}

TEST_CASE("a malloc of another process is a lane, of which only payloads are known") {
    const TraceFile trace;
    AppOptions options;
    options.path = trace.path;
    options.lanes = {"glibc", "tlsf"};
    Rig rig(options);
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    REQUIRE(rig.app->Lanes().Count() == 2);
    session::Session& lane = rig.app->Lanes().At(0);
    REQUIRE(lane.Status().phase == session::Phase::Ready);
    CHECK(lane.End() == Position{9});
    CHECK_FALSE(lane.PresentMetrics().heap);
    CHECK(lane.PresentMetrics().liveBytes == rig.app->GetSession()->PresentMetrics().liveBytes);
    REQUIRE(rig.app->Lanes().Scores().Of(lane) != nullptr);
    CHECK(rig.app->Lanes().Scores().Of(lane)->pageBytes > 0);
}

TEST_CASE("a recording is raced and forked, too: what was recorded is asked of another allocator") {
    const TemporaryFolder folder;
    log::EventLog log;
    {
        log::Appender appender(log);
        for (const std::uint64_t at : {1u, 2u, 3u, 4u}) {
            appender.Append(log::testing::Allocated(at << 20, 100 * at), {});
        }
        appender.Append(log::testing::Freed(2 << 20), {});
    }
    const std::string path = (folder.path / "a.residue").string();
    REQUIRE(log::WriteNative(log.View(), path));
    AppOptions options;
    options.path = path;
    options.lanes = {"tlsf"};
    Rig rig(options);
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    REQUIRE(rig.app->Lanes().Count() == 1);
    rig.app->GetSession()->SeekTo(Position{3});
    rig.Settle();
    rig.app->AddLane("buddy", std::nullopt, true);
    rig.Settle();
    REQUIRE(rig.app->Lanes().Count() == 2);
    CHECK(rig.app->Lanes().At(0).Options().fork == replay::Fork{0, "tlsf", std::nullopt});
    CHECK(rig.app->Lanes().At(1).Options().fork == replay::Fork{3, "buddy", std::nullopt});
    rig.Press("End");
    rig.Settle();
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(rig.app->Lanes().At(i).Status().phase == session::Phase::Ready);
        CHECK(rig.app->Lanes().At(i).PresentMetrics().liveBytes == 800);
        CHECK(rig.app->Lanes().At(i).Now() == Position{5});
    }
    // Another file takes the place of all of them.
    rig.app->OpenPath(path);
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    CHECK(rig.app->Lanes().Count() == 0);
}
