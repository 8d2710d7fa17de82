// Our own keys. Window systems' codes are turned into these in one place (platform/), because Dear ImGui's key
// functions differ between 1.86 and later versions.
#pragma once

#include <cstdint>

namespace residue::gui {

enum class Key : std::uint8_t {
    None,
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
    N,
    O,
    P,
    Q,
    R,
    S,
    T,
    U,
    V,
    W,
    X,
    Y,
    Z,
    Digit0,
    Digit1,
    Digit2,
    Digit3,
    Digit4,
    Digit5,
    Digit6,
    Digit7,
    Digit8,
    Digit9,
    Space,
    Enter,
    Escape,
    Tab,
    Backspace,
    Delete,
    Insert,
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    LeftBracket,
    RightBracket,
    Slash,
    Question,
    Plus,
    Minus,
    Comma,
    Period,
    F1,
    F11,
    Count
};

struct KeyPress {
    Key key = Key::None;
    bool ctrl = false, shift = false, alt = false;
    bool repeat = false;  // the key was held

    bool Is(Key which) const { return key == which && !ctrl && !alt; }
    bool IsCtrl(Key which) const { return key == which && ctrl && !alt; }
};

}  // namespace residue::gui
