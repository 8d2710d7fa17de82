// Sessions that are done with: they end on threads of their own. That takes a while where they are large or still being
// read.
//
// Thread: one. The destructor waits for all of them.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "session/session.hpp"

namespace residue::session {

class Retired {
public:
    // Cancels what it still does. Nothing may use it any more, nor what it gave out by reference.
    void Take(std::unique_ptr<Session> session) {
        if (session == nullptr) return;
        session->Cancel();
        std::erase_if(ending_, [](const std::future<void>& each) {
            return each.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
        });
        ending_.push_back(std::async(std::launch::async, [ended = std::move(session)]() mutable { ended.reset(); }));
    }

private:
    std::vector<std::future<void>> ending_;  // each waits in its destructor
};

}  // namespace residue::session
