// Where frames go and input comes from: a window (window.hpp) or a framebuffer without a display (offscreen.hpp).
// The app is the same on both, so what a test presses and reads back is what a user sees.
//
// Thread: the UI's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gui/platform/input.hpp"
#include "gui/view.hpp"

namespace residue::gui {

// Rows of pixels, top first, IM_COL32 layout, alpha 255.
struct Image {
    int width = 0, height = 0;
    std::vector<std::uint32_t> pixels;
    bool operator==(const Image&) const = default;
};

class Platform {
public:
    virtual ~Platform() = default;
    virtual ImVec2 Size() const = 0;  // pixels of the framebuffer
    virtual float Scale() const = 0;  // content scale of the monitor; 1: 96 dpi
    // What happened since the last call. `wait` > 0: may sleep up to so many seconds for something to happen.
    virtual std::vector<InputEvent> Poll(double wait) = 0;
    // From any thread: a Poll that sleeps returns, or the next one does at once.
    virtual void Wake() {}
    // Draws ImGui's last frame, and shows it.
    virtual void Present(ImDrawData* data, ImU32 background) = 0;
    virtual Image ReadPixels() = 0;  // of the frame presented last
    virtual TextureFactory& Textures() = 0;
    virtual void FontsChanged() = 0;  // the atlas was made anew
    virtual void SetTitle(const std::string& title) = 0;
    virtual void SetCursor(ImGuiMouseCursor cursor) = 0;
};

}  // namespace residue::gui
