// What the user did, whoever tells: the window, a test, a script. One list a frame.
//
// Key codes of the window system become our Key in window.cpp; Key becomes Dear ImGui's in imgui_input.cpp. Nothing
// else in the program knows of either.
#pragma once

#include <string>
#include <vector>

#include "gui/key.hpp"
#include "imgui.h"

namespace residue::gui {

struct InputEvent {
    enum class Kind {
        MouseMoved,
        MouseButton,
        Wheel,
        KeyDown,
        KeyUp,
        Modifiers,
        Character,
        FilesDropped,
        FocusLost,
        Close
    };
    Kind kind = Kind::MouseMoved;
    ImVec2 at{};                     // MouseMoved: screen pixels; Wheel: x and y
    int button = 0;                  // MouseButton: 0 left, 1 right, 2 middle
    bool down = false;               // MouseButton
    KeyPress key;                    // KeyDown, KeyUp; Modifiers: Shift, Ctrl and Alt as they are held now
    unsigned character = 0;          // Character: Unicode code point
    std::vector<std::string> files;  // FilesDropped

    static InputEvent Mouse(ImVec2 at_) {
        return Make(Kind::MouseMoved, [&](InputEvent& e) { e.at = at_; });
    }
    static InputEvent Button(int button_, bool down_) {
        return Make(Kind::MouseButton, [&](InputEvent& e) {
            e.button = button_;
            e.down = down_;
        });
    }
    static InputEvent Scroll(ImVec2 by) {
        return Make(Kind::Wheel, [&](InputEvent& e) { e.at = by; });
    }
    static InputEvent Press(KeyPress press) {
        return Make(Kind::KeyDown, [&](InputEvent& e) { e.key = press; });
    }
    static InputEvent Release(KeyPress press) {
        return Make(Kind::KeyUp, [&](InputEvent& e) { e.key = press; });
    }
    static InputEvent Hold(KeyPress modifiers) {
        return Make(Kind::Modifiers, [&](InputEvent& e) { e.key = modifiers; });
    }
    static InputEvent Typed(unsigned codePoint) {
        return Make(Kind::Character, [&](InputEvent& e) { e.character = codePoint; });
    }

private:
    template <class Fill>
    static InputEvent Make(Kind kind_, Fill fill) {
        InputEvent event;
        event.kind = kind_;
        fill(event);
        return event;
    }
};

// Hands the frame's events to ImGui's io.
void FeedImGui(const std::vector<InputEvent>& events);
// Once, after the ImGui context was made.
void PrepareImGuiKeys();

}  // namespace residue::gui
