// Answers "what did this allocator look like inside at this position" by re-execution, on a thread of its own: the UI
// asks every frame and draws the latest answer there is.
//
// Thread: Ask belongs to one thread. The destructor cancels and waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "log/event_log.hpp"
#include "replay/inside.hpp"

namespace residue::session {

struct InsideAnswer {
    // The latest that is known of this allocator: of the position asked for when `ready`, else of another one, or null.
    std::shared_ptr<const replay::Inside> inside;
    bool ready = false;
    std::string unknown;    // why there is none, and none will come; empty: it is there, or being worked on
    bool never = false;     // `unknown` holds at every position of this allocator
    double progress = 0;    // 0..1, of what is being worked on
};

class InsideSource {
public:
    InsideSource() = default;
    ~InsideSource();
    InsideSource(const InsideSource&) = delete;
    InsideSource& operator=(const InsideSource&) = delete;

    // `position` <= view.Positions(). Never waits; the first call starts the thread.
    InsideAnswer Ask(const log::LogView& view, AllocatorId allocator, Position position);

private:
    struct Question {
        log::LogView view;
        AllocatorId allocator{};
        Position position{};
    };
    void Work();

    std::mutex lock_;
    std::condition_variable wake_;
    std::optional<Question> next_;                    // the one to work on next
    AllocatorId askedOf_{};
    Position asked_{log::kNever};
    std::shared_ptr<const replay::Inside> latest_;    // of askedOf_
    std::string unknown_;                             // of askedOf_ ...
    Position unknownFrom_{};                          // ... from here on
    bool never_ = false;                              // of askedOf_
    bool stopping_ = false;
    std::atomic<bool> cancelled_{false};
    std::atomic<double> progress_{0};
    std::thread worker_;
};

}  // namespace residue::session
