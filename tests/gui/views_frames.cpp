// Whole frames under the mouse and the keyboard, and what a frame costs.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>
#include <thread>

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

// A window that draws nothing: what is left is the CPU's work on a frame.
class NoWindow final : public Platform, TextureFactory {
public:
    ImVec2 Size() const override { return {1600, 900}; }
    float Scale() const override { return 1; }
    std::vector<InputEvent> Poll(double) override { return std::exchange(input, {}); }
    void Present(ImDrawData* data, ImU32) override { vertices = static_cast<std::size_t>(data->TotalVtxCount); }
    Image ReadPixels() override { return {}; }
    TextureFactory& Textures() override { return *this; }
    void FontsChanged() override {
        unsigned char* pixels = nullptr;
        int width = 0, height = 0;
        ImGui::GetIO().Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
    }
    void SetTitle(const std::string&) override {}
    void SetCursor(ImGuiMouseCursor) override {}

    std::vector<InputEvent> input;
    std::size_t vertices = 0;

private:
    struct Nothing final : Texture {
        void Resize(int w, int h) override { width = w, height = h; }
        void Upload(int, int, int, int, const std::uint32_t*) override {}
        int Width() const override { return width; }
        int Height() const override { return height; }
        ImTextureID Id() const override { return {}; }
        int width = 0, height = 0;
    };
    std::unique_ptr<Texture> Make(bool) override { return std::make_unique<Nothing>(); }
};

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

TEST_CASE("every tab draws at every position of a small trace") {
    TemporaryFolder folder;
    AppOptions options;
    options.path = folder.File("small.rep", SmallTrace());
    options.stateFolder = folder.path.string();
    Rig rig(options, {1100, 700});
    for (const Tab tab : {Tab::Block, Tab::Calls, Tab::Allocators, Tab::Leaks, Tab::Events}) {
        rig.app->ShowTab(tab);
        for (std::uint64_t at = 0; at <= rig.End(); ++at) {
            rig.app->GetSession()->SeekTo(Position{at});
            rig.app->Frame(0);
            rig.app->Frame(0);
        }
    }
    CHECK(rig.Now() == rig.End());
}

// Hidden: a measurement. test_gui "[frame-cost]" in a Release build.
TEST_CASE("CPU time of a frame", "[.][frame-cost]") {
    TemporaryFolder folder;
    for (const std::uint64_t blocks : {std::uint64_t{100}, std::uint64_t{10000}, std::uint64_t{1000000}}) {
        ImGui::CreateContext();
        {
            NoWindow window;
            AppOptions options;
            options.path = folder.File("crowd.rep", CrowdTrace(blocks));
            App app(window, options);
            app.GetSession()->WaitUntilLoaded();
            app.GetSession()->SeekTo(Position{blocks});
            // The figures of the timeline are built beside it; they are not what is measured.
            const session::Session& session = *app.GetSession();
            for (int i = 0; i < 60000 && !(app.Settled() && session.Series().Built() >= session.End()); ++i) {
                app.Frame(0.016);
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
            }
            const auto measure = [&](const char* what, auto prepare) {
                std::vector<double> times;
                for (int i = 0; i < 60; ++i) {
                    prepare(i);
                    const auto begin = std::chrono::steady_clock::now();
                    app.Frame(0.016);
                    times.push_back(
                        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
                }
                std::sort(times.begin(), times.end());
                WARN(blocks << " blocks, " << what << ": " << times[30] << " ms, worst " << times.back() << " ms, "
                            << window.vertices << " vertices");
            };
            measure("at rest", [](int) {});
            measure("a step a frame", [&](int i) { app.GetSession()->StepBy(i % 2 == 0 ? 1 : -1); });
            measure("zooming", [&](int i) {
                window.input.push_back(InputEvent::Mouse({500, 300}));
                window.input.push_back(InputEvent::Scroll({0, i % 20 < 10 ? 1.0f : -1.0f}));
            });
        }
        ImGui::DestroyContext();
    }
}
