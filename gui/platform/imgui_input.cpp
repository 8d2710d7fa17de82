// Our input to Dear ImGui's: the only place that knows how its versions differ (1.86 has KeyMap and KeysDown, 1.87 and
// later have AddKeyEvent).
#include <cstddef>

#include "gui/platform/input.hpp"

namespace residue::gui {
namespace {

struct KeyPair {
    Key ours;
    ImGuiKey theirs;
};

// Only what ImGui's own widgets (text fields, pop-ups) use.
constexpr KeyPair kKeys[] = {
    {Key::Tab, ImGuiKey_Tab},
    {Key::Left, ImGuiKey_LeftArrow},
    {Key::Right, ImGuiKey_RightArrow},
    {Key::Up, ImGuiKey_UpArrow},
    {Key::Down, ImGuiKey_DownArrow},
    {Key::PageUp, ImGuiKey_PageUp},
    {Key::PageDown, ImGuiKey_PageDown},
    {Key::Home, ImGuiKey_Home},
    {Key::End, ImGuiKey_End},
    {Key::Insert, ImGuiKey_Insert},
    {Key::Delete, ImGuiKey_Delete},
    {Key::Backspace, ImGuiKey_Backspace},
    {Key::Space, ImGuiKey_Space},
    {Key::Enter, ImGuiKey_Enter},
    {Key::Escape, ImGuiKey_Escape},
    {Key::A, ImGuiKey_A},
    {Key::C, ImGuiKey_C},
    {Key::V, ImGuiKey_V},
    {Key::X, ImGuiKey_X},
    {Key::Y, ImGuiKey_Y},
    {Key::Z, ImGuiKey_Z},
};

void FeedKey(ImGuiIO& io, const KeyPress& press, bool down) {
#if IMGUI_VERSION_NUM >= 18700
    io.AddKeyEvent(ImGuiMod_Ctrl, press.ctrl);
    io.AddKeyEvent(ImGuiMod_Shift, press.shift);
    io.AddKeyEvent(ImGuiMod_Alt, press.alt);
    for (const KeyPair& pair : kKeys) {
        if (pair.ours == press.key) io.AddKeyEvent(pair.theirs, down);
    }
#else
    io.KeyCtrl = press.ctrl;
    io.KeyShift = press.shift;
    io.KeyAlt = press.alt;
    if (press.key != Key::None) io.KeysDown[static_cast<std::size_t>(press.key)] = down;
#endif
}

}  // namespace

void PrepareImGuiKeys() {
    ImGuiIO& io = ImGui::GetIO();
#if IMGUI_VERSION_NUM >= 18700
    io.ConfigInputTrickleEventQueue = false;  // what happened before a frame is seen in that frame
#else
    for (const KeyPair& pair : kKeys) io.KeyMap[pair.theirs] = static_cast<int>(pair.ours);
#endif
}

void FeedImGui(const std::vector<InputEvent>& events) {
    ImGuiIO& io = ImGui::GetIO();
    for (const InputEvent& event : events) {
        switch (event.kind) {
            case InputEvent::Kind::KeyDown: FeedKey(io, event.key, true); break;
            case InputEvent::Kind::KeyUp: FeedKey(io, event.key, false); break;
            case InputEvent::Kind::Modifiers: FeedKey(io, event.key, false); break;
            case InputEvent::Kind::Character: io.AddInputCharacter(event.character); break;
#if IMGUI_VERSION_NUM >= 18700
            case InputEvent::Kind::MouseMoved: io.AddMousePosEvent(event.at.x, event.at.y); break;
            case InputEvent::Kind::MouseButton: io.AddMouseButtonEvent(event.button, event.down); break;
            case InputEvent::Kind::Wheel: io.AddMouseWheelEvent(event.at.x, event.at.y); break;
            case InputEvent::Kind::FocusLost: io.AddFocusEvent(false); break;
#else
            case InputEvent::Kind::MouseMoved: io.MousePos = event.at; break;
            case InputEvent::Kind::MouseButton:
                if (event.button >= 0 && event.button < 5) io.MouseDown[event.button] = event.down;
                break;
            case InputEvent::Kind::Wheel:
                io.MouseWheelH += event.at.x;
                io.MouseWheel += event.at.y;
                break;
            case InputEvent::Kind::FocusLost:
                for (bool& down : io.KeysDown) down = false;
                for (bool& down : io.MouseDown) down = false;
                io.KeyCtrl = io.KeyShift = io.KeyAlt = false;
                break;
#endif
            case InputEvent::Kind::FilesDropped:
            case InputEvent::Kind::Close: break;
        }
    }
}

}  // namespace residue::gui
