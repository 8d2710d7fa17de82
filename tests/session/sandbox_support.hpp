// Waits for a live session from a test's one thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "session/session.hpp"

namespace residue::session::test {

// Ticks until `done` holds; a second is far more than it takes.
inline bool Until(Session& session, const std::function<bool()>& done) {
    for (int i = 0; i < 2000; ++i) {
        session.Tick(0.005, 1'000'000);
        if (done()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

// The event that led to the position.
inline std::optional<events::Event> Present(Session& session) {
    const auto row = session.PresentRow();
    if (!row) return std::nullopt;
    return session.View().At(*row).event;
}

}  // namespace residue::session::test
