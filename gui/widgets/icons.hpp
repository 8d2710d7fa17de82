// Icons of Font Awesome 4.7 (merged into the label fonts), each with plain text for where that font is missing.
#pragma once

#include "gui/theme.hpp"

namespace residue::gui {

struct Icon {
    const char* glyph;  // UTF-8, Font Awesome's private-use code point
    const char* plain;  // ASCII

    const char* Text(const Fonts& fonts) const { return fonts.haveIcons ? glyph : plain; }
};

inline constexpr Icon kIconFirst{"\uf048", "|<"};
inline constexpr Icon kIconBack{"\uf0d9", "<"};
inline constexpr Icon kIconPlay{"\uf04b", ">"};
inline constexpr Icon kIconPause{"\uf04c", "||"};
inline constexpr Icon kIconForward{"\uf0da", ">"};
inline constexpr Icon kIconFast{"\uf04e", ">>"};
inline constexpr Icon kIconLast{"\uf051", ">|"};
inline constexpr Icon kIconStop{"\uf04d", "[]"};
inline constexpr Icon kIconSearch{"\uf002", "?"};
inline constexpr Icon kIconFolder{"\uf07b", "/"};
inline constexpr Icon kIconFolderOpen{"\uf07c", "/"};
inline constexpr Icon kIconFile{"\uf15c", "-"};
inline constexpr Icon kIconUp{"\uf062", "^"};
inline constexpr Icon kIconError{"\uf00d", "x"};
inline constexpr Icon kIconWarning{"\uf071", "!"};
inline constexpr Icon kIconCheck{"\uf00c", "+"};
inline constexpr Icon kIconFlask{"\uf0c3", "*"};
inline constexpr Icon kIconTheme{"\uf042", "o"};
inline constexpr Icon kIconKeyboard{"\uf11c", "?"};
inline constexpr Icon kIconCamera{"\uf030", "c"};
inline constexpr Icon kIconExpand{"\uf065", "+"};
inline constexpr Icon kIconCompress{"\uf066", "-"};
inline constexpr Icon kIconCaretDown{"\uf0d7", "v"};
inline constexpr Icon kIconCaretRight{"\uf0da", ">"};
inline constexpr Icon kIconLive{"\uf111", "*"};
inline constexpr Icon kIconTrash{"\uf1f8", "x"};
inline constexpr Icon kIconBolt{"\uf0e7", "!"};
inline constexpr Icon kIconDice{"\uf074", "~"};
inline constexpr Icon kIconTree{"\uf0e8", "#"};
inline constexpr Icon kIconTable{"\uf0ce", "#"};
inline constexpr Icon kIconDrop{"\uf043", "o"};
inline constexpr Icon kIconCube{"\uf1b2", "#"};
inline constexpr Icon kIconCubes{"\uf1b3", "#"};
inline constexpr Icon kIconPlus{"\uf067", "+"};
inline constexpr Icon kIconMinus{"\uf068", "-"};

}  // namespace residue::gui
