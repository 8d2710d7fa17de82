// Whole frames under the mouse and the keyboard.
#include <random>
#include <string>

#include "shell_rig.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

namespace {

// `blocks` blocks of mixed sizes that all live at the end, with every fifth freed.
std::string CrowdTrace(std::uint64_t blocks) {
    std::string body;
    std::uint64_t operations = 0;
    for (std::uint64_t i = 0; i < blocks; ++i, ++operations) {
        body += "a " + std::to_string(i) + " " + std::to_string(16 + (i * 2654435761u) % 100) + "\n";
    }
    for (std::uint64_t i = 2; i < blocks; i += 5, ++operations) body += "f " + std::to_string(i) + "\n";
    return "100000000\n" + std::to_string(blocks) + "\n" + std::to_string(operations) + "\n1\n" + body;
}

}  // namespace

TEST_CASE("the heap panel survives any mouse, and F brings the same picture back") {
    TemporaryFolder folder;
    AppOptions options;
    options.path = folder.File("crowd.rep", CrowdTrace(3000));
    options.stateFolder = folder.path.string();
    options.only = PanelId::Heap;
    Rig rig(options);
    rig.app->GetSession()->SeekTo(Position{3100});
    rig.MoveMouse({-100, -100});
    const Image before = rig.Picture();
    std::mt19937 random(5);
    const auto below = [&](unsigned limit) { return static_cast<float>(random() % limit); };
    for (int i = 0; i < 150; ++i) {
        const ImVec2 at{10 + below(1180), 50 + below(680)};
        switch (random() % 6) {
            case 0:
                rig.platform->Send(InputEvent::Scroll({0, static_cast<float>(static_cast<int>(random() % 7) - 3)}));
                break;
            case 1: rig.Drag(at, {10 + below(1180), 50 + below(680)}); break;
            case 2: rig.DoubleClick(at); break;
            case 3: rig.Press(random() % 2 == 0 ? "Left" : "Right"); break;
            default: rig.MoveMouse(at); break;
        }
        rig.app->Frame(0.016);
    }
    rig.app->PresentSelection() = {};
    rig.app->GetSession()->SeekTo(Position{3100});
    rig.MoveMouse({-100, -100});
    CHECK(rig.Picture() != before);  // it was moved
    rig.Press("F");
    CHECK(rig.Picture() == before);
}

TEST_CASE("a dense map after steps there and back is the one from before") {
    TemporaryFolder folder;
    AppOptions options;
    options.path = folder.File("crowd.rep", CrowdTrace(30000));
    options.stateFolder = folder.path.string();
    options.only = PanelId::Heap;
    Rig rig(options);
    rig.app->GetSession()->SeekTo(Position{31000});
    const Image before = rig.Picture();
    for (int i = 0; i < 7; ++i) rig.Press("Right");
    const Image between = rig.Picture();
    CHECK(between != before);
    for (int i = 0; i < 7; ++i) rig.Press("Left");
    CHECK(rig.Picture() == before);  // only the rows that changed were made again
    rig.app->GetSession()->SeekTo(Position{10});
    rig.Settle();
    rig.app->GetSession()->SeekTo(Position{31000});
    CHECK(rig.Picture() == before);  // every row was made again
}

TEST_CASE("a dense map that takes several frames is finished before the window rests") {
    TemporaryFolder folder;
    const std::string path = folder.File("crowd.rep", CrowdTrace(400000));
    const auto picture = [&](bool animate) {
        ImGui::CreateContext();
        auto platform = Offscreen::Make({760, 2160}, 1);
        REQUIRE(platform);
        std::vector<std::uint32_t> pixels;
        {
            AppOptions options;
            options.path = path;
            options.animate = animate;  // only then is a frame's work bounded
            options.only = PanelId::Heap;
            App app(**platform, options);
            app.GetSession()->WaitUntilLoaded();
            for (int i = 0; i < 10 && !app.Settled(); ++i) app.Frame(0.016);
            app.GetSession()->SeekTo(Position{400000});
            app.Frame(0.016);
            for (int i = 0; i < 1000 && !app.Settled(); ++i) app.Frame(0.016);
            REQUIRE(app.Settled());
            pixels = (*platform)->ReadPixels().pixels;
        }
        platform->reset();
        ImGui::DestroyContext();
        return pixels;
    };
    const bool same = picture(true) == picture(false);  // pixels are not for printing
    CHECK(same);
}

TEST_CASE("every tab draws at every position of a small trace") {
    TemporaryFolder folder;
    AppOptions options;
    options.path = folder.File("small.rep", SmallTrace());
    options.stateFolder = folder.path.string();
    Rig rig(options, {1100, 700});
    for (const Tab tab : {Tab::Block, Tab::Calls, Tab::Allocators, Tab::Leaks, Tab::Events, Tab::Profile}) {
        rig.app->ShowTab(tab);
        for (std::uint64_t at = 0; at <= rig.End(); ++at) {
            rig.app->GetSession()->SeekTo(Position{at});
            rig.app->Frame(0);
            rig.app->Frame(0);
        }
    }
    CHECK(rig.Now() == rig.End());
}
