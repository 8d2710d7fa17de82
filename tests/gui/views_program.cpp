// The panel of a program that is watched.
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

#include <imgui_internal.h>

#include "gui/views/no_events.hpp"
#include "session/program.hpp"
#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

AppOptions Watching(const char* mode, const char* number = "1") {
    AppOptions options;
    options.program = {RESIDUE_BIN_DIR "/capture_subject", mode, number};
    options.capture.shim = RESIDUE_BIN_DIR "/libresidue-preload.so";
    options.capture.channel.patienceNanoseconds = 10'000'000'000;
    return options;
}

// The window within the frame whose name has this in it.
ImGuiWindow* WindowNamed(const char* part) {
    for (ImGuiWindow* window : GImGui->Windows) {
        if (window->Active && std::strstr(window->Name, part) != nullptr) return window;
    }
    return nullptr;
}

bool Wait(Rig& rig, const std::function<bool()>& until) {
    for (int i = 0; i < 2000 && !until(); ++i) {
        rig.app->Frame(0.01);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return until();
}

}  // namespace

TEST_CASE("a program is shown while it runs, and where it stands when it has ended") {
    Rig rig(Watching("threads", "2"));
    session::Session& session = *rig.app->GetSession();
    REQUIRE(Wait(rig, [&] { return !session.IsLive(); }));
    rig.Settle();
    CHECK(session.Now() == session.End());
    // The past of it, with the same keys as ever; the source of the call that is shown is beside it.
    rig.Press("Home");
    rig.Press("Right");
    rig.Settle();
    CHECK(session.Now() == Position{1});
}

TEST_CASE("where a program has told of nothing, the window says why that may be") {
    AppOptions options = Watching("leaks");
    const bool silent = GENERATE(true, false);
    if (silent) options.program = {"/bin/true"};
    Rig rig(options);
    session::Session& session = *rig.app->GetSession();
    REQUIRE(Wait(rig, [&] { return !session.IsLive(); }));
    rig.Settle();
    const auto why = WhyNoEvents(session);
    REQUIRE(why.has_value() == silent);
    if (silent) CHECK(why->text.find("exit code 0") != std::string::npos);
}

TEST_CASE("where a call of the program has source, it is shown at its line") {
    Rig rig(Watching("leaks"));
    session::Session& session = *rig.app->GetSession();
    REQUIRE(Wait(rig, [&] { return !session.IsLive(); }));
    // The position of the leak.
    const log::LogView view = session.View();
    for (Row row{}; row < view.Rows(); ++row) {
        if (view.At(row).event.size == 9001) session.SeekTo(view.PositionOf(row));
    }
    REQUIRE(Wait(rig, [&] { return WindowNamed("##source") != nullptr; }));
    // Its line is in view: not the beginning of the file.
    rig.Settle();
    CHECK(WindowNamed("##source")->Scroll.y > 100);
}

TEST_CASE("the processes of a program are listed, and each is shown on demand") {
    AppOptions options = Watching("heirs");
    options.capture.channel.follow = true;
    Rig rig(options);
    const auto process = [&] { return rig.app->GetSession()->GetProgram()->ProgramState().process; };
    const int first = process();
    REQUIRE(Wait(rig, [&] { return rig.app->Watched().Count() == 4 &&
                                   !rig.app->Watched().AnyLive(*rig.app->GetSession()); }));
    rig.Settle();
    REQUIRE(WindowNamed("##processes") != nullptr);
    rig.Press("Ctrl+PageUp");  // the last one
    rig.Settle();
    CHECK(rig.app->Watched().Shown() == 3);
    CHECK(process() != first);
    CHECK(rig.app->GetSession()->Now() == rig.app->GetSession()->End());
    rig.Press("Ctrl+PageDown");  // and round
    rig.Settle();
    CHECK(process() == first);
    // A click on the second row.
    const ImGuiWindow* const list = WindowNamed("##processes");
    REQUIRE(list != nullptr);
    const ImVec2 row{list->Pos.x + 60, list->Pos.y + list->Size.y * 3 / 8};
    rig.Drag(row, row);
    rig.Settle();
    CHECK(rig.app->Watched().Shown() == 1);
    CHECK(process() != first);
}
