// The window: GLFW with OpenGL 3.3.
#pragma once

#include <memory>

#include "gui/platform/platform.hpp"
#include "log/failure.hpp"

namespace residue::gui {

class Window : public Platform {
public:
    // ImGui's context must have been made. `size` in unscaled pixels; it is multiplied by the monitor's content scale
    // and cut to the screen. `scale` > 0 overrides the content scale.
    static Outcome<std::unique_ptr<Window>> Make(ImVec2 size, float scale, bool maximised);
    virtual bool Maximised() const = 0;
};

}  // namespace residue::gui
