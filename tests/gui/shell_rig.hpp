// The application without a display, under synthetic input.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gui/app.hpp"
#include "gui/platform/key_names.hpp"
#include "gui/platform/offscreen.hpp"
#include "support/catch.hpp"

namespace residue::gui::test {

// A folder of its own, gone with the test.
struct TemporaryFolder {
    std::filesystem::path path;
    TemporaryFolder();
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string File(const char* name, const std::string& content) const {
        const std::filesystem::path file = path / name;
        std::ofstream(file) << content;
        return file.string();
    }
};

// A trace in which blocks of several sizes come and go, with a hole in the middle and a free that fails.
std::string SmallTrace();

// Options for a file, and such that remember in a folder. (Made out of line: gcc 12 sees uninitialised strings in
// temporaries of these.)
AppOptions OptionsFor(std::string path);
AppOptions Remembering(const TemporaryFolder& state, std::string path = {}, bool firstStart = false);

struct Rig {
    explicit Rig(AppOptions options, ImVec2 size = {1200, 760}, float scale = 1);
    ~Rig();
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    void Settle();
    Image Picture() {
        Settle();
        return platform->ReadPixels();
    }
    void Press(const char* key);  // "Shift+Left"
    void Type(const char* text);  // ASCII
    void MoveMouse(ImVec2 to);
    void Drag(ImVec2 from, ImVec2 to);
    void DoubleClick(ImVec2 at);
    std::uint64_t Now() { return app->GetSession()->Now().value; }
    std::uint64_t End() { return app->GetSession()->End().value; }

    std::unique_ptr<Offscreen> platform;
    std::unique_ptr<App> app;
};

}  // namespace residue::gui::test
