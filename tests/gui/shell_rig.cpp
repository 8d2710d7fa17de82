#include "shell_rig.hpp"

#include <atomic>
#include <utility>

#include <unistd.h>

// The software renderer and fontconfig keep what they made until the process ends.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:swrast_dri\nleak:libEGL\nleak:libGLX\nleak:libgallium\nleak:fontconfig\nleak:libLLVM\nleak:<unknown "
           "module>\n";
}

namespace residue::gui::test {

TemporaryFolder::TemporaryFolder() {
    static std::atomic<int> next{0};
    path = std::filesystem::temp_directory_path() /
           ("residue-test-gui-" + std::to_string(getpid()) + "-" + std::to_string(next++));
    std::filesystem::create_directories(path);
}

std::string SmallTrace() {
    return "1000000\n6\n11\n1\n"
           "a 0 512\na 1 128\na 2 2040\na 3 64\nf 1\na 4 100\nf 2\na 5 300\nf 0\nf 3\nf 4\n";
}

AppOptions OptionsFor(std::string path) {
    AppOptions options;
    options.path = std::move(path);
    return options;
}

AppOptions Remembering(const TemporaryFolder& state, std::string path, bool firstStart) {
    AppOptions options;
    options.path = std::move(path);
    options.stateFolder = state.path.string();
    options.firstStart = firstStart;
    return options;
}

Rig::Rig(AppOptions options, ImVec2 size, float scale) {
    ImGui::CreateContext();
    auto made = Offscreen::Make(size, scale);
    REQUIRE(made);
    platform = std::move(*made);
    options.animate = false;
    app = std::make_unique<App>(*platform, options);
    if (app->GetSession() != nullptr) app->GetSession()->WaitUntilLoaded();
    Settle();
}

Rig::~Rig() {
    app.reset();
    platform.reset();
    ImGui::DestroyContext();
}

void Rig::Settle() {
    app->Frame(0);
    for (int i = 0; i < 2000 && !app->Settled(); ++i) app->Frame(0);
}

void Rig::Press(const char* key) {
    const auto press = ParseKey(key);
    REQUIRE(press);
    platform->Send(InputEvent::Press(*press));
    app->Frame(0);
    platform->Send(InputEvent::Release(*press));
    app->Frame(0);
}

void Rig::Type(const char* text) {
    for (; *text != '\0'; ++text) {
        platform->Send(InputEvent::Typed(static_cast<unsigned char>(*text)));
        if (const auto press =
                ParseKey(std::string(1, static_cast<char>(*text >= 'a' && *text <= 'z' ? *text - 32 : *text)))) {
            platform->Send(InputEvent::Press(*press));
            platform->Send(InputEvent::Release(*press));
        }
        app->Frame(0);
    }
}

void Rig::MoveMouse(ImVec2 to) {
    platform->Send(InputEvent::Mouse(to));
    app->Frame(0);
}

void Rig::Drag(ImVec2 from, ImVec2 to) {
    MoveMouse(from);
    platform->Send(InputEvent::Button(0, true));
    app->Frame(0);
    MoveMouse({(from.x + to.x) / 2, (from.y + to.y) / 2});
    MoveMouse(to);
    platform->Send(InputEvent::Button(0, false));
    app->Frame(0);
    MoveMouse({-1e9f, -1e9f});
}

void Rig::DoubleClick(ImVec2 at) {
    MoveMouse(at);
    for (int i = 0; i < 2; ++i) {
        platform->Send(InputEvent::Button(0, true));
        app->Frame(0.01);
        platform->Send(InputEvent::Button(0, false));
        app->Frame(0.01);
    }
    MoveMouse({-1e9f, -1e9f});
}

}  // namespace residue::gui::test
