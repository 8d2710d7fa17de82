// What a view says in place of a program that has told of nothing (yet): why that may be. Pure.
#pragma once

#include <optional>
#include <string>

#include "session/session.hpp"

namespace residue::gui {

struct NoEvents {
    std::string title, text;
};
// None: the session watches no program, or there are events of it.
std::optional<NoEvents> WhyNoEvents(session::Session& session);

}  // namespace residue::gui
