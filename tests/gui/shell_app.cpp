// The window as a user drives it: keys, mouse, pixels.
#include "shell_rig.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "session/sandbox.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

TEST_CASE("a step forward and a step backward give the picture they came from, pixel for pixel") {
    TemporaryFolder folder;
    Rig rig(OptionsFor(folder.File("small.rep", SmallTrace())), {900, 560});
    REQUIRE(rig.End() == 11);
    for (std::uint64_t at = 0; at < rig.End(); ++at) {
        rig.app->GetSession()->SeekTo(Position{at});
        const Image here = rig.Picture();
        rig.Press("Right");
        REQUIRE(rig.Now() == at + 1);
        const Image there = rig.Picture();
        REQUIRE_FALSE(here == there);
        rig.Press("Left");
        REQUIRE(rig.Picture() == here);
        rig.Press("Shift+Right");
        if (at % 4 == 0) REQUIRE(rig.Picture() == there);
    }
}

TEST_CASE("the transport keys move as the key sheet says") {
    TemporaryFolder folder;
    Rig rig(OptionsFor(folder.File("small.rep", SmallTrace())));
    rig.Press("End");
    CHECK(rig.Now() == 11);
    rig.Press("Home");
    CHECK(rig.Now() == 0);
    rig.Press("Left");
    CHECK(rig.Now() == 0);
    rig.Press("PageDown");
    CHECK(rig.Now() == 11);
    rig.Press("P");
    CHECK(rig.Now() == 4);  // 512 + 128 + 2,040 + 64: the first time that so much was live
    rig.Press("Space");
    CHECK(rig.app->GetSession()->Playing());
    rig.Press("Space");
    CHECK_FALSE(rig.app->GetSession()->Playing());
}

TEST_CASE("brackets go from error to error") {
    TemporaryFolder folder;
    AppOptions options = OptionsFor(folder.File("tight.rep", SmallTrace()));
    options.open.allocator = "first-fit";
    options.open.capacity = 2000;
    Rig rig(options);
    REQUIRE(rig.app->GetSession()->Status().phase == session::Phase::Ready);
    rig.Press("Home");
    rig.Press("]");
    const std::uint64_t first = rig.Now();
    CHECK(first == 3);  // 2,040 bytes never fit into 2,000
    rig.Press("]");
    rig.Press("[");
    CHECK(rig.Now() == first);
}

TEST_CASE("single letters rest while text is edited") {
    TemporaryFolder folder;
    Rig rig(OptionsFor(folder.File("small.rep", SmallTrace())));
    rig.Press("T");
    CHECK(rig.app->State().light);
    rig.Press("/");
    rig.app->Frame(0);
    rig.Type("t");
    CHECK(rig.app->State().light);  // it went into the field
    rig.Press("Escape");
    rig.app->Frame(0);
    rig.Press("T");
    CHECK_FALSE(rig.app->State().light);
}

TEST_CASE("the search field goes to a position and to a block") {
    TemporaryFolder folder;
    Rig rig(OptionsFor(folder.File("small.rep", SmallTrace())));
    rig.Press("/");
    rig.app->Frame(0);
    rig.Type("7");
    rig.Press("Enter");
    CHECK(rig.Now() == 7);
    rig.Press("Home");
    rig.Press("/");
    rig.app->Frame(0);
    rig.Press("Backspace");
    rig.Type("#3");
    rig.Press("Enter");
    CHECK(rig.Now() == 3);
    CHECK(rig.app->PresentSelection().block == BlockId{3});
}

TEST_CASE("a panel is maximised by a key and put back with Escape, and the picture is as before") {
    TemporaryFolder folder;
    Rig rig(OptionsFor(folder.File("small.rep", SmallTrace())));
    rig.app->GetSession()->SeekTo(Position{5});
    const Image before = rig.Picture();
    rig.Press("Z");
    CHECK_FALSE(rig.Picture() == before);
    rig.Press("Escape");
    CHECK(rig.Picture() == before);
    rig.DoubleClick({300, 74});  // the heap's title bar
    CHECK_FALSE(rig.Picture() == before);
    rig.Press("Escape");
    CHECK(rig.Picture() == before);
}

TEST_CASE("Escape closes the menu of a block, and the block stays selected") {
    TemporaryFolder folder;
    const std::string trace = folder.File("small.rep", SmallTrace());
    AppOptions options = Remembering(folder, trace);
    Rig rig(options);
    rig.app->GetSession()->SeekTo(Position{5});
    rig.Settle();
    const auto isOpen = [] {
        return ImGui::IsPopupOpen("", ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel);
    };
    // Somewhere in the heap's rows there is a block.
    for (int i = 0; i < 800 && !isOpen(); ++i) {
        rig.MoveMouse({160 + static_cast<float>(i % 25) * 20, 110 + static_cast<float>(i / 25) * 6});
        rig.platform->Send(InputEvent::Button(1, true));
        rig.app->Frame(0.01);
        rig.platform->Send(InputEvent::Button(1, false));
        rig.app->Frame(0.01);
    }
    REQUIRE(isOpen());
    const auto selected = rig.app->PresentSelection().block;
    REQUIRE(selected);
    rig.Press("Escape");
    rig.Settle();
    CHECK_FALSE(isOpen());
    CHECK(rig.app->PresentSelection().block == selected);
    rig.Press("Escape");  // and the next one is for what lies further out
    rig.Settle();
    CHECK_FALSE(rig.app->PresentSelection().block);
}

TEST_CASE("splitters, theme and files opened survive a restart") {
    TemporaryFolder folder, state;
    const std::string trace = folder.File("small.rep", SmallTrace());
    float bottom = 0;
    {
        Rig rig(Remembering(state, trace));
        bottom = rig.app->State().bottom;
        rig.Drag({500, 760 - 8 - bottom - 4}, {500, 760 - 8 - bottom - 64});
        CHECK(rig.app->State().bottom > bottom + 40);
        bottom = rig.app->State().bottom;
        rig.Press("T");
        rig.Press("2");
    }
    Rig rig(Remembering(state));
    CHECK(rig.app->GetSession() == nullptr);
    CHECK(rig.app->State().bottom == bottom);
    CHECK(rig.app->State().light);
    CHECK(rig.app->State().colour == 1);
    REQUIRE(rig.app->State().recent.size() == 1);
    CHECK(rig.app->State().recent.front() == trace);
}

TEST_CASE("dragging along the timeline's axis moves the playhead, dragging across the plot zooms") {
    TemporaryFolder folder;
    Rig rig(OptionsFor(folder.File("small.rep", SmallTrace())));
    rig.Press("Home");
    rig.Drag({200, 760 - 16}, {500, 760 - 16});
    CHECK(rig.Now() > 2);
    CHECK_FALSE(rig.app->PresentSelection().range);
    rig.Press("Home");
    rig.Drag({300, 660}, {700, 660});
    CHECK(rig.Now() == 0);
    REQUIRE(rig.app->PresentSelection().range);
    CHECK(rig.app->PresentSelection().range->first < rig.app->PresentSelection().range->second);
    rig.DoubleClick({400, 660});
    CHECK_FALSE(rig.app->PresentSelection().range);
}

TEST_CASE("nothing open, a file that cannot be read and an empty file all give a window that works") {
    TemporaryFolder folder;
    Rig rig({});
    rig.Picture();
    rig.Press("Right");
    rig.Press("?");
    rig.Picture();
    rig.Press("Escape");
    const std::string broken = folder.File("broken.rep", "no trace at all\n");
    const std::string empty = folder.File("empty.rep", "");
    for (const std::string& path : {broken, empty, folder.path.string(), std::string("/does/not/exist.rep")}) {
        rig.app->OpenPath(path);
        rig.app->GetSession()->WaitUntilLoaded();
        rig.Picture();
        INFO(path);
        CHECK(rig.app->GetSession()->Status().phase == session::Phase::Failed);
        for (const char* key : {"Space", "Right", "Left", "End", "[", "]", "P", "F", "D", "Ctrl+5", "Tab", "Z", "Z"})
            rig.Press(key);
        rig.Picture();
    }
}

TEST_CASE("windows from 1100 x 700 to 4K, at several scales, draw something other than background") {
    TemporaryFolder folder;
    const std::string trace = folder.File("small.rep", SmallTrace());
    for (const auto& [size, scale] : {std::pair{ImVec2{1100, 700}, 1.0f}, std::pair{ImVec2{3840, 2160}, 2.0f},
                                      std::pair{ImVec2{640, 420}, 1.0f}, std::pair{ImVec2{200, 120}, 1.0f}}) {
        Rig rig(OptionsFor(trace), size, scale);
        rig.Press("End");
        const Image image = rig.Picture();
        const std::uint32_t corner = image.pixels.front();
        CHECK(std::any_of(image.pixels.begin(), image.pixels.end(), [&](std::uint32_t p) { return p != corner; }));
    }
}

TEST_CASE("the file list opens a trace with the keyboard alone") {
    TemporaryFolder folder;
    folder.File("small.rep", SmallTrace());
    folder.File("notes.md", "not a trace");
    Rig rig(OptionsFor(folder.File("another.rep", SmallTrace())));
    rig.Press("Ctrl+O");
    rig.Settle();
    rig.Type("small");
    rig.app->Frame(0);
    rig.Press("Enter");
    rig.app->GetSession()->WaitUntilLoaded();
    rig.Settle();
    CHECK(rig.app->GetSession()->Title() == "small.rep");
}

TEST_CASE("the tour shows at the first start only, and never blocks the keys") {
    TemporaryFolder state;
    if (ShippedTraces().empty()) {
        WARN("no shipped traces yet");
        return;
    }
    {
        Rig rig(Remembering(state, {}, true));
        REQUIRE(rig.app->GetSession() != nullptr);
        const std::uint64_t peak = rig.Now();
        CHECK(peak > 0);  // a full heap to look at
        rig.Press("Left");
        CHECK(rig.Now() == peak - 1);
        const Image first = rig.Picture();
        rig.Press("Enter");
        CHECK_FALSE(rig.Picture() == first);
        rig.Press("Escape");
        CHECK(rig.app->State().tourDone);
    }
    Rig rig(Remembering(state, {}, true));
    CHECK(rig.app->GetSession() == nullptr);
}

TEST_CASE("destroying a Residue allocator in the sandbox brings the duck into the window") {
    Rig rig({.sandbox = true});
    session::Sandbox* sandbox = rig.app->GetSession()->GetSandbox();
    REQUIRE(sandbox != nullptr);
    sandbox->Create("residue", 1 << 16);
    sandbox->Allocate(100);
    const auto wait = [&](auto until) {
        for (int i = 0; i < 400 && !until(); ++i) {
            rig.app->Frame(0.01);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return until();
    };
    REQUIRE(wait([&] { return rig.End() >= 1; }));
    const auto yellow = [&] {
        const Image image = rig.platform->ReadPixels();
        return std::count_if(image.pixels.begin(), image.pixels.end(), [](std::uint32_t pixel) {
            const auto channel = [&](int shift) { return (pixel >> shift) & 0xFF; };
            return channel(IM_COL32_R_SHIFT) > 120 && channel(IM_COL32_G_SHIFT) > 100 && channel(IM_COL32_B_SHIFT) < 90;
        });
    };
    for (int i = 0; i < 4; ++i) rig.app->Frame(0.3);
    const auto before = yellow();
    sandbox->Destroy();
    REQUIRE(wait([&] {
        const log::LogView& view = rig.app->GetSession()->View();
        for (std::uint64_t row = view.Rows().value; row > 0; --row) {
            if (view.KindAt(Row{row - 1}) == events::EventKind::Duck) return true;
        }
        return false;
    }));
    for (int i = 0; i < 8; ++i) rig.app->Frame(0.3);
    CHECK(yellow() > before + 100);  // its words, beside it
}

TEST_CASE("Ctrl+E writes a picture beside the window's work, and leaving waits for it") {
    TemporaryFolder folder;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path);
    AppOptions options;
    options.path = folder.File("small.rep", SmallTrace());
    options.stateFolder = folder.path.string();
    std::string name;
    {
        Rig rig(options);
        rig.Settle();
        rig.Press("Ctrl+E");
        rig.app->Frame(0.016);
        name = "small-" + std::to_string(rig.Now()) + ".png";
    }
    INFO(name);
    CHECK(std::filesystem::file_size(folder.path / name) > 10'000);
    std::filesystem::current_path(before);
}
