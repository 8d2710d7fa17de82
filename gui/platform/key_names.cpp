#include "gui/platform/key_names.hpp"

#include <utility>

namespace residue::gui {
namespace {

constexpr std::pair<std::string_view, Key> kNames[] = {
    {"Space", Key::Space},
    {"Enter", Key::Enter},
    {"Escape", Key::Escape},
    {"Tab", Key::Tab},
    {"Backspace", Key::Backspace},
    {"Delete", Key::Delete},
    {"Insert", Key::Insert},
    {"Left", Key::Left},
    {"Right", Key::Right},
    {"Up", Key::Up},
    {"Down", Key::Down},
    {"PageUp", Key::PageUp},
    {"PageDown", Key::PageDown},
    {"Home", Key::Home},
    {"End", Key::End},
    {"[", Key::LeftBracket},
    {"]", Key::RightBracket},
    {"/", Key::Slash},
    {"?", Key::Question},
    {"+", Key::Plus},
    {"-", Key::Minus},
    {",", Key::Comma},
    {".", Key::Period},
    {"F1", Key::F1},
    {"F11", Key::F11},
};

}  // namespace

std::optional<KeyPress> ParseKey(std::string_view text) {
    KeyPress press;
    const auto takes = [&](std::string_view prefix, bool& flag) {
        if (!text.starts_with(prefix) || text.size() == prefix.size()) return false;
        text.remove_prefix(prefix.size());
        flag = true;
        return true;
    };
    while (takes("Ctrl+", press.ctrl) || takes("Shift+", press.shift) || takes("Alt+", press.alt)) {}
    if (text.size() == 1 && text[0] >= 'A' && text[0] <= 'Z') {
        press.key = static_cast<Key>(static_cast<int>(Key::A) + (text[0] - 'A'));
        return press;
    }
    if (text.size() == 1 && text[0] >= '0' && text[0] <= '9') {
        press.key = static_cast<Key>(static_cast<int>(Key::Digit0) + (text[0] - '0'));
        return press;
    }
    for (const auto& [name, key] : kNames) {
        if (name != text) continue;
        press.key = key;
        return press;
    }
    return std::nullopt;
}

}  // namespace residue::gui
