// Frames without a display: EGL on Mesa's surfaceless platform and a framebuffer object. Software rendering is enough.
//
//   auto offscreen = Offscreen::Make({1600, 900}, 1);
//   if (!offscreen) Print(offscreen.error().Text());
//   (*offscreen)->Send(InputEvent::Press({Key::Right}));   // what the next frame's Poll returns
#pragma once

#include <memory>

#include "gui/platform/platform.hpp"
#include "log/failure.hpp"

namespace residue::gui {

class Offscreen : public Platform {
public:
    // ImGui's context must have been made. `size` in pixels, 1..16384 each way.
    static Outcome<std::unique_ptr<Offscreen>> Make(ImVec2 size, float scale);
    virtual void Send(InputEvent event) = 0;
};

}  // namespace residue::gui
