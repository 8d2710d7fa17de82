#include "gui/views/flame_colour.hpp"

#include <algorithm>
#include <cmath>

namespace residue::gui {

ImU32 FlameColour(const Theme& theme, std::string_view name) {
    std::uint32_t hash = 2166136261u;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return Mix(theme.panel, theme.Category(hash % 7),
               (theme.dark ? 0.36f : 0.42f) + static_cast<float>(hash / 7 % 5) * 0.045f);
}

ImU32 GrowthColour(const Theme& theme, std::int64_t difference, std::uint64_t whole) {
    const ImU32 neutral = Mix(theme.panel, theme.dim, 0.22f);
    if (difference == 0) return neutral;
    const double share = std::min(
        1.0, std::abs(static_cast<double>(difference)) / static_cast<double>(std::max<std::uint64_t>(whole, 1)));
    const float strength = 0.25f + 0.55f * static_cast<float>(std::sqrt(share));
    return Mix(neutral, difference > 0 ? theme.error : theme.accent, strength);
}

}  // namespace residue::gui
