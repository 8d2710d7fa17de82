// How events are named in text that programs read (JSON Lines): kinds, flags and errors, both ways. Tables, no heap.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "events/event.hpp"

namespace residue::events {

struct FlagName {
    EventFlag flag;
    std::string_view name;
};
inline constexpr FlagName kFlagNames[] = {
    {EventFlag::IsCall, "is_call"},   {EventFlag::NotACall, "not_a_call"}, {EventFlag::Inferred, "inferred"},
    {EventFlag::Sampled, "sampled"},  {EventFlag::HasText, "has_text"},    {EventFlag::Region, "region"},
    {EventFlag::Uncertain, "uncertain"}, {EventFlag::StaysDead, "stays_dead"},
};

// Kinds are written as their texts, with '_' for ' ': "allocate_failed".
constexpr bool IsNameOf(EventKind kind, std::string_view name) noexcept {
    const std::string_view text = Info(kind).text;
    if (text.size() != name.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((text[i] == ' ' ? '_' : text[i]) != name[i]) return false;
    }
    return true;
}
constexpr std::optional<EventKind> KindNamed(std::string_view name) noexcept {
    for (const KindInfo& info : kKinds) {
        if (IsNameOf(info.kind, name)) return info.kind;
    }
    return std::nullopt;
}

constexpr std::uint8_t kMostErrors = 6;
// Empty: the number has no name.
constexpr std::string_view ErrorName(EventKind kind, std::uint8_t error) noexcept {
    if (kind == EventKind::AccessFailed) {
        if (error == static_cast<std::uint8_t>(AccessError::Dangling)) return "Dangling";
        if (error == static_cast<std::uint8_t>(AccessError::OutOfBounds)) return "OutOfBounds";
        return {};
    }
    if (error == 0 || error >= kMostErrors) return {};
    return Name(static_cast<MemoryError>(error));
}

}  // namespace residue::events
