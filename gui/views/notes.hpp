// What a panel says about its own figures: that they are late, uncertain, or without call traces, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gui/view.hpp"

namespace residue::gui {

// The events that were lost right behind the call that led here, where some were. (A gap is no call: PresentRow never
// is one.)
std::optional<std::uint64_t> LostHere(const session::Session& session);
// At the present position events were lost before.
std::optional<std::string> UncertainNote(const session::Session& session);
// Some blocks have no call trace because there was no room for more.
std::optional<std::string> TracesFullNote(const session::Session& session);
// Why an event of this session has no call trace, as a sentence.
std::string WhyNoTrace(session::Session& session);

// A line in the colour of warnings, wrapped, at ImGui's cursor, which it advances.
void DrawNote(const ViewContext& context, float width, std::string_view text);

}  // namespace residue::gui
